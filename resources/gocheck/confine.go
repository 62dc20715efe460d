package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// limits hold for every process that the command starts, each on its own; 0 leaves one as it is.
type limits struct {
	processor uint64 // seconds
	memory    uint64 // bytes of address space
	file      uint64 // bytes of a file
	processes uint64 // with threads; only meant inside walls, where nobody else's count
}

// room is what a command behind walls sees: no network but its own loopback, no process but its own, an empty
// file system with what is bound into it, and /tmp to write to.
type room struct {
	root    string // an empty folder to build in
	space   string // size of /tmp as mount writes it
	binds   bindings
	folders []string // empty ones in the root
}

// bindings are read-only: pairs of host path and path inside.
type bindings [][2]string

func (b *bindings) String() string { return "" }

func (b *bindings) Set(text string) error {
	host, inside, found := strings.Cut(text, "=")
	if !found || host == "" || !strings.HasPrefix(inside, "/") {
		return fmt.Errorf("want HOST=/INSIDE")
	}
	*b = append(*b, [2]string{host, inside})
	return nil
}

// exit codes of confine itself, above those of signals; whoever asked reads them as "the walls failed", not as a result.
const noWalls = 250

// confine runs a command with limits; with -root, behind walls too. It dies with whoever started it.
func confine(arguments []string, entered bool) {
	var l limits
	var r room
	flags := flag.NewFlagSet("confine", flag.ExitOnError)
	flags.Uint64Var(&l.processor, "processor", 0, "seconds of processor time")
	flags.Uint64Var(&l.memory, "memory", 0, "bytes of address space")
	flags.Uint64Var(&l.file, "file", 0, "largest file")
	flags.Uint64Var(&l.processes, "processes", 0, "processes and threads")
	flags.StringVar(&r.root, "root", "", "empty folder to build the walls in")
	flags.StringVar(&r.space, "space", "64m", "size of /tmp behind walls")
	flags.Var(&r.binds, "bind", "HOST=/INSIDE, read-only, may be repeated")
	session := flags.Bool("session", false, "run what is asked for on standard input, each in a world of its own")
	flags.Parse(arguments)
	command := flags.Args()
	if (len(command) == 0) != *session || *session && r.root == "" {
		fatal(usage)
	}
	runtime.LockOSThread() // capabilities and death signals belong to threads
	var code int
	err := dieWithParent()
	switch {
	case err != nil:
	case r.root == "":
		err = l.replace(command)
	case entered && *session:
		err = r.serve(l)
	case entered:
		code, err = r.run(l, command)
	default:
		code, err = reenter(arguments)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(noWalls)
	}
	os.Exit(code)
}

// replace becomes the command.
func (l limits) replace(command []string) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	if err := l.set(); err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

// wait runs a process to its end; a signal becomes 128 + its number, as in a shell.
func wait(process *os.Process) (int, error) {
	state, err := process.Wait()
	if err != nil {
		return 0, err
	}
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return state.ExitCode(), nil
}
