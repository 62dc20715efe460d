"""The order of the queue: who waits is seen with a place, any place can be changed, and whoever is killed is gone from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from core import jobs
from core.errors import UserError
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.order import FIRST, LAST, move, shift, tickets
from core.jobs.status import list_jobs

Eventually = Callable[..., None]
Nap = Callable[..., JobFolder]
ONE = ("gpu:1/1",)


def waiting(jobs_dir: Path) -> list[str]:
    return [ticket.holder for ticket in tickets(jobs_dir / "leases")]


def began(folder: JobFolder) -> list[float]:
    """When the job's worker began, once for each time it did."""
    return [event["at"] for event in read_events(folder.events) if event["kind"] == "hello"]


@pytest.fixture
def queue(nap: Nap, tmp_path: Path, eventually: Eventually) -> tuple[JobFolder, dict[str, JobFolder]]:
    """A job that holds the only GPU until it is stopped, and a, b, c, which wait for it in this order."""
    first = nap("first", resources=ONE, steps=1_000_000)
    eventually(lambda: jobs.info(first).state == "running")
    found = {}
    for name in "abc":
        found[name] = nap(name, resources=ONE, steps=2)
        eventually(lambda name=name: waiting(tmp_path)[-1:] == [name])
    return first, found


Queue = tuple[JobFolder, dict[str, JobFolder]]


def test_who_holds_a_gpu_and_who_waits_for_it_is_told_with_process_and_place(queue: Queue, tmp_path: Path) -> None:
    first, _ = queue
    found = {job.title: job for job in list_jobs(tmp_path)}
    assert (found["first"].leases, found["first"].place) == (("gpu:0",), None)
    assert found["first"].pid
    os.kill(found["first"].pid, 0)
    assert [os.getpgid(pid) for pid in found["first"].workers] == list(found["first"].workers)
    assert [(found[name].place, found[name].leases) for name in "abc"] == [(1, ()), (2, ()), (3, ())]
    assert jobs.info(found["b"].folder).place == 2
    assert jobs.stop(first, wait=True).leases == ()


def test_a_waiting_job_takes_another_place_and_the_others_keep_theirs(queue: Queue, tmp_path: Path) -> None:
    _, found = queue
    for moved, before, expected in [
        ("c", "a", "cab"), ("c", "b", "acb"), ("a", "c", "bac"), ("c", FIRST, "cab"), ("a", LAST, "bca"),
        ("a", FIRST, "abc"), ("c", LAST, "abc"), ("b", "b", "abc"),
    ]:  # fmt: skip
        move(tmp_path, found[moved].id, found[before].id if before in found else before)
        assert "".join(waiting(tmp_path)) == expected, (moved, before)
        (tmp_path / "leases" / "order.json").unlink(missing_ok=True)  # by age again
        assert "".join(waiting(tmp_path)) == "abc"


def test_a_waiting_job_goes_forward_or_back_as_far_as_there_are_places(queue: Queue, tmp_path: Path) -> None:
    for moved, by, expected in [("b", -1, "bac"), ("b", 1, "acb"), ("a", -1, "abc"), ("c", 1, "abc"), ("c", -2, "cab")]:
        shift(tmp_path, queue[1][moved].id, by)
        assert "".join(waiting(tmp_path)) == expected, (moved, by)
        (tmp_path / "leases" / "order.json").unlink(missing_ok=True)  # by age again
        assert "".join(waiting(tmp_path)) == "abc"


def test_jobs_run_in_the_order_they_were_given(queue: Queue, tmp_path: Path, nap: Nap, eventually: Eventually) -> None:
    first, found = queue
    move(tmp_path, found["c"].id, FIRST)
    found["d"] = nap("d", resources=ONE, steps=2)  # who comes later stands behind all that were moved
    eventually(lambda: waiting(tmp_path) == ["c", "a", "b", "d"])
    jobs.stop(first, wait=True)
    for name in "cabd":
        assert control.wait_for_end(found[name], 30).state == "done"
    assert sorted(found, key=lambda name: began(found[name])) == ["c", "a", "b", "d"]


