"""Which served models would have to go for a job to begin, and when nobody is to be asked."""

from __future__ import annotations

from pathlib import Path

from core.jobs import JobFolder, JobInfo
from core.jobs.yielding import holders_of, in_the_way


def job(name: str, kind: str = "train", wants: str = "gpu:1/2", holds: tuple[str, ...] = (), place: int | None = None) -> JobInfo:  # fmt: skip
    state = "running" if holds else "queued"
    return JobInfo(
        name, JobFolder(Path(name)), kind, name, state, "", "", 0.0, resources=(wants,) if wants else (), leases=holds, place=place
    )  # fmt: skip


def ids(found: tuple[JobInfo, ...]) -> list[str]:
    return [one.id for one in found]


WAITING = job("run", place=1)
A = job("a", "serve", "gpu:1/2 shared", ("gpu:0",))
B = job("b", "serve", "gpu:1/2 shared", ("gpu:1",))
C = job("c", "serve", "gpu:1/2 shared", ("gpu:1",))
OTHER = job("other", holds=("gpu:1",))


def test_as_few_models_as_will_do_are_in_the_way() -> None:
    assert ids(in_the_way(WAITING, [WAITING, A, B, C])) == ["a"]
    both = job("both", wants="gpu:2/2", place=1)
    assert ids(in_the_way(both, [both, A, B, C])) == ["a", "b", "c"]
    assert ids(in_the_way(WAITING, [WAITING, A, OTHER])) == ["a"]
    named = job("named", wants="gpu:1", place=1)
    assert ids(in_the_way(named, [named, A, B])) == ["b"]


def test_nobody_is_asked_where_it_would_not_help_or_is_not_needed() -> None:
    assert in_the_way(WAITING, [WAITING, A]) == (), "one is free"
    both = job("both", wants="gpu:2/2", place=1)
    assert in_the_way(both, [both, A, OTHER]) == (), "a run holds the other"
    second = job("second", place=2)
    assert in_the_way(second, [WAITING, second, A, B]) == (), "another comes first"
    assert in_the_way(job("later"), [A, B]) == (), "it waits for its time"
    model = job("model", "serve", "gpu:1/2 shared", place=1)
    assert in_the_way(model, [model, A, B]) == ()
    assert in_the_way(job("cpu", wants="", place=1), [A]) == ()
    mixed = job("mixed", holds=("gpu:0",))
    assert in_the_way(both, [both, A, B, mixed]) == ()


def test_who_holds_what_is_wanted_is_told_whatever_it_is() -> None:
    assert ids(holders_of(WAITING, [WAITING, A, OTHER])) == ["a", "other"]
