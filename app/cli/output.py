"""How commands speak: answers on stdout (prose, or one JSON object), progress and complaints on stderr.

Nothing else in `app.cli` prints. `Session` is what every command receives: the chosen workspace and the way to answer.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from core.errors import UserError
from core.workspace import Workspace, open_workspace


@dataclass(slots=True)
class Session:
    """The global options of one command line, and what follows from them."""

    root: Path
    as_json: bool = False
    _workspace: Workspace | None = field(default=None, repr=False)

    def workspace(self) -> Workspace:
        """The workspace, created with the bundled samples in it when it is new."""
        if self._workspace is None:
            progress = Progress("Preparing a new workspace")
            self._workspace = open_workspace(self.root, progress=progress.update)
            progress.end()
        return self._workspace

    def answer(self, data: Mapping[str, Any], text: str) -> None:
        """One JSON object with --json, else prose."""
        click.echo(json.dumps(data, ensure_ascii=False) if self.as_json else text)


class Progress:
    """A line on stderr that redraws itself at most ten times a second, and only on a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = 0.0
        self._drawn = False

    def update(self, done: int, total: int | None) -> None:
        """`total` None: the end is not known."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._shown < 0.1:
            return
        self._shown, self._drawn = now, True
        share = f"{done:,} of {total:,}" if total else f"{done:,}"
        click.echo(f"\r\x1b[K{self._label}: {share}", err=True, nl=False)

    def end(self) -> None:
        """Leave the terminal on a clean line."""
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)


def complain(error: UserError, *, as_json: bool) -> None:
    """One sentence and a hint on stderr; with --json also as the answer, so that scripts read one stream."""
    click.echo(f"gosmith: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
    if as_json:
        click.echo(json.dumps({"error": error.message, "hint": error.hint}, ensure_ascii=False))


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns as wide as their longest cell; numbers flush right."""
    if not rows:
        return "nothing"
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(header)]
    right = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]

    def line(values: Sequence[str]) -> str:
        padded = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), *(line(row) for row in cells)])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
