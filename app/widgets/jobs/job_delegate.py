"""Paints a row of a list of jobs: the title, below it the state in its colour, how far it is, and a course in miniature."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.theme import Theme
from app.widgets.jobs.job_row import JobRow
from app.widgets.jobs.jobs_list_model import Index, RowRole

ROW_HEIGHT = 58
_SPARK_WIDTH, _SPARK_SPACE = 56, 64


class JobDelegate(QStyledItemDelegate):
    """For `JobsListModel`."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(180, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: JobRow = index.data(RowRole)
        tokens = self._theme.tokens
        painter.save()
        area = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(tokens.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, QColor(tokens.hover))
        painter.setPen(QColor(tokens.hair))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        inner = area.adjusted(16, 9, -12, -9)
        upper = QRect(inner.left(), inner.top(), inner.width(), 18)
        lower = QRect(inner.left(), inner.bottom() - 17, inner.width(), 18)
        middle, elide = Qt.AlignmentFlag.AlignVCenter, Qt.TextElideMode.ElideRight
        painter.setPen(QColor(tokens.text))
        painter.drawText(upper, middle, option.fontMetrics.elidedText(row.name, elide, upper.width()))
        painter.setPen(QColor(tokens.tone(row.tone)[0]))
        painter.drawText(lower, middle, row.word)
        rest = lower.adjusted(option.fontMetrics.horizontalAdvance(row.word) + 8, 0, 0, 0)
        has_spark = len(row.spark) > 1
        width = rest.width() - (_SPARK_SPACE if has_spark else 0)
        painter.setPen(QColor(tokens.dim))
        painter.drawText(rest, middle, option.fontMetrics.elidedText(row.detail, elide, width))
        if has_spark:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.chart_smooth), 1.2))
            spark = QRect(lower.right() - _SPARK_WIDTH, lower.top() + 2, _SPARK_WIDTH, 13)
            painter.drawPolyline(_spark_line(row.spark, spark))
        painter.restore()


def _spark_line(values: Sequence[float], area: QRect) -> QPolygonF:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    width = area.width() / (len(values) - 1)
    return QPolygonF(
        [
            QPointF(area.left() + i * width, area.bottom() - (value - low) / span * area.height())
            for i, value in enumerate(values)
        ]
    )
