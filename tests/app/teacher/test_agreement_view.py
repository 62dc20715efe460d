"""Agreement with the reviewers, to read: a figure where there is enough to tell one, and else a sentence that says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.teacher.agreement_view import AgreementView, sentence
from app.theme import Theme
from core.teacher.judging.agreement import Agreement, Dispute, Judge

JUDGE = Judge("gpt-4.1", "go-sample", 1, 80)
MANY = Agreement(
    JUDGE, 30, 25, 0.82, (0.71, 0.93), 60, 0.5, 0.76, 0.55, {"accepted": 71.0, "rejected": 44.0},
    {"accepted": (0, 0, 0, 1, 2, 3, 6, 8, 6, 4), "rejected": (2, 3, 5, 5, 4, 3, 2, 1, 0, 0)}, {"correctness": 0.8, "idiom": 0.4},
)  # fmt: skip
NONE = replace(
    MANY, accepted=0, rejected=0, auc=None, interval=None, threshold=None, kappa=None, agreed=None, baseline=None, means={}, criteria={}
)  # fmt: skip


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> AgreementView:
    made = AgreementView(theme)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    return made


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "nothing yet"),
        (NONE, "nobody has decided on any of them. Review some, 20 accepted and 20 rejected ones"),
        (replace(NONE, accepted=3), "3 have a decision, and none is rejected"),
        (replace(NONE, rejected=1), "1 has a decision, and none is accepted"),
        (replace(MANY, accepted=4), "told from 4 accepted and 25 rejected samples, too few to rely on"),
        (MANY, "better than chance does. It is told from 30 accepted and 25 rejected"),
        (replace(MANY, interval=(0.2, 0.4)), "prefers what you reject"),
        (replace(MANY, interval=(0.4, 0.6)), "not shown"),
        (replace(MANY, auc=1.0, interval=None), "better than chance does"),
    ],
)
def test_the_sentence_says_what_is_known_and_what_to_do(found: Agreement | None, says: str) -> None:
    assert says in sentence(found)


def test_every_figure_comes_with_what_it_is_told_from(view: AgreementView) -> None:
    view.show_agreement(MANY, (), {"correctness": "Correctness"})
    assert view.facts.texts() == {
        "auc": "0.82", "decisions": "55", "kappa": "0.50", "agreed": "76 %", "threshold": "60", "accepted": "71", "rejected": "44",
    }  # fmt: skip
    assert view.facts.cells["auc"].accessibleName() == "AUC: 0.82 (0.71 to 0.93)"
    assert view.facts.cells["decisions"].accessibleName() == "Told from: 55 of 80"
    assert view.facts.cells["agreed"].accessibleName() == "Agreed: 76 % against 55 %"
    assert [(bar.title, bar.value) for bar in view.criteria.bars] == [("Correctness", "0.80"), ("idiom", "0.40")]


def test_without_decisions_there_are_no_figures_to_be_misread(view: AgreementView) -> None:
    view.show_agreement(MANY, (), {})
    view.show_agreement(NONE, (), {})
    for part in (view.facts, view.chart, view.criteria, view.disputes):
        assert not part.isVisible()


def test_the_histogram_sets_accepted_beside_rejected_and_its_crosshair_counts(
    view: AgreementView, theme: Theme, qtbot: QtBot
) -> None:
    view.show_agreement(MANY, (), {})
    chart = view.chart
    assert chart.accessibleDescription().startswith("0–9: 0 accepted, 2 rejected; 10–19: 0 accepted, 3 rejected; ")
    chart.canvas.draw_now()
    picture = chart.canvas.picture
    assert picture is not None
    tokens = theme.tokens
    tops = {(block.colour, int(block.left // 10)): block.top for block in picture.blocks}
    assert tops[tokens.good, 7] == 8
    assert tops[tokens.bad, 7] == 1
    assert (tokens.good, 0) not in tops
    chart.canvas.setFocus()
    qtbot.keyClick(chart.canvas, Qt.Key.Key_Right)
    assert [one.text for one in chart.canvas._readings] == ["50–59: 3 accepted", "50–59: 3 rejected"]


def test_disputes_are_rows_that_open_their_sample(view: AgreementView, qtbot: QtBot) -> None:
    found = (Dispute(7, "Reverse", "accepted", 12, "Wrong."), Dispute(9, "Sort", "needs_work", 90, "Fine."))
    view.show_agreement(MANY, found, {})
    assert [entry.texts for entry in view.disputes.model.entries] == [
        ("7", "Accepted", "12", "Reverse", "Wrong."),
        ("9", "Needs work", "90", "Sort", "Fine."),
    ]
    view.disputes.table.selectRow(1)
    with qtbot.waitSignal(view.samples_wanted) as wanted:
        view.disputes.show_samples()
    assert wanted.args == ["id:9"]
    view.show_agreement(MANY, (), {})
    assert not view.disputes.table.isVisible()
