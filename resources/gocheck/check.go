package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"runtime"
	"strings"
)

const (
	pass    = "pass"
	fail    = "fail"
	skipped = "skipped"

	maxCode        = 1 << 20 // bytes; a longer text is not a sample
	maxDepth       = 2000    // nested nodes; the compiler's own recursion is what this guards
	maxDiagnostics = 50      // for each check; the rest says nothing new
	maxMessage     = 500     // bytes; a message may quote a constant of a thousand digits
)

// A diagnostic is one complaint. Line and column count from 1, columns in characters; 0 means the whole text.
type diagnostic struct {
	Check   string `json:"check"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

type states struct {
	Parse  string `json:"parse"`
	Format string `json:"format"`
	Types  string `json:"types"`
}

type verdict struct {
	Sequence    int64        `json:"n"`
	States      states       `json:"states"`
	Diagnostics []diagnostic `json:"diagnostics,omitempty"`
	Policy      []diagnostic `json:"policy,omitempty"` // their check is the kind of policy
	Formatted   *string      `json:"formatted,omitempty"`
}

// check gives the verdict on one text; a panic of the go packages becomes a diagnostic of this text alone.
// begin is told which check comes next.
func check(sequence int64, code string, std *library, begin func(check string)) (v verdict) {
	overlooked := "" // a bug in the search for policies says nothing of the types
	c := &checking{code: code, std: std, v: verdict{Sequence: sequence, States: states{skipped, skipped, skipped}}}
	stages := []struct {
		name  string
		state *string
		run   func() (goOn bool)
	}{
		{"parse", &c.v.States.Parse, c.parse},
		{"types", &c.v.States.Types, c.types},
		{"types", &overlooked, c.policies},
		{"format", &c.v.States.Format, c.format},
	}
	current := 0
	defer func() {
		if problem := recover(); problem != nil {
			*stages[current].state = fail
			c.say(stages[current].name, -1, fmt.Sprintf("the checker met a bug of its own: %v", problem))
		}
		v = c.v
	}()
	for i, stage := range stages {
		current = i
		begin(stage.name)
		if !stage.run() {
			break
		}
	}
	return
}

// checking is the work on one text.
type checking struct {
	code   string
	std    *library
	prefix int // bytes put before the code, always a whole line
	fset   *token.FileSet
	file   *ast.File
	lines  []int // offset of each line's start, made when the first diagnostic needs it
	said   map[string]int
	info   types.Info // empty until types are checked
	v      verdict
}

func (c *checking) parse() bool {
	if len(c.code) > maxCode {
		c.say("parse", -1, fmt.Sprintf("the code is %d KiB long; Gosmith checks up to %d KiB", len(c.code)>>10, maxCode>>10))
		return false
	}
	if strings.TrimSpace(c.code) == "" {
		c.v.States.Parse = fail
		c.say("parse", -1, "there is no code")
		return false
	}
	source := c.code
	if lacksPackage(source) {
		const clause = "package sample\n"
		source, c.prefix = clause+source, len(clause)
	}
	c.fset = newFileSet()
	file, err := parser.ParseFile(c.fset, "sample.go", source, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
	if err != nil {
		c.v.States.Parse = fail
		if list, ok := err.(scanner.ErrorList); ok {
			for _, e := range list {
				c.say("parse", e.Pos.Offset, e.Msg)
			}
		} else {
			c.say("parse", -1, err.Error())
		}
		return false
	}
	c.file, c.v.States.Parse = file, pass
	if depth := depthOf(file, maxDepth); depth > maxDepth {
		c.say("types", -1, fmt.Sprintf("nested more than %d levels deep; formatting and types were not checked", maxDepth))
		return false
	}
	return true
}

func (c *checking) format() bool {
	var formatted []byte
	var err error
	if c.prefix > 0 {
		formatted, err = format.Source([]byte(c.code))
	} else {
		var buffer bytes.Buffer
		buffer.Grow(len(c.code) + 64)
		err = format.Node(&buffer, c.fset, c.file)
		formatted = buffer.Bytes()
	}
	if err != nil {
		c.v.States.Format = fail
		c.say("format", -1, err.Error())
		return true
	}
	if string(formatted) == c.code || strings.TrimSuffix(string(formatted), "\n") == c.code {
		c.v.States.Format = pass
		return true
	}
	c.v.States.Format = fail
	text := string(formatted)
	c.v.Formatted = &text
	offset, message := firstDifference(c.code, text)
	c.say("format", offset+c.prefix, message)
	return true
}

func (c *checking) types() bool {
	outside := false
	for _, spec := range c.file.Imports {
		path := importPath(spec)
		if reason := c.std.outside(path); reason != "" {
			outside = true
			c.say("types", c.offset(spec.Pos()), reason)
		}
	}
	if outside {
		return true
	}
	c.v.States.Types = pass
	for _, spec := range c.file.Imports {
		if path := importPath(spec); c.std.internal(path) {
			c.complain(spec.Pos(), fmt.Sprintf("use of internal package %s not allowed", path))
		}
	}
	release := c.std.prepare(c.file.Imports)
	defer release()
	config := types.Config{
		Importer: c.std,
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				c.complain(e.Pos, e.Msg)
			} else {
				c.complain(token.NoPos, err.Error())
			}
		},
	}
	c.info = types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	config.Check("sample", c.fset, []*ast.File{c.file}, &c.info) // every error has gone through config.Error
	return true
}

// complain notes an error of the type checker; one that begins with a tab explains the one before it.
func (c *checking) complain(at token.Pos, message string) {
	c.v.States.Types = fail
	if strings.HasPrefix(message, "\t") && len(c.v.Diagnostics) > 0 {
		last := &c.v.Diagnostics[len(c.v.Diagnostics)-1]
		if last.Check == "types" {
			line, _ := c.position(c.offset(at))
			last.Message += fmt.Sprintf("; %s (line %d)", strings.TrimSpace(message), line)
			return
		}
	}
	if name, ok := strings.CutPrefix(message, "undefined: "); ok {
		message += c.missingImport(name, at)
	}
	c.say("types", c.offset(at), message)
}

// missingImport names the standard packages that an undefined `name.Something` may have meant.
func (c *checking) missingImport(name string, at token.Pos) string {
	selects := false
	ast.Inspect(c.file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.X.Pos() == at {
			if id, ok := s.X.(*ast.Ident); ok && id.Name == name {
				selects = true
			}
		}
		return !selects
	})
	if !selects {
		return ""
	}
	switch paths := c.std.named(name); len(paths) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" (import %q is missing)", paths[0])
	default:
		return fmt.Sprintf(" (an import is missing: %s)", strings.Join(paths, " or "))
	}
}

func (c *checking) offset(at token.Pos) int {
	if !at.IsValid() {
		return -1
	}
	return c.fset.PositionFor(at, false).Offset
}

// say adds a diagnostic at a byte offset of the parsed source, -1 for none.
func (c *checking) say(check string, offset int, message string) {
	if c.said == nil {
		c.said = map[string]int{}
	}
	if c.said[check]++; c.said[check] > maxDiagnostics {
		return
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	line, column := c.position(offset)
	c.v.Diagnostics = append(c.v.Diagnostics, diagnostic{check, line, column, message})
}
