"""Near copies: what counts as one, how they are grouped, and that only planted ones stand in the bundle."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.paths import resources
from core.samples import bundle, duplicates
from core.samples.conversation import text_of

words = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta"]), min_size=1, max_size=60
)


def grouped(texts: list[tuple[int, str]], threshold: float) -> list[tuple[list[int], float]]:
    by_key = dict(texts)
    return duplicates.group(list(by_key), lambda keys: [(key, by_key[key]) for key in keys], threshold)


def test_white_space_does_not_count_and_one_renamed_word_counts_little() -> None:
    code = "func add(a, b int) int { return a + b } // adds two numbers and returns their sum, nothing else"
    assert duplicates.similarity(code, code.replace(" ", "\n\t")) == 1.0
    assert 0.5 < duplicates.similarity(code, code.replace("nothing", "little")) < 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=2, max_size=12), st.sampled_from([0.5, 0.7, 0.9]))
def test_no_pair_below_the_threshold_is_grouped_without_a_chain_of_pairs_above_it(
    texts: list[list[str]], threshold: float
) -> None:
    keyed = [(key, " ".join(text)) for key, text in enumerate(texts)]
    for members, loosest in grouped(keyed, threshold):
        assert loosest >= threshold
        reached = {members[0]}
        grown = True
        while grown:
            grown = False
            for one, other in itertools.product(list(reached), members):
                if other not in reached and duplicates.similarity(keyed[one][1], keyed[other][1]) >= threshold:
                    reached.add(other)
                    grown = True
        assert reached == set(members)


@settings(max_examples=40, deadline=None)
@given(words)
def test_identical_texts_are_always_found(text: list[str]) -> None:
    joined = " ".join(text)
    assert grouped([(1, joined), (2, joined), (3, joined)], 0.7) == [([1, 2, 3], 1.0)]


@pytest.fixture(scope="module")
def bundled() -> list[bundle.BundledSample]:
    return bundle.read_bundle(resources() / "samples")


def test_the_bundle_holds_no_near_copies_but_the_planted_ones(bundled: list[bundle.BundledSample]) -> None:
    names = [f"{sample.topic}/{sample.slug}" for sample in bundled]
    code = [(place, text_of(sample.messages).code) for place, sample in enumerate(bundled)]
    found = {tuple(sorted(names[place] for place in members)) for members, _ in grouped(code, 0.5)}
    planted = {tuple(sorted((f"{sample.topic}/{sample.slug}", sample.copy_of))) for sample in bundled if sample.copy_of}
    assert planted
    assert found == planted


def test_the_bundle_is_as_large_as_promised(bundled: list[bundle.BundledSample]) -> None:
    good = [sample for sample in bundled if not sample.planted]
    assert len(good) >= 240
    assert len(bundled) - len(good) >= 30
    assert len({sample.topic for sample in good}) == 12


def test_every_bundled_file_is_read(bundled: list[bundle.BundledSample]) -> None:
    files: list[Path] = list((resources() / "samples").rglob("*.md"))
    assert len(files) == len(bundled)
