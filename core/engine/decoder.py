"""The decode loop: requests come and go between two steps, and every step is one forward pass for all of them.

    step:  drop who wants no more -> let in who waits -> one pass: a token of each answer, and part of each prompt
           -> choose the next tokens, each row by its own settings -> tell

A request gets the same alone and in company, but for rounding. Every setting is explicit: nothing is inherited from the model's own files
but the tokens that end an answer. A `Decoder` is for one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from core.engine import logprobs, lookup, sampler
from core.engine.answering import Answering, Hear
from core.engine.asked import End, Piece, Request
from core.engine.forward import Way
from core.engine.kept import Kept, common
from core.engine.rows import Part
from core.errors import UserError

PREFILL = 512
"""Prompt tokens of a pass: between two of them the caller may stop."""

BESIDE = 128
"""Prompt tokens of a pass in which others get their next token: so long they wait at most."""

SCORED = 128
"""Prompt tokens of a pass whose logits are all wanted: they take 4 bytes a token and word of the vocabulary."""

MOST = 32
"""Answers at a time; more wait."""

WORTH_WAITING = 64
"""Tokens of a prompt that another is about to read, from which it is quicker to wait for them."""

GROWTH = 1.5
"""Room of a row to what it holds, at the most: rows grow by half."""

KEPT_BYTES = 2**30
"""Memory for what is remembered of earlier texts."""


class Decoder:
    """A model and the requests that it is answering.

    weights: what to say of them in every answer. guesses: whether to guess ahead. room: bytes that the rows of all answers under way may come
    to take; who would take more waits, but never for nobody.
    """

    def __init__(
        self, way: Way, tokenizer: Any, context: int, ends: frozenset[int], weights: str = "", room: int = 2**62
    ) -> None:
        self.way = way
        self.context = context
        self.ends = ends
        self.weights = weights
        self.guesses = False
        self.room = room
        self.kept = Kept(way, KEPT_BYTES)
        self._tokenizer = tokenizer
        self._waiting: list[Answering] = []
        self._active: list[Answering] = []

    def ask(self, request: Request, hear: Hear, cancelled: Callable[[], bool] = lambda: False) -> Answering:
        """Take a request in; `step` goes on with it. Raises UserError when its prompt is empty or fills the context."""
        if not request.ids:
            raise UserError("The prompt is empty.", "Write something for the model to go on from.")

        def tell(part: Piece | End) -> None:
            hear(replace(part, weights=self.weights) if isinstance(part, End) else part)

        asked = Answering(request, self._tokenizer, self.context, self.ends, tell, cancelled)
        self._waiting.append(asked)
        return asked

    @property
    def busy(self) -> bool:
        """Is anything asked and not answered?"""
        return bool(self._waiting or self._active)

    @torch.inference_mode()
    def step(self) -> None:
        """One pass. Whatever it raises, call `abandon` before the next one."""
        for one in [*self._waiting, *self._active]:
            if not one.ended and one.cancelled():
                one.end("cancelled")
        self._let_go()
        self._let_in()
        if not self._active:
            return
        parts = self._parts()
        logits = self.way.run([part for _, part in parts])
        due: list[tuple[Answering, Tensor, Sequence[int]]] = []
        start = 0
        for one, part in parts:
            mine = logits[start : start + part.wanted]
            start += part.wanted
            following = one.read(mine, len(part.tokens))
            if following is not None:
                due.append((one, following, part.tokens[1:] if len(following) > 1 else ()))
        if due:
            self._say(due)
        self._let_go()

    def _parts(self) -> list[tuple[Answering, Part]]:
        """What everybody reads next: who speaks one token each, who reads shares what prompt tokens a pass may have."""
        speakers = [one for one in self._active if not one.reading]
        left = BESIDE if speakers else PREFILL
        guesses = lookup.GUESS if self.guesses and len(speakers) <= lookup.SPEAKERS else 0
        said = [(one, one.last(guesses)) for one in speakers]
        parts = [(one, Part(one.row, tokens, len(tokens))) for one, tokens in said]  # type: ignore[arg-type]
        for one in self._active:
            if one.reading and left > 0:
                tokens = one.unread(min(left, SCORED) if one.request.prompt_too else left)
                left -= len(tokens)
                assert one.row is not None
                last = len(one.row.ids) + len(tokens) == len(one.request.ids)
                wanted = len(tokens) if one.request.prompt_too else int(last)
                parts.append((one, Part(one.row, tokens, wanted)))  # type: ignore[arg-type]
        return parts

    def _say(self, due: Sequence[tuple[Answering, Tensor, Sequence[int]]]) -> None:
        """The next token of everybody, and while a guess was right the one after it. due: with logits [1 + guesses, vocabulary]."""
        right = 0
        while due:
            logits = torch.stack([rows[right] for _, rows, _ in due])
            tokens = sampler.next_tokens(logits, [one.draw for one, _, _ in due])
            going = []
            for number, ((one, rows, guesses), token) in enumerate(zip(due, tokens, strict=True)):
                wanted = one.request.alternatives
                known = None if wanted is None else logprobs.of(logits[number : number + 1], [token], wanted)[0]
                one.say(token, known)
                if not one.ended and right < len(guesses) and token == guesses[right]:
                    going.append((one, rows, guesses))
                else:
                    one.confirm(1 + len(guesses), right)
            due = going
            right += 1

    def _let_in(self) -> None:
        """Who waits, while there is room. Who shares a prompt with one that is just being read waits until that is done."""
        for one in self._waiting.copy():
            if len(self._active) >= MOST:
                return
            if self._active and self._needs([*self._active, one]) > self.room:
                return
            if any(self._reads_for(other, one) for other in self._active):
                continue
            rows = [other.row for other in self._active if other.row is not None]
            self._waiting.remove(one)
            self._active.append(one)
            fresh = one.request.prompt_too  # its prompt's logits are wanted, so it is read whatever is remembered
            adapter = one.request.adapter
            one.begin(self.way.memory(adapter) if fresh else self.kept.take(one.request.ids, adapter, rows))

    def _needs(self, some: Sequence[Answering]) -> int:
        """Bytes that rows of these may come to take."""
        return int(GROWTH * self.way.token_bytes * sum(one.most_tokens for one in some))

    def _reads_for(self, reader: Answering, one: Answering) -> bool:
        if not reader.reading or one.request.prompt_too or reader.request.adapter != one.request.adapter:
            return False
        assert reader.row is not None
        return common(reader.request.ids, one.request.ids) > len(reader.row.ids) + WORTH_WAITING

    def _let_go(self) -> None:
        for one in self._active:
            if one.ended and one.row is not None:
                self.kept.give(one.row)
        self._active = [one for one in self._active if not one.ended]
        self._waiting = [one for one in self._waiting if not one.ended]

    def drop(self, one: Answering) -> None:
        """Somebody is gone: tell nothing more, but keep what was read."""
        one.ended = True
        self._let_go()

    def abandon(self) -> list[Answering]:
        """After a step that failed: everybody who was in it, none of whom gets an End. Who still waits goes on waiting."""
        lost, self._active = self._active, []
        for one in lost:
            one.ended = True
        return lost
