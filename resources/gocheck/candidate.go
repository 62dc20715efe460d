package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// candidate is what a model answered to a problem, as one file that a hidden test can be built with: no main, no tests of
// its own, nothing twice, and what the prompt gave beside the function that it asked for.
type candidate struct {
	Sequence int64    `json:"n"`
	Code     string   `json:"code"`
	Wrong    *mistake `json:"wrong"`   // why it cannot be parsed, or null
	Refused  string   `json:"refused"` // what an answer has no business with, or ""
}

// meddling packages let a program leave, or look at its judge, past everything that watches it.
var meddling = map[string]bool{"C": true, "plugin": true, "syscall": true, "unsafe": true}

// prepareCandidate reads an answer. Entry is the function or type asked for, Given the Go text of the prompt, Test the hidden
// test. With Open, what follows the last whole declaration and does not parse is cut: a model that was not stopped goes on.
func prepareCandidate(r request, std *library) (c candidate) {
	c = candidate{Sequence: r.Sequence, Code: r.Code}
	defer func() {
		if problem := recover(); problem != nil {
			c.Refused = fmt.Sprintf("the checker met a bug of its own: %v", problem)
		}
	}()
	if len(r.Code)+len(r.Given) > maxCode {
		c.Refused = "is too long"
		return c
	}
	p := &part{name: "code", text: r.Code}
	if c.Wrong = p.parse(defaultPackage); c.Wrong != nil {
		shorter := ""
		if r.Open {
			shorter = cut(p, r.Entry)
		}
		if shorter == "" {
			return c
		}
		p = &part{name: "code", text: shorter}
		if wrong := p.parse(defaultPackage); wrong != nil {
			return c
		}
		c.Wrong = nil
	}
	if depthOf(p.file, maxDepth) > maxDepth {
		c.Refused = fmt.Sprintf("is nested more than %d levels deep", maxDepth)
		return c
	}
	kept := dropSpare(p, r.Entry)
	if c.Refused = refusal(p, kept, r.Test, std); c.Refused != "" {
		return c
	}
	given := &part{name: "given", text: r.Given}
	imports, extra := "", ""
	if r.Given != "" {
		given.parse(defaultPackage) // the function that is asked for has no end; what stands before it is whole
		if given.file != nil {
			imports = missingImports(p.file, given.file)
			extra = given.beside(kept, r.Entry)
		}
	}
	name := strings.TrimSuffix(packageName(r.Test), "_test")
	if name == "" {
		name = p.file.Name.Name
	}
	c.Code = p.underClause(name, imports) + extra
	return c
}

// underClause is the text, edited, with another package clause and more imports, one a line.
func (p *part) underClause(name, imports string) string {
	from := p.fset.PositionFor(p.file.Package, false).Offset
	to := p.fset.PositionFor(p.file.Name.End(), false).Offset
	before, rest := p.text[:from], strings.TrimRight(p.apply()[to:], " \t\n") // every edit lies behind the clause
	if p.shift > 0 {
		rest = strings.TrimPrefix(rest, "; ")
	}
	return before + "package " + name + "\n" + imports + rest + "\n"
}

// cut is the text up to the end of the last declaration with which it parses and has the entry, "" when there is none.
func cut(p *part, entry string) string {
	if p.file == nil {
		return ""
	}
	for i := len(p.file.Decls) - 1; i >= 0; i-- {
		end := p.fset.PositionFor(p.file.Decls[i].End(), false).Offset
		if end <= 0 || end >= len(p.text) {
			continue
		}
		text := p.text[p.shift:end]
		shorter := &part{name: p.name, text: text}
		if shorter.parse(defaultPackage) == nil {
			if declared(shorter.file)[entry] {
				return text
			}
			return ""
		}
	}
	return ""
}

// dropSpare takes out main, tests, and functions that were there before. Returns the names that stay.
func dropSpare(p *part, entry string) map[string]bool {
	kept := map[string]bool{}
	for _, d := range p.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			for _, name := range names(d) {
				kept[name] = true
			}
			continue
		}
		name := f.Name.Name
		if f.Recv != nil && len(f.Recv.List) == 1 {
			name = types.ExprString(f.Recv.List[0].Type) + "." + name
		}
		if name != "init" && name != "_" && (kept[name] || spare(f, entry)) {
			from := f.Pos()
			if f.Doc != nil {
				from = f.Doc.Pos()
			}
			p.edit(from, f.End(), "")
			continue
		}
		kept[name] = true
	}
	return kept
}

