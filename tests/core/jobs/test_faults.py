"""What may happen to a job from outside, at any moment: kills, a full disk, a restart, logs without end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core import jobs
from core.errors import UserError
from core.jobs import control, status, worker_process
from core.jobs.events import EventWriter, read_events
from core.jobs.folder import JobFolder
from core.jobs.process import Identity, alive, identity, members
from core.jobs.status import JobWatcher, read_state, write_state

SLEEPER = Path(__file__).with_name("sleeper.py")
Eventually = Callable[..., None]
Run = Callable[..., JobFolder]


@pytest.fixture
def run(tmp_path: Path, eventually: Eventually) -> Iterator[Run]:
    """`run(steps=3, ...)` starts a sleeper job; nothing of it may be left at the end."""
    made: list[JobFolder] = []

    def begin(*, resources: tuple[str, ...] = (), processes: int = 1, **request: Any) -> JobFolder:
        folder = jobs.create(tmp_path, "sleeper", request, title="A nap", resources=resources, processes=processes)
        made.append(folder)
        control.start(folder, main_file=SLEEPER)
        return folder

    yield begin
    for folder in [one for one in made if one.path.exists()]:
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")


def named(folder: JobFolder, kind: str) -> list[dict[str, Any]]:
    return [event for event in read_events(folder.events) if event["kind"] == kind]


def exists(pid: int) -> bool:
    return identity(pid) is not None


def test_what_a_worker_has_started_ends_with_a_killed_supervisor(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000, child=True)
    eventually(lambda: named(folder, "child"))
    child = named(folder, "child")[0]["pid"]
    assert exists(child)
    os.kill(jobs.info(folder).pid or 0, signal.SIGKILL)
    eventually(lambda: not exists(child), what="a grandchild in a session of its own")
    eventually(lambda: not members(folder.path), what="the guardian itself")


def test_what_a_worker_has_started_ends_with_a_killed_worker(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000, child=True)
    eventually(lambda: named(folder, "child"))
    child = named(folder, "child")[0]["pid"]
    eventually(lambda: read_state(folder).workers)
    os.kill(read_state(folder).workers[0], signal.SIGKILL)
    ended = control.wait_for_end(folder, 20)
    assert ended.state == "failed"
    assert "killed from outside (SIGKILL)" in ended.message
    assert not exists(child)


def test_killing_everything_at_once_leaves_a_folder_that_can_be_resumed(run: Run, eventually: Eventually) -> None:
    folder = run(steps=300, processes=2, child=True)
    eventually(lambda: len(named(folder, "child")) == 1 and jobs.info(folder).step)
    for pid in members(folder.path):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: jobs.info(folder).state == "interrupted")
    control.resume(folder, main_file=SLEEPER)
    assert control.wait_for_end(folder, 30).state == "done"
    assert [event["attempt"] for event in named(folder, "attempt")] == [1, 2]


def test_a_supervisor_killed_while_it_waits_leaves_its_place_in_the_queue(run: Run, eventually: Eventually) -> None:
    first = run(steps=100_000, resources=("train",))
    eventually(lambda: jobs.info(first).state == "running")
    second = run(steps=2, resources=("train",))
    third = run(steps=2, resources=("train",))
    eventually(lambda: "A nap" in jobs.info(third).message)
    os.kill(jobs.info(second).pid or 0, signal.SIGKILL)
    eventually(lambda: "waiting in the queue" in jobs.info(second).message)
    jobs.stop(first)
    assert control.wait_for_end(third, 20).state == "done"


def test_one_failed_worker_ends_the_others_and_gives_the_reason(run: Run) -> None:
    folder = run(steps=100_000, processes=2, fail="user", at=3, fail_rank=1)
    ended = control.wait_for_end(folder, 30)
    assert (ended.state, ended.message) == ("failed", "The snapshot is empty.")
    assert json.loads(folder.error.read_text())["rank"] == 1
    assert "UserError" in folder.rank_log(1).read_text()


def test_a_job_can_be_stopped_while_it_waits(run: Run, eventually: Eventually) -> None:
    first = run(steps=100_000, resources=("train",))
    eventually(lambda: jobs.info(first).state == "running")
    second = run(steps=2, resources=("train",))
    ended = jobs.stop(second, wait=True, timeout=20)
    assert (ended.state, ended.message) == ("stopped", "Stopped before it started.")
    assert jobs.info(first).state == "running"


def test_a_second_stop_ends_a_deaf_worker_at_once(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000, obedient=False)
    eventually(lambda: jobs.info(folder).step)
    jobs.stop(folder, grace=600)
    eventually(lambda: jobs.info(folder).state == "stopping")
    ended = jobs.stop(folder, wait=True, timeout=20)
    assert ended.state == "stopped"
    assert "last checkpoint is lost" in ended.hint


def test_a_stop_that_comes_after_the_end_changes_nothing(run: Run) -> None:
    folder = run(steps=1)
    control.wait_for_end(folder, 20)
    assert jobs.stop(folder).state == "done"
    assert not folder.control.exists()


def test_a_terminated_supervisor_stops_its_job_properly(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).step)
    os.kill(jobs.info(folder).pid or 0, signal.SIGTERM)
    assert control.wait_for_end(folder, 30).state == "stopped"


def test_a_checkpoint_can_be_asked_for(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).step)
    control.request_checkpoint(folder)
    eventually(lambda: len(named(folder, "checkpoint")) == 1)
    control.request_checkpoint(folder)
    eventually(lambda: len(named(folder, "checkpoint")) == 2)


def test_two_starts_at_once_are_one(run: Run) -> None:
    folder = run(steps=100_000)
    with pytest.raises(UserError, match="was started before"):
        control.start(folder, main_file=SLEEPER)
    with pytest.raises(UserError, match="is still"):
        control.resume(folder, main_file=SLEEPER)
    second = subprocess.run(
        [*control.python_command(), "core.jobs.supervisor", str(folder.path)],
        env=control.python_environment(folder.path) | {"GOSMITH_JOB": ""},
        check=False,
    )
    assert second.returncode == control.BUSY


def test_a_job_that_is_done_is_not_resumed(run: Run) -> None:
    folder = run(steps=1)
    control.wait_for_end(folder, 20)
    with pytest.raises(UserError, match="nothing to resume"):
        control.resume(folder, main_file=SLEEPER)


def test_an_unknown_kind_is_refused_before_anything_runs(tmp_path: Path) -> None:
    folder = jobs.create(tmp_path, "knit", {}, title="A scarf")
    with pytest.raises(UserError, match="no job kind “knit”"):
        control.start(folder)


def test_a_job_that_was_prepared_but_never_started_says_so(tmp_path: Path) -> None:
    folder = jobs.create(tmp_path, "sleeper", {"steps": 1}, title="A nap")
    assert jobs.info(folder).state == "queued"
    job = json.loads(folder.request.read_text())
    folder.request.write_text(json.dumps({**job, "created": job["created"] - 120}))
    info = jobs.info(folder)
    assert (info.state, info.message) == ("interrupted", "It was prepared but never started.")
    control.resume(folder, main_file=SLEEPER)
    assert control.wait_for_end(folder, 20).state == "done"


def test_after_a_restart_of_the_computer_the_same_pid_is_another_process(run: Run) -> None:
    folder = run(steps=1)
    control.wait_for_end(folder, 20)
    here = identity(os.getpid())
    assert here is not None
    assert alive(here)
    EventWriter(folder.events).write("progress", done=40, total=300)
    (folder.output / "checkpoint-000030").mkdir()
    write_state(folder, replace(read_state(folder), state="running", supervisor=replace(here, boot="another")))
    info = jobs.info(folder)
    assert info.state == "interrupted"
    assert info.message == "The computer was restarted while this job was running at 40 of 300."
    assert info.hint == "Resume it to go on from checkpoint-000030."
    write_state(folder, replace(read_state(folder), supervisor=Identity(here.pid, here.started + 1, here.boot)))
    assert "was killed while it was running" in jobs.info(folder).message


def test_a_damaged_control_file_is_no_request(run: Run, eventually: Eventually) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).step)
    for text in ("", "[]", '{"stop": 3}', '{"checkpoint": "x"', "\xff"):
        folder.control.write_text(text, encoding="latin-1")
    before = jobs.info(folder).step or 0
    eventually(lambda: (jobs.info(folder).step or 0) > before + 20)
    assert jobs.stop(folder, wait=True, timeout=20).state == "stopped"


def test_a_worker_that_stands_still_is_told_from_one_that_is_slow(
    run: Run, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(steps=100_000)
    eventually(lambda: jobs.info(folder).state == "running" and folder.heartbeat(0).exists())
    os.kill(read_state(folder).workers[0], signal.SIGSTOP)
    now = time.time() + 2 * status.SILENCE
    monkeypatch.setattr(status, "time", SimpleNamespace(time=lambda: now))
    still = jobs.info(folder)
    assert (still.state, still.silent) == ("running", True)
    assert still.message.startswith("No sign of life for 1")
    assert "Stop it" in still.hint
    os.utime(folder.heartbeat(0), (now, now))
    assert not jobs.info(folder).silent, "no step for two minutes, but a pulse"


def test_a_log_without_end_keeps_its_first_line_and_its_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "LOG_LIMIT", 100_000)
    monkeypatch.setattr(worker_process, "LOG_KEPT", 10_000)
    log = tmp_path / "rank0.log"
    with open(log, "ab", buffering=0) as worker:
        worker.write(b"gosmith train config.toml\n")
        for number in range(20_000):
            worker.write(b"step %d\n" % number)
        worker_process.limit_log(log)
        worker.write(b"and on\n")
    lines = log.read_text().splitlines()
    assert lines[0] == "gosmith train config.toml"
    assert lines[-2:] == ["step 19999", "and on"]
    assert log.stat().st_size < 12_000


def test_the_log_begins_with_a_command_that_does_the_same_again(run: Run, tmp_path: Path) -> None:
    folder = run(steps=3)
    control.wait_for_end(folder, 20)
    assert folder.log.read_text().splitlines()[0].split()[1:4] == ["-P", "-m", "core.jobs.worker"]
    made = jobs.create(
        tmp_path, "sleeper", {"steps": 1}, title="A nap", command=("gosmith", "train", "{folder}/config.toml")
    )
    control.start(made, main_file=SLEEPER)
    control.wait_for_end(made, 20)
    assert made.log.read_text().splitlines()[0] == f"gosmith train {made.path}/config.toml"


def test_a_full_disk_is_reported_as_one(tmp_path: Path) -> None:
    """In a file system of one megabyte: the worker fills it, and there is still room to say so."""
    mount = tmp_path / "small"
    mount.mkdir()
    script = """
