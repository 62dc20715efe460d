"""Hostile samples: whatever they try, they are not counted as passed, and nothing of them is left or known outside.

Each test passes where its attack has worked and fails with the word "contained" where it was stopped, so that a hole in
the walls shows as a pass. All are built and run in a few batches; what they were up to is looked at one by one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from core.golang.checker import Checker, CheckItem, CheckResult
from core.golang.sandbox import Limits, probe
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import Toolchain, environment

CODE = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
GOOD = 'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Fatal()\n\t}\n}\n'
TOKEN = secrets.token_hex(8)
REPORT = r"\x16=== RUN   TestIt\n\x16--- PASS: TestIt (0.00s)\nPASS\n"


def go_test(statements: str, imports: str = "", more: str = "") -> str:
    listed = "\n".join(f'\t"{name}"' for name in sorted({*imports.split(), "testing"}))
    return f"package a\n\nimport (\n{listed}\n)\n\n{more}\n\nfunc TestIt(t *testing.T) {{\n{statements}\n}}\n"


WORKED = 'if err != nil {\n\tt.Fatal("contained:", err)\n}\n'

# No attack does harm where a wall is missing: 300 children are more than a sandbox allows and none of them has children.
# name -> (statements, imports, more declarations). HOME, PORT, HOLD, TOKEN are replaced.
ATTACKS: dict[str, tuple[str, str, str]] = {
    "fork bomb": ('if os.Getenv("CHILD") != "" {\n\ttime.Sleep(time.Second)\n\treturn\n}\nos.Setenv("CHILD", "1")\nfor range 300 {\n\tif err := exec.Command(os.Args[0], "-test.run=TestIt").Start(); err != nil {\n\t\tt.Fatal("contained:", err)\n\t}\n}', "os os/exec time", ""),
    "fork bomb by syscall": ('for range 300 {\n\tpid, _, e := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0)\n\tif e != 0 {\n\t\tt.Fatal("contained:", e)\n\t}\n\tif pid == 0 {\n\t\tsyscall.RawSyscall(syscall.SYS_PAUSE, 0, 0, 0)\n\t}\n}\ntime.Sleep(time.Second / 4)', "syscall time", ""),
    "goroutine bomb": ("for {\n\tgo func() { select {} }()\n}", "", ""),
    "memory bomb": ("var kept [][]byte\nfor {\n\tb := make([]byte, 64<<20)\n\tfor i := range b {\n\t\tb[i] = 1\n\t}\n\tkept = append(kept, b)\n}", "", ""),
    "endless output": ('for {\n\tfmt.Println("all work and no play")\n}', "fmt", ""),
    "one endless line": ('b := bytes.Repeat([]byte("x"), 1<<20)\nfor {\n\tos.Stdout.Write(b)\n}', "bytes os", ""),
    "endless log": ('for {\n\tt.Log("x")\n}', "", ""),
    "write to home": (f'err := os.WriteFile("HOME/{TOKEN}", nil, 0o644)\n{WORKED}', "os", ""),
    "overwrite a canary": (f'err := os.WriteFile("HOME/.netrc", nil, 0o644)\n{WORKED}', "os", ""),
    "remove home": ('err := os.RemoveAll("HOME")\n_, err = os.Stat("HOME")\nt.Fatal("contained:", err)', "os", ""),
    "write to tmp": (f'os.WriteFile("/tmp/{TOKEN}", nil, 0o644)\nt.Fatal("contained: in a tmp of its own")', "os", ""),
    "write to etc": (f'err := os.WriteFile("/etc/{TOKEN}", nil, 0o644)\n{WORKED}', "os", ""),
    "write to its binary": (f'err := os.WriteFile(os.Args[0], nil, 0o755)\n{WORKED}', "os", ""),
    "read home": (f'_, err := os.ReadFile("HOME/.ssh/id_rsa")\n{WORKED}', "os", ""),
    "read the host's passwd": ('b, err := os.ReadFile("/etc/passwd")\nif err != nil || !strings.Contains(string(b), "root:") {\n\tt.Fatal("contained")\n}', "os strings", ""),
    "read the parent's environment": ('for _, p := range []string{"1", strconv.Itoa(os.Getppid()), "self", "PARENT"} {\n\tb, _ := os.ReadFile("/proc/" + p + "/environ")\n\tif strings.Contains(string(b), "TOKEN") {\n\t\treturn\n\t}\n}\nt.Fatal("contained")', "os strconv strings", ""),
    "environment secrets": ('for _, e := range os.Environ() {\n\tif strings.Contains(e, "TOKEN") {\n\t\treturn\n\t}\n}\nt.Fatal("contained")', "os strings", ""),
    "files of the parent": ('for _, p := range []string{"1", strconv.Itoa(os.Getppid()), "PARENT"} {\n\tif _, err := os.ReadFile(filepath.Join("/proc", p, "root", "HOME/.netrc")); err == nil {\n\t\treturn\n\t}\n\tif _, err := os.ReadFile("/proc/" + p + "/cwd/../../.netrc"); err == nil {\n\t\treturn\n\t}\n}\nt.Fatal("contained")', "os path/filepath strconv", ""),
    "dial": (f'_, err := net.Dial("tcp", "127.0.0.1:PORT")\n{WORKED}', "net", ""),
    "dial the world": ('_, err := net.DialTimeout("tcp", "192.0.2.1:80", time.Second/2)\nif e, ok := err.(net.Error); ok && !e.Timeout() {\n\tt.Fatal("contained:", err)\n}', "net time", ""),
    "resolve a name": (f'_, err := net.LookupHost("example.com")\n{WORKED}', "net", ""),
    "listen": ('l, err := net.Listen("tcp", "0.0.0.0:HOLD")\nif err == nil {\n\tl.(*net.TCPListener).SetDeadline(time.Now().Add(time.Second / 2))\n\t_, err = l.Accept()\n}\n' + WORKED, "net time", ""),
    "abstract socket": (f'_, err := net.Dial("unix", "@{TOKEN}")\n{WORKED}', "net", ""),
    "raw socket": (f'_, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)\n{WORKED}', "syscall", ""),
    "exit in the test": ("os.Exit(0)", "os", ""),
    "exit in init": ("", "os", "func init() { os.Exit(0) }"),
    "exit in TestMain": ("", "os", "func TestMain(m *testing.M) { os.Exit(0) }"),
    "exit 0 after failing": ('t.Error("contained")', "os", "func TestMain(m *testing.M) { m.Run(); os.Exit(0) }"),
    "exit by syscall": ("syscall.Exit(0)", "syscall", ""),
    "exit in a goroutine": ("go os.Exit(0)\nselect {}", "os", ""),
    "kill itself": ("syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "os syscall", ""),
    "term to the parent": ('p, _ := os.FindProcess(os.Getppid())\np.Signal(os.Interrupt)\np.Signal(os.Kill)\nt.Fatal("contained")', "os", ""),
    "kill everybody": ('syscall.Kill(-1, syscall.SIGKILL)\nt.Fatal("contained")', "syscall", ""),
    "kill the checker": (f'err := syscall.Kill(PARENT, syscall.Signal(0))\n{WORKED}', "syscall", ""),
    "ptrace the checker": (f'runtime.LockOSThread()\nerr := syscall.PtraceAttach(PARENT)\n{WORKED}', "runtime syscall", ""),
    "ptrace the parent": (f'runtime.LockOSThread()\nerr := syscall.PtraceAttach(os.Getppid())\n{WORKED}', "os runtime syscall", ""),
    "link out": (f'err := os.Symlink("HOME/.netrc", os.TempDir()+"/link")\nif err == nil {{\n\t_, err = os.ReadFile(os.TempDir() + "/link")\n}}\n{WORKED}', "os", ""),
    "hard link out": (f'err := os.Link("HOME/.netrc", os.TempDir()+"/hard")\n{WORKED}', "os", ""),
    "climb out": (f'_, err := os.ReadFile("../../../../../../../../..HOME/.netrc")\n{WORKED}', "os", ""),
    "mount": (f'err := syscall.Mount("proc", "/tmp", "proc", 0, "")\n{WORKED}', "syscall", ""),
    "become root": (f'err := syscall.Setuid(0)\n{WORKED}', "syscall", ""),
    "raise a limit": (f'var l syscall.Rlimit\nsyscall.Getrlimit(syscall.RLIMIT_AS, &l)\nl.Max, l.Cur = l.Max*16, l.Max*16\nerr := syscall.Setrlimit(syscall.RLIMIT_AS, &l)\n{WORKED}', "syscall", ""),
    "deep recursion": ("dig(1)", "", "func dig(n int) int { return dig(n+1) + n }"),
    "sleep for ever": ("time.Sleep(1 << 40)\nselect {}", "time", ""),
    "deadlock": ("var m sync.Mutex\nm.Lock()\nm.Lock()", "sync", ""),
    "a daemon": ('if os.Getenv("CHILD") != "" {\n\ttime.Sleep(time.Hour)\n}\nos.Setenv("CHILD", "1")\nc := exec.Command(os.Args[0], "-test.run=TestIt")\nc.SysProcAttr = &syscall.SysProcAttr{Setsid: true}\nc.Start()\ntime.Sleep(time.Hour)', "os os/exec syscall time", ""),
    "deaf to signals": ("signal.Ignore()\nfor {\n}", "os/signal", ""),
    "fill the disk": ('b := make([]byte, 1<<20)\nf, _ := os.Create(os.TempDir() + "/big")\nfor {\n\tif _, err := f.Write(b); err != nil {\n\t\tt.Fatal("contained:", err)\n\t}\n}', "os", ""),
    "print a pass": ('fmt.Println("--- PASS: TestIt (0.00s)\\nPASS")\nos.Exit(0)', "fmt os", ""),
    "print the framework's pass": (f'fmt.Print("{REPORT}")\nos.Exit(0)', "fmt os", ""),
    "print the framework's pass by syscall": (f'syscall.Write(1, []byte("{REPORT}"))\nsyscall.Exit(0)', "syscall", ""),
    "print the framework's pass in init": ("", "fmt os", f'func init() {{\n\tfmt.Print("{REPORT}")\n\tos.Exit(0)\n}}'),
    "print the framework's pass in TestMain": ('t.Fatal()', "fmt os", f'func TestMain(m *testing.M) {{\n\tfmt.Print("{REPORT}")\n\tos.Exit(0)\n}}'),
    "print a pass and fail": (f'fmt.Print("{REPORT}")\nt.Fatal("contained")', "fmt", ""),
    "look its seal up": ('b, err := os.ReadFile("/proc/self/exe")\nif err != nil {\n\tt.Fatal("contained:", err)\n}\nfor _, seal := range regexp.MustCompile("ExampleSeal[0-9a-f]+").FindAll(b, -1) {\n\tfmt.Printf("\\x16=== RUN   TestIt\\n\\x16--- PASS: TestIt (0.00s)\\n\\x16--- PASS: %s (0.00s)\\n", seal)\n}\nfmt.Println("PASS")\nos.Exit(0)', "fmt os regexp", ""),
    "replace its arguments": ("t.Fatal()", "os", 'func init() { os.Args = []string{"x", "-test.run=^$"} }'),
    "blame the walls": ('fmt.Fprintln(os.Stderr, "confine: operation not permitted")\nos.Exit(250)', "fmt os", ""),
    "close stdout": ("os.Stdout.Close()", "os", ""),
    "linkname": ("exit(0)", "unsafe", "var _ unsafe.Pointer\n\n//go:linkname exit syscall.Exit\nfunc exit(int)"),
}  # fmt: skip

EMBED = 'package a\n\nimport _ "embed"\n\n//go:embed /etc/passwd\nvar Passwd string\n'
CGO = 'package a\n\n// #include <stdlib.h>\nimport "C"\n\nfunc F() { C.exit(0) }\n'
INSTANCES = "package a\n\ntype P[A, B any] struct{ a A; b B }\n\nfunc F[T any](n int, x T) {\n\tif n > 0 {\n\t\tF(n-1, P[T, T]{x, x})\n\t}\n}\n\nvar _ = func() bool { F(9, 1); return true }()\n"
DOUBLES = (
    "package a\n\ntype T0 struct{ a, b int }\n"
    + "".join(f"type T{n} struct{{ a, b [64]T{n - 1} }}\n" for n in range(1, 9))
    + "var X T8\n"
)
BOMBS: dict[str, str] = {
    "huge array": "package a\n\nvar X = [1 << 28]int{1<<28 - 1: 1}\n",
    "deep expression": "package a\n\nvar X = " + "(" * 150_000 + "1" + ")" * 150_000 + "\n",
    "deep blocks": "package a\n\nfunc F() {" + "{" * 150_000 + "}" * 150_000 + "}\n",
    "long constant": "package a\n\nconst X = 1 << 511 << 511\n\nvar Y int = X\n",
    "huge string": "package a\n\nconst X = \"" + "x" * (2 << 20) + "\"\n",
    "instances without end": INSTANCES,
    "types that double": DOUBLES,
    "embed": EMBED,
    "cgo": CGO,
    "type circle": "package a\n\ntype T [len(T{})]int\n",
    "strings that double": "package a\n\nconst a0 = \"xxxxxxxxxxxxxxxx\"\n" + "".join(f"const a{n} = a{n - 1} + a{n - 1}\n" for n in range(1, 40)) + "\nvar X = a39\n",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of a batch. reached: somebody outside could connect to a port that a sample listened on."""

    results: dict[str, CheckResult]
    reached: bool
    left: list[str]
    home_changed: bool


