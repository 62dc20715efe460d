"""A run whose student answers a suite of two problems on the way, and the points of its curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engine import loop
from core.engine.parallel import Group
from core.evaluation import finding
from core.training import evaluating
from tests.core.engine.conftest import Notes, config
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

EVERY = {"suite": "set", "every": 2, "max_tokens": 12}


def freeze(place: Path) -> evaluating.Frozen:
    texts = {f"p{at}": problems.our_text(task) for at, task in enumerate(TASKS[:2])}
    suite = finding.open_suite(str(problems.write_ours(place / "set", texts)), None)
    made = evaluating.freeze(config(evaluation=EVERY), lambda _name: suite)
    assert made is not None
    return made


def train(base: Path, snapshot: Path, job: Path, frozen: evaluating.Frozen | None, **sections: Any) -> Notes:
    """A run by this process, with answers on the way where there are problems."""
    notes = Notes()
    settings = config(**{"evaluation": EVERY, **sections}) if frozen is not None else config(**sections)
    loop.train(settings, base, snapshot, job / "output", run="r", monitor=notes, group=Group(), problems=frozen)
    return notes


def points(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (event["step"], event["pass_at_1"], event["compile_rate"], event["problems"], tuple(event["interval"]))
        for event in events
        if event["kind"] == "evaluation"
    ]
