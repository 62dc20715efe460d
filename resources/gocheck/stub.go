package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
)

// stubbed is a sample's code whose functions all return zero values: what a test that tests something must fail on.
type stubbed struct {
	Sequence int64  `json:"n"`
	Code     string `json:"code"`
	Stubbed  int    `json:"stubbed"` // functions that were emptied
	Reason   string `json:"reason"`  // why there is no stub, or ""
}

// stub empties every function of a file, methods and functions in package variables included. Types, constants, signatures
// and package clause stay, so that whatever compiled against the code compiles against the stub.
func stub(r request, std *library) (s stubbed) {
	s = stubbed{Sequence: r.Sequence}
	defer func() {
		if problem := recover(); problem != nil {
			s.Code, s.Reason = "", fmt.Sprintf("the checker met a bug of its own: %v", problem)
		}
	}()
	if len(r.Code) > maxCode {
		s.Reason = "is too long"
		return s
	}
	p := &part{name: "code", text: r.Code}
	if wrong := p.parse(defaultPackage); wrong != nil {
		s.Reason = "does not parse: " + wrong.Message
		return s
	}
	for _, spec := range p.file.Imports {
		if reason := std.outside(importPath(spec)); reason != "" {
			s.Reason = reason
			return s
		}
	}
	for _, declared := range p.file.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				p.empty(d.Type, d.Body)
				s.Stubbed++
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				f, ok := n.(*ast.FuncLit)
				if ok {
					p.empty(f.Type, f.Body)
					s.Stubbed++
				}
				return !ok
			})
		}
	}
	if s.Stubbed == 0 {
		s.Reason = "has no function"
		return s
	}
	p = &part{name: "code", text: p.apply()}
	if wrong := p.parse(defaultPackage); wrong != nil {
		s.Reason = "its stub does not parse: " + wrong.Message
		return s
	}
	_, info := typesOf(p, std)
	p.dropUnused(info)
	p = &part{name: "code", text: p.apply()}
	if wrong := p.parse(defaultPackage); wrong != nil {
		s.Reason = "its stub does not parse: " + wrong.Message
		return s
	}
	if complaint, _ := typesOf(p, std); complaint != "" {
		s.Reason = "its stub does not compile: " + complaint
		return s
	}
	s.Code = p.text
	return s
}

// empty leaves of a function what returns zero values. Results get names, blank where they have none, so that a bare
// return will do, whatever their types.
func (p *part) empty(f *ast.FuncType, body *ast.BlockStmt) {
	statements := "{}"
	if f.Results != nil && len(f.Results.List) > 0 {
		statements = "{ return }"
		if len(f.Results.List[0].Names) == 0 {
			before, after := "_ ", ""
			if !f.Results.Opening.IsValid() {
				before, after = "(_ ", ")"
			}
			for _, field := range f.Results.List {
				from := p.fset.PositionFor(field.Type.Pos(), false).Offset
				to := p.fset.PositionFor(field.Type.End(), false).Offset
				p.edits = append(p.edits, edit{from, to, before + p.text[from:to] + after})
			}
		}
	}
	p.edit(body.Pos(), body.End(), statements)
}

// typesOf checks a file: the first complaint that is not of an import without use, and what its names stand for.
func typesOf(p *part, std *library) (complaint string, info types.Info) {
	release := std.prepare(p.file.Imports)
	defer release()
	info = types.Info{
		Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
	}
	config := types.Config{
		Importer: std,
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			if complaint == "" {
				complaint = err.Error()
			}
		},
	}
	config.Check("sample", p.fset, []*ast.File{p.file}, &info)
	return complaint, info
}

// dropUnused takes out the imports that nothing refers to any more.
func (p *part) dropUnused(info types.Info) {
	used, dotted := map[types.Object]bool{}, map[string]bool{}
	for _, object := range info.Uses {
		used[object] = true
		if object.Pkg() != nil {
			dotted[object.Pkg().Path()] = true
		}
	}
	for _, declared := range p.file.Decls {
		g, ok := declared.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		var unused []*ast.ImportSpec
		for _, spec := range g.Specs {
			i := spec.(*ast.ImportSpec)
			object := info.Implicits[i]
			switch {
			case i.Name == nil:
			case i.Name.Name == "_":
				continue
			case i.Name.Name == ".":
				if !dotted[importPath(i)] {
					unused = append(unused, i)
				}
				continue
			default:
				object = info.Defs[i.Name]
			}
			if object == nil || !used[object] {
				unused = append(unused, i)
			}
		}
		if len(unused) == len(g.Specs) {
			p.edit(g.Pos(), g.End(), "")
			continue
		}
		for _, i := range unused {
			p.edit(i.Pos(), i.End(), "")
		}
	}
}
