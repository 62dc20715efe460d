"""The helper and the pack of export data: built once, by one of many, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import UserError
from core.golang.helper import Helper, build, prepare
from core.golang.process import HelperProcess
from core.golang.toolchain import Toolchain, environment


def test_a_second_start_builds_nothing_and_is_quick(helper: Helper) -> None:
    said: list[str] = []
    start = time.monotonic()
    again = prepare(helper.toolchain, said.append)
    process = HelperProcess(again, workers=2, seconds=10)
    took = time.monotonic() - start
    process.close()
    assert again == helper
    assert said == []
    assert took < 2.0  # some ms on an idle machine


def test_the_pack_holds_the_standard_library(helper: Helper) -> None:
    with helper.pack.open("rb") as file:
        index = json.loads(file.readline())
        start = file.tell()
        for path in ("fmt", "net/http", "testing/synctest" if "testing/synctest" in index else "testing"):
            file.seek(start + index[path]["offset"])
            assert file.read(68).startswith(b"!<arch>\n__.PKGDEF")
    assert "unsafe" not in index


def test_two_processes_that_start_together_build_once(helper: Helper, tmp_path: Path) -> None:
    """Go's build cache is shared, so that this costs a link and no more."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "go").mkdir()
    (cache / "go" / "build").symlink_to(environment(helper.toolchain)["GOCACHE"])
    code = "from core.golang.helper import build; from core.golang.toolchain import find; print(build(find(), print))"
    own = os.environ | {"GOSMITH_CACHE": str(cache)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=own, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].splitlines() for process in both]
    assert said[0][-1] == said[1][-1]
    assert sum("Building the Go helper" in lines for lines in said) == 1
    assert not list((cache / "gocheck").glob("*/tmp*"))


def test_what_a_killed_build_left_is_swept_away(
    helper: Helper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache" / "gocheck" / helper.binary.parent.name
    (folder / "tmpabc").mkdir(parents=True)
    (folder / "tmpabc" / "gocheck").write_text("half")
    (tmp_path / "cache" / "go").mkdir()
    (tmp_path / "cache" / "go" / "build").symlink_to(environment(helper.toolchain)["GOCACHE"])
    monkeypatch.setenv("GOSMITH_CACHE", str(tmp_path / "cache"))
    assert build(helper.toolchain).stat().st_size > 1 << 20
    assert not (folder / "tmpabc").exists()


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GOSMITH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot be built in .*file/cache") as caught:
        build(toolchain)
    assert "GOSMITH_CACHE" in caught.value.hint
