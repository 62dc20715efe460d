"""Everything before a run: the dialog with its settings, presets, forecast, first batch, and the searches for good values."""

from __future__ import annotations
