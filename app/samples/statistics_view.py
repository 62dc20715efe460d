"""The samples in numbers: bars for what there is of each kind and length; pressing one narrows the search to it, pressing it again widens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.samples.columns import STATUS_TONES, STATUS_WORDS, number
from app.samples.pick_card import PickCard
from app.theme import Theme
from app.widgets.bars import Bar, BarCard
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, label, section
from core.models import Model
from core.samples import query as queries
from core.samples.query import Query
from core.samples.statistics import Bin, Statistics, TokenCount

_MOST = 12
_VERDICTS = {"pass": ("Passes", "good"), "fail": ("Fails", "bad"), "unchecked": ("Unchecked", "")}
_TITLES = {
    "status": "Decisions", "verdict": "Go says", "topic": "Topics", "source": "Sources",
    "tokens": "Tokens (estimated)", "lines": "Lines of code", "accepted": "Accepted, by source", "tag": "Tags",
    "policy": "Policies broken",
}  # fmt: skip


class StatisticsView(QWidget):
    """Signals:
    wanted(Query)          the search that a press of a bar asks for
    tokens_wanted(Path)    count real tokens with the tokenizer of this model folder
    pick_wanted(method, amount, tag)   tag a part of what the search finds, as in `core.samples.selecting`
    closed()
    """

    wanted = Signal(object)
    tokens_wanted = Signal(object)
    pick_wanted = Signal(str, float, str)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = Query()
        self.setObjectName("statisticsView")
        self.setAccessibleName("Statistics")
        self.cards = {key: BarCard(title, theme, name=f"bars-{key}") for key, title in _TITLES.items()}
        for key, card in self.cards.items():
            card.chosen.connect(lambda value, key="source" if key == "accepted" else key: self._on_chosen(key, value))
        self._summary = ElidedLabel(tone="dim")
        self._summary.setObjectName("statisticsSummary")
        self._close = Button("Back to the table", theme, kind="link", name="closeStatistics")
        self._close.clicked.connect(self.closed)
        self._models = QComboBox()
        self._models.setObjectName("tokenizerPicker")
        self._models.setAccessibleName("Tokenizer")
        self._count = Button(
            "Count tokens", theme, name="countTokens", tip="Count real tokens of samples drawn at random"
        )
        self._count.clicked.connect(self._on_count)
        self._real = label("Lists show estimates; a tokenizer counts what a model would read.", tone="dim", wrap=True)
        self._real.setObjectName("tokenCount")
        self.picker = PickCard(theme)
        self.picker.wanted.connect(self.pick_wanted)
        QShortcut(QKeySequence("Esc"), self, self.closed.emit, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._arrange()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 8, 20, 8)
        head.setSpacing(10)
        head.addWidget(section("Statistics"))
        head.addWidget(self._summary, 1)
        head.addWidget(self._close)
        tokens = QFrame()
        tokens.setProperty("kind", "card")
        column = QVBoxLayout(tokens)
        column.setContentsMargins(14, 10, 14, 12)
        column.addWidget(section("Real tokens"))
        row = QHBoxLayout()
        row.addWidget(self._models, 1)
        row.addWidget(self._count)
        column.addLayout(row)
        column.addWidget(self._real)
        column.addStretch(1)
        grid = QGridLayout()
        grid.setContentsMargins(20, 4, 20, 20)
        grid.setSpacing(12)
        for place, card in enumerate((*self.cards.values(), tokens, self.picker)):
            grid.addWidget(card, place // 2, place % 2)
        for side in (0, 1):
            grid.setColumnStretch(side, 1)
        inside = QWidget()
        inside.setLayout(grid)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setAccessibleName("Charts")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(scroll, 1)

    def show_models(self, models: Sequence[Model]) -> None:
        """Offer the tokenizers of these models."""
        with QSignalBlocker(self._models):
            chosen = self._models.currentData()
            self._models.clear()
            for model in models:
                self._models.addItem(model.name, str(model.path))
            self._models.setCurrentIndex(max(0, self._models.findData(chosen)))
        self._count.setEnabled(bool(models))

    def show_statistics(self, query: Query, found: Statistics) -> None:
        """Show the numbers of this search."""
        self._query = query
        facets = found.facets
        self._summary.setText(
            f"{number(facets.total)} samples; the median has {number(found.median)} tokens, the longest {number(found.largest)}"
            if facets.total
            else "No sample matches this search."
        )
        self._show("status", {key: facets.status.get(key, 0) for key in STATUS_WORDS}, STATUS_WORDS, STATUS_TONES)
        words = {key: word for key, (word, _) in _VERDICTS.items()}
        tones = {key: tone for key, (_, tone) in _VERDICTS.items()}
        self._show("verdict", {key: facets.verdict.get(key, 0) for key in _VERDICTS}, words, tones)
        words = {"": "(none)", **{kind: kind.replace("_", " ") for kind in found.policies}}
        listed = {"topic": facets.topic, "source": facets.source, "tag": facets.tag, "policy": found.policies}
        for key, counts in listed.items():
            self._show(key, counts, words, {})
        self._show_bins("tokens", found.tokens)
        self._show_bins("lines", found.lines)
        most = found.acceptance[:_MOST]
        bars = [
            Bar(
                one.source,
                one.source or "(none)",
                one.accepted / one.decided,
                f"{one.accepted / one.decided:.0%}",
                "good",
            )
            for one in most
        ]
        self.cards["accepted"].show_bars(bars, "" if most else "Nothing is accepted or rejected yet.")

    def show_tokens(self, found: TokenCount | None) -> None:
        """Show what the tokenizer counted."""
        self._count.setEnabled(True)
        if found is None:
            self._real.setText("No sample matches this search.")
            return
        over = ", ".join(f"{share:.1%} over {number(limit)}" for limit, share in found.share_over.items())
        self._real.setText(
            f"Median {number(found.median)}, longest {number(found.longest)}; {over}. Of {number(found.drawn)} samples drawn; "
            f"{found.ratio:.2f} real tokens for each estimated one."
        )

    def _show(self, key: str, counts: Mapping[str, int], words: Mapping[str, str], tones: Mapping[str, str]) -> None:
        shown = list(counts.items())[:_MOST]
        most = max((count for _, count in shown), default=0) or 1
        chosen = self._chosen(key)
        bars = [
            Bar(value, words.get(value, value), count / most, number(count), tones.get(value, "info"), value in chosen)
            for value, count in shown
        ]
        rest = len(counts) - len(shown)
        self.cards[key].show_bars(bars, f"and {number(rest)} more" if rest > 0 else "" if shown else "None here.")

    def _show_bins(self, key: str, bins: Sequence[Bin]) -> None:
        most = max((one.count for one in bins), default=0) or 1
        chosen = self._chosen(key)
        bars = []
        for one in bins:
            value = f"{one.low}..{one.high - 1}" if one.high is not None else f">={one.low}"
            words = (
                f"{number(one.low)} – {number(one.high - 1)}" if one.high is not None else f"{number(one.low)} and more"
            )
            bars.append(Bar(value, words, one.count / most, number(one.count), "info", value in chosen))
        self.cards[key].show_bars(bars)

    def _chosen(self, key: str) -> tuple[str, ...]:
        return next((one.values for one in self._query.conditions if one.key == key and not one.negated), ())

    def _on_chosen(self, key: str, value: str) -> None:
        if not value:
            return
        now = self._chosen(key)
        self.wanted.emit(queries.having(self._query, key, () if value in now else (value,)))

    def _on_count(self) -> None:
        if self._models.currentData():
            self._count.setEnabled(False)
            self._real.setText("Counting…")
            self.tokens_wanted.emit(Path(self._models.currentData()))
