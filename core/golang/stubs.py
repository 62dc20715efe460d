"""The same code without what it does: every function returns zero values. What a test passes on, it does not test.

Written by the Go helper, which keeps types and signatures, so that a test that was built against the code is built against
the stub. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.golang.batch import arranging
from core.golang.checker import CheckItem
from core.golang.pipeline import GivenUp
from core.golang.toolchain import Toolchain, find


@dataclass(frozen=True, slots=True)
class Stub:
    """code: "" where there is none, and then reason says why, as the end of a sentence about the code. stubbed: functions emptied."""

    key: int
    code: str
    stubbed: int
    reason: str


def stubs(items: Iterable[CheckItem], toolchain: Toolchain | None = None) -> Iterator[Stub]:
    """The stub of each item's code, in order. Raises UserError when there is no Go toolchain."""
    with arranging(toolchain or find()) as pipeline:
        for item, answer in pipeline.ask((item, {"code": item.code, "stub": True}) for item in items):
            if isinstance(answer, GivenUp):
                yield Stub(item.key, "", 0, f"kills the checker ({answer.reason})")
            else:
                yield Stub(item.key, answer["code"], answer["stubbed"], answer["reason"])
