"""Evaluations as their folders hold them, for tests of what shows them: no Go is needed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.evaluation import results
from core.evaluation.judging import LIMITS, counts
from core.evaluation.results import Candidate, Origin
from core.evaluation.starting import KIND, MODEL_KIND, PROBLEMS
from core.evaluation.suites import OURS, Problem
from core.files import write_json
from core.jobs import JobFolder, create
from core.jobs.status import State, write_state

TOPICS = ("maps", "strings", "errors")
DETAILS = {
    "types": "line 4: undefined: missing",
    "wrong_answer": "got 3, want 4",
    "panic": "index out of range [1] with length 1",
    "sandbox_error": "the sandbox could not be set up",
}


def problems(count: int, *, topics: bool = True) -> list[Problem]:
    """Problems p00, p01 …, of three topics in turn, every second one hard."""
    return [
        Problem(
            f"mine/p{at:02}", f"Solve{at}", f"Write Solve{at}, which adds {at} to a number.", f"package solution\n\nfunc Solve{at}(n int) int {{\n\treturn n + {at}\n}}\n",
            f"package solution\n\nfunc TestSolve{at}(t *testing.T) {{}}\n", {}, TOPICS[at % 3] if topics else "",
            ("easy", "hard")[at % 2] if topics else "",
        )
        for at in range(count)
    ]  # fmt: skip


def candidate(problem: Problem, index: int, status: str) -> Candidate:
    """An answer that came to this."""
    body = f"package solution\n\nfunc {problem.entry_point}(n int) int {{\n\treturn {'n' if status != 'types' else 'missing'} // {status} {index}\n}}\n"
    text = f"Here it is.\n\n```go\n{body}```\n"
    return Candidate(problem.task, index, text, body if status != "extract" else "", status, DETAILS.get(status, ""), False, 0.01)  # fmt: skip


def evaluation(
    jobs: Path,
    name: str,
    statuses: Sequence[Sequence[str]],
    *,
    done: bool = True,
    state: State | None = None,
    ks: Sequence[int] = (1,),
    mode: str = "fixed",
    suite: str = "mine",
    topics: bool = True,
    path: str = "",
    settings: Mapping[str, Any] | None = None,
    **more: Any,
) -> JobFolder:
    """A job's folder of an evaluation of `name`: by problem what became of its answers; more: fields of the result, such as missing."""
    asked = problems(len(statuses), topics=topics)
    kind = MODEL_KIND if path else KIND
    told = {**({"path": path, "samples": len(statuses[0])} if path else {"file": name}), **(settings or {})}
    model = name if path else ""
    request = {
        "suite": suite, "format": OURS, "sha256": f"sha-{suite}", "mode": mode, "k": list(ks), "seconds": 10.0,
        "model": model, "completions": "", "settings": told,
    }  # fmt: skip
    folder = create(jobs, kind, request, title=f"Evaluate {name} on {suite}")
    write_json(folder.path / PROBLEMS, {"problems": [asdict(one) for one in asked]})
    made = [
        candidate(problem, at, status)
        for problem, some in zip(asked, statuses, strict=True)
        for at, status in enumerate(some)
    ]
    with (folder.output / results.CANDIDATES).open("w", encoding="utf-8") as lines:
        lines.writelines(results.line(one) for one in made)
    facts = {one.task: (one.topic, one.difficulty) for one in asked}
    if done:
        origin = Origin(suite, OURS, f"sha-{suite}", mode, model, "", told, asdict(LIMITS), "go1.27", "FULL", {})
        found = {"started": 0.0, "seconds": 12.0, "missing": (), "references": {}, "flaky": (), **more}
        result = results.summed(origin, results.tally(made, facts), counts(one.status for one in made), ks, **found)
        results.write(folder.output, result)
        event = {"t": 1.0, "kind": "evaluated", "pass_at": {str(k): one.value for k, one in result.pass_at.items()}}
        folder.events.write_text(json.dumps(event) + "\n", encoding="utf-8")
    write_state(folder, state or State(state="done", attempt=1, started=time.time() - 20, finished=time.time()))
    return folder
