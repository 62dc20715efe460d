"""Attempts at the problems of a suite: every question answered as often as asked, many side by side, each with a seed of its own.

The same attempt gets the same seed whatever else is asked, so that what a crash or a stop left out can be made up. Nothing is judged here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.engine.asked import End, Piece, Request
from core.engine.generate import Chatter
from core.errors import UserError
from core.evaluation.assembling import Question
from core.inference.sampling import Sampling

FILE = "attempts.jsonl"
_UNDER_WAY = 64
"""Requests that the decode loop knows of: enough to let in the next when one ends."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer. index: which of the task's, from 0. reason: stop, length, or refused for a question that the model cannot take, and then
    detail says why. tokens: of the answer."""

    task: str
    index: int
    seed: int
    text: str
    reason: str
    detail: str
    prompt_tokens: int
    tokens: int


def seed_of(seed: int, task: str, index: int) -> int:
    """The seed of one attempt, from that of all."""
    return int.from_bytes(hashlib.sha256(f"{seed} {task} {index}".encode()).digest()[:4]) >> 1


def attempts(
    chatter: Chatter,
    questions: Sequence[tuple[str, Question]],
    samples: int,
    sampling: Sampling,
    *,
    chat: bool,
    done: Collection[tuple[str, int]] = (),
    at_once: int = _UNDER_WAY,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Attempt]:
    """Answer each question `samples` times, as they come to their ends; those in `done` (task, index) are left out.

    chat: ask in the model's chat template; else the model goes on from the question's text. sampling: its seed is that of all. Ends early when
    asked to stop, and then leaves out what was under way. at_once: how many the decode loop knows of.
    """
    waiting = iter([(task, one, n) for task, one in questions for n in range(samples) if (task, n) not in done])
    ended: list[Attempt] = []
    under_way = 0
    while not should_stop():
        while under_way < at_once and (given := next(waiting, None)) is not None:
            task, question, index = given
            seed = seed_of(sampling.seed or 0, task, index)
            try:
                _ask(chatter, task, index, question, replace(sampling, seed=seed), ended, should_stop, chat=chat)
                under_way += 1
            except UserError as error:
                yield Attempt(task, index, seed, "", "refused", str(error), 0, 0)
        if not under_way:
            return
        chatter.step()
        for one in ended:
            under_way -= 1
            if one.reason != "cancelled":
                yield one
        ended.clear()


def _ask(
    chatter: Chatter,
    task: str,
    index: int,
    question: Question,
    sampling: Sampling,
    ended: list[Attempt],
    should_stop: Callable[[], bool],
    *,
    chat: bool,
) -> None:
    """Put a question to the decode loop; its attempt is added to `ended`. Raises UserError when it does not fit the model."""
    texts: list[str] = []

    def hear(part: Piece | End) -> None:
        if isinstance(part, Piece):
            texts.append(part.text)
        else:
            assert sampling.seed is not None
            text = "".join(texts)
            ended.append(Attempt(task, index, sampling.seed, text, part.reason, "", part.prompt_tokens, part.tokens))

    user = [{"role": "user", "content": question.chat}]
    ids = chatter.chat_ids(user) if chat else chatter.text_ids(question.text)
    stops = tuple(dict.fromkeys((*sampling.stop, *question.stops)))
    chatter.decoder.ask(Request(tuple(ids), replace(sampling, stop=stops)), hear, should_stop)


def to_line(attempt: Attempt) -> str:
    """A line of attempts.jsonl."""
    return json.dumps(asdict(attempt), ensure_ascii=False) + "\n"


def read(file: Path) -> list[Attempt]:
    """What earlier tries have written; half a line that a crash left is cut off."""
    with suppress(FileNotFoundError), file.open("rb+") as lines:
        whole = lines.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        lines.truncate(len(whole))
        return [Attempt(**json.loads(line)) for line in whole.splitlines()]
    return []
