package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	worlds     = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC
	everyChild = 0x40000000 // __WALL: also children that somebody cloned without a signal
	lost       = 251        // exit code of a world's first process that could not build it
)

// serve builds walls and runs programs behind them, one after the other, each in a world of its own: another first
// process, so that none of it outlives it and it sees none of us; an empty /tmp; a /proc and System V queues of its own; of the
// programs only itself. All that they share in turn are a root that nobody can write to and a loopback that nobody is
// left on. Building walls takes five times as long as building a world in them.
//
// Nothing in there can signal, trace or limit this process: it has no number there, and it holds capabilities that they have not.
func (r room) serve(l limits) error {
	r.folders = []string{oneProgram}
	if err := r.build(); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	syscall.Sethostname([]byte("sandbox")) // a courtesy
	if err := dropPrivileges(); err != nil {
		return err
	}
	const dumpable = 4 // PR_SET_DUMPABLE
	if err := prctl(dumpable, 0); err != nil {
		return err
	}
	null, err := os.Open("/dev/null")
	if err != nil {
		return err
	}
	_, missing := os.Stat("/proc/self")
	return serveSession(func(e errand) (outcome, [2][]byte) { return r.once(l, e, null, missing == nil) })
}

// once runs one program in a world of its own.
func (r room) once(l limits, e errand, null *os.File, proc bool) (outcome, [2][]byte) {
	var said [2][]byte
	var ours, theirs [3]*os.File // stdout, stderr, and what could not be built
	for at := range ours {
		var err error
		if ours[at], theirs[at], err = os.Pipe(); err != nil {
			return outcome{Failed: err.Error()}, said
		}
		defer ours[at].Close()
		defer theirs[at].Close()
	}
	w := r.world(l, e, [3]uintptr{null.Fd(), theirs[0].Fd(), theirs[1].Fd()}, theirs[2].Fd(), proc)
	start := time.Now()
	first, failed := w.begin()
	if failed != 0 {
		return outcome{Failed: fmt.Sprintf("new world: %v", failed)}, said
	}
	for _, pipe := range theirs {
		pipe.Close()
	}
	s := supervision{left: e.Output, kill: func() { syscall.Kill(first, syscall.SIGKILL) }}
	clock := time.AfterFunc(time.Duration(e.Seconds*float64(time.Second)), func() { s.stop("time") })
	var listening sync.WaitGroup
	for at := range said {
		listening.Add(1)
		go func() {
			defer listening.Done()
			said[at] = s.listen(ours[at])
		}()
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(first, &status, 0, nil)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(first, &status, 0, nil)
	}
	s.mutex.Lock() // its number may be somebody else's from now on
	s.kill = func() {}
	s.mutex.Unlock()
	clock.Stop()
	listening.Wait()
	o := outcome{Code: status.ExitStatus(), Stopped: s.stopped, Seconds: time.Since(start).Seconds()}
	var trouble [16]byte
	if n, _ := ours[2].Read(trouble[:]); n == len(trouble) {
		at, errno := binary.NativeEndian.Uint64(trouble[:]), syscall.Errno(binary.NativeEndian.Uint64(trouble[8:]))
		o.Failed = fmt.Sprintf("%s: %v", w.calls[at].name, errno)
	} else if status.Signaled() { // by us, or because the program took the processor from its world: both are its own doing
		o.Code = 128 + int(status.Signal())
	}
	return o, said
}

// world says what is to be done for a program: by the first process of a new world, and, from `program` on, by a child of
// it, which becomes the program. It is all prepared beforehand, because a forked process can do nothing but call the kernel.
type world struct {
	calls   []call
	program int     // the first call of the program's own process
	trouble uintptr // file to write to which call failed, and how
	kept    []any   // what the calls point to
	status  [4]byte
	said    [2]uint64
}

type call struct {
	name      string
	number    uintptr
	arguments [6]uintptr
	forgiven  syscall.Errno
}

