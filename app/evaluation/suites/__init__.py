"""Suites in the window: all that there are, whether they are sound, and the editor of one's own."""

from __future__ import annotations

from app.evaluation.suites.dialog import SuitesDialog

__all__ = ["SuitesDialog"]
