"""A draft of a problem held against the Go toolchain before it is saved: does its test compile, does its reference pass, does a stub
fail? What is wrong is said with the part and the line in which a person can mend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.evaluation.checking import Held, Soundness, hold, soundness
from core.evaluation.drafting import Complaint, Draft, complaints, normal, problem_of
from core.evaluation.judging import Judge
from core.evaluation.suites import OURS
from core.golang.commands import Cancel
from core.golang.toolchain import Toolchain

_TESTS = re.compile(r"^func Test(?![a-z])\w*\(", re.MULTILINE)
_LINE = re.compile(r"(?:^|; )line (\d+): ")
_IN_TEST = ("does not compile", "does not parse")


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
    assert held.reference is not None
    ran = f"{tests} test{'s' * (tests != 1)}, {held.reference.seconds:.1f} s"
    if held.reference.flaky:
        return f"The reference passes in one run and fails in another ({ran})."
    if said.reference != "pass":
        return _capital(said.complaints[0].split(": ")[0]) + "."
    if not said.complaints:
        return f"The reference passes ({ran}). The stub fails, as it should."
    return f"The reference passes ({ran}). {_capital(said.complaints[0])}."


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
        yield Complaint("reference", 0, said.complaints[0])
    for line, text in found:
        if reference.status in ("syntax", "types", "refused", "build_timeout") and not text.startswith(_IN_TEST):
            yield Complaint("reference", _line_of(held.problem.solution, reference.code, line), text)
        else:
            yield Complaint("test", line, text)


def _by_line(detail: str) -> Iterator[tuple[int, str]]:
    """Lines and what is said of them; nothing where no line is named."""
    starts = list(_LINE.finditer(detail))
    ends = [one.start() for one in starts[1:]] + [len(detail)]
    for one, end in zip(starts, ends, strict=True):
        yield int(one[1]), detail[one.end() : end]


def _line_of(written: str, judged: str, line: int) -> int:
    """Where a line of what was judged stands in what was written: imports and empty lines may have come or gone above it. 0: nowhere."""
    ours, theirs = written.split("\n"), judged.split("\n")
    text = theirs[line - 1] if 0 < line <= len(theirs) else ""
    same = [at for at, one in enumerate(ours, start=1) if one.strip() == text.strip()]
    return min(same, key=lambda at: abs(at - line)) if text.strip() and same else 0


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
