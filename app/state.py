"""The window's own memory: geometry, splitters and column widths, and nothing that means anything outside a window."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from core.paths import config_dir


def window_state() -> QSettings:
    """The state file of this user, opened anew so that tests can point it elsewhere."""
    return QSettings(str(config_dir() / "window.ini"), QSettings.Format.IniFormat)
