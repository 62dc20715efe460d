"""From a configuration that is right to a run in the queue. It asks nothing and may be called on any thread."""

from __future__ import annotations

from contextlib import closing

from core.evaluation.finding import NamedSuite
from core.jobs import JobFolder, start
from core.samples.named_suites import open_suite
from core.training import launch
from core.training.config import RunConfig
from core.workspace import Workspace


def begin_run(workspace: Workspace, config: RunConfig, not_before: float | None) -> JobFolder:
    """Make the run's job and start its supervisor. not_before: when it may start at the earliest, seconds since the epoch. Raises UserError."""

    def find_suite(reference: str) -> NamedSuite:
        with closing(workspace.connect(readonly=True)) as connection:
            return open_suite(connection, reference, workspace.suites)

    folder = launch.launch(
        config,
        jobs=workspace.jobs,
        snapshots=workspace.snapshots,
        models=workspace.models,
        not_before=not_before,
        find_suite=find_suite,
    )
    start(folder)
    return folder
