"""How likely a model finds the suite's own answers: what is scored of each, and a JSON line a problem.

It tells checkpoints apart that solve the same problems, and needs no sandbox. Here is what is asked and kept; the engine
(`core.engine.references`) does the asking.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core.evaluation.answers import opening
from core.evaluation.suites import OURS, Problem

FILE = "references.jsonl"


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of one reference. tokens: how many were scored. nll: their summed negative log-likelihood in nats, None where it could not be
    measured, and then detail says why."""

    task: str
    tokens: int
    nll: float | None
    detail: str = ""

    @property
    def mean(self) -> float | None:
        """Of a token, in nats."""
        return None if self.nll is None else self.nll / self.tokens


def reference_text(suite_format: str, problem: Problem, *, chat: bool) -> str:
    """The suite's own answer as a model would give it: in a fenced block to a chat's question, else what follows the opening.

    "" where the suite has none, or none that goes on from there.
    """
    solution = problem.solution
    if not solution.strip():
        return ""
    if chat:
        whole = solution if suite_format == OURS else problem.prompt + solution
        return f"```go\n{whole.strip()}\n```"
    if suite_format != OURS:
        return solution
    head = opening(suite_format, problem)
    if not head:
        return ""
    return solution.partition(head[head.rstrip().rfind("\n") + 1 :])[2]


def to_line(one: Likelihood) -> str:
    """A line of references.jsonl."""
    return json.dumps(asdict(one), ensure_ascii=False, allow_nan=False) + "\n"


def read(file: Path) -> dict[str, Likelihood]:
    """What earlier tries have written, by task; half a line that a crash left is cut off."""
    with suppress(FileNotFoundError), file.open("rb+") as lines:
        whole = lines.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        lines.truncate(len(whole))
        made = (Likelihood(**json.loads(line)) for line in whole.splitlines())
        return {one.task: one for one in made}
    return {}
