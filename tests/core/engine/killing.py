"""Runs that are killed again and again at random moments, and what must hold after each kill and at the end.

Real supervisors, real processes of a real run, SIGKILL and nothing gentler. One seed gives one sequence of victims and moments;
what a process is doing at such a moment is the machine's choice. Used by a test of a few kills and by a benchmark of a hundred.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from core import jobs
from core.engine import checkpoint, loop
from core.engine.parallel import Group
from core.jobs import control
from core.jobs.events import EventTail, read_events
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.jobs.status import read_state
from core.training.config import RunConfig
from core.training.config_file import to_mapping
from tests.core.engine.conftest import Notes

WINDOW = """
import signal, sys
from pathlib import Path
from core.jobs import control
from core.jobs.folder import JobFolder
folder = JobFolder(Path(sys.argv[1]))
(control.resume if folder.state.exists() else control.start)(folder)
print("at work", flush=True)
signal.pause()
"""
"""Stands for the window: it starts the job and stays."""
VICTIMS = {"window": 3, "supervisor": 5, "rank 0": 4, "rank 1": 4, "all at once": 4}
MOMENTS = {"while it starts": 2, "between steps": 10, "during a save": 8}


def wait(condition: Callable[[], object], seconds: float, what: str, every: float = 0.02) -> float:
    """Wait until the condition holds, and say how long that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
    return time.monotonic() - began


@dataclass
class Killed:
    """One run under fire. kills: victim and moment of each kill. cleared: seconds from each kill to the last process gone.

    lost_steps: of each kill, the steps to be done again. cut: how many kills left half a checkpoint, not yet under its name.
    """

    folder: JobFolder
    random: random.Random
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    cleared: list[float] = field(default_factory=list)
    lost_steps: list[int] = field(default_factory=list)
    cut: int = 0
    window: subprocess.Popen[str] | None = None
    tail: EventTail | None = None
    steps: int = 0
    newest: int = 0

    def begin(self) -> None:
        """Start the job, or go on with it, from a window of its own."""
        self.close()
        self.tail = EventTail(self.folder.events, self.folder.events.stat().st_size if self.steps_done() else 0)
        self.steps = 0
        self.window = subprocess.Popen(
            [*control.python_command()[:-1], "-c", WINDOW, str(self.folder.path)],
            stdout=subprocess.PIPE,
            text=True,
            env=control.module_environment(),
            start_new_session=True,
        )
        assert self.window.stdout is not None
        assert self.window.stdout.readline() == "at work\n"

    def close(self) -> None:
        """Close the window, if there is one."""
        if self.window is not None:
            self.window.kill()
            self.window.communicate()
            self.window = None

    def look(self) -> int:
        """Steps that this attempt has told of so far."""
        assert self.tail is not None
        for event in self.tail.read():
            if event["kind"] == "step":
                self.steps += 1
                self.newest = event["step"]
        return self.steps

    def steps_done(self) -> int:
        """The newest step that any attempt has told of."""
        return max((event["step"] for event in read_events(self.folder.events) if event["kind"] == "step"), default=0)

    def ended(self) -> bool:
        return not jobs.info(self.folder).alive

    def wait_for(self, moment: str) -> None:
        """Return at a random moment of that sort, or when the run has ended."""
        if moment == "while it starts":
            time.sleep(self.random.uniform(0.0, 6.0))
            return
        wanted = self.look() + self.random.randint(1, 6)
        saves = self.random.randint(1, 2)
        seen: set[str] = set()
        asked = time.monotonic()

        def ended() -> bool:
            """Looks ten times a second: it reads many files, and a save is over in some milliseconds."""
            nonlocal asked
            if time.monotonic() < asked + 0.1:
                return False
            asked = time.monotonic()
            return self.ended()

        def come() -> bool:
            if moment == "between steps":
                return self.look() >= wanted or ended()
            seen.update(path.name for path in self.folder.output.glob(".checkpoint-*.part"))
            return len(seen) >= saves or ended()

        wait(come, 120, moment, every=0.005 if moment == "between steps" else 0.002)
        time.sleep(self.random.uniform(0.0, 0.05))

    def kill(self) -> bool:
        """One kill at one moment, and everything that must hold after it; False when the run was done before."""
        victim = self.random.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        moment = self.random.choices(list(MOMENTS), list(MOMENTS.values()))[0]
        self.wait_for(moment)
        if self.ended():
            return False
        state = read_state(self.folder)
        assert state.supervisor is not None
        pids = {"supervisor": [state.supervisor.pid], "all at once": members(self.folder.path)}
        pids |= {f"rank {rank}": [pid] for rank, pid in enumerate(state.workers)}
        if victim == "window":
            self.close()
            told = self.look()
            wait(lambda: self.look() > told or self.ended(), 60, "the run goes on without its window")
            assert jobs.info(self.folder).state in ("running", "done"), jobs.info(self.folder)
        else:
            for pid in pids.get(victim, pids["supervisor"]):
                os.kill(pid, signal.SIGKILL)
            self.cleared.append(
                wait(lambda: self.ended() and not members(self.folder.path), 30, f"all gone after {victim} was killed")
            )
            assert jobs.info(self.folder).state in ("interrupted", "failed"), jobs.info(self.folder)
            assert jobs.info(self.folder).hint
            self.cut += any(self.folder.output.glob(".checkpoint-*"))
            self.check_checkpoints()
            self.begin()
        self.kills[victim, moment] += 1
        return True

    def check_checkpoints(self) -> None:
        """Whatever is called a checkpoint is whole and loads, and none that was told of is lost."""
        whole = checkpoint.list_checkpoints(self.folder.output)
        assert {saved.path for saved in whole} == set(self.folder.output.glob("checkpoint-*"))
        for saved in whole:
            assert checkpoint.damage(saved) == ""
            for file in saved.path.glob("*.safetensors"):
                assert all(bool(torch.isfinite(tensor).all()) for tensor in load_file(file).values())
        told = [event["step"] for event in read_events(self.folder.events) if event["kind"] == "checkpoint"]
        newest = max((saved.step for saved in whole), default=0)
        assert newest >= max(told, default=0)
        self.lost_steps.append(max(0, self.steps_done() - newest))

    def finish(self) -> None:
        """Let it run to its end."""
        if self.ended() and jobs.info(self.folder).state != "done":
            self.begin()
        done = control.wait_for_end(self.folder, 300)
        self.close()
        assert done.state == "done", done
        wait(lambda: not members(self.folder.path), 10, "nothing is left of a run that is done")
        self.check_checkpoints()


