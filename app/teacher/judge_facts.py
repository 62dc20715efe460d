"""The numbers of a judge's job, in words: what stands in its row of facts."""

from __future__ import annotations

from app.teacher import words
from app.widgets.facts_row import Fact
from app.widgets.progress import duration
from core.teacher.judging.pace import JudgeCourse

FACTS = (
    Fact("judged", "Judged", "Samples with a score"),
    Fact("failed", "Failed", "Samples that got none; the tab of that name says why"),
    Fact("mean", "Mean score", "Of those judged so far, 0 to 100"),
    Fact("tokens", "Tokens", "Read and written"),
    Fact("spent", "Spent", "Dollars so far, what came to nothing included"),
    Fact("each", "Per score", "Dollars for each sample with a score"),
    Fact("left", "Time left", "At the pace of the last two minutes"),
)


def of_course(course: JudgeCourse, *, running: bool) -> dict[str, tuple[str, str] | None]:
    """The numbers of the job itself."""
    at, left = course.standing, course.seconds_left
    return {
        "judged": (f"{at.judged:,}", f"of {at.requested:,}" if at.requested else ""),
        "failed": (f"{at.failed:,}", ""),
        "mean": ("—" if at.mean is None else f"{at.mean:.0f}", ""),
        "tokens": (words.tokens(at.tokens), ""),
        "spent": (words.dollars(at.cost_usd), ""),
        "each": (words.dollars(at.cost_per_judgement), ""),
        "left": (duration(left) if left is not None else "…", "") if running else None,
    }
