"""Programs that follow each other behind the same walls: none finds anything of the one before, and none gets at who runs them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.golang.commands import Finished
from core.golang.sandbox import Limits, Sandbox, SandboxLevel, probe
from core.golang.session import Session
from core.golang.toolchain import Toolchain
from core.golang.walled import WalledPrograms
from tests.core.golang.programs import build

PROGRAM = """package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const port, memory = "127.0.0.1:8123", 4242

func main() {
	switch os.Args[1] {
	case "look":
		look()
	case "leave":
		leave()
	case "stay":
		fmt.Println("staying")
		time.Sleep(time.Hour)
	case "fight":
		fight()
	case "talk":
		for {
			fmt.Println("all work and no play")
		}
	case "die":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "end":
		fmt.Fprintln(os.Stderr, "over")
		code, _ := strconv.Atoi(os.Args[2])
		os.Exit(code)
	}
}

func look() {
	said := map[string]any{"uid": os.Getuid(), "name": os.Args[0], "parent": os.Getppid()}
	files, processes := []string{}, []string{}
	filepath.Walk("/", func(path string, info os.FileInfo, err error) error {
		if path == "/proc" || path == "/dev" {
			return filepath.SkipDir
		}
		files = append(files, path)
		return nil
	})
	entries, _ := os.ReadDir("/proc")
	for _, one := range entries {
		if _, err := strconv.Atoi(one.Name()); err == nil {
			processes = append(processes, one.Name())
		}
	}
	said["files"], said["processes"] = files, processes
	said["itself"], _ = os.Executable()
	said["others"] = exec.Command("/programs/other", "end", "0").Run() == nil
	listener, err := net.Listen("tcp", port)
	said["port"] = err == nil
	if err == nil {
		listener.Close()
	}
	_, _, failed := syscall.Syscall(syscall.SYS_SHMGET, memory, 4096, 0)
	said["memory"] = failed == 0
	_, err = net.DialTimeout("tcp", "192.0.2.1:80", time.Second)
	said["network"] = err == nil || err.(net.Error).Timeout()
	said["written"] = os.WriteFile("/x", nil, 0o644) == nil || os.WriteFile(os.Args[0], nil, 0o644) == nil ||
		os.WriteFile("/program/x", nil, 0o644) == nil || os.WriteFile("/programs/x", nil, 0o644) == nil
	said["mounted"] = syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, "") == nil || syscall.Unmount("/programs", 0) == nil
	_, err = os.ReadFile("/proc/1/environ")
	said["read"] = err == nil
	json.NewEncoder(os.Stdout).Encode(said)
}

func leave() {
	os.WriteFile("/tmp/left", []byte("x"), 0o644)
	syscall.Syscall(syscall.SYS_SHMGET, memory, 4096, 0o1666)
	child := exec.Command(os.Args[0], "stay")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		panic(err)
	}
	net.Listen("tcp", port)
	fmt.Println("left")
}

