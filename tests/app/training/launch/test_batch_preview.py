"""The preview shows every token once and marks those that count."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.launch.batch_preview import BatchPreview, PreviewRow


def test_trained_tokens_have_a_ground_and_line_ends_are_shown(theme: Theme, qtbot: QtBot) -> None:
    preview = BatchPreview(theme)
    qtbot.addWidget(preview)
    row = PreviewRow.from_json(
        {
            "sample": "a1b2",
            "truncated": True,
            "tokens": [{"text": "<|user|>", "trained": False}, {"text": "go", "trained": True}, {"text": "\n", "trained": True}],
        }
    )  # fmt: skip
    preview.set_rows([row])
    text = preview.toPlainText()
    assert text.startswith("a1b2: 3 tokens, 2 trained on, cut at the maximum length")
    assert "<|user|>go↵" in text
    cursor = preview.document().find("go↵")
    assert cursor.charFormat().background().color().name() == theme.tokens.good_soft.lower()
    masked = preview.document().find("<|user|>")
    assert masked.charFormat().background().style().name == "NoBrush"
