package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strings"
)

// What is wrong with code that no compiler complains of. The kinds are those of the search word `policy:`.
const (
	placeholder     = "placeholder"
	ignoredError    = "ignored_error"
	panics          = "panic"
	forbiddenImport = "forbidden_import"
	external        = "external"
)

// forbidden packages reach around the language or out of the program.
var forbidden = map[string]bool{"unsafe": true, "syscall": true, "os/exec": true, "plugin": true, "C": true}

// unfinished matches the beginning of a comment or message that stands where code should be.
var unfinished = regexp.MustCompile(`(?i)^(todo\b|fixme\b|xxx\b|\.\.\.|…|(please |you )?implement (me|this|it|here|the|your)\b` +
	`|implementation (goes )?here|(add |put |write |insert )?(your|the|actual) (own )?(code|implementation|logic|solution)( goes)? here` +
	`|(code|logic) goes here|not (yet )?implemented|unimplemented\b|(rest|remainder) of (the |your )?(code|function|implementation|logic)` +
	`|placeholder\b)`)

// unimplemented matches a message of a panic that says the same.
var unimplemented = regexp.MustCompile(`(?i)\b(todo|fixme|implement me|unimplemented|(not|never) (yet )?implemented|your code here)\b`)

// policies looks for all of them; info is empty where types were not checked, and then no error is called ignored.
func (c *checking) policies() bool {
	for _, spec := range c.file.Imports {
		path := importPath(spec)
		if forbidden[path] {
			c.breach(forbiddenImport, spec.Pos(), fmt.Sprintf("imports %s, which gets around what Go guarantees", path))
		} else if reason := c.std.outside(path); reason != "" {
			c.breach(external, spec.Pos(), reason)
		}
	}
	for _, declared := range c.file.Decls {
		f, ok := declared.(*ast.FuncDecl)
		entry := ok && f.Recv == nil && f.Name.Name == "main" && c.file.Name.Name == "main"
		if ok && f.Body != nil {
			c.stub(f.Pos(), f.Name.Name, f.Body)
		}
		ast.Inspect(declared, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				c.stub(n.Pos(), "this function", n.Body)
			case *ast.CallExpr:
				c.stops(n, entry)
			case *ast.ExprStmt:
				c.dropped(n.X, false)
			case *ast.GoStmt:
				c.dropped(n.Call, false)
			case *ast.DeferStmt:
				c.dropped(n.Call, true)
			case *ast.AssignStmt:
				c.blanked(n)
			}
			return true
		})
	}
	return true
}

// breach adds a complaint, one a kind and place.
func (c *checking) breach(kind string, at token.Pos, message string) {
	line, column := c.position(c.offset(at))
	count := 0
	for _, d := range c.v.Policy {
		if d.Check != kind {
			continue
		}
		if count++; count >= maxDiagnostics || (d.Line == line && d.Column == column) {
			return
		}
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	c.v.Policy = append(c.v.Policy, diagnostic{kind, line, column, message})
}

// stub complains of a body that only says what should be there: no statement or the return of nothing under a comment
// to that effect, or a panic.
func (c *checking) stub(at token.Pos, name string, body *ast.BlockStmt) {
	if len(body.List) > 1 {
		return
	}
	if len(body.List) == 1 {
		if call := panicCall(body.List[0]); call != nil {
			if text := c.message(call); unimplemented.MatchString(text) {
				c.breach(placeholder, at, fmt.Sprintf("%s only panics: %s", name, text))
			}
			return
		}
		if r, ok := body.List[0].(*ast.ReturnStmt); !ok || !nothing(r.Results) {
			return
		}
	}
	for _, group := range c.file.Comments {
		if group.Pos() < body.Lbrace || group.End() > body.Rbrace {
			continue
		}
		for _, comment := range group.List {
			text := strings.TrimSpace(strings.Trim(comment.Text, "/* \t\n"))
			if unfinished.MatchString(text) {
				c.breach(placeholder, at, fmt.Sprintf("%s is only a comment: %s", name, text))
				return
			}
		}
	}
}

func panicCall(statement ast.Stmt) *ast.CallExpr {
	if e, ok := statement.(*ast.ExprStmt); ok {
		if call, ok := e.X.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" && len(call.Args) == 1 {
				return call
			}
		}
	}
	return nil
}

