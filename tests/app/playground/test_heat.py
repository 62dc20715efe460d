"""The mode Likelihood over a real model: a file is coloured, two models are compared, and whatever cannot be is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.playground.heat_view import MOST_BYTES, HeatView
from app.playground.mode import Bench
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from core.errors import UserError
from core.inference import Likelihood, ServerAddress
from core.inference import scoring as real_scoring
from tests.app.playground.benches import stand

CODE = "package a\n\n// größer: 日本語🙂\nfunc Sum(a, b int) int {\n\treturn a + b\n}\n"


@pytest.fixture
def view(bench_of: Callable[..., Bench], engine: ServerAddress, qtbot: QtBot) -> HeatView:
    bench = bench_of(one=engine, two=engine)
    made = HeatView(bench)
    made.resize(828, 560)
    qtbot.addWidget(made)
    made.show()
    return made


def done(view: HeatView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not view.run.busy, timeout=60_000)


def press(view: HeatView, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.findChild(QAbstractButton, name), Qt.MouseButton.LeftButton)


def totals(view: HeatView) -> str:
    return view.findChild(QLabel, "heatTotals").text()


def test_a_pasted_file_is_coloured_with_totals_and_its_worst_lines(view: HeatView, qtbot: QtBot) -> None:
    view.view.set_code(CODE)
    press(view, "heatScore", qtbot)
    done(view, qtbot)
    assert view.view.heat is not None
    assert view.view.heat.kind == PROBABILITY
    assert "".join(CODE[one.start : one.end] for one in view.view.heat.stretches) == CODE
    assert "nats a token" in totals(view)
    assert "perplexity" in totals(view)
    assert view.side.lines.count() == sum(bool(line) for line in CODE.split("\n")), (
        "the empty line costs next to nothing"
    )
    assert "日本語🙂" in view.side.lines.item(0).text()
    view.side.lines.itemActivated.emit(view.side.lines.item(0))
    assert view.view.textCursor().blockNumber() == 2
    assert "probability" in view.legend.accessibleName().lower()
    view.view.textCursor().insertText("x")
    assert view.view.heat is None
    assert view.side.lines.count() == 0


def test_a_model_against_itself_under_another_name_differs_nowhere(view: HeatView, qtbot: QtBot) -> None:
    view.view.set_code(CODE)
    view.two.setChecked(True)
    view.other.setCurrentIndex(1)
    view.score()
    done(view, qtbot)
    assert view.view.heat is not None
    assert view.view.heat.kind == DIFFERENCE
    assert {round(one.nats, 3) for one in view.view.heat.stretches if one.nats is not None} == {0.0}
    assert totals(view).count("perplexity") == 2
    assert view.side.lines.count() == 0
    assert "bytes" in view.legend.accessibleName()


def test_models_with_different_tokenizers_are_compared_over_bytes(
    view: HeatView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second model's tokens are single bytes, each a nat less likely than the real model's share of it."""

    def by_bytes(address: ServerAddress, text: str, **options: object) -> tuple[Likelihood, ...]:
        data = text.encode()
        return tuple(Likelihood(data[at : at + 1], -1.0 if at else None) for at in range(len(data)))

    calls: list[str] = []

    def score(address: ServerAddress, text: str, **options: object) -> tuple[Likelihood, ...]:
        calls.append(text)
        if len(calls) == 1:
            return real_scoring.score_text(address, text)
        return by_bytes(address, text)

    monkeypatch.setattr("app.playground.heat_run.score_text", score)
    view.view.set_code(CODE)
    view.two.setChecked(True)
    view.other.setCurrentIndex(1)
    view.score()
    done(view, qtbot)
    heat = view.view.heat
    assert heat is not None
    assert "".join(CODE[one.start : one.end] for one in heat.stretches) == CODE
    assert all(one.end - one.start == 1 for one in heat.stretches), "the cuts of both"
    assert f"{len(CODE.encode()) - 1:,} tokens, 1.000 nats a token, 1.000 a byte" in totals(view)


