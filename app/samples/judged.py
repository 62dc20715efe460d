"""What judges say of a sample's present text, in a line, and in full: points with their reasons, who said it by which rubric, older ones below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from app.samples.folded import Folded, Pen

if TYPE_CHECKING:
    from core.teacher.judging.judgement import Judgement


def folded(judgements: Sequence[Judgement]) -> Folded | None:
    """What to tell, the newest first; None for a text that nobody has judged."""
    return Folded(judgements, _line(judgements), lambda pen: _write(judgements, pen)) if judgements else None


def _line(judgements: Sequence[Judgement]) -> str:
    newest = judgements[0]
    said = "no score" if newest.score is None else str(newest.score)
    parts = [said, f"{newest.rubric} {newest.rubric_version}", newest.model or newest.asked_model, _cost(newest)]
    if newest.score is None:
        parts.append(newest.reason)
    if older := len(judgements) - 1:
        parts.append(f"{older} older")
    return " · ".join(parts)


def _write(judgements: Sequence[Judgement], pen: Pen) -> None:
    for place, one in enumerate(judgements):
        gap = "\n\n\n" if place else ""
        pen.head(f"{gap}{'no score' if one.score is None else f'{one.score} of 100'}")
        when = datetime.fromtimestamp(one.created).strftime("%Y-%m-%d %H:%M")
        pen.dim(
            f"  {one.model or one.asked_model} by {one.rubric} {one.rubric_version} ({one.rubric_digest[:12]}), {when}\n"
        )
        pen.plain(one.summary or one.reason)
        for points in one.points:
            pen.head(f"\n\n{points.criterion}: {points.points}\n")
            pen.plain(points.why)
        used = f"{one.usage.prompt:,} tokens read, {one.usage.completion:,} written"
        pen.dim(f"\n\n{used}, {_cost(one)}, {one.seconds:.1f} s, job {one.job}")


def _cost(one: Judgement) -> str:
    return "price unknown" if one.cost_usd is None else f"${one.cost_usd:.4f}"