// nothing says whether all values are zero values as one writes them.
func nothing(values []ast.Expr) bool {
	for _, value := range values {
		switch v := value.(type) {
		case *ast.Ident:
			if v.Name != "nil" && v.Name != "false" {
				return false
			}
		case *ast.BasicLit:
			if v.Value != "0" && v.Value != `""` && v.Value != "``" && v.Value != "0.0" {
				return false
			}
		case *ast.CompositeLit:
			if len(v.Elts) > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// message is the text that a panic is given: a string, or the first argument of errors.New or fmt.Sprintf and the like.
func (c *checking) message(call *ast.CallExpr) string {
	if len(call.Args) == 0 {
		return ""
	}
	argument := ast.Unparen(call.Args[0])
	if inner, ok := argument.(*ast.CallExpr); ok {
		return c.message(inner)
	}
	if value := c.info.Types[argument].Value; value != nil && value.Kind() == constant.String {
		return constant.StringVal(value)
	}
	if literal, ok := argument.(*ast.BasicLit); ok && literal.Kind == token.STRING {
		return strings.Trim(literal.Value, "\"`")
	}
	return ""
}

// stops complains of calls that end the program instead of saying what went wrong. entry: inside function main.
func (c *checking) stops(call *ast.CallExpr, entry bool) {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if _, own := c.info.Uses[f].(*types.Func); f.Name == "panic" && !own {
			if text := c.message(call); unimplemented.MatchString(text) {
				c.breach(panics, call.Pos(), fmt.Sprintf("panics instead of doing the work: %s", text))
			}
		}
	case *ast.SelectorExpr:
		if !entry && strings.HasPrefix(f.Sel.Name, "Fatal") && c.packageOf(f) == "log" {
			c.breach(panics, call.Pos(), fmt.Sprintf("log.%s ends the program outside main; return the error", f.Sel.Name))
		}
	}
}

// packageOf is the import path of the package that the selected function or method is declared in.
func (c *checking) packageOf(f *ast.SelectorExpr) string {
	if used := c.info.Uses[f.Sel]; used != nil && used.Pkg() != nil {
		return used.Pkg().Path()
	}
	id, ok := f.X.(*ast.Ident)
	if !ok || len(c.info.Uses) > 0 {
		return ""
	}
	for _, spec := range c.file.Imports { // types were not checked: go by the name
		path := importPath(spec)
		if name := lastElement(path); (spec.Name == nil && name == id.Name) || (spec.Name != nil && spec.Name.Name == id.Name) {
			return path
		}
	}
	return ""
}

// dropped complains of a call that stands alone though it returns an error.
func (c *checking) dropped(e ast.Expr, deferred bool) {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || c.excused(call, deferred) {
		return
	}
	for _, result := range c.results(call) {
		if isError(result) {
			c.breach(ignoredError, call.Pos(), fmt.Sprintf("the error that %s returns is ignored", shown(call)))
			return
		}
	}
}

// blanked complains of errors that are assigned to _.
func (c *checking) blanked(a *ast.AssignStmt) {
	complain := func(to ast.Expr, call *ast.CallExpr, result types.Type) {
		if id, ok := to.(*ast.Ident); ok && id.Name == "_" && isError(result) && !c.excused(call, false) {
			c.breach(ignoredError, id.Pos(), fmt.Sprintf("the error that %s returns is assigned to _", shown(call)))
		}
	}
	if len(a.Rhs) == 1 && len(a.Lhs) > 1 {
		if call, ok := ast.Unparen(a.Rhs[0]).(*ast.CallExpr); ok {
			if results := c.results(call); len(results) == len(a.Lhs) {
				for i, to := range a.Lhs {
					complain(to, call, results[i])
				}
			}
		}
		return
	}
	for i, from := range a.Rhs {
		if call, ok := ast.Unparen(from).(*ast.CallExpr); ok && i < len(a.Lhs) {
			if results := c.results(call); len(results) == 1 {
				complain(a.Lhs[i], call, results[0])
			}
		}
	}
}

// results are the types that a call of a function returns; a conversion calls nothing.
func (c *checking) results(call *ast.CallExpr) []types.Type {
	called, known := c.info.Types[call.Fun]
	if !known || called.IsType() || called.Type == nil {
		return nil
	}
	signature, ok := called.Type.Underlying().(*types.Signature)
	if !ok {
		return nil
	}
	found := make([]types.Type, signature.Results().Len())
	for i := range found {
		found[i] = signature.Results().At(i).Type()
	}
	return found
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// excused calls return an error that is always nil, or that nobody looks at.
func (c *checking) excused(call *ast.CallExpr, deferred bool) bool {
	f, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	name := f.Sel.Name
	if selection := c.info.Selections[f]; selection != nil {
		if name == "Close" && deferred {
			return true
		}
		if !strings.HasPrefix(name, "Write") {
			return false
		}
		method, _ := selection.Obj().Type().(*types.Signature)
		return neverFails(selection.Recv()) || (method != nil && method.Recv() != nil && neverFails(method.Recv().Type()))
	}
	if c.packageOf(f) != "fmt" {
		return false
	}
	if strings.HasPrefix(name, "Fprint") && len(call.Args) > 0 {
		return neverFails(c.info.Types[call.Args[0]].Type) || c.standard(call.Args[0])
	}
	return strings.HasPrefix(name, "Print")
}

// neverFails says whether writing to the type gives no error: buffers, builders and hashes.
func neverFails(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	path, name := named.Obj().Pkg().Path(), named.Obj().Name()
	switch path {
	case "bytes":
		return name == "Buffer"
	case "strings":
		return name == "Builder"
	}
	return path == "hash" || strings.HasPrefix(path, "hash/")
}

// standard says whether the expression is os.Stdout or os.Stderr.
func (c *checking) standard(e ast.Expr) bool {
	f, ok := ast.Unparen(e).(*ast.SelectorExpr)
	return ok && c.packageOf(f) == "os" && (f.Sel.Name == "Stdout" || f.Sel.Name == "Stderr")
}

func shown(call *ast.CallExpr) string {
	if text := types.ExprString(call.Fun); len(text) < 60 && !strings.Contains(text, "\n") {
		return text
	}
	return "this call"
}