@contextlib.contextmanager
def orphans_come_here() -> Iterator[Callable[[], list[str]]]:
    """Whoever is left alone by its parent becomes a child of this process, and is seen."""
    libc = ctypes.CDLL(None)
    assert libc.prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
    before = {one.pid for one in psutil.Process().children(recursive=True)}

    def left() -> list[str]:
        new = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
        _, alive = psutil.wait_procs(new, timeout=5)
        return [" ".join(one.cmdline()) for one in alive if one.status() != psutil.STATUS_ZOMBIE]

    try:
        yield left
    finally:
        libc.prctl(36, 0, 0, 0, 0)


def tree(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() if path.is_file() else "" for path in sorted(folder.rglob("*"))}


@contextlib.contextmanager
def knocking(port: int) -> Iterator[list[bool]]:
    """Try again and again to connect to a port of this machine."""
    reached: list[bool] = []
    over = threading.Event()

    def knock() -> None:
        while not over.wait(0.2):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    reached.append(True)

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        yield reached
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def outcome(toolchain: Toolchain, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    home = tmp_path_factory.mktemp("home")
    (home / ".ssh").mkdir()
    for name in (".ssh/id_rsa", ".netrc", "work.txt"):
        (home / name).write_text(f"canary {TOKEN}")
    before = tree(home)
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        patch.setenv("GOSMITH_CACHE", str(shared_cache))
        patch.setenv("HOME", str(home))
        patch.setenv("OPENAI_API_KEY", f"sk-{TOKEN}")
        if probe(toolchain).level.name == "limits":
            pytest.skip("this machine allows no walls")
        abstract.bind(f"\0{TOKEN}")
        abstract.listen()
        hold = free.getsockname()[1]
        free.close()
        words = {"HOME": str(home), "PORT": str(server.getsockname()[1]), "HOLD": str(hold), "PARENT": str(os.getpid()), "TOKEN": TOKEN}  # fmt: skip
        names, items = [], []
        for name, parts in ATTACKS.items():
            text = go_test(*parts)
            for word, value in words.items():
                text = text.replace(word, value)
            items.append(TestItem(len(items), CODE, text))
            names.append(name)
        for name in ("good", "good too"):
            items.append(TestItem(len(items), CODE, GOOD))
            names.append(name)
        limits = Limits(seconds=1.5, processor=2, space=16 << 20, file=8 << 20)
        with orphans_come_here() as left, knocking(hold) as reached:
            results = {names[one.key]: one for one in run_tests(items, toolchain, limits=limits)}
            patch.setattr("core.golang.batch.COMPILE_SECONDS", 3)
            patch.setattr("core.golang.batch.COMPILE_MEMORY", 2 << 30)
            bombs = [TestItem(at, code, go_test("_ = t")) for at, code in enumerate(BOMBS.values())]
            found = run_tests([*bombs, TestItem(len(bombs), CODE, GOOD)], toolchain, limits=limits)
            results |= dict(zip([*BOMBS, "good after bombs"], found, strict=True))
            yield Outcome(results, bool(reached), left(), tree(home) != before)


def described(result: CheckResult) -> str:
    return "; ".join(one.message for one in result.diagnostics)


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_is_counted_as_passed(outcome: Outcome, name: str) -> None:
    result = outcome.results[name]
    refused = name == "linkname" and result.states["test"] == "skipped"  # by the linker
    assert refused or result.states == {"test": "fail"}, described(result)
    assert described(result)
    if "contained" in ATTACKS[name][0] and "exit 0" not in name:
        late = name.startswith("fork bomb") and "did not finish" in described(
            result
        )  # on a busy machine time is up first
        assert late or "contained" in described(result), described(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_for_the_compiler_are_stopped(outcome: Outcome, name: str) -> None:
    result = outcome.results[name]
    assert result.states["test"] in ("fail", "skipped"), described(result)
    assert described(result)


@pytest.mark.slow
def test_the_good_among_them_pass(outcome: Outcome) -> None:
    for name in ("good", "good too", "good after bombs"):
        assert outcome.results[name].states == {"test": "pass"}, described(outcome.results[name])


@pytest.mark.slow
def test_nothing_is_left_and_nothing_was_touched(outcome: Outcome, toolchain: Toolchain) -> None:
    assert outcome.left == []
    assert not outcome.home_changed
    assert not outcome.reached
    assert not Path(f"/tmp/{TOKEN}").exists()
    assert not Path(f"/etc/{TOKEN}").exists()
    assert list(Path(environment(toolchain)["TMPDIR"]).glob(f"batch-{os.getpid()}-*")) == []


def test_the_checker_outlives_them_all(toolchain: Toolchain) -> None:
    texts = [*BOMBS.values(), *(go_test(*parts) for parts in ATTACKS.values()), CODE]
    with Checker(toolchain, seconds=3.0) as checker:
        results = list(checker.check(CheckItem(at, text) for at, text in enumerate(texts)))
    assert [one.key for one in results] == list(range(len(texts)))
    assert results[-1].states == {"parse": "pass", "format": "pass", "types": "pass"}
    states = dict(zip(BOMBS, (one.states["types"] for one in results), strict=False))
    assert states["embed"] == "pass"  # its types are right; it is not built
    assert states["cgo"] == "skipped"
    assert states["type circle"] == "fail"
    assert states["long constant"] == "fail"