import json, sys
from pathlib import Path
from core import jobs
from core.jobs import control
folder = jobs.create(Path(sys.argv[1]), "sleeper", {"fail": "fill", "at": 2}, title="A nap")
control.start(folder, main_file=Path(sys.argv[2]))
ended = control.wait_for_end(folder, 30)
print(json.dumps([ended.state, ended.message, ended.hint]))
try:
    control.resume(folder, main_file=Path(sys.argv[2]))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    inside = 'mount -t tmpfs -o size=1m none "$1" && exec "$0" -c "$3" "$1" "$2"'
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*enter, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    command = [*enter, "sh", "-c", inside, sys.executable, str(mount), str(SLEEPER), script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first == [
        "failed",
        "The disk is full; what was saved before is whole.",
        "Delete old jobs or other files, then resume it.",
    ]
    assert second[0] == "UserError"
    assert "disk is full" in second[1]


def test_a_watcher_sees_what_comes_what_ends_and_what_is_deleted(
    run: Run, tmp_path: Path, eventually: Eventually
) -> None:
    watcher = JobWatcher(tmp_path)
    assert watcher.poll() == []
    (tmp_path / "no job").mkdir()
    folder = run(steps=100_000)
    eventually(lambda: [job.state for job in watcher.poll()] == ["running"])
    jobs.stop(folder, wait=True, timeout=20)
    assert [(job.id, job.state) for job in watcher.poll()] == [(folder.id, "stopped")]
    assert watcher.poll()[0] is watcher.poll()[0]
    control.resume(folder, main_file=SLEEPER)
    assert watcher.poll()[0].alive
    control.kill(folder)
    jobs.delete(folder)
    assert watcher.poll() == []


def test_old_jobs_of_a_kind_are_cleared_away_but_never_living_ones(run: Run, tmp_path: Path) -> None:
    ended = [run(steps=1) for _ in range(3)]
    for folder in ended:
        control.wait_for_end(folder, 20)
    living = run(steps=100_000)
    (tmp_path / ".deleted-earlier").mkdir()
    assert control.prune(tmp_path, ["sleeper"], keep=1) == 2
    assert sorted(os.listdir(tmp_path)) == sorted([ended[-1].id, living.id])
