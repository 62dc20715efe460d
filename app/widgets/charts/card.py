"""What every chart of the window stands on: a card with its title at the left, a value at the right, the plot below.

It knows no curves and paints nothing: what is drawn is the canvas's, and what it is called is its owner's.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.charts.canvas import Canvas
from app.widgets.labels import ElidedLabel, section


def lay_out(card: QFrame, title: str, name: str, canvas: Canvas, how: str, under_title: QWidget | None = None) -> ElidedLabel:  # fmt: skip
    """Make the frame a card of this chart, named for tests and screen readers. how: the tooltip on its use.

    The label of the value at the right comes back; its owner fills it.
    """
    card.setProperty("kind", "card")
    card.setObjectName(name)
    card.setAccessibleName(title)
    canvas.setAccessibleName(f"{title}, chart")
    heading = section(title)
    heading.setToolTip(how)
    value = ElidedLabel(tone="dim")
    value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    head = QHBoxLayout()
    head.setContentsMargins(14, 10, 14, 0)
    head.addWidget(heading)
    head.addWidget(value, 1)
    column = QVBoxLayout(card)
    column.setContentsMargins(0, 0, 0, 4)
    column.setSpacing(2)
    column.addLayout(head)
    if under_title is not None:
        column.addWidget(under_title)
    column.addWidget(canvas, 1)
    return value
