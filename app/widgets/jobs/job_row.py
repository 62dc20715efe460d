"""A job as a list shows it: words that the page has chosen, and the tone of its state."""

from __future__ import annotations

from dataclasses import dataclass

from core.jobs import JobInfo

STATES = {
    "queued": "Queued", "running": "Running", "stopping": "Stopping", "done": "Done",
    "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted",
}  # fmt: skip
TONES = {"running": "info", "done": "good", "failed": "bad", "interrupted": "warn", "stopping": "warn"}
RESUMABLE = ("stopped", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class JobRow:
    """word: its state. detail: how far it is, such as `120 / 300`. spark: some 40 numbers, oldest first, drawn as a line. short: what it
    is called among its like, "" for its title."""

    job: JobInfo
    word: str
    detail: str = ""
    spark: tuple[float, ...] = ()
    tip: str = ""
    short: str = ""

    @property
    def name(self) -> str:
        """What the list calls it."""
        return self.short or self.job.title

    @property
    def tone(self) -> str:
        """Of the state."""
        return TONES.get(self.job.state, "")
