"""When a run begins: at once unless switched, else the next time the clock shows the chosen hour."""

from __future__ import annotations

import time
from datetime import datetime

from pytestqt.qtbot import QtBot

from app.training.launch.start_time import StartTime


def test_a_run_begins_at_once_unless_a_time_is_chosen(qtbot: QtBot) -> None:
    start = StartTime()
    qtbot.addWidget(start)
    assert start.not_before() is None
    assert not start.time.isEnabled()
    start.switch.click()
    when = start.not_before()
    assert when is not None
    assert 0 < when - time.time() <= 25 * 3600
    assert f"{datetime.fromtimestamp(when):%H:%M}" == start.time.currentText() == "22:00"
