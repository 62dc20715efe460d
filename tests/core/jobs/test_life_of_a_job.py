"""A job from start to end, and everything that may be killed on the way: real supervisors, real workers, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.errors import UserError
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import Change, JobFolder, find, read_job
from core.jobs.process import members
from core.jobs.status import read_state

SLEEPER = Path(__file__).with_name("sleeper.py")
Eventually = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Callable[..., JobFolder]]:
    """`run(steps=3, ...)` starts a sleeper job; what is still alive at the end is killed."""
    made: list[JobFolder] = []

    def begin(*, resources: tuple[str, ...] = (), processes: int = 1, **request: Any) -> JobFolder:
        folder = jobs.create(tmp_path, "sleeper", request, title="A nap", resources=resources, processes=processes)
        control.start(folder, main_file=SLEEPER)
        made.append(folder)
        return folder

    yield begin
    for folder in [one for one in made if one.path.exists()]:
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")


def ended(folder: JobFolder) -> bool:
    return not jobs.info(folder).alive


def test_a_job_runs_in_the_background_and_tells_how_far_it_is(run: Callable[..., JobFolder]) -> None:
    folder = run(steps=5)
    done = control.wait_for_end(folder, 20)
    assert (done.state, done.step, done.total) == ("done", 5, 5)
    kinds = [event["kind"] for event in read_events(folder.events)]
    assert kinds.index("hello") < len(kinds) - 1
    assert folder.log.read_text().splitlines()[0]
    assert "worker at work" in folder.log.read_text()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("user", "The snapshot is empty."),
        ("bug", ""),
        ("kill", ""),
        ("segv", ""),
        ("disk", "disk"),
        ("import", "not_there_at_all"),
        ("memory", "memory"),
        ("exit", ""),
    ],
)
def test_a_failure_becomes_a_sentence_with_a_next_step(run: Callable[..., JobFolder], how: str, words: str) -> None:
    info = control.wait_for_end(run(fail=how, at=2), 20)
    assert info.state == "failed"
    assert info.message
    assert info.hint
    assert words.lower() in info.message.lower()
    assert "Traceback" not in info.message + info.hint


def test_stop_is_a_request_that_a_worker_may_honour_at_its_next_step(
    run: Callable[..., JobFolder], eventually: Eventually
) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).step)
    info = jobs.stop(folder, wait=True, timeout=20)
    assert info.state == "stopped"
    assert any(event["kind"] == "stopping" for event in read_events(folder.events))


def test_a_worker_that_does_not_listen_is_ended_with_its_children(
    run: Callable[..., JobFolder], eventually: Eventually
) -> None:
    folder = run(steps=100_000, obedient=False, child=True)
    eventually(lambda: any(event["kind"] == "child" for event in read_events(folder.events)))
    info = control.stop(folder, grace=0.2, wait=True, timeout=30)
    assert info.state == "stopped"
    eventually(lambda: not members(folder.path), what="processes left behind")


def test_a_killed_supervisor_takes_its_workers_along_and_the_folder_says_what_happened(
    run: Callable[..., JobFolder], eventually: Eventually
) -> None:
    folder = run(steps=100_000, processes=2)
    eventually(lambda: jobs.info(folder).step)
    workers = read_state(folder).workers
    pid = jobs.info(folder).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: jobs.info(folder).state == "interrupted")
    info = jobs.info(folder)
    assert "killed" in info.message
    assert "Resume" in info.hint
    eventually(lambda: not any(_running(worker) for worker in workers), what="orphans")


def test_an_interrupted_job_goes_on_in_the_same_folder(run: Callable[..., JobFolder], eventually: Eventually) -> None:
    folder = run(steps=400)
    eventually(lambda: jobs.info(folder).step)
    os.kill(jobs.info(folder).pid or 0, signal.SIGKILL)
    eventually(lambda: jobs.info(folder).state == "interrupted")
    control.resume(folder, main_file=SLEEPER)
    done = control.wait_for_end(folder, 30)
    assert (done.state, done.attempt) == ("done", 2)


def test_a_resume_may_ask_for_other_workers_and_leases_and_the_request_stays(
    run: Callable[..., JobFolder], eventually: Eventually
) -> None:
    folder = run(steps=100_000, resources=("train",))
    eventually(lambda: jobs.info(folder).step)
    asked = folder.request.read_bytes()
    with pytest.raises(UserError, match="is still"):
        control.resume(folder, main_file=SLEEPER, change=Change(3, (), {}))
    assert not folder.changes.exists(), "a living job is asked nothing else"
    jobs.stop(folder, wait=True, timeout=20)
    control.resume(folder, main_file=SLEEPER, change=Change(2, ("gpu:1/4",), {"steps": 3}))
    done = control.wait_for_end(folder, 20)
    assert (done.state, done.total, done.processes, done.resources) == ("done", 3, 2, ("gpu:1/4",))
    assert len(read_state(folder).exits) == 2
    assert folder.request.read_bytes() == asked
    job = read_job(folder)
    assert job.request == {"steps": 3}
    assert job.created == done.created


def test_what_killed_attempts_met_at_is_cleared_away(run: Callable[..., JobFolder], eventually: Eventually) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).step)
    (folder.path / "store-1").touch()
    os.kill(jobs.info(folder).pid or 0, signal.SIGKILL)
    eventually(lambda: jobs.info(folder).state == "interrupted")
    control.resume(folder, main_file=SLEEPER)
    assert list(folder.path.glob("store-*")) == []


def test_jobs_that_need_the_same_lease_run_one_after_the_other(
    run: Callable[..., JobFolder], eventually: Eventually
) -> None:
    first = run(steps=100_000, resources=("train",))
    eventually(lambda: jobs.info(first).state == "running")
    second = run(steps=2, resources=("train",))
    other = run(steps=2, resources=("gpu:1",))
    assert control.wait_for_end(other, 20).state == "done"
    assert jobs.info(second).state == "queued"
    jobs.stop(first, wait=True, timeout=20)
    assert control.wait_for_end(second, 20).state == "done"


def test_a_job_outlives_the_process_that_started_it(tmp_path: Path, eventually: Eventually) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from core import jobs; from core.jobs import control;"
        f"folder = jobs.create(Path({str(tmp_path)!r}), 'sleeper', {{'steps': 60}}, title='Left alone');"
        f"control.start(folder, main_file=Path({str(SLEEPER)!r})); print(folder.id, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    folder = JobFolder(tmp_path / done.stdout.strip())
    eventually(lambda: ended(folder), 30)
    assert jobs.info(folder).state == "done"


def test_a_living_job_is_not_deleted_and_a_dead_one_leaves_nothing(
    run: Callable[..., JobFolder], eventually: Eventually, tmp_path: Path
) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).state == "running")
    with pytest.raises(UserError, match="still running"):
        jobs.delete(folder)
    control.kill(folder)
    jobs.delete(folder)
    assert [job for job in jobs.list_jobs(tmp_path) if job.id == folder.id] == []


def test_a_job_is_found_by_a_part_of_its_id_if_that_is_unambiguous(
    run: Callable[..., JobFolder], tmp_path: Path
) -> None:
    folder = run(steps=1)
    assert find(tmp_path, folder.id[-4:]) == folder
    with pytest.raises(UserError, match="There is no job"):
        find(tmp_path, "nothing-like-it")


def _running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


LINGERING = """
import atexit, os, select, sys
from core.jobs import supervisor
from core.jobs.folder import JobFolder
from core.jobs.status import read_state
from pathlib import Path

started = os.getpid()
folder = JobFolder(Path(sys.argv[1]))

def linger():
    for _ in range(30 if os.getpid() == started else 0):
        if read_state(folder).finished:
            return
        select.select([], [], [], 0.05)

atexit.register(linger)
sys.exit(supervisor.main(sys.argv[1:]))
"""


def test_a_job_that_ends_at_once_does_not_sweep_its_starter_away(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "lingering.py"
    script.write_text(LINGERING, encoding="utf-8")
    folder = jobs.create(tmp_path / "jobs", "sleeper", {"steps": 0}, title="A blink")
    words = [sys.executable, str(script), str(folder.path), str(SLEEPER)]
    done = subprocess.run(words, env=control.python_environment(folder.path), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    eventually(lambda: ended(folder))
    assert jobs.info(folder).state == "done"
