"""The plan dialog: what is typed is checked at once, told what it will cost, and started as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.teacher.page import TeacherPage
from app.teacher.plan_dialog import PlanDialog
from core.jobs import JobFolder
from core.teacher.plan import load_plan, parse_plan

Launch = Callable[..., JobFolder]
LONG = 40_000


@pytest.fixture
def dialog(teacher: TeacherPage, qtbot: QtBot) -> PlanDialog:
    """Open, with its first forecast told."""
    return open_dialog(teacher, qtbot)


def open_dialog(page: TeacherPage, qtbot: QtBot) -> PlanDialog:
    page.open_dialog()
    dialog = page.dialog.now
    assert dialog is not None
    told(dialog, qtbot)
    return dialog


def told(dialog: PlanDialog, qtbot: QtBot) -> None:
    """Wait until what stands in the dialog was checked and forecast."""
    qtbot.waitUntil(
        lambda: dialog.draft.settled and dialog.draft.plan is not None and text_of(dialog, "plan-requests") != "—"
        and text_of(dialog, "forecastSentence") != "Counting …",
        timeout=LONG,
    )  # fmt: skip


def text_of(dialog: PlanDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert found is not None, name
    return found.text()


def retype(dialog: PlanDialog, qtbot: QtBot, key: str, text: str) -> None:
    """Type over what stands in a field."""
    editor = dialog.form.fields[key].editor
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, text) if text else qtbot.keyClick(editor, Qt.Key.Key_Delete)


def startable(dialog: PlanDialog) -> bool:
    button = dialog.findChild(QPushButton, "teacherStart")
    assert button is not None
    return button.isEnabled()


def test_three_real_prompts_and_the_cost_are_told_before_anything_is_sent(dialog: PlanDialog, qtbot: QtBot) -> None:
    assert re.fullmatch(r"About \$\d+\.\d\d", text_of(dialog, "teacherCost"))
    assert text_of(dialog, "plan-requests") == "About 450"
    first = dialog.side.examples.text.toPlainText()
    assert first.startswith("system\nYou are a senior Go engineer.")
    qtbot.mouseClick(dialog.findChild(QPushButton, "example3"), Qt.MouseButton.LeftButton)
    assert dialog.side.examples.text.toPlainText() != first
    retype(dialog, qtbot, "budget_usd", "0.5")
    told(dialog, qtbot)
    assert re.fullmatch(r"The budget is reached after about \d+ samples\.", text_of(dialog, "forecastWarning"))
    assert startable(dialog)
    retype(dialog, qtbot, "model", "nobody-knows")
    told(dialog, qtbot)
    assert text_of(dialog, "teacherCost") == "Unknown: there is no price for this model"


def test_what_is_wrong_is_said_below_its_field_and_cannot_be_started(dialog: PlanDialog, qtbot: QtBot) -> None:
    retype(dialog, qtbot, "samples", "lots")
    retype(dialog, qtbot, "base_url", "api.openai.com")
    retype(dialog, qtbot, "parameters.temperature", "warm")
    retype(dialog, qtbot, "parameters", "top_p 0.9")
    qtbot.waitUntil(lambda: not startable(dialog) and dialog.draft.settled)
    notes = {key: field.note.text() for key, field in dialog.form.fields.items() if field.note.text()}
    assert notes == {
        "samples": "Is “lots” but must be a whole number.",
        "base_url": "Is “api.openai.com”, which is no address such as https://api.openai.com/v1.",
        "parameters.temperature": "Must be a number, or empty.",
        "parameters": 'Write it as in a TOML file: top_p = 0.9, stop = ["END"]',
    }
    assert text_of(dialog, "teacherCost") == "—"
    assert text_of(dialog, "planNote").startswith("Samples: Is “lots”") or "Endpoint: " in text_of(dialog, "planNote")
    for key, right in (("samples", "20"), ("base_url", "http://localhost:9/v1"), ("parameters.temperature", ""), ("parameters", "")):  # fmt: skip
        retype(dialog, qtbot, key, right)
    told(dialog, qtbot)
    assert startable(dialog)
    assert not any(field.note.text() for field in dialog.form.fields.values())


def test_what_a_recipe_starts_from_is_asked_for_where_it_starts_from_something(
    dialog: PlanDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    assert not dialog.form.fields["seeds.query"].editor.isVisible()
    dialog.picker.choice.choose("evol-instruct")
    note = dialog.form.fields["seeds.query"].note
    qtbot.waitUntil(lambda: note.text().startswith("No sample with Go code is found"), timeout=LONG)
    assert dialog.side.examples.text.toPlainText() == ""
    retype(dialog, qtbot, "seeds.query", "topic:errors")
    told(dialog, qtbot)
    assert note.text() == ""
    dialog.picker.choice.choose("oss-instruct")
    assert dialog.form.fields["seeds.folder"].editor.isVisible()
    retype(dialog, qtbot, "seeds.folder", str(tmp_path / "nowhere"))
    folder = dialog.form.fields["seeds.folder"].note
    qtbot.waitUntil(lambda: "which is no folder" in folder.text(), timeout=LONG)


def test_quotas_are_by_the_topics_of_the_recipe(dialog: PlanDialog, qtbot: QtBot) -> None:
    fields = dialog.form.quotas.fields
    assert "concurrency" in fields
    for field in fields.values():
        field.write(2)
    fields["concurrency"].edited.emit("2")
    told(dialog, qtbot)
    assert text_of(dialog, "plan-samples") == f"{2 * len(fields)} of 200: quotas allow no more"
    fields["io"].write("few")
    fields["io"].edited.emit("few")
    qtbot.waitUntil(lambda: "whole number" in fields["io"].note.text())


def test_a_plan_is_opened_from_a_file_and_saved_with_all_that_the_form_does_not_know(
    dialog: PlanDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    text = (
        'recipe = "explain"\nsamples = 30\nmodel = "gpt-4o"\nbudget_tokens = 90000\nseed = 11\ntransport = "batch"\n'
        '[parameters]\ntemperature = 0.7\ntop_p = 0.9\nstop = ["END"]\nresponse_format = {type = "text"}\n[quotas]\nio = 4\n'
    )
    given, saved = tmp_path / "given.toml", tmp_path / "saved.toml"
    given.write_text(text)
    dialog.files.open_file(given)
    qtbot.waitUntil(lambda: dialog.picker.choice.name == "explain", timeout=LONG)
    told(dialog, qtbot)
    assert dialog.draft.plan == parse_plan(text)
    dialog.files.save_file(saved, dialog.draft.plan)
    qtbot.waitUntil(lambda: text_of(dialog, "planNote").startswith("Saved to"), timeout=LONG)
    assert load_plan(saved) == parse_plan(text)
    given.write_text("recipe = 3\n")
    dialog.files.open_file(given)
    qtbot.waitUntil(lambda: "given.toml, line 1" in dialog.banner.text, timeout=LONG)


def test_a_missing_key_is_told_before_the_start(
    dialog: PlanDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("core.teacher.asking.keys._from_keyring", lambda _url: "")
    retype(dialog, qtbot, "samples", "10")
    qtbot.waitUntil(lambda: "Set OPENAI_API_KEY" in dialog.banner.text, timeout=LONG)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    retype(dialog, qtbot, "samples", "12")
    qtbot.waitUntil(lambda: dialog.banner.text == "", timeout=LONG)


@pytest.mark.slow
def test_start_starts_what_stands_there_and_the_next_plan_begins_with_it(
    teacher: TeacherPage, launch: Launch, dialog: PlanDialog, qtbot: QtBot
) -> None:
    retype(dialog, qtbot, "samples", "3")
    retype(dialog, qtbot, "budget_usd", "0.5")
    retype(dialog, qtbot, "concurrency", "1")
    told(dialog, qtbot)
    qtbot.mouseClick(dialog.findChild(QPushButton, "teacherStart"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: teacher.jobs.rows.rowCount() == 1, timeout=LONG)
    qtbot.waitUntil(lambda: teacher.dialog.now is None, timeout=LONG)
    job = teacher.jobs.rows.row(0).job
    plan = json.loads(job.folder.request.read_text())["request"]["plan"]
    assert (plan["samples"], plan["budget_usd"], plan["parameters"]) == (
        3,
        0.5,
        {"temperature": 1.0, "max_tokens": 2048},
    )
    qtbot.waitUntil(lambda: teacher.jobs.rows.row(0).job.state == "done", timeout=LONG)
    again = open_dialog(teacher, qtbot)
    assert (again.form.fields["samples"].read(), again.form.fields["budget_usd"].read()) == (3, 0.5)
    assert again.form.fields["seed"].read() == ""


def test_every_control_of_the_dialog_has_a_name_and_it_fits_a_small_window(dialog: PlanDialog) -> None:
    nameless = [one.objectName() for one in dialog.findChildren(QLineEdit) if not one.accessibleName()]
    assert not nameless
    assert all(one.accessibleName() for one in dialog.findChildren(QPushButton))
    needed = dialog.minimumSizeHint()
    assert needed.width() <= 1024
    assert needed.height() <= 600
