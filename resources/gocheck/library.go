package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
)

// library is the standard library as the type checker sees it: the export data of every package, read when it is
// first imported and kept.
//
// The importer fills package objects while it reads others, so nobody may type-check meanwhile: imports happen under
// the write lock, checks under the read lock, and a check starts only when all that it imports is there.
type library struct {
	mutex    sync.RWMutex
	packages map[string]*types.Package
	importer types.Importer
	entries  map[string]entry
	tops     map[string]bool     // first elements of import paths
	names    map[string][]string // last element -> import paths a sample may import
	pack     *os.File
	start    int64
}

// entry is the place of one package's export data in the pack, counted from the end of the index line.
type entry struct {
	Offset int64 `json:"offset"`
	Size   int64 `json:"size"`
}

// openLibrary reads a pack: one line of JSON {"import/path": {"offset", "size"}}, then the data.
func openLibrary(file string) (*library, error) {
	pack, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReaderSize(pack, 1<<16).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l := &library{
		packages: map[string]*types.Package{"unsafe": types.Unsafe},
		entries:  map[string]entry{},
		tops:     map[string]bool{},
		names:    map[string][]string{},
		pack:     pack,
		start:    int64(len(line)),
	}
	if err := json.Unmarshal(line, &l.entries); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for p := range l.entries {
		if l.internal(p) {
			continue
		}
		top, _, _ := strings.Cut(p, "/")
		l.tops[top] = true
		base := lastElement(p)
		l.names[base] = append(l.names[base], p)
	}
	for _, paths := range l.names {
		sort.Strings(paths)
	}
	l.importer = importer.ForCompiler(token.NewFileSet(), "gc", func(p string) (io.ReadCloser, error) {
		e, ok := l.entries[p]
		if !ok {
			return nil, fmt.Errorf("package %s is not in the standard library", p)
		}
		data := make([]byte, e.Size)
		if _, err := l.pack.ReadAt(data, l.start+e.Offset); err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	})
	return l, nil
}

// outside says why a package cannot be had here, "" when it can or when it is a mistake that the type checker reports.
func (l *library) outside(p string) string {
	if p == "C" {
		return "uses cgo, which Gosmith does not run"
	}
	if _, ok := l.entries[p]; ok || p == "unsafe" {
		return ""
	}
	if top, _, _ := strings.Cut(p, "/"); l.tops[top] {
		return "" // strings/builder: not a module but a mistake
	}
	return fmt.Sprintf("imports %s, which is outside the standard library", p)
}

func (l *library) internal(p string) bool {
	return strings.HasPrefix(p, "internal/") || strings.HasPrefix(p, "vendor/") ||
		strings.HasSuffix(p, "/internal") || strings.Contains(p, "/internal/")
}

// named lists the packages whose last element is name.
func (l *library) named(name string) []string { return l.names[name] }

// prepare reads what a file imports and lets it be type-checked until release is called.
func (l *library) prepare(specs []*ast.ImportSpec) (release func()) {
	l.mutex.RLock()
	for _, spec := range specs {
		if l.packages[importPath(spec)] == nil {
			l.mutex.RUnlock()
			l.load(specs)
			l.mutex.RLock()
			break
		}
	}
	return l.mutex.RUnlock
}

func (l *library) load(specs []*ast.ImportSpec) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, spec := range specs {
		p := importPath(spec)
		if _, known := l.entries[p]; !known || l.packages[p] != nil {
			continue
		}
		if read, err := l.importer.Import(p); err == nil {
			l.packages[p] = read
		}
	}
}

// Import implements types.Importer; it only looks up, see prepare.
func (l *library) Import(p string) (*types.Package, error) {
	if found := l.packages[p]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("package %s is not in the standard library", p)
}
