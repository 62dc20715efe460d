"""The walls hold: a hostile program sees no network, no file and no process of ours, at the level that this machine gives."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from core.golang.commands import Finished, run
from core.golang.sandbox import Limits, Sandbox, SandboxLevel, failure, inner_environment, level, probe, prove, wrap
from core.golang.toolchain import Toolchain
from tests.core.golang.programs import build

PROGRAM = """package main

import (
	"encoding/json"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	said := map[string]any{"uid": os.Getuid(), "pid": os.Getpid(), "name": os.Args[0], "environment": os.Environ()}
	files := []string{}
	top := "/"
	if os.Args[0] != "/hostile" {
		top = os.TempDir()
	}
	filepath.Walk(top, func(path string, info os.FileInfo, err error) error {
		if path == "/proc" || path == "/dev" {
			return filepath.SkipDir
		}
		files = append(files, path)
		return nil
	})
	said["files"] = files
	said["scratch"] = os.WriteFile(filepath.Join(os.TempDir(), "x"), nil, 0o644) == nil
	if os.Args[0] == "/hostile" && os.Getuid() != 0 { // where the walls are missing it must do no harm
		said["root"] = os.WriteFile("/x", nil, 0o644) == nil
		said["self"] = os.WriteFile(os.Args[0], nil, 0o644) == nil
		said["mount"] = syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, "") == nil
	}
	listener, err := net.Listen("tcp", "localhost:0")
	said["loopback"] = err == nil
	if err == nil {
		_, err = net.Dial("tcp", listener.Addr().String())
		said["loopback"] = err == nil
	}
	_, err = net.DialTimeout("tcp", "192.0.2.1:80", time.Second)
	said["network"] = err == nil || err.(net.Error).Timeout()
	_, err = time.LoadLocation("Europe/Berlin")
	said["zones"] = err == nil
	me, err := user.Current()
	said["user"] = err == nil && me.Username == "gosmith"
	json.NewEncoder(os.Stdout).Encode(said)
	if len(os.Args) > 1 && os.Args[1] == "fill" && os.Args[0] == "/hostile" {
		chunk := make([]byte, 1<<20)
		file, _ := os.Create("/tmp/big")
		for {
			if _, err := file.Write(chunk); err != nil {
				os.Exit(9)
			}
		}
	}
	if len(os.Args) > 1 && os.Args[1] == "memory" {
		var kept [][]byte
		for {
			block := make([]byte, 64<<20)
			for i := range block {
				block[i] = 1
			}
			kept = append(kept, block)
		}
	}
	if len(os.Args) > 1 && os.Args[1] == "spin" {
		for {
		}
	}
}
"""


@pytest.fixture(scope="module")
def program(toolchain: Toolchain, shared_cache: Path) -> Path:
    os.environ["GOSMITH_CACHE"] = str(shared_cache)  # module fixtures come before those of the test
    folder = shared_cache / "hostile"
    folder.mkdir(exist_ok=True)
    return build(toolchain, folder, "hostile", PROGRAM)


@pytest.fixture
def sandbox(toolchain: Toolchain) -> Sandbox:
    found = probe(toolchain)
    if found.level.name not in ("bubblewrap", "namespaces"):
        pytest.skip("this machine allows no walls")
    return found


def inside(
    sandbox: Sandbox, program: Path, room: Path, *arguments: str, limits: Limits | None = None
) -> tuple[int, dict[str, object], str]:
    room.mkdir(exist_ok=True)
    done = run(
        wrap(sandbox, [program, *arguments], room, limits),
        folder=room,
        environment=inner_environment(sandbox, room),
        seconds=30,
    )
    return done.code, json.loads(done.stdout.splitlines()[0]) if done.stdout else {}, done.stderr


def test_the_level_is_one_that_was_tried(toolchain: Toolchain) -> None:
    found = level(toolchain)
    assert found.name in ("bubblewrap", "namespaces", "limits")
    assert found.explanation.endswith(".")


def test_a_program_behind_walls_has_its_own_little_world(sandbox: Sandbox, program: Path, tmp_path: Path) -> None:
    code, said, stderr = inside(sandbox, program, tmp_path / "room")
    assert code == 0, stderr
    assert said["uid"] == 1000
    assert said["name"] == "/hostile"
    for allowed in ("scratch", "loopback", "zones", "user"):
        assert said[allowed] is True, allowed
    for forbidden in ("root", "self", "mount", "network"):
        assert said[forbidden] is False, forbidden
    files = said["files"]
    assert isinstance(files, list)
    assert {path.split("/")[1] for path in files} <= {"", "hostile", "etc", "tmp", "zoneinfo.zip"}
    assert not any("PATH=" in entry or "KEY" in entry for entry in said["environment"])  # type: ignore[attr-defined]
    assert list((tmp_path / "room").iterdir()) == []


def test_space_memory_and_processor_time_are_limited(sandbox: Sandbox, program: Path, tmp_path: Path) -> None:
    limits = Limits(file=8 << 20, space=16 << 20, memory=1 << 30, processor=1)
    assert inside(sandbox, program, tmp_path / "room", "fill", limits=limits)[0] != 0
    code, _, stderr = inside(sandbox, program, tmp_path / "room", "memory", limits=limits)
    assert code != 0
    assert "out of memory" in stderr or "cannot allocate" in stderr
    assert inside(sandbox, program, tmp_path / "room", "spin", limits=limits)[0] in (128 + 24, 128 + 9)


def test_walls_that_fail_are_told_from_a_program_that_fails(sandbox: Sandbox, program: Path, tmp_path: Path) -> None:
    command = wrap(sandbox, [program], tmp_path)
    broken = [part.replace(str(program), "/nowhere/hostile") for part in command]
    done = run(broken, folder=tmp_path, environment={}, seconds=20)
    assert "/nowhere" in failure(done)
    assert failure(run(command, folder=tmp_path, environment=inner_environment(sandbox, tmp_path), seconds=20)) == ""


def test_with_limits_alone_the_program_runs_where_it_is_told(
    toolchain: Toolchain, program: Path, tmp_path: Path
) -> None:
    bare = Sandbox(SandboxLevel("limits", ""), probe(toolchain).helper, toolchain)
    code, said, _ = inside(bare, program, tmp_path / "room")
    assert code == 0
    assert said["scratch"] is True
    assert (tmp_path / "room" / "x").exists()
    assert inside(bare, program, tmp_path / "room", "spin", limits=Limits(processor=1))[0] in (-24, -9)


def test_walls_of_our_own_are_taken_first_then_bubblewrap(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system refuses its users namespaces, bubblewrap may still have them."""
    import core.golang.sandbox as module

    tried = []

    def refused(argv: list[str], **_more: object) -> Finished:
        tried.append("bubblewrap" if "/bin/bwrap" in argv else "namespaces")
        return Finished(250, "", "confine: operation not permitted", "", 0.0)

    monkeypatch.setattr(module, "run", refused)
    monkeypatch.setattr(module.shutil, "which", lambda _name: "/bin/bwrap")
    assert level(toolchain).name == "limits"
    assert tried == ["namespaces", "bubblewrap"]


