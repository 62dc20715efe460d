"""The place of the Evaluation page, which is still to be built; it says what can be done meanwhile."""

from __future__ import annotations

from app.context import AppContext
from app.pages import EmptyPage


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
