"""Which teacher a column asks: an endpoint and a model. The key is no field here: it is found where jobs find it, and never kept."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from core.errors import UserError
from core.teacher.asking.keys import check_url
from core.teacher.speaking import Teacher


class TeacherFields(QWidget):
    """Attributes: model, endpoint (the fields)."""

    def __init__(self, teacher: Teacher, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = QLineEdit(teacher.model)
        self.model.setObjectName("teacherModel")
        self.model.setAccessibleName("The teacher's model")
        self.model.setToolTip("As the endpoint calls it")
        self.endpoint = QLineEdit(teacher.base_url)
        self.endpoint.setObjectName("teacherEndpoint")
        self.endpoint.setAccessibleName("The teacher's endpoint")
        self.endpoint.setToolTip("Any OpenAI-compatible address. Keys do not belong here")
        self.endpoint.setCursorPosition(0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.model, 2)
        row.addWidget(self.endpoint, 3)

    def teacher(self) -> Teacher:
        """Who stands in the fields. Raises UserError where an address is none or no model is named."""
        model = self.model.text().strip()
        if not model:
            raise UserError("The teacher's column names no model.", "Write one, such as gpt-4.1.")
        return Teacher(model, check_url(self.endpoint.text().strip()))
