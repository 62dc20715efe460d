package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"
)

const (
	rlimitProcesses = 6 // RLIMIT_NPROC; package syscall does not name it
	capNetAdmin     = 12
	capSysAdmin     = 21
	user            = 1000  // inside; not root, so that file modes mean what they say
	stranger        = 61184 // the first of the numbers that systemd, too, gives to users without an account
	strangers       = 4096
	nosuidNodev     = syscall.MS_NOSUID | syscall.MS_NODEV
)

// limit is one of them as the kernel counts it.
type limit struct {
	resource   int
	soft, hard uint64
}

func (l limits) each() []limit {
	all := []limit{{syscall.RLIMIT_CORE, 0, 0}}
	for resource, value := range map[int]uint64{
		syscall.RLIMIT_AS:    l.memory,
		syscall.RLIMIT_FSIZE: l.file,
		rlimitProcesses:      l.processes,
	} {
		if value != 0 {
			all = append(all, limit{resource, value, value})
		}
	}
	if l.processor != 0 { // SIGXCPU first, SIGKILL a second later
		all = append(all, limit{syscall.RLIMIT_CPU, l.processor, l.processor + 1})
	}
	return all
}

func (l limits) set() error {
	for _, one := range l.each() {
		if err := syscall.Setrlimit(one.resource, &syscall.Rlimit{Cur: one.soft, Max: one.hard}); err != nil {
			return fmt.Errorf("limit %d: %w", one.resource, err)
		}
	}
	return nil
}

// reenter starts this program again in namespaces of its own, where it builds the walls as the first process.
func reenter(arguments []string) (int, error) {
	process, err := os.StartProcess("/proc/self/exe", append([]string{"gocheck", "confined"}, arguments...), &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
				syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
			UidMappings: mappings(os.Getuid()),
			GidMappings: mappings(os.Getgid()),
			AmbientCaps: []uintptr{capSysAdmin, capNetAdmin},
			Pdeathsig:   syscall.SIGKILL,
		},
	})
	if err != nil {
		return 0, err
	}
	return wait(process)
}

// mappings names the users inside. The kernel counts no processes of those who are root outside, whatever they are called
// inside; so root's command runs as a stranger who is nobody outside, and only the walls are built by root itself.
func mappings(id int) []syscall.SysProcIDMap {
	nobody := stranger + os.Getpid()%strangers
	if os.Getuid() != 0 || !exists(nobody) {
		return []syscall.SysProcIDMap{{ContainerID: user, HostID: id, Size: 1}}
	}
	return []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}, {ContainerID: user, HostID: nobody, Size: 1}}
}

// exists reports whether there is a user of that number in this namespace; without, this root is not the machine's.
func exists(id int) bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	for _, line := range strings.Split(string(text), "\n") {
		var inside, outside, count int
		if n, _ := fmt.Sscan(line, &inside, &outside, &count); n == 3 && id >= inside && id-inside < count {
			return true
		}
	}
	return false
}

// run builds the walls around this process and runs the command inside; when this process ends, the kernel ends
// everything that the command may have left behind.
func (r room) run(l limits, command []string) (int, error) {
	if err := r.build(); err != nil {
		return 0, err
	}
	if err := loopbackUp(); err != nil {
		return 0, fmt.Errorf("loopback: %w", err)
	}
	syscall.Sethostname([]byte("sandbox")) // a courtesy
	if err := l.set(); err != nil {
		return 0, err
	}
	if err := dropPrivileges(); err != nil {
		return 0, err
	}
	process, err := os.StartProcess(command[0], command, &os.ProcAttr{
		Dir:   "/tmp",
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user, NoSetGroups: true}},
	})
	if err != nil {
		return 0, err
	}
	return wait(process)
}

func (r room) build() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("tmpfs", r.root, "tmpfs", nosuidNodev, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("root: %w", err)
	}
	inside := func(path string) string { return filepath.Join(r.root, path) }
	for _, folder := range append(r.folders, "proc", "dev", "tmp", "old") {
		if err := os.Mkdir(inside(folder), 0o755); err != nil {
			return err
		}
	}
	binds := r.binds
	for _, device := range []string{"null", "zero", "full", "random", "urandom"} {
		binds = append(binds, [2]string{"/dev/" + device, "/dev/" + device})
	}
	for _, one := range binds {
		if err := bind(one[0], inside(one[1])); err != nil {
			return fmt.Errorf("bind %s: %w", one[0], err)
		}
	}
	if err := syscall.Mount("tmpfs", inside("tmp"), "tmpfs", nosuidNodev, "mode=1777,size="+r.space); err != nil {
		return fmt.Errorf("tmp: %w", err)
	}
	// Inside some containers the kernel refuses a fresh /proc; Go programs live without.
	err := syscall.Mount("proc", inside("proc"), "proc", nosuidNodev|syscall.MS_NOEXEC, "")
	if err != nil && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("proc: %w", err)
	}
	if err := syscall.PivotRoot(r.root, inside("old")); err != nil {
		return fmt.Errorf("pivot: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := syscall.Unmount("/old", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("old root: %w", err)
	}
	if err := os.Remove("/old"); err != nil {
		return err
	}
	return syscall.Mount("", "/", "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY|nosuidNodev, "")
}

// bind shows a host file or folder, read-only. Devices stay writable: that is what they are for.
func bind(host, inside string) error {
	info, err := os.Stat(host)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(inside, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(inside), 0o755); err == nil {
		err = os.WriteFile(inside, nil, 0o644)
	}
	if err != nil {
		return err
	}
	if err := syscall.Mount(host, inside, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if info.Mode()&os.ModeDevice != 0 {
		return nil
	}
	// A user namespace may not take away the restrictions that the host's mount already has.
	var at syscall.Statfs_t
	if err := syscall.Statfs(inside, &at); err != nil {
		return err
	}
	const kept = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC | syscall.MS_NOATIME | syscall.MS_NODIRATIME | syscall.MS_RELATIME
	flags := uintptr(at.Flags)&kept | syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY
	return syscall.Mount("", inside, "", flags, "")
}

func loopbackUp() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	if failed != 0 {
		return failed
	}
	return nil
}

// dieWithParent has the kernel kill this process, and what it becomes, when its parent ends.
func dieWithParent() error {
	const setDeathSignal = 1 // PR_SET_PDEATHSIG
	return prctl(setDeathSignal, uintptr(syscall.SIGKILL))
}

// dropPrivileges gives up the capabilities that building needed, for what this thread starts from now on.
func dropPrivileges() error {
	const (
		ambient       = 47 // PR_CAP_AMBIENT
		clearAll      = 4  // PR_CAP_AMBIENT_CLEAR_ALL
		setNoNewPrivs = 38 // PR_SET_NO_NEW_PRIVS
	)
	if err := prctl(ambient, clearAll); err != nil {
		return err
	}
	return prctl(setNoNewPrivs, 1)
}

func prctl(option, value uintptr) error {
	if _, _, failed := syscall.RawSyscall6(syscall.SYS_PRCTL, option, value, 0, 0, 0, 0); failed != 0 {
		return fmt.Errorf("prctl %d: %w", option, failed)
	}
	return nil
}
