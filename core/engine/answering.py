"""One request while it is answered: what of its prompt is still to be read, what it has said, and when it ends."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from core.engine import logprobs
from core.engine.asked import End, Piece, Request, Token
from core.engine.forward import Memory
from core.engine.lookup import Lookup
from core.engine.sampler import Draw
from core.engine.stops import Text
from core.inference import sampling as settings

Hear = Callable[[Piece | End], None]


class Answering:
    """A request on its way. hear: is told its Pieces and its End. cancelled: asked before every step.

    row: what is remembered of it, None while it waits.
    """

    def __init__(
        self,
        request: Request,
        tokenizer: Any,
        context: int,
        ends: frozenset[int],
        hear: Hear,
        cancelled: Callable[[], bool],
    ) -> None:
        """Raises UserError when the prompt fills the context."""
        self.request = request
        self.cancelled = cancelled
        self.row: Memory | None = None
        self.ended = False
        self._hear = hear
        self._ends = ends | request.ends
        self._fitted = settings.fit(request.sampling, len(request.ids), context)
        self._seed = self._fitted.seed if self._fitted.seed is not None else secrets.randbelow(2**31)
        self.draw = Draw(self._fitted, torch.Generator().manual_seed(self._seed))
        self._text = Text(tokenizer, self._fitted.stop)
        self._shown, self._said = 0, 0
        self._waiting: list[tuple[int, Token]] = []
        self._of_prompt: list[Token] = []
        self._lookup: Lookup | None = None
        self._cached = 0
        self._count = self._guessed = 0
        self._ids: list[int] = []
        self._began = time.perf_counter()
        self._first: float | None = None

    def begin(self, row: Memory) -> None:
        """Start reading the prompt, of which the row holds the beginning."""
        self.row = row
        self._cached = len(row.ids)
        if self.request.prompt_too:
            self._of_prompt.append(Token(self.request.ids[0], None))

    @property
    def most_tokens(self) -> int:
        """Of prompt and answer together."""
        return len(self.request.ids) + self._fitted.max_tokens

    @property
    def reading(self) -> bool:
        """Is some of the prompt still to be read?"""
        return self.row is not None and len(self.row.ids) < len(self.request.ids)

    def unread(self, most: int) -> list[int]:
        """The prompt's next tokens, `most` of them at most."""
        assert self.row is not None
        held = len(self.row.ids)
        return list(self.request.ids[held : held + most])

    def last(self, guesses: int) -> list[int]:
        """The token said last, and so many guesses at most at those after it."""
        if guesses and self._lookup is None:
            self._lookup = Lookup([*self.request.ids, *self._ids])
        left = self._fitted.max_tokens - self._count - 1
        return [self._ids[-1], *(self._lookup.guess(min(guesses, left)) if self._lookup is not None else [])]

    def confirm(self, tokens: int, right: int) -> None:
        """After a pass over so many tokens beginning with the one said last: of the guesses among them only the first ones were right."""
        assert self.row is not None
        if tokens > 1 and self._lookup is not None:
            self._lookup.told(tokens - 1, right)
            self._guessed += right
            self.row.cut(len(self.row.ids) - (tokens - 1 - right))

    def read(self, logits: Tensor, tokens: int) -> Tensor | None:
        """After a pass over so many tokens: logits [n, vocabulary] of those after each that is known, None while the prompt is not read.

        logits: of all those tokens where the prompt's log-probabilities are wanted, else of the last one.
        """
        assert self.row is not None
        if len(self.row.ids) > len(self.request.ids):
            return logits
        if self.request.prompt_too:
            end = len(self.row.ids)
            following = list(self.request.ids[end - tokens + 1 : end + 1])
            self._of_prompt += logprobs.of(logits[: len(following)], following, self.request.alternatives or 0)
        if self.reading:
            return None
        if self.request.prompt_too:
            self._hear(Piece("", tuple(self._of_prompt), of_prompt=True))
        if not self.request.answer:
            self._first = time.perf_counter()
            self.end("length")
            return None
        if self._fitted.repetition_penalty != 1.0:
            self.draw.seen = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
            self.draw.seen[torch.tensor(self.request.ids, device=logits.device)] = True
        return logits[-1:]

    def say(self, token: int, known: Token | None) -> None:
        """The token that was chosen. known: with its log-probabilities, where they are wanted."""
        self._ids.append(token)
        self._count += 1
        if self._lookup is not None:
            self._lookup.add(token)
        self._first = self._first if self._first is not None else time.perf_counter()
        if token in self._ends:
            self.end("stop")
            return
        if self.draw.seen is not None:
            self.draw.seen[token] = True
        if known is not None:
            self._waiting.append((self._said, known))
        shown = self._text.add(token)
        self._said = self._text.length
        self._show(shown)
        if self._text.stopped is not None:
            self.end("stop")
        elif self._count >= self._fitted.max_tokens:
            self.end("length")

    def _show(self, shown: str, *, all_tokens: bool = False) -> None:
        """Tokens go with the first text of theirs that is shown; those of a stop string never do."""
        self._shown += len(shown)
        going = [token for start, token in self._waiting if all_tokens or start < self._shown]
        if shown or going:
            self._waiting = self._waiting[len(going) :]
            self._hear(Piece(shown, tuple(going)))

    def end(self, reason: str) -> None:
        """No more. What was held back is shown, unless it was a stop string."""
        self.ended = True
        self._show(self._text.rest(), all_tokens=self._text.stopped is None)
        seconds = time.perf_counter() - self._first if self._first is not None else 0.0
        used = replace(self._fitted, seed=self._seed)
        self._hear(
            End(
                reason=reason,
                stop_string=self._text.stopped,
                tokens=self._count,
                prompt_tokens=len(self.request.ids),
                cached=self._cached,
                seconds_to_first=self._first - self._began if self._first is not None else None,
                tokens_per_second=(self._count - 1) / seconds if self._count > 1 and seconds > 0 else None,
                settings=settings.as_dict(settings.effective(used)),
                weights="",
                guessed=self._guessed,
            )
        )
