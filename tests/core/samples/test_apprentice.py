"""The apprentice learns what can be learnt, says so honestly where there is nothing to learn, and scores every text."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import transaction
from core.errors import UserError
from core.samples import apprentice, edits, features, logistic, query, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.samples.language import parse
from core.samples.store import VerdictRecord


def fill(connection: sqlite3.Connection, count: int, *, marked: Callable[[int], bool]) -> tuple[int, ...]:
    """Samples of random words; those that are marked say `panic` in their code."""
    rng = random.Random(1)
    vocabulary = [f"word{n}" for n in range(300)]
    new = []
    for n in range(count):
        body = [f"\t{rng.choice(vocabulary)}({rng.choice(vocabulary)})" for _ in range(12)]
        if marked(n):
            body.insert(rng.randrange(12), '\tpanic("later")')
        code = "package p\n\nfunc F() {\n" + "\n".join(body) + "\n}\n"
        new.append(NewSample((Message("user", f"Question {n}"), Message("assistant", f"```go\n{code}```"))))
    with transaction(connection):
        return add(connection, new, author="test").ids


def test_what_decides_is_learnt_and_named(connection: sqlite3.Connection) -> None:
    keys = fill(connection, 300, marked=lambda n: n % 2 == 0)
    edits.review(connection, keys[1:200:2], status="accepted")
    edits.review(connection, keys[0:200:2], status="rejected")
    learnt = apprentice.learn(connection)
    report = learnt.report
    assert (report.accepted, report.rejected, report.baseline) == (100, 100, 0.5)
    assert report.auc > 0.95
    assert report.accuracy > 0.9
    assert any("panic" in words or "later" in words for words in report.speaks_against)
    apprentice.keep_scores(connection, apprentice.scores(connection, learnt))
    given_scores = [store.sample(connection, key).score for key in keys]
    assert None not in given_scores
    unseen = given_scores[200:]
    assert min(s for n, s in enumerate(unseen) if n % 2 and s is not None) > max(
        s for n, s in enumerate(unseen) if not n % 2 and s is not None
    )
    assert next(iter(query.ids(connection, parse("status:new sort:-score")))) in keys[201::2]
    uncertain = [store.sample(connection, key).score for key in query.ids(connection, parse("sort:uncertain"))]
    distances = [abs(score - 50) for score in uncertain if score is not None]
    assert distances == sorted(distances)


def test_where_there_is_nothing_to_learn_it_says_so(connection: sqlite3.Connection) -> None:
    keys = fill(connection, 240, marked=lambda n: False)
    rng = random.Random(3)
    chosen = set(rng.sample(keys, 120))
    edits.review(connection, sorted(chosen), status="accepted")
    edits.review(connection, [key for key in keys if key not in chosen], status="rejected")
    report = apprentice.learn(connection).report
    assert 0.35 < report.auc < 0.65
    assert report.accuracy < 0.65


def test_copies_of_what_it_has_seen_do_not_make_it_look_better(connection: sqlite3.Connection) -> None:
    """Each decision comes with four near copies and is random: only leaking copies across folds could raise the quality."""
    rng = random.Random(5)
    good, bad, marks = [], [], []
    for family in range(60):
        body = [f"\tf{family}x{n}()" for n in range(12)]
        new = [
            NewSample((Message("user", f"Q {family}.{n}"), Message("assistant", "```go\npackage p\n\nfunc F() {\n" + "\n".join([*body, f"\tlast{n}()"]) + "\n}\n```")))
            for n in range(5)
        ]  # fmt: skip
        with transaction(connection):
            keys = add(connection, new, author="test").ids
        (good if rng.random() < 0.5 else bad).extend(keys)
        marks += [(key, keys[0]) for key in keys]
    edits.review(connection, good, status="accepted")
    edits.review(connection, bad, status="rejected")
    leaking = apprentice.learn(connection).report
    with transaction(connection):
        connection.executemany("INSERT INTO duplicate VALUES (?, ?, 0.9)", marks)
    honest = apprentice.learn(connection).report
    assert leaking.auc > 0.9
    assert honest.auc < 0.7


def test_verdicts_speak(connection: sqlite3.Connection) -> None:
    keys = fill(connection, 100, marked=lambda n: False)
    records = []
    for n, key in enumerate(keys):
        records.append(VerdictRecord(store.sample(connection, key).version, {"types": "fail" if n % 2 else "pass"}))
    store.save_verdicts(connection, records)
    edits.review(connection, keys[::2], status="accepted")
    edits.review(connection, keys[1::2], status="rejected")
    report = apprentice.learn(connection).report
    assert "types passes" in report.speaks_for
    assert "types fails" in report.speaks_against


def test_too_few_decisions_are_a_sentence(connection: sqlite3.Connection) -> None:
    keys = fill(connection, 50, marked=lambda n: False)
    edits.review(connection, keys[:30], status="accepted")
    edits.review(connection, keys[30:40], status="rejected")
    with pytest.raises(UserError, match="30 accepted and 10 rejected samples: too few"):
        apprentice.learn(connection)


def test_an_edit_takes_the_score_away_and_undo_brings_it_back(connection: sqlite3.Connection) -> None:
    [key] = fill(connection, 1, marked=lambda n: False)
    before = store.sample(connection, key)
    apprentice.keep_scores(connection, [(before.version, 77), (10_000, 5)])
    assert store.sample(connection, key).score == 77
    edits.edit(connection, key, before.response + " ", base_version=before.version)
    assert store.sample(connection, key).score is None
    edits.undo(connection)
    assert store.sample(connection, key).score == 77


def test_the_same_decisions_give_the_same_apprentice(connection: sqlite3.Connection) -> None:
    keys = fill(connection, 80, marked=lambda n: n % 3 == 0)
    edits.review(connection, keys[:40], status="accepted")
    edits.review(connection, keys[40:], status="rejected")
    one, other = apprentice.learn(connection), apprentice.learn(connection)
    assert one.report == other.report
    assert (one.fit.weights == other.fit.weights).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[int, bool]]) -> None:
    good = [score for score, wanted in pairs if wanted]
    bad = [score for score, wanted in pairs if not wanted]
    counted = [1.0 if g > b else 0.5 if g == b else 0.0 for g in good for b in bad]
    expected = sum(counted) / len(counted) if counted else 0.5
    found = logistic.area_under_curve(
        np.array([score for score, _ in pairs], dtype=float), np.array([float(wanted) for _, wanted in pairs])
    )
    assert found == pytest.approx(expected)


def test_the_fit_is_where_the_gradient_vanishes() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(200, 6)).astype(np.float32)
    wanted = (rows @ np.array([2.0, -1.0, 0.5, 0, 0, 0]) + rng.normal(size=200) > 0.3).astype(float)
    found = logistic.fit(rows, wanted, penalty=0.7)
    residual = found.probability(rows) - wanted
    assert np.abs(rows.T @ residual + 0.7 * found.weights).max() < 0.01
    assert abs(residual.sum()) < 0.01


def test_a_row_has_a_place_for_each_number_and_every_word() -> None:
    assert len(features.NUMBERS) + features.WORDS == features.WIDTH
    assert len(features.NUMBERS) <= features.bucket("anything") < features.WIDTH