// fight does to its parent, its group and everybody what a signal or a limit can do.
func fight() {
	none := syscall.Rlimit{}
	for _, process := range []int{os.Getppid(), 1} {
		for resource := range 16 {
			syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(process), uintptr(resource), uintptr(unsafe.Pointer(&none)), 0, 0, 0)
		}
	}
	for _, process := range []int{os.Getppid(), 1, -1, 0} {
		for signal := syscall.Signal(1); signal < 32; signal++ {
			if process > 0 || signal != syscall.SIGKILL && signal != syscall.SIGSTOP {
				syscall.Kill(process, signal)
			}
		}
	}
	syscall.Kill(0, syscall.SIGKILL)
}
"""


@pytest.fixture(scope="module")
def built(toolchain: Toolchain, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    os.environ["GOSMITH_CACHE"] = str(shared_cache)  # module fixtures come before those of the test
    program = build(toolchain, tmp_path_factory.mktemp("session"), "program", PROGRAM)
    program.chmod(0o111)
    return program


@pytest.fixture
def sandbox(toolchain: Toolchain) -> Sandbox:
    found = probe(toolchain)
    if found.level.name != "namespaces":
        pytest.skip("this machine allows no namespaces")
    return found


@pytest.fixture
def walled(sandbox: Sandbox, built: Path, tmp_path: Path) -> Iterator[WalledPrograms]:
    walled = WalledPrograms(sandbox, tmp_path, Limits(output=1 << 16))
    os.link(built, walled.folder / "one")
    os.link(built, walled.folder / "other")
    yield walled
    walled.close()
    assert list((tmp_path / "walls").iterdir()) == []


@pytest.fixture
def session(sandbox: Sandbox, walled: WalledPrograms, tmp_path: Path) -> Iterator[Session]:
    one = Session(sandbox, walled.folder, tmp_path / "walls", Limits())
    yield one
    one.close()


Ask = Callable[..., Finished]


@pytest.fixture
def ask(session: Session) -> Ask:
    def ask(*arguments: str, seconds: float = 20, output: int = 1 << 16) -> Finished:
        done = session.run("one", arguments, seconds=seconds, output=output, cancel=None)
        assert done is not None
        return done

    return ask


def looked(done: Finished) -> dict[str, Any]:
    assert done.code == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_each_program_has_a_little_world_of_its_own(ask: Ask) -> None:
    said = looked(ask("look"))
    assert (said["uid"], said["name"], said["itself"], said["parent"]) == (1000, "/program/one", "/program/one", 1)
    assert said["processes"] in (["1", "2"], [])
    assert {path.split("/")[1] for path in said["files"]} <= {"", "program", "programs", "etc", "tmp", "zoneinfo.zip"}
    assert [path for path in said["files"] if path.startswith("/program")] == ["/program", "/program/one", "/programs"]
    for forbidden in ("others", "network", "written", "mounted", "read", "memory"):
        assert said[forbidden] is False, forbidden


def test_nothing_of_a_program_is_left_to_the_next(ask: Ask) -> None:
    fresh = looked(ask("look"))
    assert fresh["port"]
    done = ask("leave")
    assert (done.code, "left\n" in done.stdout) == (0, True)
    assert done.seconds < 15  # though a child of it holds the output open
    assert looked(ask("look")) == fresh


def test_who_runs_the_programs_cannot_be_fought(ask: Ask, session: Session) -> None:
    fresh = looked(ask("look"))
    assert ask("fight").code != 0
    assert looked(ask("look")) == fresh


def test_how_a_program_ended_is_told_as_by_a_shell(ask: Ask) -> None:
    assert [ask("end", str(code)).code for code in (0, 7, 250, 251)] == [0, 7, 250, 251]
    assert ask("end", "0").stderr == "over\n"
    assert ask("die").code == 128 + 9


def test_time_and_output_are_limited(ask: Ask) -> None:
    done = ask("stay", seconds=0.3)
    assert (done.stopped, done.stdout) == ("time", "staying\n")
    assert 0.3 <= done.seconds < 5
    done = ask("talk", output=1000)
    assert (done.stopped, len(done.stdout)) == ("output", 1000)
    assert looked(ask("look"))


def test_a_stop_is_heard_and_ends_what_runs(session: Session) -> None:
    asked = time.monotonic()
    done = session.run("one", ["stay"], seconds=60, output=100, cancel=lambda: time.monotonic() > asked + 0.3)
    assert done is not None
    assert done.stopped == "cancelled"
    inside = psutil.Process().children(recursive=True)
    session.close()
    assert psutil.wait_procs(inside, timeout=5)[1] == []


@pytest.mark.parametrize("program", ["", "nosuch", "../walls", "..", "one/x"])
def test_what_cannot_be_started_is_no_result(session: Session, program: str) -> None:
    assert session.run(program, [], seconds=5, output=100, cancel=None) is None


def test_a_lost_session_costs_nobody_a_run(walled: WalledPrograms, eventually: Callable[..., None]) -> None:
    """First in walls of its own, then in a new session."""
    program = walled.folder / "one"
    assert walled.run(program, ["end", "3"], seconds=5, cancel=None)[0].code == 3
    walls = [one for one in psutil.Process().children() if "-session" in one.cmdline()]
    assert len(walls) == 1
    walls[0].kill()
    eventually(lambda: walls[0].status() == psutil.STATUS_ZOMBIE)
    assert walled.run(program, ["end", "4"], seconds=5, cancel=None)[0].code == 4
    assert walled.run(program, ["end", "5"], seconds=5, cancel=None)[0].code == 5


def test_what_fails_in_a_session_is_explained_by_walls_of_its_own(walled: WalledPrograms) -> None:
    _, why = walled.run(walled.folder / "nosuch", [], seconds=5, cancel=None)
    assert "nosuch" in why


def test_where_sessions_are_always_lost_none_is_tried_for_ever(
    walled: WalledPrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def broken(sandbox: Sandbox, *_more: object) -> list[str]:
        begun.append(sandbox)
        return [str(sandbox.helper), "confine", "--", "/nowhere"]

    monkeypatch.setattr("core.golang.session.wrap_session", broken)
    codes = [walled.run(walled.folder / "one", ["end", str(at)], seconds=5, cancel=None)[0].code for at in range(6)]
    assert codes == list(range(6))
    assert len(begun) == 3


def test_where_there_are_no_namespaces_each_has_walls_of_its_own(sandbox: Sandbox, built: Path, tmp_path: Path) -> None:
    bare = Sandbox(SandboxLevel("limits", ""), sandbox.helper, sandbox.toolchain)
    walled = WalledPrograms(bare, tmp_path, Limits())
    os.link(built, walled.folder / "one")
    assert walled.run(walled.folder / "one", ["end", "6"], seconds=5, cancel=None)[0].code == 6
    assert psutil.Process().children() == []
