"""A process that has the engine loaded and makes a copy of itself for each trial of a micro-batch.

`python -m core.engine.finders.trials PARENT`, started by `core.engine.finders.micro_batch` alone. A copy begins as a fresh
worker would, with nothing of earlier trials in its memory, but without the seconds of loading libraries. This process itself
computes nothing and holds no thread and no GPU, or it could not be copied.

in     {"config", "base", "snapshot", "output", "limit"}, once; then {"rows": n} for each trial, n = 0 to count the rows
out    {"sequences": n} or {"peak": bytes} or {"exit": code, "error": what `core.jobs.worker.describe` tells, or null}
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import peft  # noqa: F401 - loaded once, here, for all trials
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401

from core.engine import loop, model, run
from core.engine.data import Sequences
from core.engine.finders import micro_batch, trying
from core.engine.prepare import load_sequences
from core.jobs.process import die_with_parent
from core.jobs.worker import describe
from core.training.config_file import from_mapping


class _Quiet:
    """A monitor that nobody watches."""

    def event(self, kind: str, /, **fields: object) -> None:
        return

    def progress(self, done: int, total: int | None = None) -> None:
        return

    def should_stop(self) -> bool:
        return False

    def checkpoint_requested(self) -> bool:
        return False

    def stop_after_epoch(self) -> bool:
        return False

    def stopped_early(self) -> None:
        return


def attempt(request: dict[str, Any], rows: int) -> dict[str, int]:
    """Two steps, an evaluation and a save with the longest rows, `rows` at a time; the bytes that took at the peak."""
    config = micro_batch.with_rows(from_mapping(request["config"]), rows)
    output = Path(request["output"]) / micro_batch.TRIAL
    this = trying.begin(config, Path(request["base"]), Path(request["snapshot"]), output, _Quiet())
    held = this.prepared.validation
    if held is not None:
        this.prepared = replace(this.prepared, validation=replace(held, members=longest(held, rows)))
    train = this.prepared.train
    train = replace(train, members=longest(train, rows))
    this.prepared = replace(this.prepared, train=train)
    chosen = list(range(len(train.members))) * config.batch.accumulation
    rate = config.optimizer.learning_rate
    trying.step(this, chosen, rate)
    loop.validate(this)
    run.save(this)
    trying.step(this, chosen, rate)
    if this.prepared.compute.device.type == "cuda":
        return {"peak": int(torch.cuda.max_memory_reserved(this.prepared.compute.device))}
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10}


def longest(rows: Sequences, count: int) -> list[tuple[int, ...]]:
    """The members of the `count` longest sequences, the longest first."""
    order = sorted(range(len(rows.members)), key=lambda sequence: -rows.length(sequence))
    return [rows.members[sequence] for sequence in order[:count]]


def count(request: dict[str, Any]) -> dict[str, int]:
    """Rows of one pass over the training data; tokenizing them now saves each trial from it."""
    config, base = from_mapping(request["config"]), Path(request["base"])
    path = Path(request["snapshot"]) / "train.jsonl"
    found = load_sequences(path, base, model.load_tokenizer(base), config, _Quiet())
    return {"sequences": len(found.members)}


def limit_memory(most: int) -> None:
    """Let this process take `most` bytes at the most, counting what it holds already. Allocations beyond it fail.

    RLIMIT_DATA, not RLIMIT_AS: address space that is only reserved, or maps a file, is not memory (setrlimit(2), Linux 4.7).
    """
    kilobytes = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    counted, held = (int(kilobytes[name].split()[0]) << 10 for name in ("VmData", "VmRSS"))
    resource.setrlimit(resource.RLIMIT_DATA, (counted + max(0, most - held), resource.RLIM_INFINITY))


def trial(request: dict[str, Any], rows: int, out: BinaryIO) -> int:
    """In a copy: do the work and answer; the exit code."""
    try:
        if rows and request["limit"] is not None:
            limit_memory(request["limit"])
        answer: dict[str, Any] = attempt(request, rows) if rows else count(request)
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: everything is written down here
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        traceback.print_exc()
        answer = {"exit": 1, "error": describe(error, 0)}
    _write(out, answer)
    return 0


def main(parent: int) -> None:
    """Try what is asked for, until nobody asks any more."""
    die_with_parent(parent)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print belongs into the log
    request = json.loads(sys.stdin.buffer.readline())
    while question := sys.stdin.buffer.readline():
        own = os.getpid()
        child = os.fork()
        if not child:
            die_with_parent(own)
            os._exit(trial(request, json.loads(question)["rows"], out))
        _, status = os.waitpid(child, 0)
        shutil.rmtree(Path(request["output"]) / micro_batch.TRIAL, ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        if code:
            _write(out, {"exit": code, "error": None})


def _write(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
