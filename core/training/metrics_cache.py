"""The numbers of a long run, kept beside its log, so that opening it again takes a blink and not seconds.

The log stays the only truth. A cache is believed when it is whole and the log is the same file, is no shorter, and reads the
same at its start and just before where the cache ends; else it is passed over without a word and written anew. What the log
has got since is read on top. One cache is written over another as a whole, so readers need no lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.training.series import Floats
from core.training.track import ALONG, Track

NAME: Final = "metrics.cache"
_MAGIC: Final = b"gosmith metrics 1\n"
_PROBE: Final = 4096


@dataclass(frozen=True, slots=True)
class Kept:
    """What a cache holds. offset: how much of the log it stands for. notes: any JSON. tracks: by name."""

    offset: int
    notes: dict[str, Any]
    tracks: dict[str, Track]


def path_for(log: Path) -> Path:
    """Where the cache of this log lies."""
    return log.with_name(NAME)


def load(log: Path) -> Kept | None:
    """What was kept of this log; None when nothing was, or when it cannot be trusted."""
    try:
        data = path_for(log).read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + 9
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != _checksum(memoryview(data)[start:]):
        return None
    end = data.index(b"\n", start)
    head = json.loads(data[start:end])
    try:
        if head["log"] != _probe(log, head["log"]["offset"]):
            return None
    except OSError:
        return None
    values = np.frombuffer(bytearray(memoryview(data)[end + 1 :]), dtype=np.float64)
    tracks, place = {}, 0
    for name, length, series in head["tracks"]:
        arrays = [values[place + length * number :][:length] for number in range(len(ALONG) + len(series))]
        place += length * len(arrays)
        tracks[name] = Track()
        tracks[name].restore(
            dict(zip(ALONG, arrays[: len(ALONG)], strict=True)),
            dict(zip(series, arrays[len(ALONG) :], strict=True)),
        )
    return Kept(head["log"]["offset"], head["notes"], tracks)


def save(log: Path, offset: int, notes: Mapping[str, Any], tracks: Mapping[str, Track]) -> None:
    """Keep these for the first `offset` bytes of the log. Where that cannot be written, nothing is kept."""
    with contextlib.suppress(OSError):
        _write(path_for(log), _content(_probe(log, offset), notes, tracks))


def _content(probe: dict[str, Any], notes: Mapping[str, Any], tracks: Mapping[str, Track]) -> bytes:
    arrays: list[Floats] = []
    layout = []
    for name, track in tracks.items():
        layout.append((name, len(track), list(track.series)))
        arrays += [track.x(along) for along in ALONG]
        arrays += [series.y for series in track.series.values()]
    head = {"log": probe, "notes": dict(notes), "tracks": layout}
    body = b"".join([json.dumps(head).encode(), b"\n", *(one.tobytes() for one in arrays)])
    return _MAGIC + _checksum(body) + body


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(3).hex()}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _checksum(data: bytes | memoryview) -> bytes:
    return b"%08x\n" % zlib.crc32(data)


def _probe(log: Path, offset: int) -> dict[str, Any]:
    """What tells this log, as far as it has been read, from another one. Raises OSError."""
    with open(log, "rb") as file:
        found = os.fstat(file.fileno())
        first = file.read(min(_PROBE, offset))
        file.seek(max(0, offset - _PROBE))
        last = file.read(min(_PROBE, offset))
    return {
        "offset": offset,
        "enough": found.st_size >= offset,
        "inode": found.st_ino,
        "reads": blake2b(first + b"\n" + last, digest_size=16).hexdigest(),
    }
