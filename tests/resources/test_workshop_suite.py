"""The bundled suite measures something: every problem is complete, can be solved, and is not solved by code that does nothing;
no two are alike, and none is like a bundled sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pytest

from core.evaluation import ours
from core.evaluation.suites import Problem
from core.golang.checker import Checker, CheckItem
from core.golang.extract import from_answer
from core.golang.stubs import stubs
from core.golang.testing import TestItem, try_tests
from core.golang.toolchain import Toolchain, find
from core.golang.vet import vet
from core.paths import resources
from core.samples.bundle import read_bundle
from core.samples.minhash import Tokens, go_shape, jaccard, shingles, words

FOLDER = resources() / "suites" / "workshop"
TOPICS = {path.name for path in (resources() / "samples").iterdir()}
DIFFICULTIES = {"easy": 25, "medium": 35, "hard": 20}
PROMPTS_ALIKE = 0.1
"""Jaccard similarity of 5-grams; of this suite's prompts no two reach 0.05, and none reaches 0.01 with a sample."""
CODE_ALIKE = 0.2
SHAPES_ALIKE = 0.5
"""With all names blanked: how spans of time are merged has one shape, whatever is asked."""
LEAKED = 12
"""Words in a row that a prompt and its test may share: a long message is longer."""
_DECLARED = re.compile(r"^(?:func (?!\()|type |var |const )(\w+)", re.MULTILINE)
_PUBLIC = (
    "fizz",
    "palindrome",
    "anagram",
    "fibonacci",
    "roman numeral",
    "two sum",
    "bracket",
    "leap year",
    "prime number",
)


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    suite = ours.read(FOLDER)
    assert suite.bad == ()
    return suite.problems


@pytest.fixture(scope="module")
def toolchain(shared_cache: Path) -> Iterator[Toolchain]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOSMITH_CACHE", str(shared_cache))
        yield find()


def test_there_are_eighty_of_all_topics_and_difficulties(problems: tuple[Problem, ...]) -> None:
    by_topic = Counter(one.topic for one in problems)
    assert len(problems) == 80
    assert Counter(one.difficulty for one in problems) == DIFFICULTIES
    assert by_topic.keys() == TOPICS
    assert all(6 <= count <= 8 for topic, count in by_topic.items() if topic != "testing")


def test_files_lie_in_the_folder_of_their_topic(problems: tuple[Problem, ...]) -> None:
    places = {path.stem: path.parent.name for path in FOLDER.glob("*/*.md")}
    assert {one.task.rpartition("/")[2]: one.topic for one in problems} == places


def test_the_suite_says_what_it_is() -> None:
    suite = ours.read(FOLDER)
    assert suite.title.startswith("Workshop: ")
    assert suite.about.startswith("Eighty problems ")


def test_prompts_ask_for_what_the_test_calls(problems: tuple[Problem, ...]) -> None:
    for one in problems:
        asked = from_answer(one.prompt).code
        assert asked.startswith("package solution\n"), one.task
        assert one.signature in asked.splitlines(), one.task
        assert one.entry_point in one.test, one.task


def test_prompts_do_not_show_the_test(problems: tuple[Problem, ...]) -> None:
    for one in problems:
        shown, hidden = _runs(one.prompt), _runs(one.test)
        declared = _runs(from_answer(one.prompt).code)
        assert not (shown & hidden) - declared, one.task


def test_names_of_a_test_are_not_those_of_an_answer(problems: tuple[Problem, ...]) -> None:
    """A candidate is in the same package: a helper of the same name would keep it from compiling."""
    for one in problems:
        assert [name for name in _DECLARED.findall(one.test) if not name.startswith(("Test", "hidden"))] == [], one.task


def test_references_pass_and_stubs_fail(problems: tuple[Problem, ...], toolchain: Toolchain) -> None:
    items = [CheckItem(at, one.solution) for at, one in enumerate(problems)]
    emptied = list(stubs(items, toolchain))
    assert [problems[one.key].task for one in emptied if not one.code] == []
    tried = [TestItem(at, one.solution, one.test) for at, one in enumerate(problems)]
    tried += [TestItem(len(problems) + one.key, one.code, problems[one.key].test) for one in emptied]
    unfit = {}
    for one in try_tests(tried, toolchain, believed=True):
        wanted = ("",) if one.key < len(problems) else ("wrong", "panic")
        if one.verdict.cause not in wanted:
            unfit[problems[one.key % len(problems)].task] = one.verdict
    assert unfit == {}


def test_references_and_tests_are_as_gofmt_and_vet_want_them(
    problems: tuple[Problem, ...], toolchain: Toolchain
) -> None:
    items = [CheckItem(at, one.solution) for at, one in enumerate(problems)]
    tests = [CheckItem(at, one.test) for at, one in enumerate(problems)]
    with Checker(toolchain) as checker:
        answers = {problems[one.key].task: one.states for one in checker.check(items)}
        formats = {problems[one.key].task: one.states["format"] for one in checker.check(tests)}
    for task, states in answers.items():
        assert set(states.values()) == {"pass"}, (task, states)
    assert {task for task, state in formats.items() if state != "pass"} == set()
    for one in vet(items, toolchain):
        assert one.states["vet"] == "pass", (problems[one.key].task, one.diagnostics)


def test_no_two_problems_are_alike(problems: tuple[Problem, ...]) -> None:
    prompts = {one.task: _asked(one.prompt) for one in problems}
    assert _alike(prompts, prompts, PROMPTS_ALIKE) == []


def test_no_problem_is_like_a_bundled_sample(problems: tuple[Problem, ...]) -> None:
    samples = {f"{one.topic}/{one.slug}": one.messages for one in read_bundle(resources() / "samples")}
    asked = {name: "\n".join(said.content for said in turns if said.role == "user") for name, turns in samples.items()}
    code = {name: from_answer(turns[-1].content).code for name, turns in samples.items()}
    assert _alike({one.task: _asked(one.prompt) for one in problems}, asked, PROMPTS_ALIKE) == []
    answers = {one.task: one.solution for one in problems}
    assert _alike(answers, code, CODE_ALIKE) == []
    assert _alike(answers, code, SHAPES_ALIKE, go_shape) == []


def test_no_problem_is_one_that_everybody_knows(problems: tuple[Problem, ...]) -> None:
    for one in problems:
        assert [word for word in _PUBLIC if word in one.prompt.lower()] == [], one.task


def _asked(prompt: str) -> str:
    """A prompt without its Go block, which begins like all the others."""
    return re.sub(r"```go\n.*?```", "", prompt, flags=re.DOTALL)


def _alike(
    some: Mapping[str, str], others: Mapping[str, str], limit: float, tokens: Tokens = words
) -> list[tuple[str, str]]:
    left = {name: shingles(text, tokens) for name, text in some.items()}
    right = left if some is others else {name: shingles(text, tokens) for name, text in others.items() if text}
    pairs = combinations(left, 2) if some is others else ((a, b) for a in left for b in right)
    return [(a, b) for a, b in pairs if jaccard(left[a], right[b]) >= limit]


def _runs(text: str) -> set[tuple[str, ...]]:
    """All runs of LEAKED words."""
    found = [token for token in words(text) if token.isalpha()]
    return {tuple(found[at : at + LEAKED]) for at in range(len(found) - LEAKED + 1)}