def test_a_file_longer_than_the_context_is_scored_with_progress(view: HeatView, qtbot: QtBot) -> None:
    text = "".join(f"// Sum{n} größer\nfunc Sum{n}(a, b int) int {{ return a + {n} }}\n" for n in range(130))
    told: list[tuple[int, int]] = []
    view.run.progressed.connect(lambda count, of: told.append((count, of)))
    view.view.set_code(text)
    view.score()
    assert view.progress.isVisible()
    done(view, qtbot)
    assert view.view.heat is not None
    assert view.view.heat.stretches[-1].end == len(text)
    assert told[-1][0] == told[-1][1] > 2048
    assert not view.progress.isVisible()


def test_stop_ends_it_without_a_word(view: HeatView, qtbot: QtBot) -> None:
    view.view.set_code("func F() {}\n" * 2000)
    view.score()
    press(view, "progressStop", qtbot)
    assert not view.run.busy
    assert not view.progress.isVisible()
    qtbot.waitUntil(lambda: not view._bench.context.tasks.busy(), timeout=30_000)
    assert view.view.heat is None
    assert view._bench.banner.text == ""


def test_a_file_is_dropped_and_opened(view: HeatView, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "a.go").write_bytes(CODE.replace("\n", "\r\n").encode("utf-8-sig"))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.go"))])
    arguments = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entered = QDragEnterEvent(QPoint(5, 5), *arguments)
    view.dragEnterEvent(entered)
    assert entered.isAccepted()
    view.dropEvent(QDropEvent(QPointF(5, 5), *arguments))
    qtbot.waitUntil(lambda: view.view.toPlainText() == CODE)


@pytest.mark.parametrize(
    ("content", "words"), [(b"x" * (MOST_BYTES + 1), "is larger than 256 KiB"), (b"\xff\xfe", "is not UTF-8 text"), (None, "cannot be read")]
)  # fmt: skip
def test_a_file_that_is_none_is_a_sentence(
    view: HeatView, tmp_path: Path, qtbot: QtBot, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "a.go").write_bytes(content)
    view.open(tmp_path / "a.go")
    qtbot.waitUntil(lambda: words in view._bench.banner.text)


@pytest.mark.parametrize(
    ("text", "two", "words"),
    [
        ("", False, "There is no text"),
        ("ä" * MOST_BYTES, False, "larger than"),
        (CODE, True, "does not differ from itself"),
    ],
)
def test_what_cannot_be_scored_is_a_sentence(view: HeatView, text: str, two: bool, words: str) -> None:
    view.view.set_code(text)
    view.two.setChecked(two)
    view.score()
    assert words in view._bench.banner.text
    assert not view.run.busy


def test_a_model_that_does_not_come_up_is_a_sentence(view: HeatView, qtbot: QtBot) -> None:
    stand(view._bench).broken["/models/one"] = UserError("The weights are damaged.", "Copy them again.")
    view.view.set_code(CODE)
    view.score()
    qtbot.waitUntil(lambda: "The weights are damaged." in view._bench.banner.text)
    assert not view.run.busy
    assert view.findChild(QAbstractButton, "heatScore").isEnabled()


def test_two_models_that_do_not_fit_together_are_scored_one_after_the_other(view: HeatView, qtbot: QtBot) -> None:
    servers = stand(view._bench)
    servers.heavy = UserError("one, two need some 9.0 GiB together.", "Let them answer one after the other.")
    view.view.set_code(CODE)
    view.two.setChecked(True)
    view.other.setCurrentIndex(1)
    view.score()
    assert "9.0 GiB" in view._bench.banner.text
    assert servers.wanted == []
    assert view.findChild(QAbstractButton, "heatScore").isEnabled()
    [button] = [one for one in view._bench.banner.findChildren(QAbstractButton) if one.text() == "One after the other"]
    button.click()
    done(view, qtbot)
    assert servers.wanted == [["one"], ["two"]]
    assert view.view.heat is not None
