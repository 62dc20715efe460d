"""An evaluation on disk: one JSON with everything that is needed to repeat it, and a JSON line a candidate. Written whole, read back.

evaluation.json    what was measured, with what, and what came out      candidates.jsonl   each completion, its code, its verdict
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.evaluation.judging import COMPILES, STATUSES
from core.evaluation.likelihood import Likelihood
from core.evaluation.passing import Estimate, Tally, compile_rate, estimate
from core.files import read_json, write_json

FORM = 1
RESULT = "evaluation.json"
CANDIDATES = "candidates.jsonl"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line of candidates.jsonl."""

    task: str
    index: int
    completion: str
    code: str
    status: str
    detail: str
    flaky: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Origin:
    """What an evaluation is of, and how it was done: what makes two of them comparable, and one repeatable.

    suite, format, sha256: of the suite. mode: fixed or paper. model: what answered, "" where completions were given. completions:
    sha256 of what was judged. settings: how the model was asked, seeds among them. limits: of a run. go, sandbox: what judged.
    versions: of what made this.
    """

    suite: str
    format: str
    sha256: str
    mode: str
    model: str
    completions: str
    settings: Mapping[str, Any]
    limits: Mapping[str, Any]
    go: str
    sandbox: str
    versions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out. tallies: by problem; missing: problems of the suite without completions, which count as not solved; references: the
    suite's own answers that did not pass, with the reason; flaky: tasks with candidates whose runs disagree, and references
    ("reference") that do. folder: where it was read from. reference_nll: mean negative log-likelihood of a token of the suite's own
    answers under the model, in nats, None where it was not measured; reference_tokens: how many they are; reference_left_out: problems
    whose answer was not measured, because there is none, it fails, or it does not fit the model."""

    origin: Origin
    started: float
    seconds: float
    tallies: tuple[Tally, ...]
    statuses: Mapping[str, int]
    pass_at: Mapping[int, Estimate]
    compile_rate: float | None
    missing: tuple[str, ...]
    references: Mapping[str, str]
    flaky: tuple[str, ...]
    folder: Path | None = None
    reference_nll: float | None = None
    reference_tokens: int = 0
    reference_left_out: tuple[str, ...] = ()

    @property
    def problems(self) -> int:
        """All that count: with a verdict, or without any completion."""
        return sum(one.counts for one in self.tallies)


def tally(candidates: Iterable[Candidate], facts: Mapping[str, tuple[str, str]]) -> tuple[Tally, ...]:
    """Counts by problem, also of those without a candidate. facts: topic and difficulty of each task of the suite."""
    found: dict[str, list[Candidate]] = {task: [] for task in facts}
    for one in candidates:
        found.setdefault(one.task, []).append(one)
    made = []
    for task, some in found.items():
        judged = [one for one in some if one.status != "sandbox_error"]
        topic, difficulty = facts.get(task, ("", ""))
        made.append(Tally(
            task, len(judged), sum(one.status in COMPILES for one in judged), sum(one.status == "pass" for one in judged),
            len(some) - len(judged), topic, difficulty,
        ))  # fmt: skip
    return tuple(made)


def summed(
    origin: Origin,
    tallies: Sequence[Tally],
    statuses: Mapping[str, int],
    ks: Sequence[int],
    *,
    started: float,
    seconds: float,
    missing: Sequence[str],
    references: Mapping[str, str],
    flaky: Sequence[str],
    likelihoods: Mapping[str, Likelihood] | None = None,
) -> Evaluation:
    """The evaluation that these counts make. A k that some problem has too few verdicts for, because the sandbox failed, is left out.

    likelihoods: of the suite's own answers, by task, where they were measured.
    """
    enough = [k for k in ks if all(one.n >= k for one in tallies if one.n)]
    estimates = {k: found for k in enough if (found := estimate(tallies, k)) is not None}
    usable = {task: one for task, one in (likelihoods or {}).items() if one.nll is not None and task not in references}
    tokens = sum(one.tokens for one in usable.values())
    with_likelihood = tuple(
        replace(one, reference_nll=said.mean, reference_tokens=said.tokens) if (said := usable.get(one.task)) else one
        for one in tallies
    )
    return Evaluation(
        origin, started, seconds, with_likelihood, dict(statuses), estimates, compile_rate(tallies),
        tuple(missing), dict(references), tuple(flaky),
        reference_nll=math.fsum(one.nll or 0.0 for one in usable.values()) / tokens if tokens else None,
        reference_tokens=tokens,
        reference_left_out=() if likelihoods is None else tuple(one.task for one in tallies if one.task not in usable),
    )  # fmt: skip


def groups(tallies: Iterable[Tally], by: str) -> dict[str, tuple[int, float]]:
    """Problems and mean pass@1 by "topic" or "difficulty", in the order in which they come."""
    found: dict[str, list[float]] = {}
    for one in tallies:
        name = one.topic if by == "topic" else one.difficulty
        if name and one.counts:
            found.setdefault(name, []).append(one.correct / max(1, one.n))
    return {name: (len(rates), sum(rates) / len(rates)) for name, rates in found.items()}


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """What evaluation.json holds."""
    return {
        "form": FORM,
        "problems": evaluation.problems,
        "pass_at": {str(k): one.value for k, one in evaluation.pass_at.items()},
        "intervals": {str(k): list(one.interval) for k, one in evaluation.pass_at.items()},
        "compile_rate": evaluation.compile_rate,
        "statuses": dict(evaluation.statuses),
        "seconds": round(evaluation.seconds, 3),
        "started": evaluation.started,
        "origin": asdict(evaluation.origin),
        "by_topic": {name: {"problems": n, "pass_at_1": rate} for name, (n, rate) in groups(evaluation.tallies, "topic").items()},
        "by_difficulty": {
            name: {"problems": n, "pass_at_1": rate} for name, (n, rate) in groups(evaluation.tallies, "difficulty").items()
        },
        "missing": list(evaluation.missing),
        "references": dict(evaluation.references),
        "flaky": list(evaluation.flaky),
        "reference_nll": evaluation.reference_nll,
        "reference_tokens": evaluation.reference_tokens,
        "reference_left_out": list(evaluation.reference_left_out),
        "tallies": [asdict(one) for one in evaluation.tallies],
    }  # fmt: skip


def write(folder: Path, evaluation: Evaluation) -> Path:
    """Write evaluation.json into `folder`, whole or not at all; returns it. The candidates lie there already. Raises OSError."""
    path = folder / RESULT
    write_json(path, as_json(evaluation))
    return path


def read(place: Path) -> Evaluation:
    """The evaluation in a folder, a job's folder, or its evaluation.json. Raises UserError when there is none, or it is damaged."""
    paths = [place] if place.is_file() else [place / RESULT, place / "output" / RESULT]
    path = next((one for one in paths if one.is_file()), None)
    value = read_json(path) if path is not None else None
    if path is None or value is None:
        raise UserError(f"{place} holds no evaluation.", "Give the folder of an evaluation, or its evaluation.json.")
    try:
        if value["form"] != FORM:
            raise UserError(f"{path} was written by another Gosmith (form {value['form']}).", "Evaluate again.")
        origin = Origin(**{one.name: value["origin"][one.name] for one in fields(Origin)})
        tallies = tuple(Tally(**one) for one in value["tallies"])
        estimates = {
            int(k): Estimate(float(mean), tuple(value["intervals"][k]), value["problems"]) for k, mean in value["pass_at"].items()
        }  # fmt: skip
        return Evaluation(
            origin, value["started"], value["seconds"], tallies, {name: value["statuses"].get(name, 0) for name in STATUSES},
            estimates, value["compile_rate"], tuple(value["missing"]), value["references"], tuple(value["flaky"]), path.parent,
            value.get("reference_nll"), value.get("reference_tokens", 0), tuple(value.get("reference_left_out", ())),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged: {error!r}.", "Evaluate again.") from error


def job_of(evaluation: Evaluation, jobs: Path) -> str:
    """The id of the job in this folder of jobs that made it; "" where none did."""
    if evaluation.folder is None:
        return ""
    place = evaluation.folder.resolve()
    return place.parent.name if place.name == "output" and place.parent.parent == jobs.resolve() else ""


def line(candidate: Candidate) -> str:
    """A line of candidates.jsonl."""
    return json.dumps(asdict(candidate), ensure_ascii=False, separators=(",", ":")) + "\n"


def candidates(folder: Path) -> list[Candidate]:
    """What candidates.jsonl holds; a last line that was not written to its end is left out. Empty where there is no such file."""
    try:
        lines = (folder / CANDIDATES).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    try:
        return [Candidate(**json.loads(one)) for one in lines]
    except (ValueError, TypeError) as error:
        raise UserError(f"{folder / CANDIDATES} is damaged: {error}.", "Evaluate again.") from error
