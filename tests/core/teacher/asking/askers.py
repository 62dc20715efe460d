"""Asking as tests do it: all questions at once, replies in order, and what the ledger then holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.ledger import Ledger
from core.teacher.exchange import Answer, Question
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer

Make = Callable[..., Question]
MakeAsker = Callable[..., Asker]


def ask(asker: Asker | BatchAsker, *questions: Question) -> list[Answer | BaseException]:
    """All of them at once; what came of each."""

    async def run() -> list[Answer | BaseException]:
        async with asker:
            return await asyncio.gather(*(asker(question) for question in questions), return_exceptions=True)

    return asyncio.run(run())


def first(*replies: Reply) -> Callable[[Seen], Reply]:
    """These replies in order, then answers."""
    return lambda seen: replies[seen.order - 1] if seen.order <= len(replies) else answer()


def attempts(path: Path, question: Question) -> list[tuple[str | None, int]]:
    """Outcome and status of each sending."""
    with closing(Ledger(path / "output" / "ledger.db")) as ledger:
        return [(one.outcome, one.status) for one in ledger.attempts(question.key)]


def column(path: Path, name: str) -> list[object]:
    with closing(Ledger(path / "output" / "ledger.db")) as ledger:
        return [row[0] for row in ledger.connection.execute(f"SELECT {name} FROM attempt ORDER BY id")]