@pytest.mark.parametrize("name", ["bubblewrap", "namespaces"])
def test_each_level_runs_the_program_in_a_world_of_its_own(
    sandbox: Sandbox, program: Path, tmp_path: Path, name: str
) -> None:
    if name == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    walls = Sandbox(SandboxLevel(name, ""), sandbox.helper, sandbox.toolchain)
    code, said, stderr = inside(walls, program, tmp_path / "room")
    assert code == 0, stderr
    assert (said["uid"], said["scratch"], said["network"], said["mount"]) == (1000, True, False, False)


def test_the_level_in_force_is_proved_from_the_inside(toolchain: Toolchain) -> None:
    found, proofs = prove(toolchain)
    held = {proof.name: proof.held for proof in proofs}
    limits = {"memory": True, "processor time": True, "file size": True}
    assert limits.items() <= held.items()
    if found.name in ("bubblewrap", "namespaces"):
        assert all(held.values()), proofs
    assert set(held) - set(limits) == {
        "network", "home folder", "writing outside the scratch folder", "other processes", "processes",
    }  # fmt: skip


def test_walls_that_are_missing_are_told(toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.golang.sandbox as module

    limits = Sandbox(SandboxLevel("limits", ""), probe(toolchain).helper, toolchain)
    monkeypatch.setattr(module, "probe", lambda _toolchain: limits)
    monkeypatch.setenv("HOME", str(tmp_path))
    _, proofs = prove(toolchain)
    held = {proof.name: proof.held for proof in proofs}
    assert not held["home folder"]
    assert not held["other processes"]
    assert held["memory"]
