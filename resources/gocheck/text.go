package main

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// foreign lies above every position of imported packages, so that a position that belongs to one of those is
// never taken for a place in a sample: importer and samples use different file sets.
const foreign = 1 << 40

func newFileSet() *token.FileSet {
	fset := token.NewFileSet()
	fset.AddFile("", foreign, 0)
	return fset
}

// lacksPackage says whether the first token is anything but `package`; comments do not count.
func lacksPackage(code string) bool {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(code)), []byte(code), func(token.Position, string) {}, 0)
	_, first, _ := s.Scan()
	return first != token.PACKAGE && first != token.EOF
}

// position turns an offset into the parsed source into line and column (in characters) of the sample's own code.
func (c *checking) position(offset int) (line, column int) {
	offset -= c.prefix
	if offset < 0 {
		return 0, 0
	}
	offset = min(offset, len(c.code))
	if c.lines == nil {
		c.lines = append(c.lines, 0)
		for i := 0; i < len(c.code); i++ {
			if c.code[i] == '\n' {
				c.lines = append(c.lines, i+1)
			}
		}
	}
	line = sort.SearchInts(c.lines, offset+1)
	return line, 1 + utf8.RuneCountInString(c.code[c.lines[line-1]:offset])
}

// firstDifference finds the first line of code that the formatted text writes differently: its offset into code, and
// what becomes of it in words.
func firstDifference(code, formatted string) (offset int, message string) {
	for {
		was, restWas, more := strings.Cut(code, "\n")
		is, restIs, _ := strings.Cut(formatted, "\n")
		switch {
		case was == is && more:
			offset += len(was) + 1
			code, formatted = restWas, restIs
		case strings.TrimSpace(was) == "":
			return offset, "gofmt removes this empty line"
		case is == "" && strings.HasPrefix(strings.TrimLeft(restIs, "\n"), was):
			return offset, "gofmt puts an empty line before this one"
		case is == "":
			return offset, "gofmt removes or moves this line"
		default:
			return offset, fmt.Sprintf("gofmt writes this line as %q", is)
		}
	}
}

// depthOf counts nested nodes, and stops counting once there are more than enough.
func depthOf(file *ast.File, enough int) int {
	depth, deepest := 0, 0
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			depth--
			return false
		}
		if depth+1 > enough {
			deepest = enough + 1
			return false // its children are left out, so is the closing call
		}
		depth++
		deepest = max(deepest, depth)
		return true
	})
	return deepest
}

func importPath(spec *ast.ImportSpec) string {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return path
}
