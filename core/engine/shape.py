"""What travels from the server: answers in the JSON that OpenAI's clients expect, for chats and completions.

Beside OpenAI's fields every choice has `gosmith`, with the settings really used; the whole answer has that of its first choice.
"""

from __future__ import annotations

import codecs
import time
import uuid
from collections.abc import Sequence
from typing import Any

from core.engine.asked import End, Piece, Token, describe
from core.engine.spelling import Spelling
from core.engine.wire import Call, Rendering


class Shape:
    """The answer to one call."""

    def __init__(self, call: Call, spelling: Spelling) -> None:
        self._call = call
        self._spelling = spelling
        kind = "chat.completion" if call.chat else "text_completion"
        stem = {"id": f"gosmith-{uuid.uuid4().hex}", "created": int(time.time()), "model": call.model}
        self._whole = {**stem, "object": kind}
        self._chunk = {**stem, "object": f"{kind}.chunk" if call.chat else kind}
        self._offsets = [_Offset() for _ in call.requests]

    def opening(self, index: int) -> dict[str, Any] | None:
        """The chunk that comes first of a choice, if there is one: whose turn it is, or the prompt that is echoed without probabilities."""
        if self._call.chat:
            return self._part(index, {"delta": {"role": "assistant", "content": ""}}, None)
        if self._call.echo and not self._call.requests[index].prompt_too:
            return self._part(index, {"text": self._call.echo[index]}, None)
        return None

    def delta(self, index: int, piece: Piece) -> dict[str, Any]:
        """A chunk with text."""
        text = self._call.echo[index] if piece.of_prompt else piece.text
        content = {"delta": {"content": text}} if self._call.chat else {"text": text}
        return self._part(index, content, self._logprobs(index, piece.tokens))

    def last(self, index: int, end: End) -> dict[str, Any]:
        """The chunk that ends a choice."""
        content: dict[str, Any] = {"delta": {}} if self._call.chat else {"text": ""}
        chunk = self._part(index, content, None)
        chunk["choices"][0]["finish_reason"] = _reason(end)
        return {**chunk, "gosmith": describe(end)}

    def usage(self, ends: Sequence[End]) -> dict[str, Any]:
        """The chunk after the last one, for who asked for it."""
        return {**self._chunk, "choices": [], "usage": self._usage(ends)}

    def whole(self, pieces: Sequence[Sequence[Piece]], ends: Sequence[End]) -> dict[str, Any]:
        """An answer in one piece."""
        choices = []
        for index, (said, end) in enumerate(zip(pieces, ends, strict=True)):
            text = (self._call.echo[index] if self._call.echo else "") + "".join(piece.text for piece in said)
            content = {"message": {"role": "assistant", "content": text}} if self._call.chat else {"text": text}
            tokens = [token for piece in said for token in piece.tokens]
            choices.append(
                {
                    "index": index, "finish_reason": _reason(end), **content,
                    "logprobs": self._logprobs(index, tokens), "gosmith": describe(end),
                }
            )  # fmt: skip
        return {**self._whole, "choices": choices, "usage": self._usage(ends), "gosmith": describe(ends[0])}

    def _part(self, index: int, content: dict[str, Any], logprobs: dict[str, Any] | None) -> dict[str, Any]:
        choice = {"index": index, "finish_reason": None, "logprobs": logprobs, **content}
        return {**self._chunk, "choices": [choice], **({"usage": None} if self._call.usage else {})}

    def _usage(self, ends: Sequence[End]) -> dict[str, Any]:
        """Prompts are counted once, however many choices each has."""
        firsts: dict[tuple[int, ...], End] = {}
        for request, end in zip(self._call.requests, ends, strict=True):
            firsts.setdefault(request.ids, end)
        read, said = sum(map(len, firsts)), sum(end.tokens for end in ends)
        cached = sum(end.cached for end in firsts.values())
        return {
            "prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said,
            "prompt_tokens_details": {"cached_tokens": cached},
        }  # fmt: skip

    def _logprobs(self, index: int, tokens: Sequence[Token]) -> dict[str, Any] | None:
        if self._call.requests[index].alternatives is None:
            return None
        if self._call.chat:
            return {"content": [self._entry(token) for token in tokens], "refusal": None}
        spell = self._spelling.text_of
        return {
            "tokens": [spell(token.id) for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [
                {spell(other): value for other, value in token.top} if token.top else None for token in tokens
            ],
            "text_offset": [self._offsets[index].past(self._spelling.bytes_of(token.id)) for token in tokens],
        }

    def _entry(self, token: Token) -> dict[str, Any]:
        tops = [self._one(other, value) for other, value in token.top]
        return {**self._one(token.id, token.logprob), "top_logprobs": tops}

    def _one(self, token: int, logprob: float | None) -> dict[str, Any]:
        return {
            "token": self._spelling.text_of(token), "logprob": logprob, "bytes": list(self._spelling.bytes_of(token))
        }  # fmt: skip


def rendered(asked: Rendering, spelling: Spelling, context: int) -> dict[str, Any]:
    """A prompt as the model reads it: {model, count, context} and, where they are wanted, tokens [{id, text, special}].

    text: as completions spell it, see `Spelling.text_of`; special: no text makes this token, a template does.
    """
    answer: dict[str, Any] = {"object": "rendering", "model": asked.model, "count": len(asked.ids), "context": context}
    if asked.told:
        answer["tokens"] = [
            {"id": token, "text": spelling.text_of(token), "special": spelling.is_special(token)} for token in asked.ids
        ]
    return answer


class _Offset:
    """Where in a text the next token begins, in characters."""

    def __init__(self) -> None:
        self._at = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def past(self, spelt: bytes) -> int:
        began = self._at
        self._at += len(self._decoder.decode(spelt))
        return began


def _reason(end: End) -> str:
    return "length" if end.reason == "length" else "stop"
