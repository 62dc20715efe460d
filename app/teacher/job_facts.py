"""The numbers of a teacher's job, in words: what stands in its row of facts."""

from __future__ import annotations

from app.teacher import words
from app.widgets.facts_row import Fact
from app.widgets.progress import duration
from core.teacher.pace import Course
from core.teacher.statistics import Reviews

FACTS = (
    Fact("verified", "Verified", "Passes every check of the Go toolchain and its own test"),
    Fact("unverified", "Unverified", "Kept, but something does not pass"),
    Fact("refused", "Refused", "Turned down before the solution was paid for"),
    Fact("failed", "Failed", "Nothing to keep"),
    Fact("accepted", "Accepted", "By people, of those of its samples that they have decided on"),
    Fact("tokens", "Tokens", "Read and written"),
    Fact("spent", "Spent", "Dollars so far, what came to nothing included"),
    Fact("each", "Per verified", "Dollars for each sample that passes"),
    Fact("left", "Time left", "At the pace of the last two minutes"),
)

Shown = dict[str, tuple[str, str] | None]


def of_course(course: Course, *, running: bool) -> Shown:
    """The numbers of the job itself."""
    at = course.standing
    left = course.seconds_left
    return {
        "verified": (f"{at.verified:,}", words.percent(at.verified, at.done) if at.done else ""),
        "unverified": (f"{at.unverified:,}", ""),
        "refused": (f"{at.refused:,}", ""),
        "failed": (f"{at.failed:,}", ""),
        "tokens": (words.tokens(at.tokens), ""),
        "spent": (words.dollars(at.cost_usd), ""),
        "each": (words.dollars(at.cost_per_verified), ""),
        "left": (duration(left) if left is not None else "…", "") if running else None,
    }


def of_reviews(reviews: Reviews) -> Shown:
    """What people have decided."""
    decided = reviews.samples - reviews.waiting
    return {"accepted": (f"{reviews.accepted:,}", f"of {decided:,}" if decided else "")}
