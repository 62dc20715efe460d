"""Outcomes as a job writes them, for tests of who reads them."""

from __future__ import annotations

from core.jobs import JobFolder
from core.teacher import results
from core.teacher.results import Exchange, Made, Outcome
from tests.core.teacher.scripted import answer, check_of, code, good, task

PASS = {"parse": "pass", "format": "pass", "types": "pass", "vet": "pass", "test": "pass"}


def done(number: int, *, near: tuple[str, float] | None = None, fix: bool = False, **fields: object) -> Outcome:
    """A verified sample with one exchange, but for what is said otherwise."""
    response = f"It adds.\n\n```go\n{code(number)}```\n\n```go\n{check_of(number)}```"
    made = [Made("sample", (("user", task(number)), ("assistant", response)), True, PASS, (), (), "go1.27.3", near)]
    if fix:
        made.append(Made("fix", (("user", f"Mend {number}."), ("assistant", response)), True, PASS, (), (), "go1.27.3"))
    said = Exchange(
        "solution", (("system", "Be good."), ("user", task(number))), answer(good(number)), 0, {"max_tokens": 900}
    )
    values = {"result": "verified", "reason": "", "topic": "time", "draw": {"package": "time"}, "task": task(number)}
    return Outcome(**{"number": number, **values, "made": tuple(made), "exchanges": (said,), **fields})  # type: ignore[arg-type]


def write(job: JobFolder, *outcomes: Outcome) -> None:
    """Append them to the job's output."""
    with (job.output / results.FILE).open("ab") as file:
        for one in outcomes:
            file.write(results.to_line(one))
