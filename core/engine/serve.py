"""An OpenAI-compatible server for one model, on loopback only.

    GET /v1/models      POST /v1/chat/completions      POST /v1/completions      POST /v1/render      POST /v1/score

The last two are ours: the tokens that a prompt becomes, and how likely the model thinks those of a text (`core.engine.scoring`). Beside
OpenAI's fields it takes top_k, min_p and repetition_penalty; a field it does not know is refused, not ignored. The last chunk of a choice
carries `gosmith`: the settings really used, tokens a second, time to the first token. Requests are answered side by side, each as if it
were alone; a client that hangs up ends its answer within a token. Every request needs the key, a loopback Host, and no foreign Origin.

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
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from core.engine import generate, scoring, wire
from core.engine.admission import admit, body
from core.engine.asked import End, Piece
from core.engine.generate import Chatter
from core.engine.runner import Runner, Tell
from core.engine.shape import Shape, rendered
from core.engine.spelling import Spelling
from core.engine.wire import Call, RefusedError
from core.errors import UserError

Parts = AsyncGenerator[tuple[int, Piece | End], None]
LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Service:
    """What the routes share."""

    chatter: Chatter
    name: str
    key: str
    runner: Runner = field(init=False)
    spelling: Spelling = field(init=False)

    def __post_init__(self) -> None:
        self.runner = Runner(self.chatter.decoder)
        self.spelling = Spelling(self.chatter.tokenizer)

    def models(self) -> list[dict[str, Any]]:
        """What may be asked."""
        names = [self.name, *self.chatter.adapters]
        return [{"id": name, "object": "model", "created": 0, "owned_by": "gosmith"} for name in names]


def application(service: Service) -> Starlette:
    """The routes, over one model."""

    def guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                admit(request, service.key)
                response: Response = await handler(request)
                return response
            except RefusedError as refusal:
                return _error(refusal)
            except UserError as error:
                return _error(RefusedError(400, str(error)))

        return answer

    async def models(_request: Request) -> Response:
        return JSONResponse({"object": "list", "data": service.models()})

    async def model(request: Request) -> Response:
        name = request.path_params["name"]
        found = next((model for model in service.models() if model["id"] == name), None)
        if found is None:
            raise RefusedError(404, f"There is no model “{name}” here.", "model", "model_not_found")
        return JSONResponse(found)

    async def chat(request: Request) -> Response:
        return await _answer(service, request, wire.read_chat(await body(request), service.chatter, service.name))

    async def completions(request: Request) -> Response:
        call = wire.read_completion(await body(request), service.chatter, service.name)
        return await _answer(service, request, call)

    async def score(request: Request) -> Response:
        asked = wire.read_score(await body(request), service.chatter, service.name)
        chunks = scoring.chunks(asked, service.chatter.context, service.spelling, lambda call: _generate(service, call))
        return StreamingResponse(chunks, media_type="text/event-stream")

    async def render(request: Request) -> Response:
        asked = wire.read_rendering(await body(request), service.chatter, service.name)
        return JSONResponse(rendered(asked, service.spelling, service.chatter.context))

    async def elsewhere(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = (
            f"This server has no {request.method} {request.url.path}."
            if status < 500
            else "The server failed; its log says why."
        )
        return _error(RefusedError(status, said))

    return Starlette(
        routes=[
            Route("/v1/models", guarded(models)),
            Route("/v1/models/{name:path}", guarded(model)),
            Route("/v1/chat/completions", guarded(chat), methods=["POST"]),
            Route("/v1/completions", guarded(completions), methods=["POST"]),
            Route("/v1/score", guarded(score), methods=["POST"]),
            Route("/v1/render", guarded(render), methods=["POST"]),
        ],
        exception_handlers={HTTPException: elsewhere, 500: elsewhere},
    )


async def _answer(service: Service, request: Request, call: Call) -> Response:
    parts = _generate(service, call)
    shape = Shape(call, service.spelling)
    if call.stream:
        return StreamingResponse(_events(parts, shape, call), media_type="text/event-stream")
    collecting = asyncio.ensure_future(_collect(parts, len(call.requests)))
    try:
        while not (await asyncio.wait([collecting], timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                return Response(status_code=499)
        pieces, ends = collecting.result()
    finally:
        collecting.cancel()
    return JSONResponse(shape.whole(pieces, ends))


async def _collect(parts: Parts, count: int) -> tuple[list[list[Piece]], list[End]]:
    pieces: list[list[Piece]] = [[] for _ in range(count)]
    ends: dict[int, End] = {}
    async for index, part in parts:
        if isinstance(part, End):
            ends[index] = part
        else:
            pieces[index].append(part)
    return pieces, [ends[index] for index in range(count)]


async def _generate(service: Service, call: Call) -> Parts:
    """Every choice as it comes, with its number. Leaving this iterator early cancels all of them within a token."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[tuple[int, Piece | End | Exception]] = asyncio.Queue()

    def hear(index: int) -> Tell:
        def tell(part: Piece | End | Exception) -> None:
            loop.call_soon_threadsafe(arrived.put_nowait, (index, part))

        return tell

    asked = [service.runner.ask(request, hear(index)) for index, request in enumerate(call.requests)]
    left = len(asked)
    try:
        while left:
            index, part = await arrived.get()
            if isinstance(part, Exception):
                raise part
            yield index, part
            left -= isinstance(part, End)
    finally:
        for one in asked:
            one.cancel()


async def _events(parts: Parts, shape: Shape, call: Call) -> AsyncIterator[str]:
    ends: dict[int, End] = {}
    opened: set[int] = set()
    try:
        async for index, part in parts:
            opening = None if index in opened else shape.opening(index)
            opened.add(index)
            if opening is not None:
                yield _event(opening)
            if isinstance(part, End):
                ends[index] = part
            yield _event(shape.delta(index, part) if isinstance(part, Piece) else shape.last(index, part))
        if call.usage:
            yield _event(shape.usage([ends[index] for index in range(len(call.requests))]))
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield _event({"error": {"message": str(error), "type": "server_error", "param": None, "code": None}})
        raise
    finally:
        await parts.aclose()


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _error(refusal: RefusedError) -> JSONResponse:
    kinds = {401: "authentication_error", 403: "permission_error"}
    kind = kinds.get(refusal.status, "invalid_request_error" if refusal.status < 500 else "server_error")
    error = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}
    return JSONResponse({"error": error}, status_code=refusal.status)


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
    service.runner.start()
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
    await asyncio.to_thread(service.runner.close)


def main() -> int:
    """Serve in the foreground until a signal."""
    parser = argparse.ArgumentParser(description="Serve one model on loopback.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=FOLDER")
    options = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    key = os.environ.pop("GOSMITH_API_KEY", "") or secrets.token_urlsafe(24)
    try:
        beside = {name: Path(folder) for name, _, folder in (word.partition("=") for word in options.beside)}
        chatter = generate.load(options.model, int8=options.int8, beside=beside)
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
