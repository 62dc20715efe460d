"""A process that asks many questions, to be killed: `python -m tests.core.teacher.asking_child LEDGER URL COUNT CONCURRENCY`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core.teacher.asking import Asker
from core.teacher.exchange import Question
from tests.core.teacher.conftest import PRICES, QUICK


def questions(url: str, count: int) -> list[Question]:
    """So many different ones, always the same."""
    return [
        Question(url, "gpt-4.1", ({"role": "user", "content": f"Problem {number}."},), {"max_tokens": 200})
        for number in range(count)
    ]


async def main() -> None:
    ledger, url, count, concurrency = sys.argv[1:]
    async with Asker(Path(ledger), PRICES, concurrency=int(concurrency), patience=QUICK) as ask:
        await asyncio.gather(*(ask(one) for one in questions(url, int(count))))


if __name__ == "__main__":
    asyncio.run(main())
