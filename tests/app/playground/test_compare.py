"""The mode Compare over a real model and a scripted teacher: same seed, one column's failure is its own, and what a teacher costs is asked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.playground.compare_column import CompareColumn
from app.playground.compare_view import CompareView
from app.playground.mode import Bench
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from app.state import window_state
from core.errors import UserError
from core.evaluation import finding
from core.evaluation.tasks import Task, of_problem
from core.inference import ServerAddress
from core.teacher.speaking import Teacher
from tests.app.playground.benches import stand
from tests.core.models import folders
from tests.core.teacher.asking.scripted_replies import KEY, Reply, error, streamed
from tests.core.teacher.asking.scripted_server import ScriptedServer

ADD = "```go\npackage solution\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n```\n"
TEST = 'package solution\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'


@pytest.fixture
def view(bench_of: Callable[..., Bench], engine: ServerAddress, qtbot: QtBot) -> Iterator[CompareView]:
    """Two columns, of the same model by two names."""
    made = CompareView(bench_of(one=engine, two=engine))
    qtbot.addWidget(made)
    made.resize(828, 560)
    made.show()
    made.columns.columns[1].picker.setCurrentIndex(1)
    made.prompt.setPlainText("Write Add.")
    setting(made, "maxTokensField", "24")
    yield made
    made.stop()
    made.leave()


@pytest.fixture
def teacher() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda seen: streamed(ADD)) as server:
        yield server


def setting(view: CompareView, name: str, text: str) -> None:
    view.panel.findChild(QLineEdit, name).setText(text)


def ask(view: CompareView, qtbot: QtBot) -> None:
    view.ask()
    if view._bench.banner.text == "":
        over(view, qtbot)


def over(view: CompareView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not view.round.busy and not any(one.waits for one in view.columns.columns), timeout=60_000)


def press(view: CompareView, text: str) -> None:
    [button] = [one for one in view._bench.banner.findChildren(QAbstractButton) if one.text() == text]
    button.click()


def said(column: CompareColumn, name: str = "compareFacts") -> str:
    return column.findChild(QLabel, name).text()


def add_teacher(view: CompareView, server: ScriptedServer, model: str = "gpt-4.1") -> CompareColumn:
    return view.columns.add(teacher=Teacher(model, server.url))


def consented(view: CompareView, qtbot: QtBot) -> None:
    view.ask()
    qtbot.waitUntil(lambda: "This is asked once in a session." in view._bench.banner.text)
    press(view, "Ask it")
    over(view, qtbot)


def test_all_answer_with_the_same_settings_and_the_same_seed(view: CompareView, qtbot: QtBot) -> None:
    setting(view, "temperatureField", "1.2")
    ask(view, qtbot)
    one, two = view.columns.columns
    assert one.answer == two.answer != ""
    assert one.finish is not None
    assert two.finish is not None
    assert one.finish.settings == two.finish.settings
    assert one.finish.settings["seed"] is not None, "no seed was typed, so one was drawn for both"
    assert "24 tokens" in said(one)
    assert "first after" in said(one)
    assert one.view.toPlainText() == one.answer
    assert "seed" in view.panel.findChild(QLabel, "settingsUsed").text()
    before = one.answer
    ask(view, qtbot)
    assert one.answer == two.answer != before


def test_a_column_whose_model_does_not_come_up_says_so_and_the_others_go_on(view: CompareView, qtbot: QtBot) -> None:
    stand(view._bench).broken["/models/one"] = UserError("The weights are damaged.", "Copy them again.")
    ask(view, qtbot)
    one, two = view.columns.columns
    assert said(one) == "The weights are damaged. Copy them again."
    assert "24 tokens" in said(two)
    assert view.findChild(QAbstractButton, "compareAsk").isEnabled()


def test_a_model_that_is_gone_in_the_middle_is_a_sentence_in_its_column(
    view: CompareView, teacher: ScriptedServer, qtbot: QtBot
) -> None:
    teacher.script = lambda seen: streamed(ADD, cut_after=2)
    stand(view._bench).addresses["/models/one"] = type(stand(view._bench).addresses["/models/one"])(
        ServerAddress(teacher.url, "key")
    )
    ask(view, qtbot)
    one, two = view.columns.columns
    assert "ended in the middle of its answer" in said(one)
    assert one.answer == "```go\npackage solution\n"
    assert "24 tokens" in said(two)


def test_stop_ends_all_and_keeps_what_has_arrived(view: CompareView, qtbot: QtBot) -> None:
    setting(view, "maxTokensField", "1500")
    setting(view, "temperatureField", "1.5")
    view.ask()
    qtbot.waitUntil(lambda: all(one.answer for one in view.columns.columns), timeout=60_000)
    qtbot.mouseClick(view.findChild(QAbstractButton, "compareStop"), Qt.MouseButton.LeftButton)
    over(view, qtbot)
    assert [said(one) for one in view.columns.columns] == ["Stopped", "Stopped"]
    assert all(len(one.answer) < 4000 for one in view.columns.columns)


def test_tokens_are_coloured_by_probability_and_by_the_difference_to_another_column(
    view: CompareView, qtbot: QtBot
) -> None:
    ask(view, qtbot)
    one, two = view.columns.columns
    view.colours.by.setCurrentIndex(1)
    qtbot.waitUntil(lambda: one.view.heat is not None and two.view.heat is not None)
    assert one.view.heat is not None
    assert one.view.heat.kind == PROBABILITY
    assert len(one.view.heat.stretches) == len(one.tokens) == 24
    assert "likeliest:" in one.view.told(1)
    view.colours.by.setCurrentIndex(2)
    qtbot.waitUntil(lambda: two.view.heat is not None and two.view.heat.kind == DIFFERENCE, timeout=20_000)
    assert one.view.heat is None, "the others are held against it"
    assert two.view.heat is not None
    assert {abs(round(part.nats or 0.0, 2)) for part in two.view.heat.stretches} == {0.0}, "the same model"
    assert "one" in view.colours.legend.accessibleName()
    two.picker.setCurrentIndex(0)
    view.columns.changed.emit()
    assert two.name == "two", "who answered, whoever is chosen for the next question"
    view.columns.add()
    view.colours.against.setCurrentIndex(2)
    assert "The column to hold the answers against has none." in view._bench.banner.text
    view.colours.by.setCurrentIndex(0)
    assert two.view.heat is None


def test_a_teacher_is_asked_only_after_a_word_about_its_price_and_the_word_is_said_once(
    view: CompareView, teacher: ScriptedServer, qtbot: QtBot
) -> None:
    column = add_teacher(view, teacher)
    setting(view, "topKField", "40")
    view.ask()
    qtbot.waitUntil(lambda: view._bench.banner.text != "")
    assert f"sends the prompt to {teacher.url}" in view._bench.banner.text
    assert "costs at most $0.000" in view._bench.banner.text
    assert teacher.seen == []
    press(view, "Ask it")
    over(view, qtbot)
    assert column.answer == ADD
    assert "50 tokens" in said(column)
    assert "$0.0006" in said(column), "100 tokens read and 50 written"
    [seen] = teacher.seen
    assert (seen.json["model"], seen.json["max_tokens"]) == ("gpt-4.1", 24)
    assert not {"top_k", "min_p", "repetition_penalty", "logprobs"} & seen.json.keys()
    assert seen.json["seed"] == view.columns.columns[0].finish.settings["seed"]
    view.ask()
    qtbot.waitUntil(lambda: len(teacher.seen) == 2, timeout=20_000)
    over(view, qtbot)
    assert view._bench.banner.text == ""
    view.colours.by.setCurrentIndex(1)
    assert "tells no probabilities" in view.colours.legend.accessibleName()


def test_a_teacher_whose_cost_is_not_agreed_to_is_left_out(
    view: CompareView, teacher: ScriptedServer, qtbot: QtBot
) -> None:
    column = add_teacher(view, teacher, "a-model-without-a-price")
    view.ask()
    qtbot.waitUntil(lambda: "nobody can tell what it costs" in view._bench.banner.text)
    press(view, "Only the models")
    over(view, qtbot)
    assert teacher.seen == []
    assert "Not asked." in said(column)
    assert "24 tokens" in said(view.columns.columns[0])


def test_a_teacher_without_a_key_says_so_and_the_models_answer(
    view: CompareView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    column = view.columns.add(teacher=Teacher("gpt-4.1", "https://teacher.invalid/v1"))
    consented(view, qtbot)
    assert "There is no key for https://teacher.invalid/v1." in said(column)
    assert "24 tokens" in said(view.columns.columns[0])


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error(401, f"Incorrect API key provided: {KEY}."), "refused the key"),
        (error(400, "Unsupported parameter: 'max_tokens'."), "Unsupported parameter: 'max_tokens'."),
        (error(500, "Oops"), "failed: Oops."),
        (streamed(ADD, cut_after=2), "was cut before its end; it may have been billed"),
    ],
)
def test_what_a_teacher_refuses_is_a_sentence_without_the_key(
    view: CompareView, teacher: ScriptedServer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, reply: Reply, words: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    teacher.script = lambda seen: reply
    column = add_teacher(view, teacher)
    consented(view, qtbot)
    assert words in said(column)
    assert KEY not in said(column)
    assert "24 tokens" in said(view.columns.columns[0])


def test_an_answer_is_judged_by_the_test_of_the_prompt(
    view: CompareView, teacher: ScriptedServer, qtbot: QtBot, go_ready: None
) -> None:
    column = add_teacher(view, teacher)
    view.set_task(Task("sample 7: Add", "Write Add.", TEST))
    assert view.prompt.toPlainText() == "Write Add."
    consented(view, qtbot)
    shown = lambda one: said(one, "compareTest")  # noqa: E731
    qtbot.waitUntil(
        lambda: all(shown(one) and "Running" not in shown(one) for one in view.columns.columns), timeout=60_000
    )
    assert shown(column) == "✓ passes its test"
    assert shown(view.columns.columns[0]).startswith("✗ ")
    qtbot.waitUntil(lambda: all(one.verdict.verdict is not None for one in view.columns.columns), timeout=60_000)
    assert column.verdict.verdict is not None
    assert column.verdict.verdict.states["types"] == "pass", "Go is asked without a press, once all have answered"
    view.findChild(QAbstractButton, "compareTaskDrop").click()
    assert view.task is None


def test_a_problem_of_a_suite_and_a_sample_with_a_test_can_be_taken(view: CompareView, qtbot: QtBot) -> None:
    view.pick_task()
    picker = view.picker
    assert picker is not None
    names = picker._shown
    qtbot.waitUntil(lambda: names.rowCount() > 50, timeout=20_000)
    picker.search.setText("allocate")
    assert names.rowCount() == 1
    picker.found.setCurrentIndex(names.index(0, 0))
    problem = finding.problem_of(finding.open_suite("workshop", None).suite, "allocate-payments")
    assert picker.prompt.toPlainText().strip() == problem.prompt
    picker.found.doubleClicked.emit(names.index(0, 0))
    assert view.task == of_problem("gosmith", problem)
    assert view.prompt.toPlainText() == problem.prompt

    view.pick_task()
    picker = view.picker
    assert picker is not None
    picker.source.setCurrentIndex(picker.source.count() - 1)
    picker.search.setText("no sample says these words")
    qtbot.waitUntil(
        lambda: picker.findChild(QLabel, "taskState").text() == "There is no sample with a test here.", timeout=10_000
    )
    picker.search.setText("order:")
    qtbot.waitUntil(lambda: "order" in picker.findChild(QLabel, "taskState").text())
    picker.reject()


def test_columns_come_and_go_between_two_and_six(view: CompareView, qtbot: QtBot) -> None:
    for _ in range(4):
        view.bar.model_wanted.emit()
    assert len(view.columns.columns) == 6
    view.bar.model_wanted.emit()
    assert "There are 6 columns already." in view._bench.banner.text
    for _ in range(4):
        view.columns.columns[0].findChild(QAbstractButton, "compareRemove").click()
    assert len(view.columns.columns) == 2
    assert not view.columns.columns[0].findChild(QAbstractButton, "compareRemove").isEnabled()
    assert view.columns.columns[1].view.accessibleName() == "Answer of column 2"


def test_all_checkpoints_of_a_run_are_columns_in_one_click(
    view: CompareView, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from core.models import list_models

    view.show_run()
    assert "No run has saved a checkpoint yet." in view._bench.banner.text
    root = tmp_path_factory.mktemp("run")
    base = folders.model(root / "models" / "tiny")
    folders.run(root / "jobs", "20260101-000000-train-abcd", "gold", base, tuple(range(100, 1100, 100)))
    view._bench.models.models = list_models(root / "models", root / "jobs")
    view._bench.models.listed.emit(view._bench.models.models)
    view.columns.add(teacher=Teacher())
    view.bar.run_wanted.emit()
    assert [one.name for one in view.columns.columns] == [
        "tiny", "gold/step-100", "gold/step-400", "gold/step-700", "gold/step-1000", "gpt-4.1",
    ]  # fmt: skip


def test_answers_scroll_together_when_that_is_wanted_and_their_differences_are_shown(
    view: CompareView, qtbot: QtBot
) -> None:
    one, two = view.columns.columns
    view.colours.show_differences()
    assert "There are no two answers to compare." in view._bench.banner.text
    one.append("a\n" * 300)
    two.append("b\n" * 150)
    one.view.verticalScrollBar().setValue(0)
    two.view.verticalScrollBar().setValue(0)
    one.view.verticalScrollBar().setValue(one.view.verticalScrollBar().maximum())
    assert two.view.verticalScrollBar().value() == 0
    view.columns.scroll_together(True)
    one.view.verticalScrollBar().setValue(one.view.verticalScrollBar().maximum() - 1)
    assert two.view.verticalScrollBar().value() == two.view.verticalScrollBar().maximum()
    view.colours.show_differences()
    assert view.colours.dialog is not None
    assert view.colours.dialog.texts.left.toPlainText().startswith("a")
    view.colours.dialog.right.setCurrentIndex(0)
    assert view.colours.dialog.texts.right.toPlainText().startswith("a")
    view.colours.dialog.close()


def test_models_that_do_not_fit_together_are_named_before_they_load_and_may_answer_in_turn(
    view: CompareView, qtbot: QtBot
) -> None:
    servers = stand(view._bench)
    servers.heavy = UserError("one, two need some 90.0 GiB together.", "Let them answer one after the other.")
    view.ask()
    assert "90.0 GiB" in view._bench.banner.text
    assert servers.wanted == []
    assert view.findChild(QAbstractButton, "compareAsk").isEnabled()
    press(view, "One after the other")
    qtbot.waitUntil(lambda: len(servers.wanted) == 2, timeout=60_000)
    qtbot.waitUntil(lambda: not view.round.busy, timeout=60_000)
    assert servers.wanted == [["one"], ["two"]]
    assert all("24 tokens" in said(one) for one in view.columns.columns)


def test_models_prompt_and_settings_come_back_in_the_next_window(
    view: CompareView, bench_of: Callable[..., Bench], engine: ServerAddress, qtbot: QtBot
) -> None:
    view.columns.add(model="/models/two")
    kept = window_state()
    view.save_state(kept)
    kept.sync()
    again = CompareView(bench_of(one=engine, two=engine))
    qtbot.addWidget(again)
    assert [one.name for one in again.columns.columns] == ["one", "two", "two"]
    assert again.prompt.toPlainText() == "Write Add."
    assert again.panel.sampling().max_tokens == 24
    kept.setValue("playground/compareModels", "[7")
    kept.sync()
    damaged = CompareView(bench_of(one=engine))
    qtbot.addWidget(damaged)
    assert len(damaged.columns.columns) == 2
