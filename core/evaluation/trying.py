"""A draft of a problem held against the Go toolchain before it is saved: does its test compile, does its reference pass, does a stub
fail? What is wrong is said with the part and the line in which a person can mend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.evaluation.checking import Held, Soundness, hold, soundness
from core.evaluation.drafting import Complaint, Draft, complaints, normal, problem_of
from core.evaluation.judging import COMPILES, Judge
from core.evaluation.suites import OURS
from core.golang.commands import Cancel
from core.golang.toolchain import Toolchain

_TESTS = re.compile(r"^func Test(?![a-z])\w*\(", re.MULTILINE)
_LINE = re.compile(r"(?:^|; )line (\d+): ")
_IN_TEST = re.compile(r"^line \d+: (does not (?:compile|parse))")
_IN_CODE = re.compile(r" \(code line (\d+)\)")
_NOT_RUN = "not run: "
_FAILS = {
    "syntax": "The reference does not parse",
    "types": "The reference does not compile",
    "refused": "The reference does what could change its judge, so it was not run",
    "build_timeout": "The reference is too much for the compiler",
    "panic": "The reference does not pass: it panics, or ends before its tests are over",
    "wrong_answer": "The reference does not pass",
    "timeout": "The reference does not pass in time",
    "out_of_memory": "The reference does not pass with the memory that it may use",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a draft. tests: functions of its test. seconds: of the reference's longest run. soundness: None where the draft
    is no problem yet. sentence: all of it in words. complaints: none for a sound draft."""

    draft: Draft
    tests: int
    seconds: float
    soundness: Soundness | None
    sentence: str
    complaints: tuple[Complaint, ...]


def try_draft(draft: Draft, toolchain: Toolchain, cancel: Cancel | None = None) -> Trial | None:
    """Build and run the draft's test; None when cancelled. Raises UserError when tests cannot be run here."""
    draft = normal(draft)
    if wrong := complaints(draft):
        return Trial(draft, 0, 0.0, None, "Nothing was run, because this is no problem yet.", tuple(wrong))
    problem = problem_of("draft", draft)
    with Judge(OURS, "fixed", toolchain, cancel=cancel) as judge:
        held = hold([problem], judge, toolchain)
    if not held:
        return None
    (one,) = held
    assert one.reference is not None  # a draft without one is no problem
    said = soundness(one)
    tests = len(_TESTS.findall(draft.test))
    return Trial(
        draft, tests, one.reference.seconds, said, _sentence(one, said, tests), tuple(_complaints(one, said))
    )  # fmt: skip


def _sentence(held: Held, said: Soundness, tests: int) -> str:
    reference = held.reference
    assert reference is not None
    took = f"{reference.seconds:.1f} s" if reference.seconds >= 0.1 else "less than 0.1 s"
    ran = f"{tests} test{'s' * (tests != 1)}, {took}"
    if reference.flaky:
        return f"The reference passes in one run and fails in another ({ran})."
    if reference.status == "pass":
        also = (
            f"{said.complaints[0][0].upper()}{said.complaints[0][1:]}."
            if said.complaints
            else "The stub fails, as it should."
        )
        return f"The reference passes ({ran}). {also}"
    if reference.status == "sandbox_error":
        return f"The reference could not be tried: {reference.detail}."
    if (broken := _IN_TEST.search(reference.detail)) is not None:
        return f"The test {broken[1]}, so nothing was run."
    if reference.detail.startswith(_NOT_RUN):
        return f"Nothing was run, because the {_importer(held)} {reference.detail.removeprefix(_NOT_RUN)}."
    why = "" if _LINE.match(reference.detail) else f": {reference.detail}"
    return f"{_FAILS[reference.status]}{why}."


def _importer(held: Held) -> str:
    """Which part it is that asks for more than the standard library."""
    assert held.reference is not None
    named = re.search(r"imports (\S+),", held.reference.detail)
    return "test" if named is not None and f'"{named[1]}"' in held.problem.test else "reference"


def _complaints(held: Held, said: Soundness) -> Iterator[Complaint]:
    """Each line of the toolchain's words by itself, in the part that a person has to look at."""
    reference = held.reference
    assert reference is not None
    if not said.complaints:
        return
    if reference.status == "pass":
        yield Complaint("test", 0, said.complaints[0])
        return
    found = list(_by_line(reference.detail))
    if not found:
        unusual = reference.detail.startswith(_NOT_RUN)
        part = _importer(held) if unusual else "test" if reference.status == "sandbox_error" else "reference"
        yield Complaint(part, 0, reference.detail.removeprefix(_NOT_RUN))
    written = held.problem.solution
    in_test = reference.status in COMPILES or _IN_TEST.search(reference.detail)
    for line, text in found:
        inner = _IN_CODE.search(text)
        if inner is not None:
            yield Complaint("reference", _line_of(written, reference.code, int(inner[1])), text.replace(inner[0], ""))
        elif in_test:
            yield Complaint("test", line, text)
        else:
            yield Complaint("reference", _line_of(written, reference.code, line), text)


def _by_line(detail: str) -> Iterator[tuple[int, str]]:
    """Lines and what is said of them; nothing where no line is named."""
    starts = list(_LINE.finditer(detail))
    ends = [*(one.start() for one in starts[1:]), len(detail)][: len(starts)]
    for one, end in zip(starts, ends, strict=True):
        yield int(one[1]), detail[one.end() : end]


def _line_of(written: str, judged: str, line: int) -> int:
    """Where a line of what was judged stands in what was written: imports and empty lines may have come or gone above it. 0: nowhere."""
    ours, theirs = written.split("\n"), judged.split("\n")
    text = theirs[line - 1] if 0 < line <= len(theirs) else ""
    same = [at for at, one in enumerate(ours, start=1) if one.strip() == text.strip()]
    return min(same, key=lambda at: abs(at - line)) if text.strip() and same else 0
