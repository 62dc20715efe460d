package main

import (
	"go/ast"
	"go/parser"
	"go/types"
	"runtime"
	"sort"
)

const largest = 1 << 20 // bytes of a variable that others may have to carry

// share writes code and test once more so that many samples fit into one package: everything that they declare there gets a
// suffix. Starting the compiler costs more than compiling a sample, so sixteen together take a fraction of sixteen times one.
// Nothing is shared where the two do not compile, or where a struct embeds a type of theirs: the field would change its name.
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
	sound := true
	info := types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{
		Importer: std,
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
		Error:    func(error) { sound = false },
	}
	pkg, _ := config.Check("sample", fset, files, &info)
	if !sound || pkg == nil {
		return
	}
	for _, name := range pkg.Scope().Names() {
		if v, ok := pkg.Scope().Lookup(name).(*types.Var); ok && config.Sizes.Sizeof(v.Type()) > largest {
			a.Alone = "holds a large variable"
			return
		}
	}
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

