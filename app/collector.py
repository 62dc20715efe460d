"""Python's cyclic garbage collector, run only where it can do no harm to Qt.

Left alone it runs wherever an allocation happens to trip it: on a worker thread, or in the middle of a layout that Qt is just
computing, and then it may destroy a widget that is in use (a crash was seen in `minimumSizeHint`). Here it is switched off
and called from the event loop of the GUI thread, when nothing else is going on. Reference counting is not affected.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 1_000
YOUNG = 2_000
FULL_EVERY = 60


class IdleCollector(QObject):
    """Collects young garbage when there is enough of it (under a millisecond), everything once a minute (some 20 ms)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looks = 0
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def stop(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()

    def _look(self) -> None:
        self._looks += 1
        if self._looks % FULL_EVERY == 0:
            gc.collect()
        elif gc.get_count()[0] > YOUNG:
            gc.collect(1)
