"""The job kind `warm`: what Go needs before it can answer quickly, built once a Go version, in the background.

The first check would wait a minute or two for it otherwise. Every check still looks for itself; nothing relies on this job.
"""

from __future__ import annotations

import os

from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext

_NICE = 10
"""Nobody waits for this: whoever does something else now goes first."""


def main(context: WorkerContext) -> None:
    """Build the helper and compile the standard library. Raises UserError when there is no Go toolchain, or Go fails."""
    os.nice(_NICE)
    prepare(find(), say=context.message, progress=context.progress)
    context.message("Go is ready.")
