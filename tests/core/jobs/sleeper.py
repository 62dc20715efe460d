"""A job kind for tests: does what its request says, without torch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from core.jobs.worker import WorkerContext


def main(context: WorkerContext) -> None:
    request = context.request
    print("worker at work", flush=True)
    context.event("hello", rank=context.rank, attempt=context.attempt, at=time.time())
    if request.get("child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        context.event("child", pid=child.pid)
    steps = request.get("steps", 3)
    for step in range(1, steps + 1):
        if request.get("at") == step and request.get("fail_rank", context.rank) == context.rank:
            fail(request["fail"])
        if context.checkpoint_requested():
            context.event("checkpoint", step=step)
        if request.get("obedient", True) and context.should_stop():
            context.event("stopping", step=step)
            return
        context.progress(step, steps)
        if step % request.get("epoch", steps) == 0 and step < steps and context.stop_after_epoch():
            context.event("epoch", step=step)
            context.stopped_early()
            return
        time.sleep(request.get("pause", 0.005))


def fail(how: str) -> None:
    if how == "user":
        raise UserError("The snapshot is empty.", "Accept some samples first.")
    if how == "bug":
        raise KeyError("oops")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "disk":
        raise OSError(28, "No space left on device", "/x/output/checkpoint")
    if how == "import":
        import not_there_at_all  # noqa: F401
    if how == "fill":
        with open(os.environ["GOSMITH_JOB"] + "/output/filler", "wb") as file:
            while True:
                file.write(bytes(65536))
                file.flush()
    if how == "exit":
        sys.exit(7)
    if how == "memory":
        raise MemoryError
