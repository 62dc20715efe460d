package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"sort"
	"strings"
)

const largest = 1 << 20 // bytes of a variable that others may have to carry

// share writes code and test once more so that many samples fit into one package: everything that they declare there gets a
// suffix. Starting the compiler costs more than compiling a sample, so sixteen together take a fraction of sixteen times one.
// Nothing is shared where the two do not compile, which is then told, or where a struct embeds a type of theirs: the field would change its name.
func (a *arrangement) share(suffix string, std *library) {
	fset := newFileSet()
	var files []*ast.File
	var specs []*ast.ImportSpec
	for _, text := range []string{a.Code, a.Test} {
		file, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
		if err != nil || depthOf(file, maxDepth) > maxDepth {
			return
		}
		files = append(files, file)
		specs = append(specs, file.Imports...)
	}
	release := std.prepare(specs)
	defer release()
	var said []types.Error
	info := types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{
		Importer: std,
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				said = append(said, e)
			}
		},
	}
	pkg, err := config.Check("sample", fset, files, &info)
	if err != nil || pkg == nil {
		a.Types = mistakes(said, fset, files[0])
		return
	}
	for _, name := range pkg.Scope().Names() {
		if v, ok := pkg.Scope().Lookup(name).(*types.Var); ok && config.Sizes.Sizeof(v.Type()) > largest {
			a.Alone = "holds a large variable"
			return
		}
	}
	sound := true
	edits := make([][]edit, len(files))
	note := func(id *ast.Ident, object types.Object) {
		if object == nil || object.Pkg() != pkg || object.Parent() != pkg.Scope() {
			return
		}
		if field, ok := info.Defs[id].(*types.Var); ok && field.IsField() {
			sound = false
		}
		for i, file := range files {
			if file.FileStart <= id.Pos() && id.Pos() <= file.FileEnd {
				at := fset.PositionFor(id.End(), false).Offset
				edits[i] = append(edits[i], edit{at, at, suffix})
			}
		}
	}
	for id, object := range info.Defs {
		note(id, object)
	}
	for id, object := range info.Uses {
		note(id, object)
	}
	if !sound {
		return
	}
	for i, text := range []*string{&a.SharedCode, &a.SharedTest} {
		sort.Slice(edits[i], func(x, y int) bool { return edits[i][x].from < edits[i][y].from })
		p := &part{text: []string{a.Code, a.Test}[i], edits: edits[i]}
		*text = p.apply()
	}
}

// mistakes puts what the type checker said in the order of the compiler: by place, code before test, each with what explains it. Nothing
// where a package could not be imported: then the checker lacks something, not the sample.
func mistakes(said []types.Error, fset *token.FileSet, code *ast.File) []mistake {
	found := []mistake{}
	for _, e := range said {
		if strings.HasPrefix(e.Msg, "could not import") || !e.Pos.IsValid() {
			return []mistake{}
		}
		if explains, ok := strings.CutPrefix(e.Msg, "\t"); ok && len(found) > 0 {
			found[len(found)-1].Message += fmt.Sprintf("; %s (line %d)", strings.TrimSpace(explains), fset.PositionFor(e.Pos, false).Line)
			continue
		}
		if len(found) == maxDiagnostics {
			break
		}
		in := "test"
		if code.FileStart <= e.Pos && e.Pos <= code.FileEnd {
			in = "code"
		}
		at := fset.PositionFor(e.Pos, false)
		found = append(found, mistake{in, at.Line, at.Column, e.Msg})
	}
	sort.SliceStable(found, func(x, y int) bool {
		a, b := found[x], found[y]
		return a.In < b.In || a.In == b.In && (a.Line < b.Line || a.Line == b.Line && a.Column < b.Column)
	})
	return found
}
