"""A job that cannot go on for now stops by itself, says why, and goes on when it is resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.jobs import create, info
from core.jobs.control import resume, start

PAUSER = Path(__file__).parent / "pauser.py"


def test_a_pause_is_a_stop_with_a_sentence_of_its_own(tmp_path: Path, eventually: Callable[..., None]) -> None:
    job = create(tmp_path, "pauser", {}, title="Pauses")
    start(job, main_file=PAUSER)
    eventually(lambda: not info(job).alive)
    assert (info(job).state, info(job).message, info(job).hint) == ("stopped", "The budget is spent.", "Raise it.")
    resume(job, main_file=PAUSER)
    eventually(lambda: not info(job).alive)
    assert (info(job).state, info(job).message, info(job).hint) == ("done", "", "")
    assert not job.pause.exists()
