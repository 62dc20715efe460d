"""A job that cannot go on at its first attempt, and is done at its second."""

from __future__ import annotations

from core.jobs.worker import WorkerContext


def main(context: WorkerContext) -> None:
    if context.attempt == 1:
        context.pause("The budget is spent.", "Raise it.")
