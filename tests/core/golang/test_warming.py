"""What Go needs is built once, ahead of the first check, by a job that says how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core import jobs
from core.golang import helper as module
from core.golang.helper import Helper, is_ready
from core.golang.toolchain import Toolchain, environment
from core.golang.warming import start_warming, warm_if_cold

GO = """#!/bin/sh
case "$1" in
list) printf 'errors\\nfmt\\nio\\n' ;;
build) for package in errors fmt; do echo "$package" >&2; done ;;
esac
"""


@pytest.fixture
def cold(helper: Helper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """A cache without helper and pack; Go's own build cache is shared, so that this costs seconds and not minutes."""
    cache = tmp_path / "cache"
    (cache / "go").mkdir(parents=True)
    (cache / "go" / "build").symlink_to(environment(helper.toolchain)["GOCACHE"])
    monkeypatch.setenv("GOSMITH_CACHE", str(cache))
    return helper.toolchain


def test_packages_are_counted_while_they_are_compiled(toolchain: Toolchain, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text(GO)
    go.chmod(0o755)
    told: list[tuple[int, int]] = []
    fake = Toolchain(go, go, toolchain.goroot, "go1.27.3")
    module._compile(fake, tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_cold_cache_is_warmed_once_by_a_job(cold: Toolchain, tmp_path: Path, eventually: Callable[..., None]) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    assert not is_ready(cold)
    job = warm_if_cold(folder)
    assert job is not None
    assert warm_if_cold(folder) is None, "one at a time"
    eventually(lambda: not jobs.info(job).alive, 120, "the job ends")
    assert jobs.info(job).state == "done"
    assert is_ready(cold)
    assert warm_if_cold(folder) is None, "nothing is left to do"


def test_who_comes_second_waits_and_says_so(cold: Toolchain) -> None:
    said: list[str] = []
    held, done = threading.Event(), threading.Event()

    def first() -> None:
        with module._building(module._pack_folder(cold), None):
            held.set()
            done.wait(30)

    def hear(text: str) -> None:
        said.append(text)
        done.set()

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(30)
    with module._building(module._pack_folder(cold), hear):
        pass
    thread.join()
    assert said == ["Waiting for another process that prepares Go"]


def test_without_a_toolchain_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert warm_if_cold(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_warming_what_is_warm_ends_at_once(helper: Helper, tmp_path: Path, eventually: Callable[..., None]) -> None:
    job = start_warming(tmp_path)
    eventually(lambda: not jobs.info(job).alive, 60, "the job ends")
    assert jobs.info(job).state == "done"
