"""A run's student answers a small suite on the way: points that cost the training nothing, and that no kill loses or doubles."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core import jobs
from core.engine import attempts, evaluations, loop
from core.engine.evaluations import MADE, Waypoint, mark_of, standing
from core.engine.parallel import Group
from core.evaluation import comparing, results
from core.jobs import info
from core.jobs.control import resume
from core.jobs.events import EventWriter, read_events
from core.training import evaluating
from core.training.config_file import to_mapping
from core.training.metrics import RunMetrics
from tests.core.engine.conftest import Notes, config
from tests.core.engine.pointed import EVERY, freeze, points, train

pytestmark = pytest.mark.usefixtures("go_ready")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> evaluating.Frozen:
    return freeze(tmp_path_factory.mktemp("suites"))


def test_a_run_tells_points_and_trains_the_same_to_every_digit(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen
) -> None:
    plain = train(base, snapshot, tmp_path / "plain", None)
    asked = train(base, snapshot, tmp_path / "asked", frozen)
    assert asked.losses() == plain.losses()
    assert [e["grad_norm"] for e in asked.of("step")] == [e["grad_norm"] for e in plain.of("step")]
    assert [e["loss"] for e in asked.of("validation")] == [e["loss"] for e in plain.of("validation")]
    one, other = (
        (tmp_path / name / "output" / "checkpoint-000006" / "adapter_model.safetensors").read_bytes()
        for name in ("plain", "asked")
    )
    assert one == other, "the weights at the end are the same bytes"
    told = asked.of("evaluation")
    assert [event["step"] for event in told] == [0, 2, 4, 6]
    assert all(0 <= event["pass_at_1"] <= 1 and event["problems"] == 2 and event["seconds"] > 0 for event in told)
    folder = Path(told[-1]["path"])
    found = results.read(folder)
    assert (found.origin.model, found.origin.suite, found.origin.settings["step"]) == ("run, step 6", "set", 6)
    assert len(results.candidates(folder)) == 2
    assert comparing.compare(results.read(Path(told[0]["path"])), found).problems == 2


def test_the_generators_of_random_numbers_stay_where_they_are_and_the_student_stays_unmerged(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[Any] = []
    answer = evaluations.Evaluations._answer

    def watched(self: evaluations.Evaluations, folder: Path, done: set[tuple[str, int]]) -> bool:
        student = self._prepared.student
        kept = {name: value.clone() for name, value in student.model.named_parameters()}
        places = {name: value.data_ptr() for name, value in student.model.named_parameters()}
        state = torch.get_rng_state()
        whole = answer(self, folder, done)
        same = all(torch.equal(value, kept[name]) for name, value in student.model.named_parameters())
        there = all(value.data_ptr() == places[name] for name, value in student.model.named_parameters())
        before.append((torch.equal(state, torch.get_rng_state()), same, there))
        return whole

    monkeypatch.setattr(evaluations.Evaluations, "_answer", watched)
    train(base, snapshot, tmp_path, frozen, evaluation={**EVERY, "samples": 3}, budget={"steps": 2})
    assert before == [(True, True, True)] * 2


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_answers_are_those_of_the_checkpoint_of_the_same_step(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen, kind: str
) -> None:
    from core.engine import generate
    from core.evaluation.assembling import question

    notes = train(
        base, snapshot, tmp_path, frozen, method={"kind": kind}, budget={"steps": 4}, checkpoints={"every": 4}
    )
    folder = Path(notes.of("evaluation")[-1]["path"])
    made = {one.task: one for one in attempts.read(folder / attempts.FILE)}
    chatter = generate.load(tmp_path / "output" / "checkpoint-000004", "fp32")
    asked = [(one.task, question(frozen.format, one, "fixed")) for one in frozen.problems]
    sampling = evaluations.effective(evaluations.Sampling(temperature=0.0, max_tokens=12, seed=7))
    for one in attempts.attempts(chatter, asked, 1, sampling, chat=True):
        assert (made[one.task].text, made[one.task].seed) == (one.text, one.seed)


def test_points_that_stand_in_the_log_are_not_told_again_and_what_was_only_answered_is_judged(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen
) -> None:
    whole = train(base, snapshot, tmp_path / "a", frozen)
    log = EventWriter(tmp_path / "a" / "events.jsonl")
    for event in whole.events:
        if event["kind"] in ("step", "evaluation") and not (event["kind"] == "evaluation" and event["step"] == 4):
            log.write(event["kind"], **{key: value for key, value in event.items() if key != "kind"})
    log.close()
    (evaluating.step_folder(tmp_path / "a" / "output", 4) / results.RESULT).unlink()
    again = train(base, snapshot, tmp_path / "a", frozen)
    assert points(again.events) == [point for point in points(whole.events) if point[0] == 4]


def test_answers_of_other_weights_are_given_anew(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen
) -> None:
    folder = evaluating.step_folder(tmp_path / "output", 2)
    folder.mkdir(parents=True)
    (folder / MADE).write_text(json.dumps({"step": 2, "loss": 99.0, "rewinds": 0, "offset": 0, "seconds": 1.0}))
    (folder / attempts.FILE).write_text("")
    (folder / "old").write_text("of a run that went back since")
    told = train(base, snapshot, tmp_path, frozen, budget={"steps": 2}).of("evaluation")
    assert [event["step"] for event in told] == [0, 2]
    assert not (folder / "old").exists()
    assert len(attempts.read(folder / attempts.FILE)) == 2


def test_what_stands_in_a_log_follows_the_steps_that_were_done_again(tmp_path: Path) -> None:
    log = EventWriter(tmp_path / "events.jsonl")
    for step in (1, 2, 3, 4):
        log.write("step", step=step, loss=1.0)
        if step % 2 == 0:
            log.write("evaluation", step=step, weights=f"w{step}", pass_at_1=0.5)
    assert standing(tmp_path / "events.jsonl") == {2: "w2", 4: "w4"}
    log.write("attempt", attempt=2)
    log.write("step", step=3, loss=1.0)
    assert standing(tmp_path / "events.jsonl") == {2: "w2"}
    log.write("evaluation", step=4, weights="w4b")
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind":"evaluation","step":6,"wei')
    log.close()
    assert standing(tmp_path / "events.jsonl") == {2: "w2", 4: "w4b"}
    assert standing(tmp_path / "none") == {}
    one = Waypoint(4, 1.25, 0, 0)
    assert mark_of({"step": 4, "loss": 1.25, "rewinds": 0, "offset": 0}) == mark_of(evaluations.asdict(one))
    assert mark_of({"step": 4, "loss": 1.25, "rewinds": 1, "offset": 3}) != mark_of(evaluations.asdict(one))


@pytest.mark.slow
def test_a_killed_run_ends_with_the_points_that_it_would_have_had(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen, eventually: Callable[..., None]
) -> None:
    sections = {
        "evaluation": {**EVERY, "max_tokens": 40}, "budget": {"steps": 8}, "checkpoints": {"every": 3, "keep": 5}
    }  # fmt: skip
    asked = {"config": to_mapping(config(**sections)), "base": str(base), "snapshot": str(snapshot)}
    killed = jobs.create(tmp_path / "jobs", "train", asked, title="killed")
    evaluating.write(killed, frozen)
    jobs.start(killed)

    def told() -> list[int]:
        return [event["step"] for event in read_events(killed.events) if event["kind"] == "evaluation"]

    eventually(lambda: 4 in told(), seconds=120, what="a point after the checkpoint of step 3")
    for pid in info(killed).workers:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not info(killed).alive, seconds=30)
    assert told()[-1] < 8, "killed on the way"
    resume(killed)
    whole = train(base, snapshot, tmp_path / "whole", frozen, **sections)
    eventually(lambda: not info(killed).alive, seconds=200, what="the run has ended")
    assert info(killed).state == "done", killed.log.read_text()
    found = points(whole.events)
    assert [point[0] for point in found] == [0, 2, 4, 6, 8]
    stands = standing(killed.events)
    assert sorted(stands) == [0, 2, 4, 6, 8]
    metrics = RunMetrics(killed.events)
    metrics.load()
    assert metrics.tracks["evaluation"].x("step").tolist() == [0, 2, 4, 6, 8], "none is lost, none is there twice"
    newest = {point[0]: point for point in points(read_events(killed.events))}
    assert [newest[step] for step in sorted(newest)] == found
    for step in stands:
        one, other = (
            sorted(attempts.read(evaluating.step_folder(output, step) / attempts.FILE), key=str)
            for output in (tmp_path / "whole" / "output", killed.output)
        )
        assert one == other


def test_a_stop_leaves_answers_out_and_the_run_that_goes_on_gives_them(
    base: Path, snapshot: Path, tmp_path: Path, frozen: evaluating.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(Notes):
        """Asks to stop in the middle of the answers at step 2."""

        def should_stop(self) -> bool:
            return self.at == 2 and any("answers" in event["text"] for event in self.of("message")[-1:])

    settings = config(evaluation=EVERY, budget={"steps": 4})
    notes = Stopping()
    where = tmp_path / "output"
    loop.train(settings, base, snapshot, where, run="r", monitor=notes, group=Group(), problems=frozen)
    assert [event["step"] for event in notes.of("step")] == [1, 2], "only these weights can answer"
    assert notes.of("checkpoint")[-1]["step"] == 2
    assert "seconds" not in json.loads((evaluating.step_folder(where, 2) / MADE).read_text())
    again = train(base, snapshot, tmp_path, frozen, budget={"steps": 4})
    assert {2, 4} <= {event["step"] for event in again.of("evaluation")}
    whole = train(base, snapshot, tmp_path / "whole", frozen, budget={"steps": 4})
    assert points(again.events)[-2:] == points(whole.events)[-2:]
    assert again.losses() == whole.losses()[2:]
