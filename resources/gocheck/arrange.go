package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// arrangement is a sample's code and test as files of one package that the go command accepts: same lines, other
// package clauses and import paths where they must be.
type arrangement struct {
	Sequence int64     `json:"n"`
	Code     string    `json:"code"`
	Test     string    `json:"test"`
	Shift    [2]int    `json:"shift"`   // characters that line 1 of code and test got in front
	Package  string    `json:"package"` // of the code
	Testing  string    `json:"testing"` // the package of the test
	Tests    []string  `json:"tests"`   // tests and fuzz targets, which must report
	Examples []example `json:"examples"`
	Alone    string    `json:"alone"`   // why it must not be linked with other samples, or ""
	Outside  string    `json:"outside"` // why it cannot be built here at all, or ""
	Wrong    *mistake  `json:"wrong"`   // why it cannot be built anywhere, or null

	SharedCode string    `json:"sharedCode"` // as files of a package that others share, where that was asked for and can be, else ""
	SharedTest string    `json:"sharedTest"`
	Types      []mistake `json:"types"` // what the type checker says where sharing was asked for; columns in bytes of the arranged text
}

// example is an example function with expected output; it must report too.
type example struct {
	Name      string `json:"name"`
	Output    string `json:"output"`
	Unordered bool   `json:"unordered"`
}

type mistake struct {
	In      string `json:"in"` // code or test
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// part is one of the two texts while it is being arranged. Edits are made from the back, so that positions hold.
type part struct {
	name  string
	text  string
	shift int
	fset  *token.FileSet
	file  *ast.File
	edits []edit
}

type edit struct {
	from, to int
	text     string
}

const defaultPackage = "sample"

// arrange prepares code and test for a folder whose import path is path. The test may be "".
func arrange(r request, std *library) (a arrangement) {
	a = arrangement{Sequence: r.Sequence, Code: r.Code, Test: r.Test, Tests: []string{}, Examples: []example{}, Types: []mistake{}}
	defer func() {
		if problem := recover(); problem != nil {
			a.Outside = fmt.Sprintf("the checker met a bug of its own: %v", problem)
		}
	}()
	if len(r.Code)+len(r.Test) > maxCode {
		a.Outside = "is too long"
		return a
	}
	code, test := &part{name: "code", text: r.Code}, &part{name: "test", text: r.Test}
	parts := []*part{code}
	if r.Test != "" {
		parts = append(parts, test)
	}
	named := ""
	for _, p := range parts { // a fragment takes the other part's package
		if name := packageName(p.text); name != "" && named == "" {
			named = name
		}
	}
	if named = strings.TrimSuffix(named, "_test"); named == "" || named == "documentation" || (named == "main" && r.Test != "") {
		named = defaultPackage // go build leaves files of package documentation out; main cannot be imported
	}
	for _, p := range parts {
		if a.Wrong = p.parse(named); a.Wrong != nil {
			return a
		}
	}
	a.Package, a.Testing = named, named
	code.rename(named)
	external := false
	if r.Test != "" {
		switch name := test.file.Name.Name; {
		case name == code.file.Name.Name || name == named:
			test.rename(named)
		case strings.TrimSuffix(name, "_test") == code.file.Name.Name || name == named+"_test":
			external, a.Testing = true, named+"_test"
			test.rename(a.Testing)
		default:
			line, column := test.position(test.file.Name.Pos())
			a.Wrong = &mistake{"test", line, column, fmt.Sprintf("the test is in package %s, the code in package %s", name, code.file.Name.Name)}
			return a
		}
	}
	for _, p := range parts {
		for _, spec := range p.file.Imports {
			path := importPath(spec)
			reason := std.outside(path)
			if reason != "" && p == test && external {
				p.edit(spec.Path.Pos(), spec.Path.End(), strconv.Quote(r.Path)) // the package under test, under its name elsewhere
				continue
			}
			if reason == "" && std.internal(path) {
				reason = fmt.Sprintf("imports %s, which only Go's own packages may", path)
			}
			if reason != "" {
				a.Outside = reason
				return a
			}
		}
		if embeds(p.file) {
			a.Outside = "embeds files, which a sample cannot bring along"
			return a
		}
	}
	if r.Test != "" {
		a.Tests, a.Examples = testNames(test.file)
		if external {
			a.Alone = "tests from another package"
		}
		for _, p := range parts {
			if a.Alone == "" {
				a.Alone = alone(p.file)
			}
		}
	}
	a.Code, a.Shift[0] = code.apply(), code.shift
	if r.Test != "" {
		a.Test, a.Shift[1] = test.apply(), test.shift
		if r.Suffix != "" && a.Alone == "" {
			a.share(r.Suffix, std)
		}
	}
	return a
}

func (p *part) parse(pkg string) *mistake {
	if lacksPackage(p.text) {
		clause := "package " + pkg + "; " // on the same line: every other line keeps its number, and its columns
		p.text, p.shift = clause+p.text, len(clause)
	}
	p.fset = newFileSet()
	var err error
	p.file, err = parser.ParseFile(p.fset, p.name, p.text, parser.ParseComments|parser.SkipObjectResolution)
	if err == nil {
		return nil
	}
	wrong := &mistake{In: p.name, Message: err.Error()}
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		wrong.Message = list[0].Msg
		wrong.Line, wrong.Column = p.at(list[0].Pos.Offset)
	}
	return wrong
}

