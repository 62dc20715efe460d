package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
)

// lines writes one JSON value a line; a client that has gone away ends the process.
type lines struct {
	mutex  sync.Mutex
	writer *bufio.Writer
}

func (l *lines) write(value any, flush bool) {
	text, err := json.Marshal(value)
	if err != nil {
		fatal(err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.writer.Write(append(text, '\n'))
	if flush {
		l.flush()
	}
}

func (l *lines) flush() {
	if err := l.writer.Flush(); err != nil {
		os.Exit(1)
	}
}
