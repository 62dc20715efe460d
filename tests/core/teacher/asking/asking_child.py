"""A process that asks many questions, to be killed: `python -m tests.core.teacher.asking.asking_child LEDGER URL COUNT CONCURRENCY`; with `batches`
for the last, it asks in batches."""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.patience import Patience, Tempo
from core.teacher.asking.prices import Price, PriceTable
from core.teacher.exchange import Question

QUICK = Patience(first_wait=0.01, longest_wait=0.05, outage=0.3, answer=5.0, silence=2.0, grace=0.2)
"""As patient as a test can be."""
PRICES = PriceTable(
    "test",
    Decimal("0.5"),
    (Price(("gpt-4.1*",), date(2025, 1, 1), date(2025, 1, 1), Decimal("2.00"), Decimal("0.50"), Decimal("8.00")),),
)


def questions(url: str, count: int) -> list[Question]:
    """So many different ones, always the same."""
    return [
        Question(url, "gpt-4.1", ({"role": "user", "content": f"Problem {number}."},), {"max_tokens": 200})
        for number in range(count)
    ]


async def main() -> None:
    ledger, url, count, way = sys.argv[1:]
    asker: Asker | BatchAsker
    if way == "batches":
        asker = BatchAsker(Path(ledger), PRICES, tempo=Tempo(linger=0.05, poll=0.01, first_wait=0.01))
    else:
        asker = Asker(Path(ledger), PRICES, concurrency=int(way), patience=QUICK)
    async with asker as ask:
        await asyncio.gather(*(ask(one) for one in questions(url, int(count))))


if __name__ == "__main__":
    asyncio.run(main())
