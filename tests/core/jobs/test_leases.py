"""Leases: one holder at a time, first come first served, and nothing that a dead holder leaves locked."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import UserError
from core.jobs.leases import hold, take

Eventually = Callable[..., None]


@contextlib.contextmanager
def waiting_thread(leases: Path, resources: list[str], name: str, log: list[str]) -> Iterator[threading.Event]:
    """Somebody who waits, holds for a moment, and goes; `log` tells in which order that happened."""
    asked = threading.Event()

    def wait(reason: str) -> bool:
        asked.set()
        return True

    def work() -> None:
        with hold(leases, resources, name, waiting=wait) as held:
            log.append(f"{name} holds {','.join(held or ())}")

    thread = threading.Thread(target=work)
    thread.start()
    yield asked
    thread.join(20)
    assert not thread.is_alive()


def never(reason: str) -> bool:
    return False


def test_what_is_free_is_held_at_once_and_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(tmp_path, ["train", "gpu:0"], "a", waiting=never) as held:
            assert held == ("gpu:0", "train")


def test_who_gives_up_is_told_who_holds_it(tmp_path: Path) -> None:
    reasons: list[str] = []

    def give_up(reason: str) -> bool:
        reasons.append(reason)
        return False

    with (
        hold(tmp_path, ["train"], "errgroup-lora", waiting=never),
        hold(tmp_path, ["gpu:1", "train"], "second", waiting=give_up) as held,
    ):
        assert held is None
        with hold(tmp_path, ["gpu:1"], "third", waiting=never) as other:
            assert other == ("gpu:1",)  # who waits holds nothing
    assert reasons == ["Waiting for “errgroup-lora”, which holds train."]


def test_first_come_first_served(tmp_path: Path, eventually: Eventually) -> None:
    log: list[str] = []
    with contextlib.ExitStack() as stack, hold(tmp_path, ["train"], "first", waiting=never):
        for name in ("b", "c", "d"):
            asked = stack.enter_context(waiting_thread(tmp_path, ["train"], name, log))
            assert asked.wait(10)
    assert log == ["b holds train", "c holds train", "d holds train"]


def test_any_two_of_four(tmp_path: Path) -> None:
    with (
        hold(tmp_path, ["gpu:1"], "one", waiting=never),
        hold(tmp_path, ["gpu:2/4"], "two", waiting=never) as two,
        hold(tmp_path, ["gpu:1/4"], "three", waiting=never) as three,
        hold(tmp_path, ["gpu:1/4"], "four", waiting=never) as four,
    ):
        assert (two, three, four) == (("gpu:0", "gpu:2"), ("gpu:3",), None)


def test_a_big_wish_is_not_passed_by_later_small_ones(tmp_path: Path) -> None:
    log: list[str] = []
    with contextlib.ExitStack() as stack, hold(tmp_path, ["gpu:0"], "first", waiting=never):
        for name, wish in (("big", "gpu:2/2"), ("small", "gpu:1/2")):
            assert stack.enter_context(waiting_thread(tmp_path, [wish], name, log)).wait(10)
    assert log[0] == "big holds gpu:0,gpu:1"


def test_a_killed_holder_and_a_killed_waiter_block_nobody(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from core.jobs.leases import hold\n"
        "def wait(reason):\n    print('waits', flush=True); return True\n"
        f"with hold(Path({str(tmp_path)!r}), ['train'], 'doomed', waiting=wait):\n"
        "    print('holds', flush=True); time.sleep(600)\n"
    )

    def doomed(says: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == says
        return process

    with doomed("holds") as holder, doomed("waits") as waiter:
        for process in (waiter, holder):
            os.kill(process.pid, signal.SIGKILL)
    with hold(tmp_path, ["train"], "next", waiting=never) as held:
        assert held == ("train",)
    assert os.listdir(tmp_path / "queue") == []


@pytest.mark.parametrize("name", ["", "../train", "queue", "Train", "gpu:3/2", "gpu:0/2", "a b"])
def test_what_cannot_be_a_resource_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(UserError, match="cannot be a resource"),
        hold(tmp_path, [name], "x", waiting=never),
    ):
        pass


def test_models_share_a_gpu_and_a_run_that_wants_it_alone_waits_for_all_of_them(tmp_path: Path) -> None:
    reasons: list[str] = []

    def give_up(reason: str) -> bool:
        reasons.append(reason)
        return False

    shared = ["gpu:1/2 shared"]
    with contextlib.ExitStack() as models:
        one = models.enter_context(hold(tmp_path, shared, "Serve a", waiting=never))
        other = models.enter_context(hold(tmp_path, shared, "Serve b", waiting=never))
        assert {one, other} == {("gpu:0",), ("gpu:1",)}, "an empty one comes first"
        third = models.enter_context(hold(tmp_path, shared, "Serve c", waiting=never))
        assert third is not None
        with hold(tmp_path, ["gpu:1/2"], "run", waiting=give_up) as held:
            assert held is None
    assert len(reasons) == 1
    assert "Serve" in reasons[0]
    with hold(tmp_path, ["gpu:2/2"], "run", waiting=never) as held:
        assert held == ("gpu:0", "gpu:1")
        with hold(tmp_path, shared, "Serve a", waiting=give_up) as late:
            assert late is None
    assert reasons[1] == "Waiting for “run”, which holds gpu:0."


def test_what_is_taken_can_be_given_back_before_the_end(tmp_path: Path) -> None:
    with contextlib.ExitStack() as held:
        assert take(tmp_path, ["gpu:0"], "a", held, waiting=never) == ("gpu:0",)
        held.close()
        with hold(tmp_path, ["gpu:0"], "b", waiting=never) as other:
            assert other == ("gpu:0",)
