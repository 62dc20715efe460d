"""How the Evaluation page writes statuses, shares, intervals and times, so that every part of it says the same."""

from __future__ import annotations

from collections.abc import Mapping

from core.evaluation.judging import STATUSES
from core.evaluation.passing import Estimate

WORDS = {
    "pass": "Pass", "extract": "No code", "syntax": "Syntax", "types": "Types", "refused": "Refused", "build_timeout": "Build timeout",
    "panic": "Panic", "wrong_answer": "Wrong answer", "timeout": "Timeout", "out_of_memory": "Out of memory",
    "sandbox_error": "Not judged",
}  # fmt: skip
TIPS = {
    "pass": "Its hidden test passed",
    "extract": "There is no Go code in the answer",
    "syntax": "It does not parse",
    "types": "It does not compile",
    "refused": "It does what could change its judge",
    "build_timeout": "Too much for the compiler",
    "panic": "It ended before its tests were over",
    "wrong_answer": "A test failed",
    "timeout": "It ran longer than it may",
    "out_of_memory": "It wanted more memory than it may have",
    "sandbox_error": "The sandbox failed three times, which says nothing of the answer; it counts as nobody's mistake",
}
_TONES = {"pass": "good", "sandbox_error": "warn"}
MODES = {"fixed": "Fixed: answers as they were meant", "paper": "Paper: as the suite's authors do"}
FORMATS = {
    "gosmith": "Gosmith", "humaneval-x": "HumanEval-X", "humanevalpack": "HumanEvalPack", "multipl-e": "MultiPL-E",
    "humaneval": "HumanEval (Python)",
}  # fmt: skip


def tone(status: str) -> str:
    """Of a status, as in `Tokens.tone`."""
    return _TONES.get(status, "bad")


def percent(share: float) -> str:
    """31.2 %."""
    return f"{100 * share:.1f} %"


def between(interval: tuple[float, float]) -> str:
    """An interval of shares, in percent: "24.0 to 38.9". A normal one may reach beyond what a share can be; that is cut off."""
    return f"{100 * max(0.0, interval[0]):.1f} to {100 * min(1.0, interval[1]):.1f}"


def pass_at(k: int, found: Estimate) -> str:
    """`pass@1 31.2 %`."""
    return f"pass@{k} {percent(found.value)}"


def counted(count: int, word: str) -> str:
    """`1 problem`, `80 problems`."""
    return f"{count:,} {word}{'s' if count != 1 else ''}"


def statuses(found: Mapping[str, int]) -> str:
    """What became of some candidates, the commonest first: "3 pass, 2 types"."""
    order = sorted((one for one in STATUSES if found.get(one)), key=lambda one: -found[one])
    return ", ".join(f"{found[one]:,} {WORDS[one].lower()}" for one in order)


def short(task: str, suite: str) -> str:
    """A problem's name without that of its suite."""
    return task.removeprefix(f"{suite}/")


def passed_of(passed: int, judged: int) -> tuple[str, float | None]:
    """How many of the answers with a verdict pass, in words and as a share; a dash where there are none."""
    return (f"{passed} / {judged}", passed / judged) if judged else ("—", None)