func (p *part) position(at token.Pos) (line, column int) {
	return p.at(p.fset.PositionFor(at, false).Offset)
}

func (p *part) at(offset int) (line, column int) {
	before := p.text[:min(offset, len(p.text))]
	line = strings.Count(before, "\n") + 1
	column = utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	if line == 1 {
		column = max(1, column-p.shift)
	}
	return line, column
}

func (p *part) rename(pkg string) {
	if p.file.Name.Name != pkg {
		p.edit(p.file.Name.Pos(), p.file.Name.End(), pkg)
	}
}

func (p *part) edit(from, to token.Pos, text string) {
	offset := func(at token.Pos) int { return p.fset.PositionFor(at, false).Offset }
	p.edits = append(p.edits, edit{offset(from), offset(to), text})
}

func (p *part) apply() string {
	for i := len(p.edits) - 1; i >= 0; i-- {
		e := p.edits[i]
		p.text = p.text[:e.from] + e.text + p.text[e.to:]
	}
	return p.text
}

// packageName reads the package clause, "" when there is none.
func packageName(code string) string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(code)), []byte(code), func(token.Position, string) {}, 0)
	if _, first, _ := s.Scan(); first != token.PACKAGE {
		return ""
	}
	if _, second, name := s.Scan(); second == token.IDENT {
		return name
	}
	return ""
}

func embeds(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// testNames lists what `go test` runs of a file and reports by name.
func testNames(file *ast.File) ([]string, []example) {
	names, examples := []string{}, []example{}
	for _, declared := range file.Decls {
		f, ok := declared.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Type.TypeParams != nil || f.Body == nil {
			continue
		}
		if (isTest(f.Name.Name, "Test") && takes(f, "T")) || (isTest(f.Name.Name, "Fuzz") && takes(f, "F")) {
			names = append(names, f.Name.Name)
		}
	}
	for _, e := range doc.Examples(file) {
		if e.Output != "" || e.EmptyOutput {
			examples = append(examples, example{"Example" + e.Name, e.Output, e.Unordered})
		}
	}
	return names, examples
}

// isTest reports whether the name is the prefix alone, or goes on with anything but a small letter.
func isTest(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	first, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLower(first)
}

// takes reports whether the function's only parameter is a *testing.T (or F).
func takes(f *ast.FuncDecl, letter string) bool {
	list := f.Type.Params.List
	if len(list) != 1 || len(list[0].Names) > 1 {
		return false
	}
	pointer, ok := list[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch t := pointer.X.(type) {
	case *ast.SelectorExpr:
		return t.Sel.Name == letter
	case *ast.Ident: // import . "testing"
		return t.Name == letter
	}
	return false
}
