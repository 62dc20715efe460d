"""What an evaluation came to: numbers with their intervals, what is to be known of them, and bars of statuses, topics and difficulties.

A press on a bar narrows the table of problems; it is drawn as chosen until it is pressed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.evaluation import words
from app.theme import Theme
from app.widgets.bars import Bar, BarCard
from app.widgets.facts_row import Fact, FactsRow
from app.widgets.jobs.job_tabs import scrolled
from app.widgets.labels import label
from app.widgets.progress import duration
from core.evaluation.contents import Contents
from core.evaluation.judging import STATUSES
from core.evaluation.passing import compile_rate
from core.evaluation.results import Evaluation, groups

_LARGER = ("pass_a", "pass_b", "pass_c")
FACTS = (
    *(Fact(name, "pass@k", "The chance that one of k answers passes, mean over problems. In brackets, what it lies between (95 %)") for name in _LARGER),
    Fact("compiles", "Compiles", "Answers that the compiler takes, mean over problems"),
    Fact("problems", "Problems", "With a verdict"),
    Fact("answers", "Answers", "That were judged"),
    Fact("cut", "Cut off", "Answers that had reached the longest length before their end"),
    Fact("unjudged", "Not judged", "Answers on which the sandbox failed; they count as nobody's mistake"),
    Fact("seconds", "Judged in", "What building and running the answers took"),
)  # fmt: skip
_CARDS = (("status", "What became of the answers"), ("topic", "Pass@1 by topic"), ("difficulty", "Pass@1 by difficulty"))  # fmt: skip
_MOST_NAMED = 6


class Overview(QWidget):
    """Attributes: facts, notes, cards (by what they are of: status, topic, difficulty).

    Signals: narrowed(what, key), a bar was pressed.
    """

    narrowed = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts = FactsRow(FACTS, name="evaluationFacts", says="What the evaluation came to", narrowest=240)
        self.notes = label(wrap=True, tone="dim", name="evaluationNotes")
        self.cards = {what: BarCard(title, theme, name=f"evaluationBy-{what}") for what, title in _CARDS}
        self.cards["status"].chosen.connect(lambda key: self.narrowed.emit("status", key))
        self.cards["topic"].chosen.connect(lambda key: self.narrowed.emit("topic", key))
        self.cards["difficulty"].chosen.connect(lambda key: self.narrowed.emit("difficulty", key))
        parts = ((self.facts, 0), (self.notes, 0), *((card, 0) for card in self.cards.values()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(parts, "What the evaluation came to"))

    def show_contents(self, found: Contents | None, chosen: Mapping[str, str]) -> None:
        """Show these; None: nothing is known yet. chosen: which bar of each kind narrows the table."""
        self.facts.setVisible(found is not None)
        if found is None:
            self.notes.setText("")
            self.notes.hide()
            for card in self.cards.values():
                card.hide()
            return
        self.facts.show_facts(_facts(found))
        notes = remarks(found)
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        bars = {"status": _status_bars(found), "topic": _group_bars(found, "topic"), "difficulty": _group_bars(found, "difficulty")}  # fmt: skip
        for what, card in self.cards.items():
            card.setVisible(bool(bars[what]))
            card.show_bars([_with_choice(bar, chosen.get(what, "")) for bar in bars[what]])


def remarks(found: Contents) -> list[str]:
    """What is to be known of the numbers, a sentence each."""
    result = found.evaluation
    if result is None:
        judged = found.candidate_count
        return [f"{words.counted(judged, 'answer')} judged so far; the numbers follow at the end." if judged else "No answer was judged yet."]  # fmt: skip
    said = []
    for one, many, names in (
        ("problem has no answer and is left out", "problems have no answer and are left out", list(result.missing)),
        ("reference does not pass its own test", "references do not pass their own test", [f"{task} ({_reason(why)})" for task, why in result.references.items()]),
        ("problem passes in one run and fails in another", "problems pass in one run and fail in another", list(result.flaky)),
    ):  # fmt: skip
        if names:
            named = ", ".join(words.short(name, result.origin.suite) for name in names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
            said.append(f"{len(names):,} {one if len(names) == 1 else many}: {named}{more}.")
    return said


def _reason(why: str) -> str:
    """Why a reference does not pass, its status in the words of this page."""
    status, _, detail = why.partition(": ")
    return ": ".join(part for part in (words.WORDS.get(status, status).lower(), detail) if part)


def headline(result: Evaluation) -> tuple[str, str]:
    """The number, and what belongs to it in half a sentence."""
    best = result.pass_at.get(1)
    if best is None:
        return "No verdict", "the sandbox failed on every answer" if result.tallies else "there were no answers"
    parts = [f"95 % interval {words.between(best.interval)}"]
    if result.compile_rate is not None:
        parts.append(f"{words.percent(result.compile_rate)} compile")
    parts.append(words.counted(result.problems, "problem"))
    return words.pass_at(1, best), " · ".join(parts)


def _facts(found: Contents) -> dict[str, tuple[str, str] | None]:
    result = found.evaluation
    shown: dict[str, tuple[str, str] | None] = dict.fromkeys((fact.name for fact in FACTS), None)
    shown["answers"] = (f"{found.candidate_count:,}", "")
    unjudged = found.statuses.get("sandbox_error", 0)
    shown["unjudged"] = (f"{unjudged:,}", "") if unjudged else None
    if result is None:
        rate = compile_rate(found.tallies)
        shown["compiles"] = None if rate is None else (words.percent(rate), "so far")
        shown["problems"] = (f"{sum(one.n > 0 for one in found.tallies):,}", f"of {len(found.problems):,}")
        return shown
    larger = [(k, one) for k, one in sorted(result.pass_at.items()) if k > 1]
    for name, (k, one) in zip(_LARGER, larger, strict=False):
        shown[name] = (words.percent(one.value), f"k = {k} ({words.between(one.interval)})")
    if "cut_off" in result.origin.settings:
        shown["cut"] = (f"{result.origin.settings['cut_off']:,}", "")
    shown["seconds"] = (duration(result.seconds), "")
    return shown


def _status_bars(found: Contents) -> list[Bar]:
    total = found.candidate_count
    return [
        Bar(status, words.WORDS[status], count / total, f"{count:,}", words.tone(status))
        for status in STATUSES
        if (count := found.statuses.get(status, 0))
    ]


def _group_bars(found: Contents, by: str) -> Sequence[Bar]:
    named = groups(found.tallies, by).items()
    order = sorted(named, key=lambda one: one[1][1]) if by == "topic" else named
    return [Bar(name, f"{name} ({count:,})", rate, words.percent(rate)) for name, (count, rate) in order]


def _with_choice(bar: Bar, chosen: str) -> Bar:
    return Bar(bar.key, bar.title, bar.share, bar.value, bar.tone, bar.key == chosen)
