"""The problems of a run's evaluations: chosen once, spread over the suite, kept in its folder, refused in a sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core import jobs
from core.errors import UserError
from core.evaluation.finding import NamedSuite, open_suite
from core.evaluation.suites import Problem, Suite
from core.jobs.folder import JobFolder
from core.training import evaluating
from core.training.config import RunConfig
from core.training.config_file import from_mapping
from tests.core.evaluation import problems


def config(**evaluation: object) -> RunConfig:
    return from_mapping({"model": {"base": "starter"}, "data": {"snapshot": "gold"}, "evaluation": evaluation})


def workshop(_name: str = "") -> NamedSuite:
    return open_suite("workshop", None)


def test_a_choice_is_spread_as_the_suite_is_and_the_same_for_the_same_seed() -> None:
    suite = workshop().suite.problems
    some = evaluating.choose(suite, 16, 7)
    assert some == evaluating.choose(suite, 16, 7)
    assert some != evaluating.choose(suite, 16, 8)
    assert [one.task for one in some] == [one.task for one in suite if one in some], "in the suite's order"
    assert Counter(one.difficulty for one in some) == {"easy": 5, "medium": 7, "hard": 4}
    topics = Counter(one.topic for one in some)
    assert len(topics) == len({one.topic for one in suite})
    assert max(topics.values()) <= 3
    assert evaluating.choose(suite, 500, 7) == suite


def test_what_is_frozen_is_read_back_whatever_becomes_of_the_suite(tmp_path: Path) -> None:
    frozen = evaluating.freeze(config(suite="workshop", every=10, problems=3), workshop)
    assert frozen is not None
    assert (frozen.suite, frozen.format, len(frozen.problems)) == ("workshop", "gosmith", 3)
    assert frozen.sha256 != workshop().suite.sha256, "a part of a suite is another one"
    folder = jobs.create(tmp_path, "train", {}, title="t")
    evaluating.write(folder, frozen)
    assert evaluating.read(folder) == frozen
    whole = evaluating.freeze(config(suite="workshop", every=10, problems=1000), workshop)
    assert whole is not None
    assert whole.sha256 == workshop().suite.sha256
    assert evaluating.freeze(config(), workshop) is None


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ({"every": 10}, "evaluation.suite: every = 10 needs a suite"),
        ({"suite": "workshop"}, "evaluation.every: suite = “workshop” needs the steps"),
        ({"suite": "workshop", "every": 10, "problems": 0}, "evaluation.problems is 0 but must be at least 1"),
        ({"suite": "workshop", "every": 10, "problem": 5}, "no key “problem”"),
        ({"suite": 3, "every": 10}, "evaluation.suite is 3 but must be a text"),
        ({"suite": "workshop", "every": -1}, "evaluation.every is -1"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(section: dict[str, object], what: str) -> None:
    with pytest.raises(UserError, match=what):
        config(**section)


def test_what_cannot_be_judged_is_refused_before_there_is_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = config(suite="workshop", every=10)
    with pytest.raises(UserError, match="cannot be evaluated on the way: There is no suite “none”"):
        evaluating.freeze(config(suite="none", every=10), lambda name: open_suite(name, None))
    python = problems.write(tmp_path / "python.jsonl", [problems.humaneval()])
    with pytest.raises(UserError, match="are in Python"):
        evaluating.freeze(asked, lambda _name: open_suite(str(python), None))

    def no_go() -> None:
        raise UserError("There is no Go toolchain.", "Install Go.")

    monkeypatch.setattr(evaluating, "find", no_go)
    with pytest.raises(UserError, match="no Go toolchain") as caught:
        evaluating.freeze(asked, workshop)
    assert "leave evaluation.suite empty" in caught.value.hint


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    with pytest.raises(UserError, match="missing or damaged"):
        evaluating.read(folder)
    (tmp_path / "problems.json").write_text('{"problems": []}')
    with pytest.raises(UserError, match="missing or damaged"):
        evaluating.read(folder)


def test_problems_without_topics_are_chosen_too() -> None:
    plain = [Problem(f"Go/{at}", "F", "p", "s", "t", {}) for at in range(9)]
    suite = Suite("humaneval-x", tuple(plain), (), "x")
    assert len(evaluating.choose(suite.problems, 4, 1)) == 4
