package main

import (
	"bufio"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"
)

// mined is one documented function of a source tree.
type mined struct {
	File    string     `json:"file"` // below the folder, with slashes
	Line    int        `json:"line"` // of the word func
	Package string     `json:"package"`
	Imports []imported `json:"imports"` // those the function needs
	Name    string     `json:"name"`    // Write, or Buffer.Write for a method
	Doc     string     `json:"doc"`     // without comment marks
	Code    string     `json:"code"`    // from func to the closing brace
}

type imported struct {
	Name string `json:"name"` // "" unless the file renames it
	Path string `json:"path"`
}

// unread is a file that was left out, with the reason.
type unread struct {
	File   string `json:"file"`
	Reason string `json:"unread"`
}

type mining struct {
	root               string
	tests              bool
	undocumented       bool
	minLines, maxLines int
	maxBytes           int
}

func mine(arguments []string) {
	var m mining
	flags := flag.NewFlagSet("mine", flag.ExitOnError)
	flags.BoolVar(&m.tests, "tests", false, "read _test.go files too")
	flags.BoolVar(&m.undocumented, "undocumented", false, "take functions without a comment too")
	flags.IntVar(&m.minLines, "min-lines", 3, "fewest lines of a function")
	flags.IntVar(&m.maxLines, "max-lines", 150, "most lines of a function")
	flags.IntVar(&m.maxBytes, "max-bytes", 16<<10, "longest function")
	workers := flags.Int("workers", 2, "files read at the same time")
	flags.Parse(arguments)
	if flags.NArg() != 1 {
		fatal(usage)
	}
	m.root = flags.Arg(0)
	runtime.GOMAXPROCS(*workers)

	type file struct {
		name  string
		found chan []any
	}
	files := make(chan file)
	order := make(chan file, 16**workers)
	var readers sync.WaitGroup
	for range *workers {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for f := range files {
				f.found <- m.read(f.name)
			}
		}()
	}
	go func() {
		defer close(order)
		defer close(files)
		walk(m.root, m.tests, func(name string, err error) {
			f := file{name, make(chan []any, 1)}
			order <- f
			if err != nil {
				f.found <- []any{unread{f.name, err.Error()}}
				return
			}
			files <- f
		})
	}()
	output := &lines{writer: bufio.NewWriterSize(os.Stdout, 1<<16)}
	for f := range order {
		for _, one := range <-f.found {
			output.write(one, false)
		}
	}
	readers.Wait()
	output.flush()
}

// walk calls visit for every Go file worth reading, in order of names. Links are not followed.
func walk(root string, tests bool, visit func(name string, err error)) {
	filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		base := filepath.Base(name)
		switch {
		case err != nil:
			visit(name, err)
			return nil // WalkDir skips what it could not open
		case name == root:
		case d.IsDir() && (base == "vendor" || base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")):
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || !strings.HasSuffix(base, ".go") || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
			return nil
		}
		if strings.HasSuffix(base, "_test.go") && !tests {
			return nil
		}
		visit(name, nil)
		return nil
	})
}

// read finds the functions of one file; a file that does not parse gives those of its part that does.
func (m *mining) read(name string) (found []any) {
	shown := name
	if below, err := filepath.Rel(m.root, name); err == nil && below != "." {
		shown = filepath.ToSlash(below)
	} else {
		shown = filepath.Base(name)
	}
	defer func() {
		if problem := recover(); problem != nil {
			found = append(found, unread{shown, "the parser met a bug of its own"})
		}
	}()
	if info, err := os.Stat(name); err == nil && info.Size() > maxSource {
		return []any{unread{shown, "it is too large"}}
	}
	source, err := os.ReadFile(name)
	if err != nil {
		return []any{unread{shown, err.(*fs.PathError).Err.Error()}}
	}
	if !utf8.Valid(source) {
		return []any{unread{shown, "it is not UTF-8"}}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, shown, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		reason := err.Error()
		if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
			reason = list[0].Msg
		}
		found = append(found, unread{shown, reason})
	}
	if file == nil || file.Name == nil || file.Name.Name == "_" || err != nil || ast.IsGenerated(file) {
		return found
	}
	at := func(p token.Pos) token.Position { return fset.PositionFor(p, false) }
	for _, declared := range file.Decls {
		f, ok := declared.(*ast.FuncDecl)
		if !ok || f.Body == nil || len(f.Body.List) == 0 || f.Name.Name == "_" || directed(f.Doc) {
			continue
		}
		doc := strings.TrimSpace(f.Doc.Text())
		if doc == "" && !m.undocumented {
			continue
		}
		from, to := at(f.Type.Pos()), at(f.End())
		if count := to.Line - from.Line + 1; count < m.minLines || count > m.maxLines || to.Offset-from.Offset > m.maxBytes {
			continue
		}
		code := source[from.Offset:to.Offset]
		if from.Line == to.Line { // gofmt aligns the bodies of one-liners that follow one another
			if tidy, err := format.Source(code); err == nil {
				code = tidy
			}
		}
		found = append(found, mined{
			File: shown, Line: from.Line, Package: file.Name.Name, Imports: needed(file, f),
			Name: functionName(f), Doc: doc, Code: string(code),
		})
	}
	return found
}

const maxSource = 8 << 20 // bytes of a file

// directed says whether the compiler is told things about the function that make no sense elsewhere.
func directed(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:linkname") || strings.HasPrefix(c.Text, "//export ") {
			return true
		}
	}
	return false
}

// needed lists the file's imports that the function refers to.
func needed(file *ast.File, f *ast.FuncDecl) []imported {
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	found := []imported{}
	for _, spec := range file.Imports {
		p := importPath(spec)
		name, renamed := lastElement(p), ""
		if spec.Name != nil {
			name, renamed = spec.Name.Name, spec.Name.Name
		}
		if name == "." || (name != "_" && used[name]) {
			found = append(found, imported{renamed, p})
		}
	}
	return found
}

// lastElement guesses the name of a package from its path: the last element that is not a major version.
func lastElement(p string) string {
	base := path.Base(p)
	if isVersion(base) && base != p {
		base = path.Base(path.Dir(p))
	}
	return base
}

func isVersion(element string) bool {
	return len(element) > 1 && element[0] == 'v' && strings.Trim(element[1:], "0123456789") == ""
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.ParenExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			return t.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}
