"""What the table shows of a sample, column by column: words, widths and the key of the search language that sorts by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.golang.checker import CHECKS
from core.samples.store import SampleRow, Verdicts

STATUS_WORDS = {"new": "New", "accepted": "Accepted", "rejected": "Rejected", "needs_work": "Needs work"}
STATUS_TONES = {"new": "dim", "accepted": "good", "rejected": "bad", "needs_work": "warn"}


@dataclass(frozen=True, slots=True)
class Column:
    """sort: key of the search language, "" when it cannot be sorted by.

    rank: where the window is too narrow for all, columns of a high rank give way first; on_request: hidden until asked for.
    """

    key: str
    title: str
    width: int
    sort: str
    text: Callable[[SampleRow], str]
    rank: int = 0
    numeric: bool = False
    on_request: bool = False
    tip: str = ""


def states(verdict: Verdicts) -> tuple[str | None, ...]:
    """The five states in the order of CHECKS."""
    return verdict.parse, verdict.format, verdict.types, verdict.vet, verdict.test


def go_word(verdict: Verdicts) -> tuple[str, str]:
    """What Go says in a word and its tone: the first check that fails, "external", "passes", or "unchecked"."""
    found = states(verdict)
    failed = [check for check, state in zip(CHECKS, found, strict=True) if state == "fail"]
    if failed:
        return failed[0] + (f" +{len(failed) - 1}" if len(failed) > 1 else ""), "bad"
    if verdict.external:
        return "external", "dim"
    if "pass" in found:
        return "passes", "good"
    return "unchecked", "dim"


def go_sentence(verdict: Verdicts) -> str:
    """All five in words, for tool tips and screen readers."""
    words = {"pass": "passes", "fail": "fails", "skipped": "skipped", None: "unchecked"}
    found = [f"{check} {words[state]}" for check, state in zip(CHECKS, states(verdict), strict=True)]
    return ", ".join([*found, *(["it imports beyond the standard library"] if verdict.external else [])])


def number(value: int) -> str:
    """Thousands set apart, as in 51,020."""
    return f"{value:,}"


COLUMNS = (
    Column("title", "Prompt", 300, "title", lambda row: row.title),
    Column("status", "Status", 92, "status", lambda row: STATUS_WORDS[row.status], 1),
    Column(
        "go",
        "Go",
        156,
        "verdict",
        lambda row: go_word(row.verdict)[0],
        2,
        tip="parse, format, types, vet, test: ✓ passes, ✕ fails, – skipped, · unchecked",
    ),
    Column("tokens", "Tokens", 76, "tokens", lambda row: number(row.tokens), 3, numeric=True),
    Column("topic", "Topic", 112, "topic", lambda row: row.topic, 4),
    Column("source", "Source", 100, "source", lambda row: row.source, 6),
    Column("rating", "Rating", 70, "rating", lambda row: str(row.rating) if row.rating else "", 5, numeric=True),
    Column("lines", "Lines", 64, "lines", lambda row: number(row.lines), 8, numeric=True, on_request=True),
    Column("tags", "Tags", 120, "", lambda row: ", ".join(row.tags), 7, on_request=True),
    Column(
        "score",
        "Score",
        70,
        "score",
        lambda row: "" if row.score is None else f"{row.score} %",
        10,
        numeric=True,
        on_request=True,
        tip="How likely the apprentice thinks that you accept it",
    ),
    Column(
        "judge",
        "Judge",
        78,
        "judge",
        lambda row: "" if row.judge is None else str(row.judge),
        2,
        numeric=True,
        on_request=True,
        tip="Score by a judge's rubric, 0 to 100: the newest that this text was given; the sample's page says by whom",
    ),
    Column("id", "#", 64, "id", lambda row: number(row.id), 9, numeric=True, on_request=True),
)
TITLE, STATUS, GO = 0, 1, 2
