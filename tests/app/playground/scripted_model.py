"""A model's server whose answers a test writes, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.inference import ServerAddress

KEY = "sk-local"
SETTINGS = {"temperature": 0.7, "top_p": 0.95, "max_tokens": 256, "seed": 11}


@dataclass
class Reply:
    """An answer in pieces. held: wait for this before all but the first; broken: hang up instead of ending."""

    pieces: Sequence[str]
    held: threading.Event | None = None
    broken: bool = False
    reason: str = "stop"


@dataclass
class Script:
    """replies: in the order of the questions. asked: bodies of the questions. context: tokens; a letter is one. refusal: of /render."""

    replies: list[Reply] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    context: int = 100_000
    refusal: str = ""


class ScriptedModel(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = Script()

    @property
    def address(self) -> ServerAddress:
        return ServerAddress(f"http://127.0.0.1:{self.server_address[1]}/v1", KEY)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedModel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script = self.server.script
        if self.path.endswith("/render"):
            if script.refusal:
                self._json(400, {"error": {"message": script.refusal}})
                return
            text = body.get("prompt") or "".join(message["content"] for message in body.get("messages", ()))
            tokens = [{"id": ord(letter), "text": letter, "special": False} for letter in text]
            said = {"count": len(text), "context": script.context}
            self._json(200, said | ({"tokens": tokens} if body["tokens"] else {}))
            return
        script.asked.append(body)
        self._stream(script.replies.pop(0))

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for place, piece in enumerate(reply.pieces):
                if place == 1 and reply.held is not None:
                    reply.held.wait(30)
                self._chunk({"content": piece}, None)
            if reply.held is not None:
                reply.held.wait(30)
            if not reply.broken:
                self._chunk({}, reply.reason)
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return

    def _chunk(self, delta: dict[str, str], reason: str | None) -> None:
        chat = self.path.endswith("/chat/completions")
        choice = {
            "index": 0,
            "finish_reason": reason,
            **({"delta": delta} if chat else {"text": delta.get("content", "")}),
        }
        kind = "chat.completion.chunk" if chat else "text_completion"
        record: dict[str, Any] = {"id": "x", "object": kind, "created": 1, "model": "m", "choices": [choice]}
        if reason is not None:
            record["gosmith"] = {"tokens_per_second": 40.0, "time_to_first_token": 0.25, "settings": SETTINGS}
            record["usage"] = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
        self.wfile.write(f"data: {json.dumps(record)}\n\n".encode())
        self.wfile.flush()

    def _json(self, status: int, data: dict[str, Any]) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass
