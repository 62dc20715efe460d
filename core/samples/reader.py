"""Read the files of an import in a process of its own, a batch ahead of whoever stores them.

Deriving a text's columns costs as much time as storing them: with two processes each has a core, and a window that stores keeps its
interpreter lock free. The order goes in, frames of batches come out, an empty frame is the end. What a row means is `sources`' business.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from core.errors import UserError
from core.jobs.control import module_environment, python_command
from core.samples.adding import Prepared
from core.samples.conversation import Text
from core.samples.sources import Batch, Order, Rejected, Source, batches

OWN_PROCESS = 8 << 20
"""Bytes from which on the start of a process is worth its 0.15 seconds."""
_AHEAD = 2
"""Batches that wait to be sent; more would only take memory."""


def read(order: Order) -> Generator[Batch, None, None]:
    """`sources.batches`, in another process if there is much to read; close the iterator if you leave it early.

    Raises UserError as that does, and when the process is ended from outside.
    """
    return read_ahead(order) if order.size >= OWN_PROCESS else batches(order)


def read_ahead(order: Order) -> Generator[Batch, None, None]:
    """`sources.batches` in another process, whatever there is to read."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*python_command(), "core.samples.reader"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, env=module_environment(), pipesize=1 << 20,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it died: the missing end tells
                process.stdin.write(_pack_order(order))
                process.stdin.close()
            while (frame := _frame(process.stdout)) is not None:
                if not frame:
                    return
                yield _unpacked(order, marshal.loads(frame))
            code = process.wait()
            complaints.seek(0)
            raise _died(code, complaints.read().decode("utf-8", "replace"))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _died(code: int, complaints: str) -> Exception:
    if code < 0:
        return UserError(
            f"The process that reads the files was ended (signal {-code}).",
            "Free some memory and import again: what is in stays in and does not come twice.",
        )
    return RuntimeError(f"the process that reads the files failed with {code}:\n{complaints}")


def _pack_order(order: Order) -> bytes:
    files = [(str(file.path), file.shape, file.forced, file.size) for file in order.files]
    return marshal.dumps((files, order.source, order.tags))


def _unpack_order(data: bytes) -> Order:
    files, source, tags = marshal.loads(data)
    return Order(tuple(Source(Path(path), *rest) for path, *rest in files), source, tags)


def _unpacked(order: Order, frame: tuple[Any, ...]) -> Batch:
    if len(frame) == 2:
        raise UserError(*frame)
    new, rejected, position = frame
    return Batch(
        [Prepared(Text(*text), *rest) for text, *rest in new],
        [Rejected(Path(file), line, reason) for file, line, reason in rejected],
        position,
    )


def _frame(pipe: IO[bytes]) -> bytes | None:
    """None where the process ended without saying so."""
    head = pipe.read(8)
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    return data if len(head) == 8 and len(data) == size else None


def main() -> None:
    """The other process: a thread sends what is ready, so that reading goes on meanwhile."""
    order = _unpack_order(sys.stdin.buffer.read())
    outbox: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
    sender = threading.Thread(target=_send, args=(outbox,), daemon=True)
    sender.start()
    try:
        for batch in batches(order):
            rejected = [(str(one.file), one.line, one.reason) for one in batch.rejected]
            outbox.put(marshal.dumps(([(tuple(text), *rest) for text, *rest in batch.new], rejected, batch.position)))
        outbox.put(b"")
    except UserError as error:
        outbox.put(marshal.dumps((error.message, error.hint)))
    outbox.put(None)
    sender.join()


def _send(outbox: queue.Queue[bytes | None]) -> None:
    pipe = sys.stdout.buffer
    try:
        while (frame := outbox.get()) is not None:
            pipe.write(len(frame).to_bytes(8, "little"))
            pipe.write(frame)
            pipe.flush()
    except BrokenPipeError:
        os._exit(0)  # nobody reads any more


if __name__ == "__main__":
    main()
