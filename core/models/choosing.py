"""Which checkpoints of a run stand for all of them, where there is room for a few."""

from __future__ import annotations

from collections.abc import Sequence

from core.models.catalogue import Model


def of_run(models: Sequence[Model], run: str, most: int) -> tuple[Model, ...]:
    """The base of a run where it is known, then its checkpoints by step: the first, the last, and others evenly between; at most `most`."""
    saved = sorted((one for one in models if one.run == run and not one.problem), key=lambda one: one.step or 0)
    roots = {one.base.resolve() for one in saved if one.base is not None}
    base = [one for one in models if one.base is None and one.run is None and one.path.resolve() in roots][:1]
    room = max(0, most - len(base))
    if len(saved) > room:
        places = {round(at * (len(saved) - 1) / max(1, room - 1)) for at in range(room)}
        saved = [saved[at] for at in sorted(places)] if room > 1 else saved[-room:] if room else []
    return (*base[:most], *saved)


def newest_run(models: Sequence[Model]) -> str | None:
    """The run whose checkpoints are listed first, None where there is none."""
    return next((one.run for one in models if one.run is not None and not one.problem), None)
