package main

import (
	"go/ast"
	"go/token"
)

// Samples that are linked into one test program share its initialisation: what one of them does before main runs would
// happen to all. alone names what keeps a file from being linked with others, "" when nothing does.
func alone(file *ast.File) string {
	for _, spec := range file.Imports {
		path := importPath(spec)
		if spec.Name != nil && spec.Name.Name == "_" {
			return "imports " + path + " for its side effects"
		}
		if solitary[path] || path == "runtime/debug" && readsBuild(file, spec) {
			return "imports " + path
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if len(c.Text) > 5 && c.Text[:5] == "//go:" {
				return "has compiler directives"
			}
		}
	}
	kinds := map[string]bool{}
	for _, declared := range file.Decls {
		if g, ok := declared.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, spec := range g.Specs {
				kinds[spec.(*ast.TypeSpec).Name.Name] = true
			}
		}
	}
	for _, declared := range file.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "TestMain" || isTest(d.Name.Name, "Fuzz")) {
				return "has a function " + d.Name.Name
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				for _, value := range spec.(*ast.ValueSpec).Values {
					if acts(value, kinds) {
						return "computes package variables"
					}
				}
			}
		}
	}
	return ""
}

// solitary packages change the program that they are linked into, look at it as a whole, or are changed by what else
// is linked (image.Decode knows the formats that anybody imported). What only a running test changes is not here, such as
// the flags of a FlagSet or the pace of the garbage collector: each sample runs in a process of its own.
var solitary = map[string]bool{
	"C": true, "crypto": true, "database/sql": true, "expvar": true, "image": true,
	"net/http/pprof": true, "plugin": true, "syscall": true, "unsafe": true,
}

// readsBuild reports whether the file may ask what the program was built from.
func readsBuild(file *ast.File, spec *ast.ImportSpec) bool {
	found := spec.Name != nil && spec.Name.Name == "."
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "ReadBuildInfo" {
			found = true
		}
		return !found
	})
	return found
}

// harmless calls compute a value from their arguments and touch nothing else.
var harmless = map[string]bool{
	"errors.New": true, "fmt.Errorf": true, "fmt.Sprintf": true, "math.Inf": true, "math.NaN": true, "math.Sqrt": true,
	"regexp.MustCompile": true, "strings.NewReplacer": true, "strings.Repeat": true, "time.Date": true, "time.Unix": true,
	"time.Duration": true, "big.NewInt": true, "netip.MustParseAddr": true, "netip.MustParsePrefix": true,
}

var predeclared = map[string]bool{
	"make": true, "new": true, "len": true, "cap": true, "append": true, "min": true, "max": true, "complex": true,
	"real": true, "imag": true, "bool": true, "byte": true, "rune": true, "string": true, "error": true, "any": true,
	"int": true, "int8": true, "int16": true, "int32": true, "int64": true, "uint": true, "uint8": true, "uint16": true,
	"uint32": true, "uint64": true, "uintptr": true, "float32": true, "float64": true, "complex64": true, "complex128": true,
}

// acts reports whether evaluating an initial value may do more than compute it. kinds are the file's own types, whose
// names look like functions in a conversion.
func acts(value ast.Expr, kinds map[string]bool) bool {
	found := false
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // not called here: the call would be found
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.IndexExpr, *ast.SliceExpr, *ast.TypeAssertExpr: // each of these may panic
			found = true
		case *ast.BinaryExpr:
			found = found || n.Op == token.QUO || n.Op == token.REM
		case *ast.CallExpr:
			found = found || !computes(n.Fun, kinds)
		}
		return !found
	})
	return found
}

func computes(function ast.Expr, kinds map[string]bool) bool {
	switch f := function.(type) {
	case *ast.ParenExpr:
		return computes(f.X, kinds)
	case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.InterfaceType, *ast.StructType, *ast.StarExpr:
		return true
	case *ast.Ident:
		return predeclared[f.Name] || kinds[f.Name]
	case *ast.IndexExpr:
		return computes(f.X, kinds)
	case *ast.SelectorExpr:
		if id, ok := f.X.(*ast.Ident); ok {
			return harmless[id.Name+"."+f.Sel.Name]
		}
	}
	return false
}
