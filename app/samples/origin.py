"""Where a sample comes from, in a line and in full: how a teacher's was drawn, what was asked and answered; which model gave an answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from app.samples.folded import Folded, Pen

if TYPE_CHECKING:
    from core.samples.answered import Answered
    from core.teacher.provenance import Provenance


def folded(origin: Provenance | None) -> Folded | None:
    """What to tell of this one; None for a sample that no teacher wrote."""
    return None if origin is None else Folded(origin, _line(origin), lambda pen: _write(origin, pen))


def folded_answer(origin: Answered | None) -> Folded | None:
    """What to tell of one that was an answer in the playground; None for every other."""
    return None if origin is None else Folded(origin, _answer_line(origin), lambda pen: _write_answer(origin, pen))


def _answer_line(origin: Answered) -> str:
    seed = origin.settings.get("seed")
    step = "" if origin.step is None else f"step {origin.step:,}"
    said = "as the model said it" if origin.original is None else "edited"
    return " · ".join(part for part in (origin.model, step, "" if seed is None else f"seed {seed}", said) if part)


def _write_answer(origin: Answered, pen: Pen) -> None:
    settings = ", ".join(f"{name} {value}" for name, value in origin.settings.items() if value not in (None, [], ""))
    found = [
        f"model         {origin.path or origin.model}",
        f"run           {origin.run}" + ("" if origin.step is None else f", step {origin.step:,}")
        if origin.run
        else "",
        f"settings      {settings}" if settings else "",
        f"conversation  {origin.conversation}, message {origin.message}",
        f"saved         {datetime.fromtimestamp(origin.created).strftime('%Y-%m-%d %H:%M')}",
    ]
    pen.dim("\n".join(line for line in found if line))
    if origin.original is not None:
        pen.head("\n\nWhat the model said\n")
        pen.plain(origin.original)


def _write(origin: Provenance, pen: Pen) -> None:
    pen.dim("\n".join(_details(origin)))
    for turn in origin.conversation:
        for message in turn.messages:
            pen.head(f"\n\n{turn.stage}, {message.role}\n")
            pen.plain(message.content)
        cost = "" if turn.cost_usd is None else f", ${turn.cost_usd:.4f}"
        used = f"{turn.usage.prompt:,} tokens read, {turn.usage.completion:,} written{cost}, {turn.seconds:.1f} s"
        pen.head(f"\n\n{turn.stage}, {turn.model}")
        pen.dim(f"  {used}\n")
        pen.plain(turn.answer or turn.refusal or "(nothing)")


def _line(origin: Provenance) -> str:
    requests = f"{origin.requests} request{'s' if origin.requests != 1 else ''}"
    parts = [origin.recipe, requests]
    parts.append("price unknown" if origin.cost_usd is None else f"${origin.cost_usd:.4f}")
    if origin.reason:
        parts.append(f"{origin.result}: {origin.reason}")
    return " · ".join(parts)


def _details(origin: Provenance) -> list[str]:
    drawn = ", ".join(f"{axis} = {value}" for axis, value in origin.draw.items())
    given = ", ".join(f"{name} = {value}" for name, value in origin.parameters.items())
    found = [
        f"job       {origin.job}, sample {origin.number} of seed {origin.seed}"
        + (", mended" if origin.kind == "fix" else ""),
        f"recipe    {origin.recipe} {origin.recipe_version} ({origin.recipe_digest[:12]})",
        f"drawn     {drawn}" if drawn else "",
        f"from      {origin.origin}" if origin.origin else "",
        f"asked     {origin.asked_model} at {origin.base_url}" + (f" with {given}" if given else ""),
        f"agreed    {origin.agreement} tests" if origin.agreement else "",
        f"answers   {origin.evaluation}" if origin.evaluation else "",
        f"result    {origin.result} {origin.reason}".rstrip(),
    ]
    return [line for line in found if line]
