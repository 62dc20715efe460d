package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// request is one line of input: a check, with a path an arrangement, with stub the same code without what it does, with an
// entry an answer to a problem made ready for its test.
type request struct {
	Sequence int64  `json:"n"`
	Code     string `json:"code"`
	Test     string `json:"test"`
	Path     string `json:"path"`
	Suffix   string `json:"suffix"`
	Stub     bool   `json:"stub"`
	Entry    string `json:"entry"`
	Given    string `json:"given"`
	Open     bool   `json:"open"`
}

// greeting is the first line of output.
type greeting struct {
	Ready bool   `json:"ready"`
	Go    string `json:"go"`
}

// farewell is the last line when the helper gives up on texts that a Go program cannot drop: a goroutine that computes
// for ever can be neither stopped nor abandoned, so the process goes, and the client starts another one.
type farewell struct {
	Abort    string    `json:"abort"` // time or memory
	Suspects []suspect `json:"suspects"`
}

type suspect struct {
	Sequence int64  `json:"n"`
	Check    string `json:"check"` // that was under way
}

// worker is one goroutine that checks.
type worker struct {
	mutex sync.Mutex
	busy  bool
	with  suspect
	since time.Time
}

func (w *worker) begin(sequence int64, check string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if !w.busy {
		w.since = time.Now()
	}
	w.busy, w.with = true, suspect{sequence, check}
}

func (w *worker) end() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.busy = false
}

func (w *worker) state() (with suspect, busy bool, spent time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.with, w.busy, time.Since(w.since)
}

func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	pack := flags.String("std", "", "pack of the standard library's export data")
	count := flags.Int("workers", 2, "goroutines that check")
	limit := flags.Duration("limit", 10*time.Second, "the longest that one text may take")
	memory := flags.Int64("memory", 1<<30, "bytes of heap at which the helper gives up on what it is doing")
	flags.Parse(arguments)
	std, err := openLibrary(*pack)
	if err != nil {
		fatal(err)
	}
	runtime.GOMAXPROCS(*count)
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(*memory / 2)
	debug.SetMaxStack(256 << 20)

	output := &lines{writer: bufio.NewWriterSize(os.Stdout, 1<<16)}
	output.write(greeting{true, runtime.Version()}, true)

	type task struct {
		request
		answer chan any
	}
	tasks := make(chan task)
	order := make(chan chan any, 64**count)
	workers := make([]worker, *count)
	for i := range workers {
		w := &workers[i]
		go func() {
			for t := range tasks {
				var a any
				switch {
				case t.Stub:
					w.begin(t.Sequence, "types")
					a = stub(t.request, std)
				case t.Entry != "":
					w.begin(t.Sequence, "parse")
					a = prepareCandidate(t.request, std)
				case t.Path != "":
					w.begin(t.Sequence, "parse")
					a = arrange(t.request, std)
				default:
					a = check(t.Sequence, t.Code, std, func(check string) { w.begin(t.Sequence, check) })
				}
				w.end()
				t.answer <- a
			}
		}()
	}
	go watch(workers, *limit, uint64(*memory), output)
	go func() {
		input := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<16))
		for {
			var r request
			if err := input.Decode(&r); err != nil {
				if err != io.EOF {
					fatal(err)
				}
				break
			}
			answer := make(chan any, 1)
			order <- answer
			tasks <- task{r, answer}
		}
		close(order)
	}()
	for answer := range order {
		output.write(<-answer, len(order) == 0)
	}
}

// watch ends the process when a text takes too long or too much.
func watch(workers []worker, limit time.Duration, memory uint64, output *lines) {
	var stats runtime.MemStats
	for range time.Tick(200 * time.Millisecond) {
		var slow, all []suspect
		for i := range workers {
			with, busy, spent := workers[i].state()
			if !busy {
				continue
			}
			all = append(all, with)
			if spent > limit {
				slow = append(slow, with)
			}
		}
		runtime.ReadMemStats(&stats)
		switch {
		case len(slow) > 0:
			output.write(farewell{"time", slow}, true)
		case stats.HeapAlloc > memory && len(all) > 0:
			output.write(farewell{"memory", all}, true)
		default:
			continue
		}
		os.Exit(3)
	}
}
