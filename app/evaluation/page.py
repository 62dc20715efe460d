"""The place of the Evaluation page, which is still to be built; it says what can be done meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.context import AppContext
from app.pages import EmptyPage
from app.widgets.buttons import Button

if TYPE_CHECKING:
    from app.evaluation.suites import SuitesDialog


class EvaluationPage(EmptyPage):
    """States that the page is not built yet, and which command measures."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(
            context,
            "Evaluation",
            "target",
            "This page is still to be built. `gosmith evaluate MODEL --problems workshop` measures a checkpoint on Go problems; try one by hand in the playground.",
            ("Go to Playground", lambda: context.page_wanted.emit("playground")),
        )
        self.suites: SuitesDialog | None = None
        edit = Button(
            "Suites…",
            context.theme,
            icon="notebook",
            name="suitesEdit",
            tip="Read, check, add and write suites of problems",
        )
        edit.clicked.connect(self.open_suites)
        self.header.add(edit)
        context.commands.bind("evaluation.suites", self, self.open_suites)

    def open_suites(self) -> None:
        """Open the window of suites."""
        if self.suites is not None:
            self.suites.raise_()
            return
        from app.evaluation.suites import SuitesDialog  # late: built when it is first asked for

        self.suites = SuitesDialog(self.context, self)
        self.suites.finished.connect(self._on_suites_finished)
        self.suites.open()

    def _on_suites_finished(self) -> None:
        if self.suites is not None:
            self.suites.deleteLater()
            self.suites = None
