"""Every bundled sample is what it should be: the good ones pass all that the Go toolchain can say, the planted ones fail in
exactly the way they were planted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.golang.checker import Checker, CheckItem
from core.golang.extract import GoCode, from_answer
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import find
from core.golang.vet import vet
from core.paths import resources
from core.samples.bundle import BundledSample, read_bundle

FAILS = {
    "syntax": {"parse"},
    "unused_import": {"types"},
    "unused_variable": {"types"},
    "types": {"types"},
    "format": {"format"},
    "vet": {"vet"},
    "wrong_answer": {"test"},
    "race": set(),
    "ignored_error": set(),
    "near_copy": set(),
}
"""What the toolchain says of each kind of planted sample; a data race shows in no check without cgo."""

Verdicts = Mapping[str, tuple[dict[str, str], list[str]]]


@pytest.fixture(scope="module")
def bundle() -> dict[str, BundledSample]:
    return {f"{sample.topic}/{sample.slug}": sample for sample in read_bundle(resources() / "samples")}


@pytest.fixture(scope="module")
def codes(bundle: dict[str, BundledSample]) -> dict[str, GoCode]:
    return {name: from_answer(sample.messages[-1].content) for name, sample in bundle.items()}


@pytest.fixture(scope="module")
def verdicts(codes: dict[str, GoCode], shared_cache: Path) -> Verdicts:
    """States and messages of all samples, in three batches: seconds, where one by one it would be minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOSMITH_CACHE", str(shared_cache))
        toolchain = find()
        names = list(codes)
        items = [CheckItem(at, codes[name].code) for at, name in enumerate(names)]
        tests = [TestItem(at, codes[name].code, codes[name].test) for at, name in enumerate(names)]
        with Checker(toolchain) as checker:
            results = [list(checker.check(items)), list(vet(items, toolchain)), list(run_tests(tests, toolchain))]
    found: dict[str, tuple[dict[str, str], list[str]]] = {name: ({}, []) for name in names}
    for result in (one for part in results for one in part):
        states, messages = found[names[result.key]]
        states.update(result.states)
        messages.extend(f"{one.check} {one.line}: {one.message}" for one in result.diagnostics)
    return found


def failed(states: dict[str, str]) -> set[str]:
    """The checks that failed by themselves: a test that does not compile because of the code says nothing of its own."""
    bad = {check for check, state in states.items() if state == "fail"}
    return bad - {"test"} if bad & {"parse", "types"} else bad


def test_there_are_enough_and_planted_kinds_are_known(bundle: dict[str, BundledSample]) -> None:
    good = [name for name, sample in bundle.items() if sample.planted is None]
    kinds = {sample.planted for sample in bundle.values() if sample.planted is not None}
    assert len(good) >= 240
    assert len(bundle) - len(good) >= 30
    assert kinds == set(FAILS)


def test_every_answer_holds_code_and_most_a_test(codes: dict[str, GoCode]) -> None:
    assert [name for name, found in codes.items() if not found.code.startswith(("package ", "//"))] == []
    assert sum(bool(found.test) for found in codes.values()) >= 0.75 * len(codes)


def test_good_samples_pass_every_check(
    bundle: dict[str, BundledSample], codes: dict[str, GoCode], verdicts: Verdicts
) -> None:
    bad = {}
    for name, sample in bundle.items():
        states, messages = verdicts[name]
        wanted = dict.fromkeys(("parse", "format", "types", "vet"), "pass") | {
            "test": "pass" if codes[name].test else "skipped"
        }
        if sample.planted is None and states != wanted:
            bad[name] = (states, messages)
    assert bad == {}


def test_planted_samples_fail_exactly_as_marked(bundle: dict[str, BundledSample], verdicts: Verdicts) -> None:
    bad = {}
    for name, sample in bundle.items():
        if sample.planted is not None and failed(verdicts[name][0]) != FAILS[sample.planted]:
            bad[name] = (sample.planted, *verdicts[name])
    assert bad == {}


@pytest.mark.parametrize(
    ("kind", "word"), [("unused_import", "imported and not used"), ("unused_variable", "declared and not used")]
)
def test_what_is_unused_is_what_the_compiler_complains_of(
    bundle: dict[str, BundledSample], verdicts: Verdicts, kind: str, word: str
) -> None:
    for name, sample in bundle.items():
        if sample.planted == kind:
            types = [message for message in verdicts[name][1] if message.startswith("types ")]
            assert len(types) == 1
            assert word in types[0]


def test_copies_name_a_good_sample(bundle: dict[str, BundledSample]) -> None:
    for name, sample in bundle.items():
        assert (sample.copy_of is not None) == (sample.planted == "near_copy"), name
        if sample.copy_of is not None:
            assert bundle[sample.copy_of].planted is None, name
