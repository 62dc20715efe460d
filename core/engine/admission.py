"""Who may ask a server on loopback, and how much: the key, no page of another site, and a limit to what is read."""

from __future__ import annotations

import secrets

from starlette.requests import Request

from core.engine.wire import RefusedError

MOST_BYTES = 4 * 2**20
MOST_THROWN_AWAY = 64 * 2**20
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def admit(request: Request, key: str) -> None:
    """The key, a Host that is this machine, and no page of another site: loopback alone does not keep browsers out."""
    host = request.headers.get("host", "")
    if host.rsplit(":", 1)[0] not in LOOPBACK and host not in LOOPBACK:
        raise RefusedError(403, "This server answers only to its loopback address.")
    origin = request.headers.get("origin")
    if origin is not None and origin.split("://")[-1].rsplit(":", 1)[0] not in LOOPBACK:
        raise RefusedError(403, "This server answers no pages of other sites.")
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), key.encode()):
        raise RefusedError(401, "The key is missing or wrong.", code="invalid_api_key")


async def body(request: Request) -> bytes:
    """What is too much is read and thrown away: a client that is still sending would miss the answer."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MOST_BYTES:
            parts.append(chunk)
        elif size > MOST_THROWN_AWAY:
            break
    if size > MOST_BYTES:
        raise RefusedError(413, f"The request is larger than {MOST_BYTES // 2**20} MiB.")
    return b"".join(parts)
