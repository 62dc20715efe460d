"""Make what the Go helper needs before it can serve: its binary, and the standard library's export data in one file.

Both are built once a Go version into the cache, under a lock, and appear by an atomic rename: two processes that start
together build once, and a process killed half-way leaves nothing that would be mistaken for a result.
"""

from __future__ import annotations

import collections
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
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Helper:
    """Ready to run: the helper's binary, the pack of export data, and the toolchain they were made with."""

    binary: Path
    pack: Path
    toolchain: Toolchain


def prepare(toolchain: Toolchain, say: Say | None = None, progress: Progress | None = None) -> Helper:
    """The helper and its pack, built now if they are not in the cache (a minute or two on two cores the first time).

    say: told in words what is being built, only when something is. progress: packages of the standard library compiled, of all.
    Raises UserError when the cache cannot be written or Go fails.
    """
    return Helper(binary=build(toolchain, say), pack=export_data(toolchain, say, progress), toolchain=toolchain)


def is_ready(toolchain: Toolchain) -> bool:
    """Whether `prepare` would build nothing."""
    return (_helper_folder(toolchain) / "gocheck").is_file() and (_pack_folder(toolchain) / "std.pack").is_file()


def build(toolchain: Toolchain, say: Say | None = None) -> Path:
    """The helper's binary for this source and this Go version."""
    folder = _helper_folder(toolchain)
    binary = folder / "gocheck"
    if binary.is_file():
        return binary
    with _building(folder, say):
        if not binary.is_file():
            if say is not None:
                say("Building the Go helper")
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                made = Path(temporary) / "gocheck"
                _go(toolchain, ["build", "-buildvcs=false", "-ldflags=-s -w", "-o", str(made), "."], _source())
                _publish(made, binary)
    return binary


def export_data(toolchain: Toolchain, say: Say | None = None, progress: Progress | None = None) -> Path:
    """One file with the export data of every package of the standard library: a line of JSON, then the data.

    Compiling them fills Go's build cache as well, which vet and tests then find warm. What Go keeps in its build cache is trimmed after some days and ten times as large, hence a copy of our own.
    """
    folder = _pack_folder(toolchain)
    pack = folder / "std.pack"
    if pack.is_file():
        return pack
    with _building(folder, say):
        if not pack.is_file():
            if say is not None:
                say("Compiling Go's standard library (once)")
            _compile(toolchain, folder, progress)
            listed = _go(toolchain, ["list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "std"], folder)
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                made = Path(temporary) / "std.pack"
                _write_pack(made, listed)
                _publish(made, pack)
    return pack


def _compile(toolchain: Toolchain, folder: Path, progress: Progress | None) -> None:
    """Compile the standard library into Go's build cache, package by package."""
    total = len(_go(toolchain, ["list", "std"], folder).splitlines())
    done = 0

    def compiled(_package: str) -> None:
        nonlocal done
        done = min(done + 1, total)
        if progress is not None:
            progress(done, total)

    _go(toolchain, ["build", "-v", "std"], folder, compiled)
    if progress is not None and done < total:
        progress(total, total)  # Go is silent about packages that need no compiling


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


def _source() -> Path:
    return resources() / "gocheck"


def _helper_folder(toolchain: Toolchain) -> Path:
    return cache_dir() / "gocheck" / _key(toolchain, _source())


def _pack_folder(toolchain: Toolchain) -> Path:
    return cache_dir() / "gocheck" / _key(toolchain, None)


def _key(toolchain: Toolchain, source: Path | None) -> str:
    digest = hashlib.sha256(f"{toolchain.version}\0{toolchain.goroot}".encode())
    if source is None:
        return f"std-{toolchain.version}-{digest.hexdigest()[:12]}"
    for file in sorted(source.iterdir()):
        if file.suffix in (".go", ".mod"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{toolchain.version}-{digest.hexdigest()[:16]}"


@contextlib.contextmanager
def _building(folder: Path, say: Say | None) -> Iterator[None]:
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
        _take(lock, say)
        for left in folder.glob("tmp*"):  # of a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(lock)


def _take(lock: int, say: Say | None) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if say is not None:
            say("Waiting for another process that prepares Go")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _go(toolchain: Toolchain, arguments: list[str], folder: Path, hear: Say | None = None) -> str:
    """What a go command prints. hear: told each line of what it says besides, as it comes."""
    said: collections.deque[str] = collections.deque(maxlen=20)
    try:
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as printed,
            subprocess.Popen(
                [toolchain.go, *arguments],
                cwd=folder, env=environment(toolchain), stdin=subprocess.DEVNULL,
                stdout=printed, stderr=subprocess.PIPE, text=True,
            ) as process,
        ):  # fmt: skip
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line.strip())
                if hear is not None:
                    hear(line.strip())
            code = process.wait()
            printed.seek(0)
            output = printed.read()
    except OSError as error:
        raise UserError(f"{toolchain.go} cannot be started: {error.strerror}.", "Check the Go installation.") from error
    if code != 0:
        raise UserError(
            f"`go {arguments[0]}` failed: {said[-1] if said else f'exit code {code}'}.",
            "Check that the disk is not full and that the Go installation is whole (`gosmith doctor`).",
        )
    return output
