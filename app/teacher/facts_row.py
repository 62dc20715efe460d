"""Where a job stands, as a row of numbers with a caption each; they wrap where there is no room."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.teacher import words
from app.widgets.flow import FlowLayout
from app.widgets.labels import label
from app.widgets.progress import duration
from core.teacher.pace import Course
from core.teacher.statistics import Reviews

FACTS = (
    ("verified", "Verified", "Passes every check of the Go toolchain and its own test"),
    ("unverified", "Unverified", "Kept, but something does not pass"),
    ("refused", "Refused", "Turned down before the solution was paid for"),
    ("failed", "Failed", "Nothing to keep"),
    ("accepted", "Accepted", "By people, of those of its samples that they have decided on"),
    ("tokens", "Tokens", "Read and written"),
    ("spent", "Spent", "Dollars so far, what came to nothing included"),
    ("each", "Per verified", "Dollars for each sample that passes"),
    ("left", "Time left", "At the pace of the last two minutes"),
)

_NARROWEST = 472


class FactsRow(QWidget):
    """Shows what it is given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("teacherFacts")
        self.setAccessibleName("Where the job stands")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        layout = FlowLayout(self, spacing=8, narrowest=_NARROWEST)
        self.cells = {name: _Fact(name, caption, tip) for name, caption, tip in FACTS}
        for cell in self.cells.values():
            layout.addWidget(cell)

    def show_course(self, course: Course, *, running: bool) -> None:
        """The numbers of the job itself."""
        at = course.standing
        shown = {
            "verified": (f"{at.verified:,}", words.percent(at.verified, at.done) if at.done else ""),
            "unverified": (f"{at.unverified:,}", ""),
            "refused": (f"{at.refused:,}", ""),
            "failed": (f"{at.failed:,}", ""),
            "tokens": (words.tokens(at.tokens), ""),
            "spent": (words.dollars(at.cost_usd), ""),
            "each": (words.dollars(at.cost_per_verified), ""),
        }
        for name, (value, more) in shown.items():
            self.cells[name].set_value(value, more)
        left = course.seconds_left if running else None
        self.cells["left"].setVisible(running)
        self.cells["left"].set_value(duration(left) if left is not None else "…")

    def show_reviews(self, reviews: Reviews) -> None:
        """What people have decided."""
        decided = reviews.samples - reviews.waiting
        more = f"of {decided:,}" if decided else ""
        self.cells["accepted"].set_value(f"{reviews.accepted:,}", more)

    def texts(self) -> dict[str, str]:
        """What is on show, by name."""
        return {name: cell.text for name, cell in self.cells.items() if not cell.isHidden()}


class _Fact(QFrame):
    """A number below its caption, with a dim word beside it."""

    def __init__(self, name: str, caption: str, tip: str) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setObjectName(f"fact-{name}")
        self.setToolTip(tip)
        self._caption = caption
        self._value = label("—")
        self._value.setFont(fonts.ui_font(15, QFont.Weight.DemiBold))
        self._more = label(tone="dim", size=fonts.CAPTION_SIZE)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 7, 12, 8)
        column.setSpacing(1)
        column.addWidget(label(caption, tone="dim", size=fonts.CAPTION_SIZE))
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self._value)
        line.addWidget(self._more, 1, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(line)
        self._more.hide()

    @property
    def text(self) -> str:
        return self._value.text()

    def set_value(self, value: str, more: str = "") -> None:
        self._value.setText(f"{value}")
        self._more.setText(more)
        self._more.setVisible(bool(more))
        self.setAccessibleName(f"{self._caption}: {value} {more}".strip())
