"""What `go vet` says of many samples: one module, one package each, one command.

Vet needs code whose types are right; whatever it cannot load is skipped, never failed. Diagnostics carry the analyzer's
name and the sample's own lines.

Nothing is taken from Go's cache of vet's findings: the go command (1.27, `work/exec.go`) stores a package's facts first and
its findings after, and where it meets the first without the second, it says nothing, and says it for ever. A command that was
killed in between, or two at once, would make a bad sample pass. So every batch ends its files with a line of its own, and no
sample passes for which vet gave no answer.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.golang.batch import (
    MODULE,
    Arranged,
    arrange,
    arranging,
    complaints,
    go,
    in_characters,
    lay,
    sweep,
    too_costly,
)
from core.golang.checker import CheckItem, CheckResult, Diagnostic
from core.golang.commands import Cancel
from core.golang.pipeline import Pipeline
from core.golang.sandbox import scratch
from core.golang.toolchain import Toolchain, find

BATCH = 100
"""Samples a command: enough that its start costs nothing, few enough that a stop is quick and progress is seen."""
_SECONDS = 120.0
_POSITION = re.compile(r".*/(s\d{4})/code\.go:(\d+):(\d+)")

Verdict = tuple[str, tuple[Diagnostic, ...]]


def vet(
    items: Iterable[CheckItem], toolchain: Toolchain | None = None, cancel: Cancel | None = None
) -> Iterator[CheckResult]:
    """The verdict of vet on each item, in order: states {"vet": "pass" | "fail" | "skipped"}.

    Ends early when cancel says so. Raises UserError when there is no Go toolchain.
    """
    toolchain = toolchain or find()
    sweep(toolchain)
    waiting = iter(items)
    with arranging(toolchain) as pipeline:
        while batch := list(itertools.islice(waiting, BATCH)):
            verdicts = _batch(batch, toolchain, pipeline, cancel)
            if verdicts is None:
                return
            for item, (state, diagnostics) in zip(batch, verdicts, strict=True):
                yield CheckResult(item.key, {"vet": state}, diagnostics)


def _batch(
    items: Sequence[CheckItem], toolchain: Toolchain, pipeline: Pipeline, cancel: Cancel | None
) -> list[Verdict] | None:
    """Verdicts on a batch, None when cancelled."""
    samples = arrange(pipeline, ((item.key, item.code, "") for item in items))
    verdicts: dict[str, Verdict] = {}
    loadable = []
    for sample in samples:
        if sample.outside:
            verdicts[sample.folder] = ("skipped", (Diagnostic("vet", 0, 0, f"not vetted: {sample.outside}"),))
        elif sample.wrong:
            verdicts[sample.folder] = ("skipped", ())
        else:
            loadable.append(sample)
    with scratch(toolchain) as folder:
        mark = f"\n// {uuid.uuid4().hex}\n"
        lay(Path(folder), [replace(sample, code=sample.code + mark) for sample in loadable], toolchain)
        if not _vet(loadable, toolchain, Path(folder), verdicts, cancel):
            return None
    return [verdicts[sample.folder] for sample in samples]


def _vet(
    samples: Sequence[Arranged],
    toolchain: Toolchain,
    module: Path,
    verdicts: dict[str, Verdict],
    cancel: Cancel | None,
) -> bool:
    """Fill in verdicts; False when cancelled. One package that the go command cannot load stops all, hence the halving."""
    if not samples:
        return True
    command = ["vet", "-json", *(f"./{sample.folder}" for sample in samples)]
    done = go(toolchain, command, module, seconds=_SECONDS, cancel=cancel)
    if done.stopped == "cancelled":
        return False
    said = complaints(done.stderr)
    answers, found = _findings(done.stdout + done.stderr)
    if not done.stopped and answers + len(said) >= len(samples):
        for sample in samples:
            about = said.get(sample.folder, [])
            if sample.folder in found:
                verdicts[sample.folder] = ("fail", tuple(_diagnostic(sample, *one) for one in found[sample.folder]))
            elif any(too_costly(one) for one in about):
                verdicts[sample.folder] = ("fail", (Diagnostic("vet", 0, 0, "too much for go vet: it was stopped"),))
            else:
                verdicts[sample.folder] = ("skipped" if about else "pass", ())
        return True
    if len(samples) == 1:
        why = "too much for go vet: it was stopped" if done.stopped else f"not vetted: {_reason(done.stderr)}"
        state = "fail" if done.stopped else "skipped"
        verdicts[samples[0].folder] = (state, (Diagnostic("vet", 0, 0, why),))
        return True
    middle = len(samples) // 2
    return all(_vet(part, toolchain, module, verdicts, cancel) for part in (samples[:middle], samples[middle:]))


def _findings(output: str) -> tuple[int, dict[str, list[tuple[int, int, str]]]]:
    """For how many packages vet answered, and (line, column, message) by folder. The output is one JSON object a package, empty
    where nothing was found, with other lines in between."""
    decoder = json.JSONDecoder()
    found: dict[str, list[tuple[int, int, str]]] = {}
    answers, at = 0, 0
    while (at := output.find("{", at)) >= 0:
        try:
            packages, at = decoder.raw_decode(output, at)
        except ValueError:
            at += 1
            continue
        answers += 1
        for analyzers in packages.values():
            for analyzer, reports in analyzers.items():
                for report in reports if isinstance(reports, list) else ():
                    _add(found, analyzer, report)
    for reports in found.values():
        reports.sort()
    return answers, found


def _add(found: dict[str, list[tuple[int, int, str]]], analyzer: str, report: dict[str, Any]) -> None:
    if position := _POSITION.fullmatch(report["posn"]):
        message = re.sub(rf"\b{MODULE}/s\d{{4}}\.", "", report["message"])  # "sample/s0001.T" is just T to its author
        one = (int(position[2]), int(position[3]), f"{message} ({analyzer})")
        found.setdefault(position[1], []).append(one)


def _diagnostic(sample: Arranged, line: int, column: int, message: str) -> Diagnostic:
    return Diagnostic("vet", line, in_characters(sample, "code", line, column), message)


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("go: finding")]
    return re.sub(r" in /\S+$", "", lines[-1]) if lines else "go vet said nothing"
