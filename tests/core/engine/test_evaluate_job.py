"""The job kind `evaluate_model`, through a real supervisor: a model answers, the answers are judged, and a kill loses neither."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine import attempts
from core.errors import UserError
from core.evaluation import finding, likelihood, results
from core.evaluation.starting import start_model_evaluation
from core.inference.sampling import Sampling
from core.jobs import JobFolder, gpus, info
from core.jobs.control import resume
from core.jobs.folder import read_job
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

pytestmark = pytest.mark.slow
Eventually = Callable[..., None]
HOT = Sampling(temperature=1.0, max_tokens=24, seed=11)


@pytest.fixture
def suite(tmp_path: Path) -> finding.NamedSuite:
    texts = {f"p{at}": problems.our_text(task) for at, task in enumerate(TASKS[:2])}
    return finding.open_suite(str(problems.write_ours(tmp_path / "set", texts)), None)


def finish(job: JobFolder, eventually: Eventually) -> None:
    eventually(lambda: not info(job).alive, seconds=200, what="the job has ended")
    assert info(job).state == "done", job.log.read_text()


def test_a_model_answers_and_is_judged_and_a_kill_changes_nothing(
    tmp_path: Path,
    base: Path,
    suite: finding.NamedSuite,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpus, "asked", lambda: "A GPU, 1, 1\nA GPU, 1, 1\n")
    whole = start_model_evaluation(tmp_path / "jobs", suite, "tiny", base, samples=10, ks=(1, 10), sampling=HOT)
    finish(whole, eventually)
    assert read_job(whole).resources == ("gpu:1/2",)
    assert whole.given_back.exists(), "judging needs no GPU"
    monkeypatch.undo()
    killed = start_model_evaluation(tmp_path / "jobs", suite, "tiny", base, samples=10, ks=(1, 10), sampling=HOT)
    eventually(lambda: (killed.output / attempts.FILE).exists(), seconds=100, what="it answers")
    for pid in info(killed).workers:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not info(killed).alive, seconds=30)
    resume(killed)
    finish(killed, eventually)
    assert read_job(killed).resources == (), "without a GPU there is nothing to wait for"
    one, other = (sorted(attempts.read(job.output / attempts.FILE), key=str) for job in (whole, killed))
    assert one == other
    assert len(one) == 20
    found = results.read(whole.output)
    assert found.origin.model == "tiny"
    assert found.origin.settings["sampling"]["temperature"] == 1.0
    assert "32" in str(found.origin.settings["weights"])
    assert {(tally.task, tally.n) for tally in found.tallies} == {("set/p0", 10), ("set/p1", 10)}
    again = results.read(killed.output)
    assert found.reference_nll is not None
    assert 0 < found.reference_nll < 20
    assert (found.reference_nll, found.reference_tokens) == (again.reference_nll, again.reference_tokens)
    kept = likelihood.read(whole.output / likelihood.FILE)
    assert found.reference_left_out == ("set/p0",), "with its question it is longer than this model's context"
    assert kept["set/p0"].detail.startswith("The prompt")
    assert sum(tally.reference_tokens for tally in found.tallies) == found.reference_tokens > 40
    texts = {(made.task, made.index): made.text for made in one}
    assert {(kept.task, kept.index): kept.completion for kept in results.candidates(whole.output)} == texts


def test_what_makes_no_sense_is_refused_before_a_job_is_made(
    tmp_path: Path, base: Path, suite: finding.NamedSuite
) -> None:
    jobs = tmp_path / "jobs"
    with pytest.raises(UserError, match="pass@10 needs 10 samples of each problem, and 2 are asked for"):
        start_model_evaluation(jobs, suite, "tiny", base, samples=2, ks=(10,))
    with pytest.raises(UserError, match="At a temperature of 0 all 5 samples of a problem are the same"):
        start_model_evaluation(jobs, suite, "tiny", base, samples=5, sampling=Sampling(temperature=0.0))
    with pytest.raises(UserError, match="no mode “paper”"):
        start_model_evaluation(jobs, suite, "tiny", base, mode="paper")
    assert not jobs.exists() or not list(jobs.iterdir())
