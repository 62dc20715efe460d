// Command gocheck answers what the Go toolchain thinks of many small pieces of code, in one process.
//
// Starting `go vet` or `gofmt` for one sample costs a hundred times more than the work itself, so Gosmith
// keeps this helper running and talks to it in JSON lines. It reads no file but the pack of export data
// that it is given, fetches nothing, and runs no sample's code, except in `confine`, whose whole job is to
// run one program behind walls.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  gocheck serve -std PACK [flags]   check samples: JSON lines on standard input and output
  gocheck mine [flags] DIR          list the documented functions below DIR as JSON lines
  gocheck confine [flags] -- CMD    run CMD with limits and, where asked, behind walls
  gocheck confine -session [flags]  run many programs behind the same walls: JSON lines on standard input and output`

func main() {
	if len(os.Args) < 2 {
		fatal(usage)
	}
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2:])
	case "mine":
		mine(os.Args[2:])
	case "confine":
		confine(os.Args[2:], false)
	case "confined":
		confine(os.Args[2:], true)
	case "probe": // what a sandbox is tried out with
		fmt.Println("inside")
	case "walls": // what shows that a sandbox holds
		walls(os.Args[2:])
	default:
		fatal(usage)
	}
}

func fatal(message any) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
