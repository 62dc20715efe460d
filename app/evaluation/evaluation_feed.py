"""What is followed of an evaluation: where it stands and at what pace, and what was judged, read anew when there is more of it."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import UserError
from core.evaluation import board, contents
from core.evaluation.board import Standing
from core.evaluation.contents import Contents, Stamp
from core.jobs import JobFolder

_LOOKED_BACK = 256 * 1024
"""Bytes of events, some ten minutes at ten a second: what the pace is told from."""

Looked = tuple[Standing, Contents | UserError | None]
"""Where it stands, and what it holds: None where that is what it held before, an error where it cannot be read."""


def follow(folder: JobFolder) -> Callable[[], Looked]:
    """For `app.widgets.jobs.job_feed`."""
    known: Stamp | None = None

    def look() -> Looked:
        nonlocal known
        stamp = contents.stamp(folder)
        found: Contents | UserError | None = None
        if stamp != known:
            try:
                found = contents.read(folder)
            except UserError as error:
                found = error
        known = stamp
        return board.standing(folder.events, _LOOKED_BACK), found

    return look
