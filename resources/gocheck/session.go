package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path"
	"sync"
)

// errand names the program to run next.
type errand struct {
	Program   string   `json:"program"` // its name in the folder that the session was given
	Arguments []string `json:"arguments"`
	Seconds   float64  `json:"seconds"` // wall clock
	Output    int      `json:"output"`  // bytes of stdout and stderr together
}

// outcome is how that went; so many bytes of stdout, then of stderr, follow its line. Code is as in a shell. Stopped is
// why the program was killed, "time" or "output", or empty. Failed says why it was not run, or not to its end, through no
// fault of its own; then the rest means nothing.
type outcome struct {
	Code    int     `json:"code"`
	Stopped string  `json:"stopped"`
	Failed  string  `json:"failed"`
	Seconds float64 `json:"seconds"`
	Stdout  int     `json:"stdout"`
	Stderr  int     `json:"stderr"`
}

// Where a session finds the programs that it may be asked for, and where each of them finds itself.
const (
	allPrograms = "/programs"
	oneProgram  = "/program"
)

// serveSession runs errands, JSON lines on standard input, until there are no more.
func serveSession(run func(errand) (outcome, [2][]byte)) error {
	errands := json.NewDecoder(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	for {
		var e errand
		if err := errands.Decode(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var o outcome
		var said [2][]byte
		if e.Program == "" || e.Program != path.Base(e.Program) {
			o.Failed = "no such program"
		} else {
			o, said = run(e)
		}
		o.Stdout, o.Stderr = len(said[0]), len(said[1])
		if err := lines.Encode(o); err != nil {
			return err
		}
		out.Write(said[0])
		out.Write(said[1])
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// supervision ends a program that says or takes too much: the first reason counts.
type supervision struct {
	mutex   sync.Mutex
	left    int // bytes that may still be said
	stopped string
	kill    func()
}

func (s *supervision) stop(reason string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.stopped == "" {
		s.stopped = reason
		s.kill()
	}
}

// listen collects what comes from a pipe until its end; what is too much is read and dropped.
func (s *supervision) listen(pipe io.Reader) []byte {
	var heard bytes.Buffer
	part := make([]byte, 64<<10)
	for {
		n, err := pipe.Read(part)
		s.mutex.Lock()
		heard.Write(part[:min(n, max(0, s.left))])
		s.left -= n
		full := s.left < 0
		s.mutex.Unlock()
		if full {
			s.stop("output")
		}
		if err != nil {
			return heard.Bytes()
		}
	}
}