def make(folder: Path, config: RunConfig, base: Path, snapshot: Path) -> JobFolder:
    """The job of a run, without what a person's workspace would add."""
    request = {"config": to_mapping(config), "base": str(base), "snapshot": str(snapshot)}
    return jobs.create(folder, "train", request, title=config.name, processes=config.parallel.processes)


def curve(folder: JobFolder) -> dict[tuple[str, int], Any]:
    """Loss and norm of every step and validation as the last attempt told it, and what the last checkpoint holds, to every bit."""
    found: dict[tuple[str, int], Any] = {}
    for event in read_events(folder.events):
        if event["kind"] == "step":
            found["step", event["step"]] = (event["loss"], event["grad_norm"], event["lr"])
        if event["kind"] == "validation":
            found["validation", event["step"]] = event["loss"]
    last = checkpoint.list_checkpoints(folder.output)[-1]
    for number, file in enumerate(sorted(last.path.glob("*.safetensors"))):
        found[file.name, number] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def losses(events: list[dict[str, Any]]) -> dict[tuple[str, int], float]:
    """The last loss that was told of each step and validation."""
    return {
        (event["kind"], event["step"]): event["loss"] for event in events if event["kind"] in ("step", "validation")
    }


def alone(config: RunConfig, base: Path, snapshot: Path, output: Path) -> dict[tuple[str, int], float]:
    """The losses of a run by this very process."""
    notes = Notes()
    loop.train(config, base, snapshot, output, run="r", monitor=notes, group=Group())
    return losses(notes.events)


def undisturbed(folder: JobFolder) -> dict[tuple[str, int], Any]:
    """The curve of a run that nobody kills."""
    control.start(folder)
    assert control.wait_for_end(folder, 300).state == "done", folder.log.read_text()
    return curve(folder)


def under_fire(folder: JobFolder, kills: int, seed: int) -> Killed:
    """Kill a run `kills` times, or fewer when it is done before, and let it end. Leaves no process, whatever happens."""
    run = Killed(folder, random.Random(seed))
    try:
        run.begin()
        while run.kills.total() < kills and run.kill():
            pass
        run.finish()
    finally:
        run.close()
        control.kill(folder)
    return run