def test_two_who_change_the_order_at_once_lose_no_job_and_run_none_twice(queue: Queue, tmp_path: Path) -> None:
    first, found = queue
    script = (
        "import sys; from pathlib import Path; from core.jobs.order import move; from core.errors import UserError\n"
        "folder, names = Path(sys.argv[1]), sys.argv[2:]\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for n in range(60):\n"
        "    try: move(folder, names[n % 3], names[(n + 1) % 3] if n % 2 else 'last')\n"
        "    except UserError: break\n"
        "    if n == 20: print('half', flush=True); sys.stdin.readline()\n"
    )
    ids = [found[name].id for name in "abc"]
    movers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), *order],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for order in (ids, ids[::-1])
    ]  # fmt: skip
    for line in ("ready", "half"):
        for mover in movers:
            assert mover.stdout is not None
            assert mover.stdout.readline().strip() == line
        if line == "half":
            assert sorted(waiting(tmp_path)) == ["a", "b", "c"]
            jobs.stop(first, wait=True)  # from here on they start, one after the other, while others still move them
        for mover in movers:
            assert mover.stdin is not None
            mover.stdin.write("\n")
            mover.stdin.flush()
    for mover in movers:
        mover.communicate(timeout=60)
        assert mover.returncode == 0
    for folder in found.values():
        assert control.wait_for_end(folder, 30).state == "done"
        assert len(began(folder)) == 1
    spans = sorted((jobs.info(one).started, jobs.info(one).finished) for one in found.values())
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))  # type: ignore[operator]
    assert waiting(tmp_path) == []


def test_a_killed_waiter_disappears_from_the_queue(queue: Queue, tmp_path: Path, eventually: Eventually) -> None:
    first, found = queue
    os.kill(jobs.info(found["a"]).pid or 0, signal.SIGKILL)
    eventually(lambda: waiting(tmp_path) == ["b", "c"])
    assert {job.title: job.place for job in list_jobs(tmp_path)} == {"first": None, "a": None, "b": 1, "c": 2}
    assert jobs.info(found["a"]).state == "interrupted"
    jobs.stop(first, wait=True)
    assert control.wait_for_end(found["b"], 30).state == "done"


def test_a_stopped_waiter_leaves_the_queue_and_comes_back_at_its_end(
    queue: Queue, tmp_path: Path, eventually: Eventually
) -> None:
    _, found = queue
    move(tmp_path, found["a"].id, FIRST)
    assert jobs.stop(found["a"], wait=True).state == "stopped"
    control.resume(found["a"], main_file=Path(__file__).with_name("sleeper.py"))
    eventually(lambda: waiting(tmp_path) == ["b", "c", "a"])


def test_a_job_for_all_gpus_moved_to_the_head_is_served_before_those_that_would_fit_sooner(
    nap: Nap, tmp_path: Path, eventually: Eventually
) -> None:
    holder = nap("holder", resources=("gpu:1/4",), steps=1_000_000)
    eventually(lambda: jobs.info(holder).state == "running")
    big = nap("big", resources=("gpu:4/4",), steps=2)
    eventually(lambda: waiting(tmp_path) == ["big"])
    small = nap("small", resources=("gpu:1/4",), steps=2)  # three GPUs are free, but big is first
    eventually(lambda: waiting(tmp_path) == ["big", "small"])
    eventually(lambda: jobs.info(small).message == "Waiting behind “big”.")
    jobs.stop(holder, wait=True)
    assert control.wait_for_end(big, 30).state == control.wait_for_end(small, 30).state == "done"
    assert began(big) < began(small)


def test_what_does_not_wait_has_no_place_to_change(queue: Queue, tmp_path: Path) -> None:
    first, found = queue
    for moved, before in ((first.id, FIRST), (found["a"].id, first.id)):
        with pytest.raises(UserError, match="does not wait in the queue"):
            move(tmp_path, moved, before)
    assert waiting(tmp_path) == ["a", "b", "c"]
