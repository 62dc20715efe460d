"""Whether a suite is sound: its tests compile, its references pass, and a stub of each reference fails.

A test that an empty function passes measures nothing; a reference that fails, or passes only now and then, makes its problem
worthless. All of them are named; what to do about them is for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.evaluation.judging import COMPILES, Judge, Judged
from core.evaluation.suites import Problem
from core.golang.checker import CheckItem
from core.golang.stubs import stubs
from core.golang.toolchain import Toolchain

PASSES = 20
"""How often a reference is run: one that fails once in five shows in 99 of 100 checks."""
TOGETHER = 16
"""Problems that are built and run together: as many as share a package, so that progress is seen and a stop is quick."""


@dataclass(frozen=True, slots=True)
class Soundness:
    """What was found of a problem. reference: of `judging.STATUSES`, "" where the suite brings none; stub: likewise, "" where there is
    no stub, and then detail says why; complaints: sentences, none for a sound problem."""

    task: str
    reference: str
    stub: str
    flaky: bool
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A problem's test held against its reference and against a stub of it; None for what there is not. reason: why there is no stub,
    as the end of a sentence about the reference; "" where there is one."""

    problem: Problem
    reference: Judged | None
    stub: Judged | None
    reason: str


def check(
    problems: Sequence[Problem],
    judge: Judge,
    toolchain: Toolchain,
    progress: Callable[[int, int], None] | None = None,
) -> list[Soundness]:
    """What is found of each problem, in order; fewer when the judge's work was cancelled. progress: told (done, of how many).

    Raises UserError as `golang.testing.try_tests`.
    """
    found: list[Soundness] = []
    for start in range(0, len(problems), TOGETHER):
        part = problems[start : start + TOGETHER]
        held = hold(part, judge, toolchain)
        found += [soundness(one) for one in held]
        if len(held) < len(part):
            break
        if progress is not None:
            progress(len(found), len(problems))
    return found


def hold(problems: Sequence[Problem], judge: Judge, toolchain: Toolchain) -> list[Held]:
    """Hold each test against its reference and a stub; none of them when the judge's work was cancelled. Raises UserError as `check`."""
    references = judge.references(problems, PASSES)
    known = [one for one in problems if one.task in references]
    made = judge.assemble((one, one.solution) for one in known)
    emptied = {one.key: one for one in stubs((CheckItem(at, one.code) for at, one in enumerate(made)), toolchain)}
    items = [(at, (emptied[at].code, made[at].test)) for at in emptied if emptied[at].code and not made[at].status]
    judged = judge.run([pair for _, pair in items])
    if judged is None or (not references and any(one.solution.strip() for one in problems)):
        return []
    fate = {at: one for (at, _), one in zip(items, judged, strict=True)}
    places = {one.task: at for at, one in enumerate(known)}
    found = []
    for problem in problems:
        at = places.get(problem.task, -1)
        reason = emptied[at].reason if at in emptied and not emptied[at].code else ""
        found.append(Held(problem, references.get(problem.task), fate.get(at), reason))
    return found


def soundness(held: Held) -> Soundness:
    """What is to be said of it."""
    reference, stub = held.reference, held.stub
    return Soundness(
        held.problem.task,
        reference.status if reference else "",
        stub.status if stub else "",
        reference is not None and reference.flaky,
        tuple(_complaints(reference, stub, held.reason)),
    )


def _complaints(reference: Judged | None, stub: Judged | None, reason: str) -> Iterable[str]:
    if reference is None:
        yield "the suite brings no reference, so nobody knows whether its test can be passed"
        return
    if reference.flaky:
        yield "the reference passes in one run and fails in another"
    if reference.status == "sandbox_error":
        yield f"the reference could not be tried: {reference.detail}"
    elif re.match(r"line \d+: does not compile", reference.detail):
        yield f"the test {reference.detail}"
    elif reference.status != "pass":
        yield f"the reference does not pass ({reference.status.replace('_', ' ')}): {reference.detail}"
    elif stub is None:
        yield f"there is no stub to hold against the test: the reference {reason}"
    elif stub.status == "pass":
        yield "a stub that returns zero values passes the test"
    elif stub.status not in COMPILES:
        yield f"the stub could not be tried: {stub.detail}"
