"""Decisions as people make them: with the keyboard, on one sample or on many, in the real window, over the real workspace."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from app.window import MainWindow
from tests.app.samples.keyboard import CONTROL, Calm, Statuses, button, focused, press, search

# --- deciding --------------------------------------------------------------------------------------------------


def test_a_accepts_n_needs_work_and_each_goes_on(
    page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm
) -> None:
    ids = list(page.model.ids[:3])
    press(qtbot, page, Qt.Key.Key_A, Qt.Key.Key_N, Qt.Key.Key_A)
    calm()
    assert statuses(ids) == ["accepted", "needs_work", "accepted"]
    assert page.table.currentIndex().row() == 3
    assert page.detail.sample is not None
    assert page.detail.sample.id == page.model.ids[3]


def test_j_and_k_walk_through_the_samples(page: SamplesPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_K)
    assert page.table.currentIndex().row() == 1
    assert page.detail.sample is not None
    assert page.detail.sample.id == page.model.ids[1]


def test_r_asks_why_and_enter_rejects(page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm) -> None:
    first = page.model.ids[0]
    press(qtbot, page, Qt.Key.Key_R)
    assert page.detail.reasons.isVisible()
    press(qtbot, page, Qt.Key.Key_2, Qt.Key.Key_4, Qt.Key.Key_Return)
    calm()
    assert statuses([first]) == ["rejected"]
    press(qtbot, page, Qt.Key.Key_K)
    assert page.detail.sample is not None
    assert page.detail.sample.reasons == ("does not compile", "ignores errors")
    assert focused(page) is page.table


def test_a_reason_of_ones_own(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    press(qtbot, page, Qt.Key.Key_R)
    qtbot.keyClicks(page.detail.reasons._other, "calls home")
    qtbot.keyClick(page.detail.reasons._other, Qt.Key.Key_Return)
    calm()
    press(qtbot, page, Qt.Key.Key_K)
    assert page.detail.sample is not None
    assert page.detail.sample.reasons == ("calls home",)


def test_escape_leaves_the_question_without_a_decision(
    page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm
) -> None:
    press(qtbot, page, Qt.Key.Key_R, Qt.Key.Key_1, Qt.Key.Key_Escape)
    calm()
    assert not page.detail.reasons.isVisible()
    assert statuses([page.model.ids[0]]) == ["new"]
    assert focused(page) is page.table


def test_number_keys_rate_and_stars_show_it(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    press(qtbot, page, Qt.Key.Key_4)
    calm()
    assert page.detail.rating.value == 4
    qtbot.mouseClick(page.detail.rating._stars[3], Qt.MouseButton.LeftButton)
    calm()
    assert page.detail.rating.value == 0


def test_undo_goes_back_to_the_sample_and_redo_does_it_again(
    page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    press(qtbot, page, Qt.Key.Key_A, Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_U)
    calm()
    assert statuses([first]) == ["new"]
    assert page.table.currentIndex().row() == 0
    press(qtbot, page, Qt.Key.Key_Z, modifier=CONTROL | Qt.KeyboardModifier.ShiftModifier)
    calm()
    assert statuses([first]) == ["accepted"]
    press(qtbot, page, Qt.Key.Key_Z, modifier=CONTROL)
    calm()
    press(qtbot, page, Qt.Key.Key_U)
    calm()
    window = page.window()
    assert isinstance(window, MainWindow)
    assert window.toast.text == "There is nothing to undo."


def test_a_note_is_kept_when_one_leaves_it(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    press(qtbot, page, Qt.Key.Key_M)
    qtbot.keyClicks(focused(page), "ask A about this")
    press(qtbot, page, Qt.Key.Key_Return)
    calm()
    page.table.setFocus()
    press(qtbot, page, Qt.Key.Key_J, Qt.Key.Key_K)
    assert page.detail._note.text() == "ask A about this"
    assert page.detail.sample is not None
    assert page.detail.sample.status == "new", "letters typed into a field are no commands"


def test_tags_are_added_and_taken_away(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    press(qtbot, page, Qt.Key.Key_T)
    qtbot.keyClicks(focused(page), "gold, review me, -bundled")
    press(qtbot, page, Qt.Key.Key_Return)
    calm()
    assert page.detail.sample is not None
    assert set(page.detail.sample.tags) == {"gold", "review me"}
    assert focused(page) is page.table


def test_buttons_do_what_keys_do(page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm) -> None:
    ids = list(page.model.ids[:2])
    qtbot.mouseClick(button(page, "sampleAccept"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(page, "sampleReject"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(page, "rejectConfirm"), Qt.MouseButton.LeftButton)
    calm()
    assert statuses(ids) == ["accepted", "rejected"]


# --- many at once ----------------------------------------------------------------------------------------------


def test_select_all_means_the_search(page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm) -> None:
    search(page, "topic:errors", calm)
    ids = list(page.model.ids)
    press(qtbot, page, Qt.Key.Key_A, modifier=CONTROL)
    assert page.selection_banner.text == f"All {len(ids)} matching samples selected"
    assert button(page, "sampleAccept").text() == f"Accept {len(ids)}"
    press(qtbot, page, Qt.Key.Key_A)
    calm()
    assert set(statuses(ids)) == {"accepted"}
    assert set(statuses(list(range(1, 400)))) == {"new", "accepted"}
    window = page.window()
    assert isinstance(window, MainWindow)
    assert window.toast.text == f"Done: Accept {len(ids)} samples"
    qtbot.mouseClick(window.toast._action, Qt.MouseButton.LeftButton)
    calm()
    assert set(statuses(ids)) == {"new"}


def test_several_selected_rows_are_decided_together(
    page: SamplesPage, statuses: Statuses, qtbot: QtBot, calm: Calm
) -> None:
    ids = list(page.model.ids[:4])
    for _ in range(2):
        qtbot.keyClick(page.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert button(page, "sampleReject").text() == "Reject 3"
    press(qtbot, page, Qt.Key.Key_A)
    calm()
    assert statuses(ids) == ["accepted", "accepted", "accepted", "new"]
    assert page.table.selected_count() == 3, "a decision on several stays with them"


def test_deleting_takes_samples_out_and_undo_brings_them_back(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    before = list(page.model.ids)
    press(qtbot, page, Qt.Key.Key_Delete)
    calm()
    assert list(page.model.ids) == before[1:]
    press(qtbot, page, Qt.Key.Key_U)
    calm()
    assert list(page.model.ids) == before
    assert page.table.currentIndex().row() == 0


def test_a_hundred_samples_are_reviewed_by_keyboard_alone(
    page: SamplesPage, window: MainWindow, qtbot: QtBot, calm: Calm, statuses: Callable[[list[int]], list[str]]
) -> None:
    press(qtbot, page, Qt.Key.Key_Slash)
    qtbot.keyClicks(page.search.field, "status:new")
    qtbot.keyClick(page.search.field, Qt.Key.Key_Return)
    calm()
    ids = list(page.model.ids[:100])
    page.table.choose(0)
    wanted = []
    for place in range(100):
        assert page.detail.sample is not None
        assert page.detail.sample.id == ids[place], "rows stay where they are while one decides"
        if place % 5 == 3:
            press(qtbot, page, Qt.Key.Key_3)
            press(qtbot, page, Qt.Key.Key_N)
            wanted.append("needs_work")
        elif place % 5 == 4:
            press(qtbot, page, Qt.Key.Key_R)
            qtbot.keyClick(window.focusWidget(), Qt.Key.Key_2)
            qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
            wanted.append("rejected")
        else:
            press(qtbot, page, Qt.Key.Key_A)
            wanted.append("accepted")
    calm()
    assert statuses(ids) == wanted
    press(qtbot, page, Qt.Key.Key_F5)
    calm()
    assert not set(page.model.ids) & set(ids)
    press(qtbot, page, Qt.Key.Key_U)
    calm()
    assert statuses(ids)[-1] == "new"
