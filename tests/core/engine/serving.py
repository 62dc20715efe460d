"""A model that is served, and plain HTTP requests to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.engine import serve
from core.engine.generate import Chatter

MESSAGES = [{"role": "user", "content": "Write Sum3."}]


@dataclass
class Served:
    service: serve.Service
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1].removesuffix("/v1"))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": "Bearer key", "Content-Type": "application/json", **headers}
        connection.request("POST" if path != "/v1/models" else "GET", path, data, given)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def chat(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        return self.post("/v1/chat/completions", {"model": "m", "messages": MESSAGES, "max_tokens": 8, **fields})


@contextmanager
def serving(chatter: Chatter) -> Iterator[Served]:
    """A real server in a thread of this process. Its answers go on until something else than the model ends them."""
    service = serve.Service(chatter, "tiny", "key")
    service.chatter.decoder.ends = frozenset()
    stop, ready = threading.Event(), threading.Event()
    urls: list[str] = []

    def told(url: str) -> None:
        urls.append(url)
        ready.set()

    run = serve.run(service, 0, ready=told, should_stop=lambda _: stop.is_set())
    thread = threading.Thread(target=lambda: asyncio.run(run))
    thread.start()
    assert ready.wait(30)
    yield Served(service, urls[0])
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
