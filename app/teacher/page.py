"""The place of the Teacher page, which is still to be built; it says what can be done meanwhile."""

from __future__ import annotations

from app.context import AppContext
from app.pages import EmptyPage


class TeacherPage(EmptyPage):
    """States that generating samples is not built yet."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(
            context,
            "Teacher",
            "chalkboard-teacher",
            "Having a teacher model write samples is not built yet. Import what it wrote elsewhere: OpenAI chat, Alpaca, ShareGPT "
            "or prompt and completion.",
            ("Go to Samples", lambda: context.page_wanted.emit("samples")),
        )
