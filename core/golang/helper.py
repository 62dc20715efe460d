"""Make what the Go helper needs before it can serve: its binary, and the standard library's export data in one file.

Both are built once a Go version into the cache, under a lock, and appear by an atomic rename: two processes that start
together build once, and a process killed half-way leaves nothing that would be mistaken for a result.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.golang.toolchain import Toolchain, environment
from core.paths import cache_dir, resources

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Helper:
    """Ready to run: the helper's binary, the pack of export data, and the toolchain they were made with."""

    binary: Path
    pack: Path
    toolchain: Toolchain


def prepare(toolchain: Toolchain, say: Say | None = None) -> Helper:
    """The helper and its pack, built now if they are not in the cache (half a minute on two cores the first time).

    say: told in words what is being built, only when something is.
    Raises UserError when the cache cannot be written or Go fails.
    """
    return Helper(binary=build(toolchain, say), pack=export_data(toolchain, say), toolchain=toolchain)


def build(toolchain: Toolchain, say: Say | None = None) -> Path:
    """The helper's binary for this source and this Go version."""
    source = resources() / "gocheck"
    folder = cache_dir() / "gocheck" / _key(toolchain, source)
    binary = folder / "gocheck"
    if binary.is_file():
        return binary
    with _building(folder):
        if not binary.is_file():
            if say is not None:
                say("Building the Go helper")
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                made = Path(temporary) / "gocheck"
                _go(toolchain, ["build", "-buildvcs=false", "-ldflags=-s -w", "-o", str(made), "."], source)
                _publish(made, binary)
    return binary


def export_data(toolchain: Toolchain, say: Say | None = None) -> Path:
    """One file with the export data of every package of the standard library: a line of JSON, then the data.

    What Go keeps in its build cache is trimmed after some days and ten times as large, hence a copy of our own.
    """
    folder = cache_dir() / "gocheck" / _key(toolchain, None)
    pack = folder / "std.pack"
    if pack.is_file():
        return pack
    with _building(folder):
        if not pack.is_file():
            if say is not None:
                say("Reading the Go standard library (once)")
            listed = _go(toolchain, ["list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "std"], folder)
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                made = Path(temporary) / "std.pack"
                _write_pack(made, listed)
                _publish(made, pack)
    return pack


def _publish(made: Path, place: Path) -> None:
    """Put a finished file in its place: after a power cut it is there whole or not at all."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.rename(place)


def _write_pack(pack: Path, listed: str) -> None:
    index: dict[str, dict[str, int]] = {}
    archives: list[tuple[Path, int]] = []
    offset = 0
    for line in listed.splitlines():
        path, _, archive = line.partition("\t")
        if not archive:
            continue  # unsafe has no export data
        with open(archive, "rb") as file:
            header = file.read(68)
        # "!<arch>\n", then a 60-byte header whose bytes 48..58 are the size of the first member, __.PKGDEF
        size = 68 + int(header[56:66])
        index[path] = {"offset": offset, "size": size}
        archives.append((Path(archive), size))
        offset += size
    with pack.open("wb") as file:
        file.write(json.dumps(index, separators=(",", ":")).encode() + b"\n")
        for source, size in archives:
            with source.open("rb") as part:
                file.write(part.read(size))


def _key(toolchain: Toolchain, source: Path | None) -> str:
    digest = hashlib.sha256(f"{toolchain.version}\0{toolchain.goroot}".encode())
    if source is None:
        return f"std-{toolchain.version}-{digest.hexdigest()[:12]}"
    for file in sorted(source.iterdir()):
        if file.suffix in (".go", ".mod"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{toolchain.version}-{digest.hexdigest()[:16]}"


@contextlib.contextmanager
def _building(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel drops it when this process dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UserError(
            f"The Go helper cannot be built in {folder}: {error.strerror}.",
            "Make the folder writable, or set GOSMITH_CACHE to one that is.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob("tmp*"):  # of a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(lock)


def _go(toolchain: Toolchain, arguments: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            [toolchain.go, *arguments],
            cwd=folder, env=environment(toolchain), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"{toolchain.go} cannot be started: {error.strerror}.", "Check the Go installation.") from error
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()
        raise UserError(
            f"`go {arguments[0]}` failed: {reason[-1] if reason else f'exit code {done.returncode}'}.",
            "Check that the disk is not full and that the Go installation is whole (`gosmith doctor`).",
        )
    return done.stdout
