"""The answer of the route /v1/score: how likely a model thinks every token of a text, however long, a chunk a window.

    {"of": tokens of the text, "tokens": [{"bytes": [...], "logprob": x or null, "top": [[bytes, x], ...]}, ...]}

OpenAI's interface has the like only for texts that fit into the context, and not for answers in a conversation.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from core.engine.asked import End, Piece, Request, Token
from core.engine.spelling import Spelling
from core.engine.wire import Call, Scored
from core.inference.sampling import Sampling
from core.inference.windows import windows

Parts = AsyncGenerator[tuple[int, Piece | End], None]


async def chunks(
    asked: Scored, context: int, spelling: Spelling, generate: Callable[[Call], Parts]
) -> AsyncIterator[str]:
    """Events, one a window. Leaving this iterator early ends the window that is being read."""
    try:
        for window in windows(len(asked.ids), context - 1):  # the decode loop wants room for one token more
            if window.end <= asked.first:
                continue
            ids = asked.ids[window.start : window.end]
            request = Request(
                ids, Sampling(max_tokens=1), asked.alternatives, prompt_too=True, answer=False, adapter=asked.adapter
            )
            tokens: list[Token] = []
            parts = generate(Call(chat=False, model="", requests=(request,)))
            try:
                async for _, part in parts:
                    tokens.extend(part.tokens if isinstance(part, Piece) else ())
            finally:
                await parts.aclose()
            scored = tokens[max(window.first, asked.first) - window.start :]
            yield _event({"of": len(asked.ids) - asked.first, "tokens": [_entry(one, spelling) for one in scored]})
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield _event({"error": {"message": str(error), "type": "server_error", "param": None, "code": None}})
        raise


def _entry(token: Token, spelling: Spelling) -> dict[str, Any]:
    return {
        "bytes": list(spelling.bytes_of(token.id)),
        "logprob": token.logprob,
        "top": [[list(spelling.bytes_of(other)), value] for other, value in token.top],
    }


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
