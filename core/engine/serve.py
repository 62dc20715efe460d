"""An OpenAI-compatible server for one model, on loopback only.

    GET /v1/models      POST /v1/chat/completions      POST /v1/completions

Beside OpenAI's fields it takes top_k, min_p and repetition_penalty; a field it does not know is refused, not ignored. The
last chunk carries `usage` and `gosmith`: the settings really used, tokens a second, time to the first token. Requests
are answered one after the other; a client that hangs up ends its answer within a token. Every request needs the key, a
loopback Host, and no foreign Origin.

`python -m core.engine.serve --model FOLDER` runs it in the foreground; its first line on stdout is JSON with url and key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from core.engine import generate, wire
from core.engine.generate import Chatter, End, Piece
from core.engine.wire import RefusedError, Shape
from core.errors import UserError
from core.inference.sampling import Sampling

MOST_BYTES = 4 * 2**20
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Service:
    """What the routes share. last_used: monotonic time at which the last answer ended."""

    chatter: Chatter
    name: str
    key: str
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "model"))
    last_used: float = field(default_factory=time.monotonic)
    active: int = 0

    def ended(self) -> None:
        """One answer less."""
        self.active -= 1
        self.last_used = time.monotonic()


def application(service: Service) -> Starlette:
    """The routes, over one model."""

    def guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                _admit(request, service.key)
                response: Response = await handler(request)
                return response
            except RefusedError as refusal:
                return _error(refusal.status, refusal.message)
            except UserError as error:
                return _error(400, str(error))

        return answer

    async def models(_request: Request) -> Response:
        entry = {"id": service.name, "object": "model", "created": 0, "owned_by": "gosmith"}
        return JSONResponse({"object": "list", "data": [entry]})

    async def chat(request: Request) -> Response:
        body = await _body(request)
        return await _answer(service, request, body, service.chatter.chat_ids(wire.messages(body)), chat=True)

    async def completions(request: Request) -> Response:
        body = await _body(request)
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            raise RefusedError(400, "prompt must be a text.")
        return await _answer(service, request, body, service.chatter.text_ids(prompt), chat=False)

    return Starlette(
        routes=[
            Route("/v1/models", guarded(models)),
            Route("/v1/chat/completions", guarded(chat), methods=["POST"]),
            Route("/v1/completions", guarded(completions), methods=["POST"]),
        ]
    )


def _admit(request: Request, key: str) -> None:
    """The key, a Host that is this machine, and no page of another site: loopback alone does not keep browsers out."""
    host = request.headers.get("host", "")
    if host.rsplit(":", 1)[0] not in LOOPBACK and host not in LOOPBACK:
        raise RefusedError(403, "This server answers only to its loopback address.")
    origin = request.headers.get("origin")
    if origin is not None and origin.split("://")[-1].rsplit(":", 1)[0] not in LOOPBACK:
        raise RefusedError(403, "This server answers no pages of other sites.")
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), key.encode()):
        raise RefusedError(401, "The key is missing or wrong.")


async def _body(request: Request) -> dict[str, Any]:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise RefusedError(413, f"The request is larger than {MOST_BYTES // 2**20} MiB.")
    return wire.parse(data)


async def _answer(
    service: Service, request: Request, body: Mapping[str, Any], ids: list[int], *, chat: bool
) -> Response:
    wanted = wire.sampling(body)
    if not ids:
        raise RefusedError(400, "The prompt is empty.")
    if len(ids) >= service.chatter.context:
        raise RefusedError(
            400, f"The prompt has {len(ids):,} tokens; the model reads {service.chatter.context:,} with its answer."
        )
    parts = _generate(service, ids, wanted)
    shape = Shape(service.name, chat)
    if body.get("stream"):
        return StreamingResponse(_events(parts, shape), media_type="text/event-stream")
    collecting = asyncio.ensure_future(_collect(parts))
    try:
        while not (await asyncio.wait([collecting], timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                return Response(status_code=499)
        text, end = collecting.result()
    finally:
        collecting.cancel()
    return JSONResponse(shape.whole(text, end))


async def _collect(parts: AsyncIterator[Piece | End]) -> tuple[str, End]:
    text = ""
    async for part in parts:
        if isinstance(part, End):
            return text, part
        text += part.text
    raise AssertionError("an answer has an end")


async def _generate(service: Service, ids: list[int], wanted: Sampling) -> AsyncIterator[Piece | End]:
    """Run the decode loop on the model's one thread. Leaving this iterator early cancels it within a token."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[Piece | End | Exception] = asyncio.Queue()
    gone = threading.Event()

    def work() -> None:
        if gone.is_set():  # hung up while waiting for its turn
            return
        try:
            for part in service.chatter.answer(ids, wanted, gone.is_set):
                loop.call_soon_threadsafe(arrived.put_nowait, part)
        except Exception as error:  # noqa: BLE001  handed to the request that waits, which answers with it
            loop.call_soon_threadsafe(arrived.put_nowait, error)

    service.active += 1
    loop.run_in_executor(service.thread, work).add_done_callback(lambda _: service.ended())
    try:
        while True:
            part = await arrived.get()
            if isinstance(part, Exception):
                raise part
            yield part
            if isinstance(part, End):
                return
    finally:
        gone.set()


async def _events(parts: AsyncIterator[Piece | End], shape: Shape) -> AsyncIterator[str]:
    try:
        async for part in parts:
            data = shape.delta(part.text) if isinstance(part, Piece) else shape.last(part)
            yield f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield f"data: {json.dumps({'error': {'message': str(error), 'type': 'server_error'}})}\n\n"
        raise
    finally:
        await parts.aclose()  # type: ignore[attr-defined]


def _error(status: int, message: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status_code=status)


async def run(
    service: Service, port: int, *, ready: Callable[[str], None], should_stop: Callable[[Service], bool]
) -> None:
    """Serve until `should_stop`, which is asked twenty times a second. ready: called with the url once it answers."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise UserError(f"Port {port} cannot be used: {error.strerror}.", "Choose another, or 0 for any.") from error
    config = uvicorn.Config(
        application(service), log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(LOOK_SECONDS / 5)
    if not serving.done():
        ready(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    while not serving.done():
        if should_stop(service):
            server.should_exit = True
        await asyncio.sleep(LOOK_SECONDS)
    await serving
    service.thread.shutdown(wait=True)


def main() -> int:
    """Serve in the foreground until a signal."""
    parser = argparse.ArgumentParser(description="Serve one model on loopback.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--int8", action="store_true")
    options = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    key = os.environ.pop("GOSMITH_API_KEY", "") or secrets.token_urlsafe(24)
    try:
        chatter = generate.load(options.model, int8=options.int8)
        service = Service(chatter, options.name or options.model.name, key)

        def ready(url: str) -> None:
            out.write(json.dumps({"url": url, "key": key}) + "\n")
            out.flush()

        asyncio.run(run(service, options.port, ready=ready, should_stop=lambda _service: ended.is_set()))
    except UserError as error:
        sys.stderr.write(f"gosmith: {error.message}\n  {error.hint}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
