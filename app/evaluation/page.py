"""The place of the Evaluation page, which is still to be built; it says what can be done meanwhile."""

from __future__ import annotations

from app.context import AppContext
from app.pages import EmptyPage


class EvaluationPage(EmptyPage):
    """States that measuring checkpoints is not built yet."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(
            context,
            "Evaluation",
            "target",
            "Measuring checkpoints on Go problems is not built yet. Try a checkpoint by hand in the playground.",
            ("Go to Playground", lambda: context.page_wanted.emit("playground")),
        )