func (r room) world(l limits, e errand, streams [3]uintptr, trouble uintptr, proc bool) *world {
	w := &world{trouble: trouble}
	program := oneProgram + "/" + e.Program
	w.add("session", syscall.SYS_SETSID) // a signal to all of its group is none to us
	for number, file := range streams {
		w.add("streams", syscall.SYS_DUP3, file, uintptr(number), 0)
	}
	w.mount("program", "tmpfs", oneProgram, "tmpfs", nosuidNodev, "size=64k,mode=755")
	const here = ^uintptr(99) // AT_FDCWD
	w.add("program", syscall.SYS_MKNODAT, here, w.text(program), syscall.S_IFREG|0o555, 0)
	w.mount("program", allPrograms+"/"+e.Program, program, "", syscall.MS_BIND, "")
	w.mount("program", "", oneProgram, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY|nosuidNodev, "")
	w.mount("other programs", "tmpfs", allPrograms, "tmpfs", nosuidNodev|syscall.MS_RDONLY, "size=4k,mode=0")
	w.mount("tmp", "tmpfs", "/tmp", "tmpfs", nosuidNodev, "mode=1777,size="+r.space)
	if proc { // inside some containers there is none, and none can be had
		w.mount("proc", "proc", "/proc", "proc", nosuidNodev|syscall.MS_NOEXEC, "")
	}
	w.program = len(w.calls)
	for _, one := range l.each() {
		limit := &syscall.Rlimit{Cur: one.soft, Max: one.hard}
		w.kept = append(w.kept, limit)
		w.add("limits", syscall.SYS_PRLIMIT64, 0, uintptr(one.resource), uintptr(unsafe.Pointer(limit)), 0)
	}
	w.add("group", syscall.SYS_SETRESGID, user, user, user)
	w.add("user", syscall.SYS_SETRESUID, user, user, user)
	w.add("folder", syscall.SYS_CHDIR, w.text("/tmp"))
	w.add("signals", syscall.SYS_RT_SIGPROCMASK, setMask, w.signals(0), 0, signalBytes)
	w.add("start", syscall.SYS_EXECVE, w.text(program), w.list(append([]string{program}, e.Arguments...)), w.list(os.Environ()))
	return w
}

func (w *world) add(name string, number uintptr, arguments ...uintptr) {
	one := call{name: name, number: number}
	copy(one.arguments[:], arguments)
	w.calls = append(w.calls, one)
}

func (w *world) mount(name, source, target, kind string, flags uintptr, options string) {
	w.add(name, syscall.SYS_MOUNT, w.text(source), w.text(target), w.text(kind), flags, w.text(options))
}

func (w *world) text(text string) uintptr {
	bytes := append([]byte(text), 0)
	w.kept = append(w.kept, bytes)
	return uintptr(unsafe.Pointer(&bytes[0]))
}

func (w *world) list(texts []string) uintptr {
	places := make([]uintptr, len(texts)+1)
	for at, text := range texts {
		places[at] = w.text(text)
	}
	w.kept = append(w.kept, places)
	return uintptr(unsafe.Pointer(&places[0]))
}

const (
	setMask     = 2 // SIG_SETMASK
	signalBytes = 8
)

func (w *world) signals(mask uint64) uintptr {
	kept := &mask
	w.kept = append(w.kept, kept)
	return uintptr(unsafe.Pointer(kept))
}

// begin starts the first process of the world, deaf to all signals, and returns its number.
func (w *world) begin() (int, syscall.Errno) {
	all, before := w.signals(^uint64(0)), w.signals(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, all, before, signalBytes, 0, 0)
	number, failed := w.fork()
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, before, 0, signalBytes, 0, 0)
	runtime.KeepAlive(w)
	return int(number), failed
}

// fork returns here only. A forked process has one thread of many and whatever locks the others held: it must not allocate, grow its
// stack or be scheduled, and so does nothing but the calls.
//
//go:noinline
//go:norace
func (w *world) fork() (uintptr, syscall.Errno) {
	number, _, failed := syscall.RawSyscall6(syscall.SYS_CLONE, worlds|uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if failed != 0 || number != 0 {
		return number, failed
	}
	for at := range w.calls {
		if at == w.program {
			number, _, failed = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
			if failed == 0 && number != 0 {
				break
			}
		} else {
			failed = 0
		}
		one := &w.calls[at]
		if failed == 0 {
			_, _, failed = syscall.RawSyscall6(one.number, one.arguments[0], one.arguments[1], one.arguments[2], one.arguments[3], one.arguments[4], one.arguments[5])
		}
		if failed != 0 {
			w.said[0], w.said[1] = uint64(at), uint64(failed)
			syscall.RawSyscall6(syscall.SYS_WRITE, w.trouble, uintptr(unsafe.Pointer(&w.said)), unsafe.Sizeof(w.said), 0, 0, 0)
			for {
				syscall.RawSyscall6(syscall.SYS_EXIT_GROUP, lost, 0, 0, 0, 0, 0)
			}
		}
	}
	for {
		ended, _, failed := syscall.RawSyscall6(syscall.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&w.status)), everyChild, 0, 0, 0)
		if failed != 0 || ended != number {
			continue
		}
		code := uintptr(w.status[1])
		if signal := w.status[0] & 0x7f; signal != 0 {
			code = 128 + uintptr(signal)
		}
		for {
			syscall.RawSyscall6(syscall.SYS_EXIT_GROUP, code, 0, 0, 0, 0, 0)
		}
	}
}
