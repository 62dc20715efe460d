"""The signs of verdicts, one for each state of a check, and their tones."""

from __future__ import annotations

GLYPHS = {"pass": "✓", "fail": "✕", "skipped": "–", None: "·"}
GLYPH_TONES = {"pass": "good", "fail": "bad", "skipped": "dim", None: "dim"}