func spare(f *ast.FuncDecl, entry string) bool {
	name := f.Name.Name
	switch {
	case f.Recv != nil || name == entry:
		return false
	case name == "main":
		return f.Type.Params.NumFields() == 0 && f.Type.Results == nil
	case name == "TestMain":
		return takes(f, "M")
	case isTest(name, "Example"):
		return f.Type.Params.NumFields() == 0 && f.Type.Results == nil
	}
	return isTest(name, "Test") && takes(f, "T") || isTest(name, "Benchmark") && takes(f, "B") || isTest(name, "Fuzz") && takes(f, "F")
}

// refusal says what an answer does that could change who judges it instead of what is judged.
func refusal(p *part, kept map[string]bool, test string, std *library) string {
	file := p.file
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		path := importPath(spec)
		if meddling[path] {
			return "imports " + path
		}
		name := lastElement(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = true
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			for _, word := range []string{"//go:linkname", "//go:embed", "//go:cgo"} {
				if strings.HasPrefix(c.Text, word) {
					return "uses " + word
				}
			}
		}
	}
	for name := range identifiers(test) {
		if kept[name] && types.Universe.Lookup(name) != nil {
			return fmt.Sprintf("gives %s, which the test uses, another meaning", name)
		}
	}
	reason := ""
	var uses map[*ast.Ident]types.Object // known from the first time that it matters
	foreign := func(e ast.Expr) {
		id, name := variableOf(e, imported)
		if id == nil || reason != "" {
			return
		}
		if uses == nil {
			_, info := typesOf(p, std)
			uses = info.Uses
		}
		if _, ok := uses[id].(*types.PkgName); ok {
			reason = fmt.Sprintf("changes %s, which belongs to another package", name)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					foreign(left)
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				foreign(n.X)
			}
		}
		return reason == ""
	})
	return reason
}

// variableOf is the package's name in an expression that seems to lie in a variable of another package, and that variable.
func variableOf(e ast.Expr, imported map[string]bool) (*ast.Ident, string) {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && imported[id.Name] {
				return id, id.Name + "." + x.Sel.Name
			}
			e = x.X
		default:
			return nil, ""
		}
	}
}

func identifiers(text string) map[string]bool {
	found := map[string]bool{}
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(text)), []byte(text), func(token.Position, string) {}, 0)
	for {
		_, kind, literal := s.Scan()
		if kind == token.EOF {
			return found
		}
		if kind == token.IDENT {
			found[literal] = true
		}
	}
}

// missingImports are the imports of another file that a file lacks; who does not use them drops them again.
func missingImports(file, other *ast.File) string {
	known := map[string]bool{}
	for _, spec := range file.Imports {
		known[importPath(spec)] = true
	}
	lines := ""
	for _, spec := range other.Imports {
		if path := importPath(spec); !known[path] {
			known[path] = true
			name := ""
			if spec.Name != nil {
				name = spec.Name.Name + " "
			}
			lines += "import " + name + strconv.Quote(path) + "\n"
		}
	}
	return lines
}

// beside are the declarations of a prompt that an answer lacks, but for the one that it was asked for.
func (p *part) beside(kept map[string]bool, entry string) string {
	found := ""
	for _, d := range p.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		names := names(d)
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Body != nil {
			names = []string{f.Name.Name}
		}
		wanted := len(names) > 0
		for _, name := range names {
			wanted = wanted && name != entry && name != "main" && !kept[name]
		}
		from, to := p.fset.PositionFor(d.Pos(), false).Offset, p.fset.PositionFor(d.End(), false).Offset
		if !wanted || to > len(p.text) {
			continue
		}
		text := "\n" + p.text[from:to] + "\n"
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text, 0); err == nil {
			found += text
		}
	}
	return found
}

// names are what a declaration of types, constants or variables names.
func names(d ast.Decl) []string {
	var found []string
	g, ok := d.(*ast.GenDecl)
	if !ok {
		return nil
	}
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			found = append(found, s.Name.Name)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				found = append(found, name.Name)
			}
		}
	}
	return found
}

func declared(file *ast.File) map[string]bool {
	found := map[string]bool{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			if f.Body != nil {
				found[f.Name.Name] = true
			}
			continue
		}
		for _, name := range names(d) {
			found[name] = true
		}
	}
	return found
}
