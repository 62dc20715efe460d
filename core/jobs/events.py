"""The event log of a job: one JSON object a line, appended by the job's processes, read by anyone at any time.

A line is written by one `write` to a file opened for appending, so supervisor and worker may share it. Readers keep a
byte offset and never see half a line. A line that a full disk or a power cut has broken is skipped, not repaired.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any


def _finite(value: object) -> object:
    """JSON has no NaN: such numbers become null, and readers make NaN of null again."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class EventWriter:
    """Appends events to one file. Not shared between threads without a lock of the caller's; processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def write(self, kind: str, /, **fields: object) -> None:
        """Append {"t": seconds since the epoch, "kind": kind, **fields}; non-finite numbers become null.

        Raises OSError, for example ENOSPC on a full disk; the line may then be broken, the ones before it are not.
        """
        record = {"t": round(time.time(), 3), "kind": kind, **fields}
        try:
            text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            text = json.dumps(_finite(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = text.encode("utf-8", errors="replace") + b"\n"
        written = os.write(self._file, data)
        while written < len(data):
            written += os.write(self._file, data[written:])

    def close(self) -> None:
        """No more events; closing twice is an error of the caller's."""
        os.close(self._file)


class EventTail:
    """Reads a growing event file piece by piece; `offset` may be kept and given again after a restart."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self, limit: int = 4 << 20) -> list[dict[str, Any]]:
        """The whole lines that came since the last call, at most about `limit` bytes of them; [] when there are none.

        A file that became shorter was replaced: it is read again from its start.
        """
        try:
            with open(self.path, "rb") as file:
                if os.fstat(file.fileno()).st_size < self.offset:
                    self.offset = 0
                file.seek(self.offset)
                data = file.read(limit)
                end = data.rfind(b"\n") + 1
                if not end and len(data) == limit:
                    data += file.readline()
                    end = data.rfind(b"\n") + 1
        except FileNotFoundError:
            return []
        self.offset += end
        return parse_lines(data[:end])


def parse_lines(data: bytes) -> list[dict[str, Any]]:
    """The events in whole lines. What is no JSON object with a kind is left out: a full disk or a power cut broke it."""
    events = []
    for line in data.split(b"\n"):
        if not line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and "kind" in event:
            events.append(event)
    return events


def read_events(path: Path) -> list[dict[str, Any]]:
    """All whole events of a file; [] when there is none."""
    tail = EventTail(path)
    events: list[dict[str, Any]] = []
    while batch := tail.read():
        events.extend(batch)
    return events


def last_events(path: Path, size: int = 16384) -> list[dict[str, Any]]:
    """The events in the last `size` bytes of a file, oldest first: enough to tell where a job stands."""
    try:
        with open(path, "rb") as file:
            start = max(0, os.fstat(file.fileno()).st_size - size)
            file.seek(start)
            data = file.read(size)
    except FileNotFoundError:
        return []
    if start:
        data = data[data.find(b"\n") + 1 :]
    return parse_lines(data[: data.rfind(b"\n") + 1])
