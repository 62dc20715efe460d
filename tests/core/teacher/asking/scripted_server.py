"""An OpenAI-compatible endpoint on loopback that does what a test tells it: answers, faults, limits that it really enforces, batches.

A real HTTP server over real sockets, in a thread of its own, so that the real client meets what it will meet: bodies that come slowly
or not at all, connections that are cut, headers that are missing. It counts every request by the hash of its body.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.core.teacher.asking import scripted_batches
from tests.core.teacher.asking.scripted_replies import Reply, Script, Seen, answer, error


@dataclass
class Limit:
    """A limit that is enforced. per_window requests a window of so many seconds; `bucket` refills all the time, else all comes back at once.

    tokens: a limit on tokens beside it, counted as prompt bytes / 4 + max_tokens when a request comes. headers: told or not.
    """

    per_window: int
    window: float = 60.0
    bucket: bool = True
    tokens: int | None = None
    headers: bool = True
    retry_after: bool = True
    _left: dict[str, float] = field(default_factory=dict)
    _at: dict[str, float] = field(default_factory=dict)

    def take(self, tokens: float) -> tuple[bool, dict[str, str]]:
        """Is the request within the limits? And the headers to send. A refused one counts too."""
        told: dict[str, str] = {}
        fine = True
        wait = 0.0
        for what, limit, amount in (("requests", self.per_window, 1.0), ("tokens", self.tokens, tokens)):
            if limit is None:
                continue
            left, reset = self._refill(what, float(limit), time.monotonic())
            if left < amount:
                fine = False
                wait = max(wait, (amount - left) / limit * self.window if self.bucket else reset)
            else:
                self._left[what] = left - amount
            if self.bucket:
                reset = (limit - self._left[what]) / limit * self.window
            told |= {
                f"x-ratelimit-limit-{what}": str(limit),
                f"x-ratelimit-remaining-{what}": str(int(self._left[what])),
                f"x-ratelimit-reset-{what}": f"{reset * 1000:.0f}ms",
            }
        headers = told if self.headers else {}
        if not fine and self.retry_after:
            headers = {**headers, "retry-after-ms": str(int(wait * 1000) + 1)}
        return fine, headers

    def _refill(self, what: str, limit: float, now: float) -> tuple[float, float]:
        began = self._at.setdefault(what, now)
        left = self._left.setdefault(what, limit)
        if self.bucket:
            self._left[what] = min(limit, left + (now - began) * limit / self.window)
            self._at[what] = now
            return self._left[what], 0.0
        if now - began >= self.window:
            self._at[what] = began + (now - began) // self.window * self.window
            self._left[what] = limit
        return self._left[what], self._at[what] + self.window - now


class ScriptedServer:
    """Use as a context manager. script: what to do with each request for an answer. limit: enforced before the script is asked."""

    def __init__(self, script: Script = lambda seen: answer(), *, limit: Limit | None = None) -> None:
        self.script = script
        self.limit = limit
        self.seen: list[Seen] = []
        self.counts: Counter[str] = Counter()
        self.limited = 0
        self.most_at_once = 0
        self.delivered: Counter[str] = Counter()
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_script = scripted_batches.BatchScript()
        self.other: Callable[[ScriptedServer, Seen], Reply | None] = lambda server, seen: None
        self.port = 0
        self._at_once = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="scripted-server")
        self._started = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=512)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client was killed or hung up; tests ask what was counted
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = target.removeprefix("/v1")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply, seen = self._reply(method, path, headers, body)
            return await self._write(reply, seen, writer)
        finally:
            self._at_once -= 1

    def _reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Reply, Seen]:
        key = hashlib.sha256(body).hexdigest()
        asks = path == "/chat/completions"
        if asks:
            self.counts[key] += 1
        seen = Seen(method, path, headers, body, key, self.counts[key], len(self.seen) + 1)
        if asks:
            self.seen.append(seen)
            return self._limited_answer(seen), seen
        own = self.other(self, seen)
        if own is not None:
            return own, seen
        return scripted_batches.reply(self, seen), seen

    def _limited_answer(self, seen: Seen) -> Reply:
        told: dict[str, str] = {}
        if self.limit is not None:
            asked = seen.json
            fine, told = self.limit.take(len(seen.body) / 4 + (asked.get("max_tokens") or 0))
            if not fine:
                self.limited += 1
                return error(429, "Rate limit reached.", code="rate_limit_exceeded", kind="requests", headers=told)
        reply = self.script(seen)
        return Reply(
            reply.status,
            reply.body,
            {**told, **reply.headers},
            reply.delay,
            reply.cut,
            reply.drip,
            reply.silent,
            reply.kind,
        )

    async def _write(self, reply: Reply, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if reply.silent:
            await asyncio.Event().wait()
        if reply.delay:
            await asyncio.sleep(reply.delay)
        lines = [
            f"HTTP/1.1 {reply.status} X", f"content-type: {reply.kind}", f"content-length: {len(reply.body)}", "x-request-id: req_1",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]  # fmt: skip
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if reply.cut is not None:
            writer.write(head + reply.body[: reply.cut] if reply.cut >= 0 else b"")
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            return False
        if reply.drip:
            writer.write(head)
            for at in range(len(reply.body)):
                writer.write(reply.body[at : at + 1])
                await writer.drain()
                await asyncio.sleep(reply.drip)
            return True
        writer.write(head + reply.body)
        await writer.drain()
        if reply.status == 200:
            self.delivered[seen.hash] += 1
        return True
