"""Evaluations while a run goes on: every so many steps the student answers the problems of a small suite, with its weights as they are.

Answering is done between two steps and leaves no trace in the training. Judging takes Go and no GPU, so it happens behind the next steps
(`core.evaluation.background`); a point comes as an event when its verdicts are there. The files of each point are those of any evaluation:

    evaluations/step-000100/   made.json  attempts.jsonl  candidates.jsonl  evaluation.json

A run that is killed loses no point and tells none twice: answers that the same weights have given are kept, what was answered is judged
when the run goes on, and the log says which points stand already.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import torch
from torch.distributed.fsdp import FSDPModule, register_fsdp_forward_method

from core.engine import attempts, attention, generate
from core.engine.parallel import Group
from core.engine.prepare import Monitor, Prepared
from core.engine.sharding import give_back
from core.evaluation.asking import SEVERAL
from core.evaluation.assembling import Question, question
from core.evaluation.background import BackgroundJudge, Handed
from core.evaluation.completions import Completion
from core.evaluation.judging import LIMITS
from core.evaluation.verdicts import Terms
from core.files import read_json, write_json
from core.inference.sampling import Sampling, as_dict, effective
from core.training.config import RunConfig
from core.training.evaluating import FOLDER, MODE, Frozen, step_folder

MADE: Final = "made.json"
AT_ONCE: Final = (16, 1)
"""Answers side by side: in the middle of a run memory is short, and where it does not suffice one alone is tried."""
_STEP: Final = re.compile(rb'"kind":"step","step":(\d+)')


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Which weights a step has: those after this loss, with so many returns to checkpoints and so many steps' rows left out before it."""

    step: int
    loss: float | None
    rewinds: int
    offset: int


