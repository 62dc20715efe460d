"""The job kind `check_suite`: holds every problem's test against its reference and a stub, and writes what it finds as it comes.

Never opens the database. What is found stays: a resumed job goes on after it.
"""

from __future__ import annotations

import os

from core.evaluation import soundness
from core.evaluation.checking import TOGETHER, check
from core.evaluation.judging import Judge
from core.evaluation.starting import problems_of
from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext


def main(context: WorkerContext) -> None:
    """Request: that of `core.evaluation.soundness.start_check`. Events: message, progress. Raises UserError when there is no Go toolchain, or
    when tests may not be run here."""
    suite_format = context.request["format"]
    toolchain = find()
    prepare(toolchain, say=context.message, progress=context.progress)
    problems = list(problems_of(context.folder).values())
    output = context.folder.output
    output.mkdir(parents=True, exist_ok=True)
    _cut(context)
    known = soundness.found_in(output)
    left = [one for one in problems if soundness.digest(one, suite_format) not in known]
    done = len(problems) - len(left)
    context.message(f"Checking {len(left):,} problems with {toolchain.version}")
    context.progress(done, len(problems))
    workers = max(2, min(8, len(os.sched_getaffinity(0))))
    with Judge(suite_format, "fixed", toolchain, workers=workers, cancel=context.should_stop) as judge:
        for start in range(0, len(left), TOGETHER):
            part = left[start : start + TOGETHER]
            said = [] if context.should_stop() else check(part, judge, toolchain)
            if len(said) < len(part):
                return
            digests = [soundness.digest(one, suite_format) for one in part]
            soundness.keep(output, zip(digests, said, strict=True))
            done += len(part)
            context.progress(done, len(problems))


def _cut(context: WorkerContext) -> None:
    """Take away half a line that an earlier attempt may have left."""
    file = context.folder.output / soundness.FOUND
    if file.exists():
        text = file.read_bytes()
        with file.open("rb+") as lines:
            lines.truncate(text.rfind(b"\n") + 1)
