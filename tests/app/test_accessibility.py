"""Scroll areas as assistive technology sees them: asked for a child that is gone, they say so."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea
from app import accessibility

app = QApplication([])
accessibility.install()
QAccessible.setActive(True)
for _ in range(50):
    area, content = QScrollArea(), QLabel("long")
    area.setAccessibleName("Course")
    content.setMinimumHeight(1000)
    area.setWidget(content)
    area.resize(100, 100)
    area.show()
    app.processEvents()
    seen = QAccessible.queryAccessibleInterface(area)
    count = seen.childCount()
    names = [seen.child(place).object().objectName() for place in range(count)]
    assert "qt_scrollarea_viewport" in names and "qt_scrollarea_vcontainer" in names, names
    assert seen.child(names.index("qt_scrollarea_viewport")).child(0).object() is content
    assert seen.text(QAccessible.Text.Name) == "Course"
    assert [seen.child(place) for place in (count, count + 1, 99)] == [None] * 3
    del seen
    gc.collect()
    assert QAccessible.queryAccessibleInterface(area).childCount() == count
    area.deleteLater()
    del area, content
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    app.processEvents()
    gc.collect()
print("all there")
"""


def test_a_child_of_a_scroll_area_that_is_gone_is_none_and_not_the_end_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "all there"), done.stderr[-2000:]
