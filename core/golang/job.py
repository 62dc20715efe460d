"""The job kind `check`: verdicts on the texts of input.jsonl, written to output/verdicts.jsonl as they come.

Never opens the database. What is in the output stays: a resumed job goes on after it.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from core.errors import UserError
from core.golang.checker import Checker, CheckResult
from core.golang.helper import prepare
from core.golang.levels import LEVELS, Text, check_texts
from core.golang.toolchain import Toolchain, find
from core.jobs.worker import WorkerContext

CHUNK = {"types": 500, "vet": 200, "test": 512}
"""Samples between two writes: a stop or a crash loses at most so much work."""


def main(context: WorkerContext) -> None:
    """Check what the job's folder asks for, at the level of the request: types, vet or test; with `race`, tests run under the race detector.

    Events: message, progress, and at the end `checked` with the counts by check and state. Raises UserError for input that
    is not as it should be, when there is no Go toolchain, or when tests may not be run here.
    """
    level = context.request.get("level", "types")
    if level not in LEVELS:
        raise UserError(f"There is no check level {level!r}.", f"Choose one of {', '.join(LEVELS)}.")
    toolchain = find()
    prepare(toolchain, say=context.message, progress=context.progress)
    total = sum(1 for _ in _texts(context.folder.path / "input.jsonl"))
    output = context.folder.output / "verdicts.jsonl"
    done, counts = _resume(output)
    finished = len(done)
    context.message(f"Checking {total:,} samples with {toolchain.version}")
    context.progress(finished, total)
    waiting = (text for text in _texts(context.folder.path / "input.jsonl") if text.version not in done)
    output.parent.mkdir(parents=True, exist_ok=True)
    with Checker(toolchain, workers=_workers()) as checker, output.open("ab") as file:
        while (chunk := list(itertools.islice(waiting, CHUNK[level]))) and not context.should_stop():
            results = check_texts(
                chunk, level, checker, toolchain,
                cancel=context.should_stop, parallel=_workers(), race=context.request.get("race") is True,
            )  # fmt: skip
            if results is None:
                break
            lines = [_line(text.version, result, toolchain) for text, result in zip(chunk, results, strict=True)]
            file.write("".join(lines).encode())
            file.flush()
            for result in results:
                counts.update(result.states.items())
            finished += len(chunk)
            context.progress(finished, total)
    by_check: dict[str, dict[str, int]] = {}
    for (check, state), number in sorted(counts.items()):
        by_check.setdefault(check, {})[state] = number
    context.event("checked", checked=finished, total=total, by_check=by_check)


def _texts(path: Path) -> Iterator[Text]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                    yield Text(int(row["version"]), str(row["code"]), str(row.get("test") or ""))
                except (ValueError, KeyError, TypeError) as error:
                    raise UserError(
                        f"Line {number} of {path} is no text to check: {error}.", "Start the check again."
                    ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Start the check again.") from error


def _resume(output: Path) -> tuple[set[int], Counter[tuple[str, str]]]:
    """Versions and counts of an earlier attempt; half a line that it may have left is cut off."""
    done: set[int] = set()
    counts: Counter[tuple[str, str]] = Counter()
    if not output.exists():
        return done, counts
    whole = 0
    with output.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            row = json.loads(line)
            done.add(row["version"])
            counts.update(row["states"].items())
        file.truncate(whole)
    return done, counts


def _line(version: int, result: CheckResult, toolchain: Toolchain) -> str:
    record = {
        "version": version,
        "states": result.states,
        "diagnostics": [asdict(one) for one in result.diagnostics],
        "policy": [asdict(one) for one in result.policy],
        "toolchain": toolchain.version,
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def _workers() -> int:
    """As many as there are cores to use, up to what one helper can feed."""
    return max(2, min(8, len(os.sched_getaffinity(0))))
