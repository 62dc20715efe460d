"""How far a judge agrees with the reviewers, to read: figures with what they are told from, scores by decision, criteria, disputes.

Small numbers are told as such: where there are too few decisions, it says what to do instead of showing a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.teacher import words
from app.teacher.sample_list import Entry, Heading, SampleList
from app.teacher.score_chart import TENS, ScoreChart
from app.theme import Theme
from app.widgets.bars import Bar, BarCard
from app.widgets.facts_row import Fact, FactsRow
from app.widgets.jobs.job_tabs import scrolled
from app.widgets.labels import label, section
from core.teacher.judging.agreement import Agreement, Dispute

ENOUGH = 20
"""Decisions of each kind, accepted and not, from which on the figures mean something: below, the interval of an AUC is wider than 0.3."""
FACTS = (
    Fact("auc", "AUC", "How often it scores an accepted sample above a rejected one; 0.5 is chance. In brackets, what it lies between (95 %)"),
    Fact("decisions", "Told from", "Samples that people have decided on and that it has scored"),
    Fact("kappa", "Kappa", "Agreement beyond chance at the best threshold (Cohen): 0 is none, 1 is all"),
    Fact("agreed", "Agreed", "Decisions that are the same at the best threshold, beside those of one who always says what is commoner"),
    Fact("threshold", "Threshold", "Accepting from this score on agrees best with people"),
    Fact("accepted", "Mean if accepted", "Mean score of what people accepted"),
    Fact("rejected", "Mean if rejected", "Mean score of what people rejected or found in need of work"),
)  # fmt: skip
_DISPUTES = (Heading("#", 76, numeric=True), Heading("Decision", 96), Heading("Score", 64, numeric=True), Heading("Prompt", 0), Heading("What the judge says", 320, extra=True))  # fmt: skip
_DECISIONS = {"accepted": ("Accepted", "good"), "rejected": ("Rejected", "bad"), "needs_work": ("Needs work", "warn")}


class AgreementView(QWidget):
    """Signals: samples_wanted(search)."""

    samples_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sentence = label(wrap=True, name="agreementSentence")
        self.facts = FactsRow(FACTS, name="agreementFacts", says="Agreement with the reviewers")
        self.chart = ScoreChart(theme)
        self.criteria = BarCard("AUC by criterion", theme, name="agreementCriteria")
        self.disputes = SampleList(
            theme, _DISPUTES, name="disputes", title=section("Where judge and reviewers are furthest apart"),
            nothing="No accepted sample with a low score, and no rejected one with a high one.", fit=True,
        )  # fmt: skip
        self.disputes.samples_wanted.connect(self.samples_wanted)
        parts = ((self.sentence, 0), (self.facts, 0), (self.chart, 1), (self.criteria, 0), (self.disputes, 0))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(parts, "Agreement with the reviewers"))
        self.restart()

    def restart(self) -> None:
        """Another judge: nothing is known yet."""
        self.sentence.setText("Counting …")
        for part in (self.facts, self.chart, self.criteria, self.disputes):
            part.hide()

    def show_agreement(self, found: Agreement | None, disputes: Sequence[Dispute], titles: Mapping[str, str]) -> None:
        """Show this; None: the judge has scored nothing yet. titles: of the criteria, by name."""
        self.sentence.setText(sentence(found))
        decided = 0 if found is None else found.accepted + found.rejected
        self.facts.setVisible(found is not None and found.auc is not None)
        for part in (self.chart, self.disputes):
            part.setVisible(decided > 0)
        self.criteria.setVisible(found is not None and bool(found.criteria))
        if found is None:
            return
        self.facts.show_facts(_facts(found))
        none = (0,) * TENS
        self.chart.show_counts(found.histogram.get("accepted", none), found.histogram.get("rejected", none))
        bars = [Bar(name, titles.get(name, name), auc, f"{auc:.2f}") for name, auc in found.criteria.items()]
        self.criteria.show_bars(
            bars, "How well the points of each alone tell accepted samples from others; 0.50 is chance."
        )
        self.disputes.show_entries([_entry(one) for one in disputes])


def sentence(found: Agreement | None) -> str:
    """What the figures come to, or what is missing."""
    if found is None or not found.judge.scored:
        return "The judge has scored nothing yet."
    decided = found.accepted + found.rejected
    told = f"It is told from {found.accepted:,} accepted and {found.rejected:,} rejected samples"
    if found.auc is None:
        if not decided:
            return (
                f"{words.samples(found.judge.scored)} have a score, and nobody has decided on any of them. "
                f"Review some, {ENOUGH} accepted and {ENOUGH} rejected ones, and how far the judge agrees with you is told here."
            )
        missing = "accepted" if not found.accepted else "rejected"
        return (
            f"Of the samples with a score {decided:,} {'has' if decided == 1 else 'have'} a decision, and none is {missing}: "
            "there is nothing to compare. Review more of them, the worst and the best first."
        )
    if min(found.accepted, found.rejected) < ENOUGH:
        return f"{told}, too few to rely on. Review more of them, until there are {ENOUGH} of each."
    low, high = found.interval or (found.auc, found.auc)  # all told apart, or all tied
    if low > 0.5:
        return f"The judge tells what you accept from what you reject better than chance does. {told}."
    if high < 0.5:
        return f"The judge prefers what you reject: read the disputes, then change the rubric. {told}."
    return f"That the judge agrees with you any better than chance is not shown. {told}."


def _facts(found: Agreement) -> dict[str, tuple[str, str] | None]:
    interval = "" if found.interval is None else f"({found.interval[0]:.2f} to {found.interval[1]:.2f})"
    baseline = "" if found.baseline is None else f"against {words.percent(found.baseline, 1)}"
    return {
        "auc": None if found.auc is None else (f"{found.auc:.2f}", interval),
        "decisions": (f"{found.accepted + found.rejected:,}", f"of {found.judge.scored:,}"),
        "kappa": None if found.kappa is None else (f"{found.kappa:.2f}", ""),
        "agreed": None if found.agreed is None else (words.percent(found.agreed, 1), baseline),
        "threshold": None if found.threshold is None else (f"{found.threshold}", ""),
        "accepted": _mean(found, "accepted"),
        "rejected": _mean(found, "rejected"),
    }


def _mean(found: Agreement, decision: str) -> tuple[str, str] | None:
    mean = found.means.get(decision)
    return None if mean is None else (f"{mean:.0f}", "")


def _entry(one: Dispute) -> Entry:
    word, tone = _DECISIONS.get(one.decision, (one.decision, ""))
    return Entry(one.sample, (f"{one.sample:,}", word, str(one.score), one.title, one.summary), ((1, tone), (4, "dim")))
