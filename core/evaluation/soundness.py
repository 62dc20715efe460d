"""What is known of the soundness of problems: jobs that check whole suites, and what they have found so far, by what each problem holds.

A finding belongs to the text of a problem: whoever edits one has it unchecked again, and a copy of a suite need not be checked anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from core.errors import UserError
from core.evaluation.assembling import check_mode
from core.evaluation.checking import Soundness
from core.evaluation.finding import NamedSuite
from core.evaluation.starting import PROBLEMS
from core.evaluation.suites import Problem
from core.files import write_json
from core.golang.toolchain import find
from core.jobs import JobFolder, create, delete, list_jobs, start

KIND = "check_suite"
FOUND = "soundness.jsonl"


def digest(problem: Problem, suite_format: str) -> str:
    """What a finding hangs on: all that is built and run."""
    said = [suite_format, problem.entry_point, problem.signature, problem.prompt, problem.solution, problem.test]
    setup = str(problem.record.get("test_setup", ""))
    return hashlib.sha256(json.dumps([*said, setup]).encode()).hexdigest()


def start_check(jobs_dir: Path, named: NamedSuite) -> JobFolder:
    """Start a job that checks a suite in the mode `fixed`; earlier checks of it that have ended are removed.

    Raises UserError when no Go can be measured with the suite, when it is being checked already, or when there is no Go toolchain.
    """
    find()
    check_mode(named.suite.format, "fixed")
    before = [job for job in list_jobs(jobs_dir) if job.kind == KIND and job.title == title(named.name)]
    if any(job.alive for job in before):
        raise UserError(f"“{named.name}” is being checked already.", "Wait for it, or stop it first.")
    known = found(jobs_dir)
    folder = create(
        jobs_dir, KIND, {"suite": named.name, "format": named.suite.format, "sha256": named.suite.sha256}, title=title(named.name),
        command=(sys.executable, "-m", "app.cli", "--workspace", str(jobs_dir.parent), "suites", "check", named.reference),
    )  # fmt: skip
    try:
        write_json(folder.path / PROBLEMS, {"problems": [asdict(one) for one in named.suite.problems]})
        _keep_known(folder, named, known)
    except OSError as error:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise UserError(
            f"{folder.path} cannot be written: {error.strerror}.", "Free some space and try again."
        ) from error
    for job in before:
        with suppress(UserError):  # it is being resumed just now
            delete(job.folder)
    start(folder)
    return folder


def _keep_known(folder: JobFolder, named: NamedSuite, known: dict[str, Soundness]) -> None:
    """What is sound and as it was is not run again; what is not sound may have had a reason outside of it."""
    digests = {digest(one, named.suite.format): one for one in named.suite.problems}
    folder.output.mkdir(parents=True, exist_ok=True)
    keep(folder.output, [(key, known[key]) for key in digests if key in known and not known[key].complaints])


def title(suite: str) -> str:
    """What the job that checks a suite is called."""
    return f"Check {suite}"


def keep(output: Path, findings: Iterable[tuple[str, Soundness]]) -> None:
    """Append findings, by digest, so that a power cut loses none. Raises OSError."""
    with (output / FOUND).open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"digest": key, **asdict(one)}, ensure_ascii=False) + "\n" for key, one in findings)
        lines.flush()
        os.fsync(lines.fileno())


def found_in(output: Path) -> dict[str, Soundness]:
    """What a job has found so far, by digest; half a line at the end is left out."""
    known: dict[str, Soundness] = {}
    with suppress(FileNotFoundError), (output / FOUND).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):
                row = json.loads(line)
                key = row.pop("digest")
                known[key] = Soundness(**{**row, "complaints": tuple(row["complaints"])})
    return known


def found(jobs_dir: Path) -> dict[str, Soundness]:
    """What all checks of a workspace have found, by digest; the newest counts."""
    known: dict[str, Soundness] = {}
    for output in sorted(jobs_dir.glob(f"*-{KIND}-*/output")):
        known |= found_in(output)
    return known
