"""Near copies: what counts as one, how they are grouped, and that only planted ones stand in the bundle."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import transaction
from core.errors import UserError
from core.paths import resources
from core.samples import bundle, duplicates, edits, minhash, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample, text_of
from core.samples.language import Query
from tests.core.samples.conftest import dump

words = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta"]), min_size=1, max_size=60
)


def grouped(texts: list[tuple[int, str]], threshold: float) -> list[tuple[list[int], float]]:
    by_key = dict(texts)
    return minhash.group(list(by_key), lambda keys: [(key, by_key[key]) for key in keys], threshold)


def test_white_space_does_not_count_and_one_renamed_word_counts_little() -> None:
    code = "func add(a, b int) int { return a + b } // adds two numbers and returns their sum, nothing else"
    assert minhash.similarity(code, code.replace(" ", "\n\t")) == 1.0
    assert 0.5 < minhash.similarity(code, code.replace("nothing", "little")) < 1.0


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
                if other not in reached and minhash.similarity(keyed[one][1], keyed[other][1]) >= threshold:
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


RENAMED = (
    """package p

// Sum adds what is positive.
func Sum(values []int) int {
	total := 0
	for _, value := range values {
		if value > 0 {
			total += value
		}
	}
	return total
}
""",
    """package q

func AddUp(xs []int) int {
	n := 7 /* begin */
	for _, x := range xs {
		if x > 1 {
			n += x
		}
	}
	return n
}
""",
)


def test_renamed_code_has_the_same_shape_though_its_words_differ() -> None:
    one, other = RENAMED
    assert minhash.similarity(one, other) < 0.5
    assert minhash.similarity(one, other, minhash.go_shape) == 1.0
    assert minhash.go_shape('x := "a\\"b" + `c\nd` // gone\nfor i := 0x1F; ; {}') == [
        "I", ":", "=", "S", "+", "S", "for", "I", ":", "=", "N", ";", ";", "{", "}",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab1.\"'`\\/*\n {}é"), max_size=40))
def test_the_shape_of_any_text_is_told_and_white_space_around_it_changes_nothing(text: str) -> None:
    assert minhash.go_shape(f"\n{text}") == minhash.go_shape(text)


def add_code(connection: sqlite3.Connection, prompt: str, code: str) -> int:
    answer = f"```go\n{code}```\n"
    with transaction(connection):
        return add(connection, [NewSample((Message("user", prompt), Message("assistant", answer)))], author="test").ids[
            0
        ]


def test_each_kind_compares_what_it_says_and_only_solutions_are_marked(connection: sqlite3.Connection) -> None:
    one, other = RENAMED
    first = add_code(connection, "Add up the positive ones among these integers, please.", one)
    renamed = add_code(connection, "How large is the sum?", other)
    copied = add_code(
        connection, "Something else entirely is asked for here, is it not?", one.replace("positive", "good")
    )
    asked = add_code(connection, "Add up the positive ones among these integers, please!", "package z\n\nvar Z = 1\n")

    def found(kind: str) -> list[tuple[int, ...]]:
        return [cluster.ids for cluster in duplicates.clusters(connection, Query(), kind=kind)]

    assert found("shapes") == [(first, renamed, copied)]
    assert found("instructions") == [(first, asked)]
    assert duplicates.marked(connection) == []
    assert found("solutions") == [(first, copied)]
    assert [cluster.ids for cluster in duplicates.marked(connection)] == [(first, copied)]
    with pytest.raises(UserError, match="“sounds” cannot be searched for"):
        duplicates.clusters(connection, Query(), kind="sounds")


def test_the_best_of_each_cluster_is_kept_and_undo_brings_the_others_back(connection: sqlite3.Connection) -> None:
    one = RENAMED[0]
    ids = [add_code(connection, f"Question {n}", one.replace("positive", f"{n}")) for n in range(3)]
    edits.review(connection, [ids[1]], status="accepted")
    [cluster] = duplicates.clusters(connection, Query())
    assert cluster.keeper == ids[1], "what was accepted is kept"
    before = dump(connection)
    operation = duplicates.keep_best(connection, Query())
    assert operation.changed == 2
    assert [store.sample(connection, key).status for key in ids] == ["rejected", "accepted", "rejected"]
    assert store.sample(connection, ids[0]).reasons == (duplicates.REASON,)
    edits.undo(connection)
    assert dump(connection) == before
    edits.delete(connection, [ids[1]])
    assert duplicates.marked(connection) == [], "a cluster without its keeper is none"
