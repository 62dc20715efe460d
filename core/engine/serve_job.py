"""The job kind "serve": a model kept ready for the playground, in a process whose end frees its memory.

It ends when it is asked to, when it has been idle, or when the window it works for has been gone for a minute. Where there are GPUs it
holds one together with other served models (`core.jobs.gpus.one_shared`): a run that wants it waits, and the window asks whether to unload.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path

from core.engine import generate, serve
from core.files import write_json
from core.jobs.process import alive, identity
from core.jobs.worker import WorkerContext

GONE_SECONDS = 60.0


def main(context: WorkerContext) -> None:
    """Request: {"model": folder, "name", "port": 0, "idle_seconds": number or null, "client_pid": number or absent,
    "int8": true or absent, "adapters": {name: folder} or absent, asked for by their names as models beside the model's}.

    Writes output/server.json ({"url", "key"}, readable by this user alone), then an event "ready".
    """
    request = context.request
    context.message("Loading the model.")
    key = secrets.token_urlsafe(24)
    beside = {str(name): Path(folder) for name, folder in request.get("adapters", {}).items()}
    chatter = generate.load(Path(request["model"]), int8=bool(request.get("int8")), beside=beside)
    service = serve.Service(chatter, str(request["name"]), key)
    address = context.folder.output / "server.json"

    def ready(url: str) -> None:
        before = os.umask(0o077)
        write_json(address, {"url": url, "key": key})
        os.umask(before)
        context.event("ready", url=url)

    pid = request.get("client_pid")
    client = identity(int(pid)) if pid else None
    seen = time.monotonic()

    def should_stop(now_serving: serve.Service) -> bool:
        nonlocal seen
        now = time.monotonic()
        if pid is None or (client is not None and alive(client)):
            seen = now
        idle = request.get("idle_seconds")
        too_idle = (
            idle is not None and not now_serving.runner.active and now - now_serving.runner.last_used > float(idle)
        )
        return context.should_stop() or too_idle or now - seen > GONE_SECONDS

    asyncio.run(serve.run(service, int(request.get("port", 0)), ready=ready, should_stop=should_stop))
