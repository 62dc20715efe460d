"""Long work in steps: between two of them whoever drives it may do something else, or drop it.

A generator that yields nothing and returns the result, so that the work reads as if it ran in one go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Steps = Generator[None, None, T]


def run(steps: Steps[T]) -> T:
    """All steps, one after the other."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def in_one_go(begin: Callable[P, Steps[T]]) -> Callable[P, T]:
    """The same work for those who wait for its end."""

    @functools.wraps(begin)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(begin(*args, **kwargs))

    return done
