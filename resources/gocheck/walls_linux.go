package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// proof is what one attempt to get out came to. Held is false when it got out.
type proof struct {
	Name   string `json:"name"`
	Held   bool   `json:"held"`
	Detail string `json:"detail"`
}

// walls tries, from the inside, what a hostile sample would try, and prints one JSON line an attempt. Arguments: the
// home folder outside, and the number of a process outside. Nothing is changed where an attempt succeeds: signals are
// number 0, files are opened and closed.
func walls(arguments []string) {
	home, outside := arguments[0], arguments[1]
	encoder := json.NewEncoder(os.Stdout)
	for _, attempt := range []struct {
		name string
		try  func() (out bool, detail string)
	}{
		{"network", reachNetwork},
		{"home folder", func() (bool, string) { return readFolder(home) }},
		{"writing outside the scratch folder", writeOutside},
		{"other processes", func() (bool, string) { return signalProcess(outside) }},
		{"memory", func() (bool, string) { return limited(syscall.RLIMIT_AS) }},
		{"processor time", func() (bool, string) { return limited(syscall.RLIMIT_CPU) }},
		{"processes", startMany},
		{"file size", func() (bool, string) { return limited(syscall.RLIMIT_FSIZE) }},
	} {
		out, detail := attempt.try()
		encoder.Encode(proof{attempt.name, !out, detail})
	}
}

func reachNetwork() (bool, string) {
	// An address of the documentation range answers nobody; only a machine without a route refuses at once.
	connection, err := net.DialTimeout("udp", "192.0.2.1:9", time.Second)
	if err != nil {
		return false, err.Error()
	}
	defer connection.Close()
	if _, err = connection.Write([]byte("x")); err != nil {
		return false, err.Error()
	}
	return true, "a packet could be sent"
}

func readFolder(path string) (bool, string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false, err.Error()
	}
	return true, fmt.Sprintf("%s can be read: %d entries", path, len(entries))
}

func writeOutside() (bool, string) {
	refused := ""
	for _, folder := range []string{"/", "/etc", "/usr", "/var/tmp"} {
		path := filepath.Join(folder, ".gosmith-probe")
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			file.Close()
			os.Remove(path)
			return true, fmt.Sprintf("%s can be written", folder)
		}
		refused = err.Error()
	}
	return false, refused
}

func signalProcess(number string) (bool, string) {
	process, err := strconv.Atoi(number)
	if err == nil {
		err = syscall.Kill(process, 0)
	}
	if err == nil && process == os.Getpid() {
		return false, "it has the number of the probe itself, in a world of its own"
	}
	if err != nil {
		return false, err.Error()
	}
	return true, fmt.Sprintf("process %d can be signalled", process)
}

// startMany tries to have more processes than any room allows. They do nothing, and are ended at once.
func startMany() (bool, string) {
	const many = 2000
	var started []int
	defer func() {
		for _, pid := range started {
			syscall.Kill(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, 0, nil)
		}
	}()
	for len(started) < many {
		pid, _, failed := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if failed != 0 {
			return false, fmt.Sprintf("%s after %d", failed.Error(), len(started))
		}
		if pid == 0 {
			for {
				syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
		started = append(started, int(pid))
	}
	return true, fmt.Sprintf("%d processes could be started", many)
}

func limited(resource int) (bool, string) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(resource, &limit); err != nil {
		return true, err.Error()
	}
	if limit.Max > 1<<62 {
		return true, "there is no limit"
	}
	return false, fmt.Sprintf("limited to %d", limit.Max)
}