class Evaluations:
    """The evaluations of one run; without problems all of it does nothing. Every process calls `hold` at the same steps."""

    def __init__(
        self,
        config: RunConfig,
        prepared: Prepared,
        problems: Frozen | None,
        output: Path,
        monitor: Monitor,
        group: Group,
    ) -> None:
        section = config.evaluation
        self._every = section.every if problems is not None else 0
        self._prepared = prepared
        self._output = output
        self._monitor = monitor
        self._group = group
        self._samples = section.samples
        self._chat = config.data.objective == "sft"
        self._name = config.name
        heat = 0.0 if section.samples == 1 else SEVERAL
        self._sampling = effective(Sampling(temperature=heat, max_tokens=section.max_tokens, seed=config.seed))
        self._asked: list[tuple[str, Question]] = []
        self._judge: BackgroundJudge | None = None
        self._wanted: dict[int, str] = {}
        if not self._every or problems is None:
            return
        self._asked = [(one.task, question(problems.format, one, MODE)) for one in problems.problems]
        if isinstance(prepared.objective, FSDPModule):
            register_fsdp_forward_method(prepared.objective, "next_logits")
        if group.first:
            terms = Terms(
                problems.suite, problems.format, problems.sha256, MODE, "", "", {}, (1,), LIMITS.seconds
            )  # fmt: skip
            self._judge = BackgroundJudge(terms, {one.task: one for one in problems.problems})

    def close(self) -> None:
        """Leave off what is not judged; it is when the run goes on."""
        if self._judge is not None:
            self._judge.close()

    def go_on(self, step: int) -> None:
        """Before the first step of an attempt that begins after `step`: what was answered until then and not told is judged now."""
        if self._judge is None or not (self._output / FOLDER).is_dir():
            return
        self._wanted = {n: mark for n, mark in standing(self._output.parent / "events.jsonl").items() if n <= step}
        for folder in sorted((self._output / FOLDER).glob("step-*")):
            made = read_json(folder / MADE) or {}
            if "seconds" in made and made["step"] <= step and self._wanted.get(made["step"]) != mark_of(made):
                self._hand(folder, made)

    def hold(self, at: Waypoint, *, last: bool = False) -> bool:
        """Where an evaluation is due, have the student answer; then tell what has been judged meanwhile. last: the run is over.

        True, in every process, when a stop has cut the answers short: only these weights can give the others, so no step may follow.
        """
        cut_short = False
        if self._every and (at.step % self._every == 0 or last):
            whole = self._hold(at)
            cut_short = self._group.told(not whole and self._monitor.should_stop())
        self._tell()
        return cut_short

    def back_to(self, step: int) -> None:
        """The weights are those of an earlier step again: verdicts on later ones are no longer wanted."""
        self._tell()
        self._wanted = {n: mark for n, mark in self._wanted.items() if n <= step}

    def finish(self) -> None:
        """Wait until all is judged and told, unless the run is asked to stop."""
        if self._judge is None:
            return
        if self._judge.outstanding:
            self._monitor.event("message", text="Waiting for the verdicts on the last answers.")
        while self._judge.outstanding and not self._monitor.should_stop():
            self._judge.wait(0.2)
            self._tell()
        self._tell()

    def _hold(self, at: Waypoint) -> bool:
        """Were all problems answered? Only the first process knows."""
        folder = step_folder(self._output, at.step)
        done, whole = self._group.told(self._begin(at, folder) if self._judge is not None else (set(), False))
        if not whole:
            began = time.perf_counter()
            whole = self._answer(folder, done)
            if whole and self._judge is not None:
                write_json(folder / MADE, {**asdict(at), "seconds": round(time.perf_counter() - began, 3)})
        if whole and self._judge is not None and self._wanted.get(at.step) != mark_of(asdict(at)):
            self._hand(folder, read_json(folder / MADE) or {})
        return whole

    def _begin(self, at: Waypoint, folder: Path) -> tuple[set[tuple[str, int]], bool]:
        """Which answers these very weights have given before a kill, and whether they are all. Those of others are removed."""
        assert self._judge is not None
        made = read_json(folder / MADE) or {}
        if mark_of(made) == mark_of(asdict(at)):
            return {(one.task, one.index) for one in attempts.read(folder / attempts.FILE)}, "seconds" in made
        while folder.exists() and self._judge.outstanding:  # it may be at work in this very folder
            self._judge.wait(0.2)
            self._tell()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_json(folder / MADE, asdict(at))
        return set(), False

    def _answer(self, folder: Path, done: set[tuple[str, int]]) -> bool:
        """Have the student answer what is not `done`; were all problems answered?"""
        first = self._judge is not None
        student, compute = self._prepared.student, self._prepared.compute
        if not first and not self._prepared.sharded:
            return False
        self._monitor.event("message", text=f"The student answers {len(self._asked):,} problems.")
        self._prepared.objective.eval()
        path = folder / attempts.FILE if first else Path(os.devnull)
        with (
            attention.own_attention(student.causal, "sdpa"),
            compute.autocast(),
            path.open("a", encoding="utf-8") as lines,
        ):
            whole = self._together(lines, done) if self._prepared.sharded else self._alone(lines, done)
            if first:
                lines.flush()
                os.fsync(lines.fileno())
        give_back(self._prepared.objective)
        _free()
        return whole

    def _alone(self, lines: TextIO, done: set[tuple[str, int]]) -> bool:
        """One process holds the model: many answers at a time."""
        for at_once in AT_ONCE:
            try:
                student, compute = self._prepared.student, self._prepared.compute
                chatter = generate.Chatter(student.causal, student.tokenizer, compute, in_training=True)
                return self._attempt(chatter, self._asked, lines, done, at_once, self._monitor.should_stop)
            except torch.OutOfMemoryError:
                pass
            _free()
        self._monitor.event("message", text="There is no memory for an answer beside the run: this point is left out.")
        return False

    def _together(self, lines: TextIO, done: set[tuple[str, int]]) -> bool:
        """The model is shared out: every process takes part in every pass, so all go from problem to problem together."""
        student, compute = self._prepared.student, self._prepared.compute
        chatter = generate.Chatter(student.causal, student.tokenizer, compute, run=self._prepared.objective.next_logits)
        for one in self._asked:
            if self._group.told(self._monitor.should_stop()):
                return False
            self._attempt(chatter, [one], lines, done, 1, lambda: False)
        return True

    def _attempt(
        self,
        chatter: generate.Chatter,
        asked: list[tuple[str, Question]],
        lines: TextIO,
        done: set[tuple[str, int]],
        at_once: int,
        should_stop: Callable[[], bool],
    ) -> bool:
        for one in attempts.attempts(
            chatter, asked, self._samples, self._sampling, chat=self._chat, done=done, at_once=at_once, should_stop=should_stop
        ):  # fmt: skip
            done.add((one.task, one.index))
            lines.write(attempts.to_line(one))
            lines.flush()
        return len(done) == len(self._asked) * self._samples

    def _hand(self, folder: Path, made: Mapping[str, Any]) -> None:
        assert self._judge is not None
        answers = attempts.read(folder / attempts.FILE)
        settings = {
            "run": self._output.parent.name, "step": made["step"], "samples": self._samples, "chat": self._chat,
            "sampling": as_dict(self._sampling), "cut_off": sum(one.reason == "length" for one in answers),
            "answering": made["seconds"],
        }  # fmt: skip
        mark = mark_of(made)
        self._wanted[made["step"]] = mark
        given = tuple(Completion(one.task, one.index, one.text) for one in answers)
        self._judge.hand(
            Handed(made["step"], mark, folder, f"{self._name}, step {made['step']:,}", given, settings)
        )  # fmt: skip

    def _tell(self) -> None:
        for came in self._judge.fetch() if self._judge is not None else ():
            handed, found = came.handed, came.evaluation
            if self._wanted.get(handed.step) != handed.mark:
                continue
            if found is None:
                text = f"The answers of step {handed.step:,} could not be judged: {came.problem}"
                self._monitor.event("message", text=text)
                continue
            first = found.pass_at.get(1)
            answering = float(found.origin.settings.get("answering", 0.0))
            self._monitor.event(
                "evaluation", step=handed.step, pass_at_1=first.value if first else None,
                interval=list(first.interval) if first else None, compile_rate=found.compile_rate, problems=found.problems,
                seconds=round(found.seconds + answering, 3), answering=answering, weights=handed.mark, path=str(handed.folder),
            )  # fmt: skip


def mark_of(made: Mapping[str, Any]) -> str:
    """Weights in a few letters, from a waypoint as it is kept in made.json."""
    told = json.dumps([made.get(key) for key in ("step", "loss", "rewinds", "offset")])
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def standing(log: Path) -> dict[int, str]:
    """Which evaluations a run's log tells of, step -> mark, without those of steps that were done again since."""
    found: dict[int, str] = {}
    newest = 0
    with log.open("rb") if log.exists() else open(os.devnull, "rb") as lines:
        for line in lines:
            if match := _STEP.search(line):
                step = int(match[1])
                if step <= newest:
                    found = {n: mark for n, mark in found.items() if n < step}
                newest = step
            elif b'"kind":"evaluation"' in line:
                try:
                    told = json.loads(line)
                    found[int(told["step"])] = str(told["weights"])
                except (ValueError, KeyError, TypeError):
                    continue  # a full disk or a power cut broke the line
    return found


def _free() -> None:
    """Give back what answering has taken."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
