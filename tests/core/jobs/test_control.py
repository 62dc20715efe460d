"""What may be asked of a job while it lives: to begin at a time, to save now, to stop at the end of an epoch."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from core import jobs
from core.files import read_json
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder, read_job
from core.jobs.order import tickets

Eventually = Callable[..., None]
Nap = Callable[..., JobFolder]


def kinds(folder: JobFolder) -> list[str]:
    return [event["kind"] for event in read_events(folder.events)]


def test_a_job_begins_at_its_time(nap: Nap) -> None:
    when = time.time() + 0.6
    folder = nap(not_before=when, steps=2)
    done = control.wait_for_end(folder, 20)
    assert done.state == "done"
    assert done.started is not None
    assert when <= done.started < when + 5


def test_a_job_that_waits_for_its_time_says_so_and_stands_in_nobodys_way(
    nap: Nap, tmp_path: Path, eventually: Eventually
) -> None:
    when = time.time() + 3600
    late = nap("late", resources=("train",), not_before=when, steps=2)
    eventually(lambda: jobs.info(late).message == f"Starts at {datetime.fromtimestamp(when):%H:%M}.")
    now = jobs.info(late)
    assert (now.state, now.not_before, now.place) == ("queued", when, None)
    assert tickets(tmp_path / "leases") == []
    assert control.wait_for_end(nap("early", resources=("train",), steps=2), 20).state == "done"


def test_a_job_that_waits_for_its_time_can_be_started_now_or_stopped(nap: Nap, eventually: Eventually) -> None:
    when = time.time() + 3600
    one, other = nap(not_before=when, steps=2), nap(not_before=when, steps=2)
    eventually(lambda: jobs.info(one).not_before and jobs.info(other).not_before)
    control.start_now(one)
    assert control.wait_for_end(one, 20).state == "done"
    stopped = jobs.stop(other, wait=True, timeout=20)
    assert (stopped.state, stopped.message) == ("stopped", "Stopped before it started.")


def test_a_job_killed_while_it_waits_for_its_time_is_resumed_to_wait_for_the_same_time(
    nap: Nap, eventually: Eventually
) -> None:
    folder = nap(not_before=time.time() + 3600, steps=2)
    eventually(lambda: jobs.info(folder).not_before)
    os.kill(jobs.info(folder).pid or 0, signal.SIGKILL)
    eventually(lambda: jobs.info(folder).state == "interrupted")
    assert "waiting for its time" in jobs.info(folder).message
    control.resume(folder, main_file=Path(__file__).with_name("sleeper.py"))
    eventually(lambda: jobs.info(folder).not_before == read_job(folder).not_before)
    control.start_now(folder)
    done = control.wait_for_end(folder, 20)
    assert (done.state, done.attempt) == ("done", 2)


def test_a_job_stops_at_the_end_of_the_epoch_it_is_in(nap: Nap, eventually: Eventually) -> None:
    folder = nap(steps=1_000_000, epoch=50)
    eventually(lambda: jobs.info(folder).step)
    control.request_stop_after_epoch(folder)
    eventually(lambda: jobs.info(folder).message == "Stops after this epoch." or not jobs.info(folder).alive)
    assert control.wait_for_end(folder, 30).state == "stopped"
    assert [event["step"] % 50 for event in read_events(folder.events) if event["kind"] == "epoch"] == [0]


def test_a_job_in_its_last_epoch_is_done_even_if_asked_to_stop_after_it(nap: Nap, eventually: Eventually) -> None:
    folder = nap(steps=60)
    eventually(lambda: "hello" in kinds(folder))
    control.request_stop_after_epoch(folder)
    assert control.wait_for_end(folder, 30).state == "done"


def test_a_checkpoint_is_saved_once_for_each_time_it_is_asked_for(nap: Nap, eventually: Eventually) -> None:
    folder = nap(steps=1_000_000)
    eventually(lambda: jobs.info(folder).step)
    for count in (1, 2):
        control.request_checkpoint(folder)
        eventually(lambda count=count: kinds(folder).count("checkpoint") == count)


def test_requests_of_the_same_moment_are_all_kept(nap: Nap, eventually: Eventually) -> None:
    folder = nap(steps=1_000_000)
    eventually(lambda: jobs.info(folder).step)
    asking = [threading.Thread(target=control.request_checkpoint, args=(folder,)) for _ in range(20)]
    asking.append(threading.Thread(target=control.request_stop_after_epoch, args=(folder,)))
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert read_json(folder.control) == {"checkpoint": 20, "stop_after_epoch": True}
