"""A workspace in which the student went round the loop, as folders and samples tell it; nothing is really asked or trained."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.jobs import JobFolder, create
from core.samples import edits, query, snapshots
from core.teacher import intake, starting
from core.teacher.plan import plan_from
from tests.core.evaluation.measured import finish
from tests.core.teacher.outcomes import done, write


@dataclass
class Loop:
    """Everything of it lies below `root`, as in a workspace."""

    root: Path
    connection: sqlite3.Connection
    asked: int = 0

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    def teach(self, evaluation: str, topics: dict[str, int]) -> JobFolder:
        """A teacher's job whose plan answers this evaluation; its samples are taken in and accepted."""
        plan = plan_from(
            {"recipe": "topic-grid", "model": "gpt-4.1", "samples": 9, "seed": 3, "evaluation": evaluation}
        )
        folder = starting.launch(plan, self.root, self.connection)
        for topic, count in topics.items():
            for _ in range(count):
                write(folder, done(self.asked, topic=topic))
                self.asked += 1
        intake.take_in(self.connection, folder)
        finish(folder)
        edits.review(self.connection, query.parse("status:new"), status="accepted")
        return folder

    def freeze(self, name: str, search: str = "status:accepted") -> Path:
        """A snapshot of what this search finds."""
        return snapshots.create(self.snapshots, self.connection, name, query.parse(search), validation=0).folder

    def train(self, title: str, base: Path | str, snapshot: Path) -> Path:
        """A finished run; returns its only checkpoint."""
        config = {"name": title, "model": {"base": "starter"}, "data": {"snapshot": snapshot.name}}
        folder = create(
            self.jobs, "train", {"config": config, "base": str(base), "snapshot": str(snapshot)}, title=title
        )
        checkpoint = folder.output / "checkpoint-20"
        checkpoint.mkdir()
        finish(folder)
        return checkpoint
