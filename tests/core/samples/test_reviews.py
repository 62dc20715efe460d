"""Review bundles: what one workspace says reaches another, once, wholly or not at all."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import connect, migrate
from core.errors import UserError
from core.samples import edits, operations, query, reviewfile, reviews, store
from core.samples.language import parse
from tests.core.samples.conftest import dump

ALL = parse("")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = connect(tmp_path / "other.db")
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def pair(connection: sqlite3.Connection, other: sqlite3.Connection, fill: Callable[..., tuple[int, ...]]) -> tuple[int, ...]:  # fmt: skip
    """Six samples in both workspaces, with the same uids and ids."""
    ids = fill(6, topic="errors", source="gpt")
    connection.backup(other)
    return ids


def everything(connection: sqlite3.Connection) -> str:
    opinions = connection.execute("SELECT * FROM opinion ORDER BY 1, 2").fetchall()
    return dump(connection) + json.dumps(opinions)


def found(connection: sqlite3.Connection, text: str) -> list[int]:
    return sorted(query.ids(connection, parse(text)))


def test_decisions_are_taken_over_ours_stay_and_undo_takes_all_back(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    a, b, c, d, *_ = pair
    edits.review(connection, [a, b], status="accepted")
    edits.review(other, [a, c], status="rejected", reasons=["wrong"], note="see line 3", author="eva")
    edits.review(other, [b], status="accepted", rating=4, author="eva")
    edits.tag(connection, [a], add=["Keep"])
    edits.tag(other, [a, d], add=["keep", "loops"], author="eva")
    bundle = tmp_path / "eva.gz"
    assert reviews.export_reviews(other, bundle, "eva", ALL) == 6
    before = everything(connection)
    preview = reviews.preview_reviews(connection, bundle)
    assert (preview.new, preview.decided, preview.agreeing, preview.disagreeing, preview.edited) == (0, 1, 1, 1, ())
    assert everything(connection) == before
    result = reviews.merge_reviews(connection, bundle)
    assert result.preview == preview
    assert result.operation.changed == 4
    assert result.operation.changes.review
    assert found(connection, "disputed:yes") == [a]
    assert found(connection, "reviewer:eva") != []
    assert store.sample(connection, a).status == "accepted"
    taken = store.sample(connection, c)
    assert (taken.status, taken.reasons, taken.note) == ("rejected", ("wrong",), "see line 3")
    assert sorted(store.sample(connection, a).tags) == ["Keep", "loops"]
    after = everything(connection)
    again = reviews.merge_reviews(connection, bundle)
    assert again.operation.id == 0
    assert everything(connection) == after
    operations.undo(connection)
    assert everything(connection) == before
    operations.redo(connection)
    assert everything(connection) == after


def test_unknown_samples_come_with_their_decision_go_with_undo_and_may_come_again(
    connection: sqlite3.Connection, other: sqlite3.Connection, fill: Callable[..., tuple[int, ...]], tmp_path: Path
) -> None:
    fill(3, topic="errors", tags=("x",))
    edits.review(connection, [1], status="accepted", author="eva")
    bundle = tmp_path / "eva.gz"
    reviews.export_reviews(connection, bundle, "eva", ALL)
    assert reviews.merge_reviews(other, bundle).preview.new == 3
    one, original = store.sample(other, 1), store.sample(connection, 1)
    assert (one.uid, one.messages, one.topic, one.tags) == (original.uid, original.messages, "errors", ("x",))
    assert found(other, "status:accepted") == [1]
    operations.undo(other)
    assert query.count(other, ALL) == 0
    assert other.execute("SELECT count(*) FROM opinion").fetchone() == (0,)
    assert reviews.merge_reviews(other, bundle).operation.changed == 3
    assert query.count(other, ALL) == 3
    assert found(other, "status:accepted") == [1]
    edits.delete(other, [1])
    result = reviews.merge_reviews(other, bundle)
    assert result.operation.id == 0
    assert result.preview.deleted == 1


def test_the_same_text_under_another_uid_is_the_same_sample(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    other.execute("UPDATE sample SET uid = 'other' || id")
    edits.review(other, [pair[0]], status="rejected")
    reviews.export_reviews(other, tmp_path / "b", "eva", ALL)
    assert reviews.merge_reviews(connection, tmp_path / "b").preview.new == 0
    assert found(connection, "status:rejected") == [pair[0]]


def test_an_edit_that_goes_on_from_ours_is_kept_and_one_that_does_not_is_reported(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    a, b, *_ = pair
    for key in (a, b):
        edits.edit(other, key, f"theirs {key}", base_version=store.sample(other, key).version, author="eva")
    edits.edit(connection, b, "ours", base_version=store.sample(connection, b).version)
    edits.review(other, [a, b], status="accepted", author="eva")
    reviews.export_reviews(other, tmp_path / "b", "eva", ALL)
    before = everything(connection)
    result = reviews.merge_reviews(connection, tmp_path / "b")
    assert result.preview.edited == (store.sample(connection, b).uid,)
    assert result.preview.continued == 1
    assert store.sample(connection, a).response == "theirs 1"
    assert store.sample(connection, a).status == "accepted"
    assert store.sample(connection, b).response == "ours"
    assert store.sample(connection, b).status == "new"
    assert len(store.versions(connection, a)) == 2
    assert reviews.merge_reviews(connection, tmp_path / "b").operation.id == 0
    operations.undo(connection)
    assert everything(connection) == before


def test_a_newer_bundle_replaces_the_opinion_and_an_older_one_does_not(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    edits.review(other, pair, status="accepted", author="eva")
    other.execute("UPDATE review SET updated = 100")
    reviews.export_reviews(other, tmp_path / "old", "eva", ALL)
    edits.review(other, pair, status="rejected", author="eva")
    reviews.export_reviews(other, tmp_path / "new", "eva", ALL)
    reviews.merge_reviews(connection, tmp_path / "old")
    assert found(connection, "status:accepted") == list(pair)
    reviews.merge_reviews(connection, tmp_path / "new")
    assert found(connection, "status:rejected") == list(pair)
    assert reviews.merge_reviews(connection, tmp_path / "old").operation.id == 0
    assert found(connection, "status:rejected") == list(pair)


def test_agreement_is_cohens_kappa_and_leaves_out_what_was_taken_over(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    edits.review(connection, pair[:2], status="accepted")
    edits.review(connection, pair[2:4], status="rejected")
    edits.review(other, pair[:1], status="accepted", author="eva")
    edits.review(other, pair[1:], status="rejected", author="eva")
    reviews.export_reviews(other, tmp_path / "b", "eva", ALL)
    reviews.merge_reviews(connection, tmp_path / "b")
    (one,) = reviews.agreement(connection)
    assert (one.reviewer, one.samples, one.agreeing) == ("eva", 4, 3)
    assert one.kappa == pytest.approx(0.5)
    assert one.counts == {("accepted", "accepted"): 1, ("accepted", "rejected"): 1, ("rejected", "rejected"): 2}
    assert reviews.kappa(Counter()) is None
    assert reviews.kappa(Counter({("accepted", "accepted"): 9})) is None
    assert reviews.kappa(Counter({("accepted", "rejected"): 5, ("rejected", "accepted"): 5})) == -1


@pytest.fixture
def bundle(connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]], tmp_path: Path) -> Path:
    edits.review(connection, fill(4)[:2], status="accepted")
    reviews.export_reviews(connection, tmp_path / "b", "eva", ALL)
    return tmp_path / "b"


def _rewritten(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(gzip.compress(b"".join(change(gzip.decompress(path.read_bytes()).splitlines(keepends=True)))))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "truncated": lambda p: p.write_bytes(p.read_bytes()[:-9]),
    "empty": lambda p: p.write_bytes(b""),
    "no gzip": lambda p: p.write_bytes(b"{}"),
    "foreign": lambda p: p.write_bytes(gzip.compress(b'{"a": 1}\n')),
    "newer": lambda p: _rewritten(p, lambda rows: [rows[0].replace(b'"version": 1', b'"version": 2'), *rows[1:]]),
    "a line is missing": lambda p: _rewritten(p, lambda rows: rows[:-1]),
    "changed": lambda p: _rewritten(
        p, lambda rows: [r.replace(b'"accepted","rating"', b'"rejected","rating"') for r in rows]
    ),
    "missing": lambda p: p.unlink(),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_bundle_that_is_not_whole_changes_nothing(other: sqlite3.Connection, bundle: Path, name: str) -> None:
    before = list(other.iterdump())
    DAMAGE[name](bundle)
    for work in (reviews.merge_reviews, reviews.preview_reviews):
        with pytest.raises(UserError):
            work(other, bundle)
    assert list(other.iterdump()) == before


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_flipped_byte_gets_past_the_check(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("flip") / "b"
    text = reviewfile.Message("user", "q"), reviewfile.Message("assistant", "a")
    digest = reviewfile.content_hash(text).hex()
    record = reviewfile.Record("u1", digest, (), text, "t", "s", "accepted", 3, ("r",), "n", ("x",), 7)
    reviewfile.write(path, "eva", [record])
    rows = bytearray(gzip.decompress(path.read_bytes()))
    start = rows.index(b"\n") + 1
    place = data.draw(st.integers(start, len(rows) - 1))
    rows[place] ^= data.draw(st.integers(1, 255))
    assert list(reviewfile.records(path)) == [record]
    path.write_bytes(gzip.compress(bytes(rows)))
    with pytest.raises(UserError):
        reviewfile.check(path)


def test_export_refuses_nothing_and_nobody(connection: sqlite3.Connection, bundle: Path) -> None:
    whole = bundle.read_bytes()
    for name, text in (("eva", "status:needs_work"), (" ", "")):
        with pytest.raises(UserError):
            reviews.export_reviews(connection, bundle, name, parse(text))
    assert bundle.read_bytes() == whole
    assert not list(bundle.parent.glob(".b.*"))


_KILLED = """
import os, signal, sys
from pathlib import Path
from core.database import connect
from core.samples import operations, reviews
connection = connect(Path(sys.argv[1]))
apply, count = operations.apply, 0
connection.execute("CREATE TEMP TRIGGER kill AFTER INSERT ON main.opinion WHEN new.sample_id = 3 BEGIN SELECT die(); END")
connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
reviews.merge_reviews(connection, Path(sys.argv[2]))
"""


def test_a_merge_that_is_killed_leaves_nothing_behind(
    connection: sqlite3.Connection, other: sqlite3.Connection, pair: tuple[int, ...], tmp_path: Path
) -> None:
    edits.review(other, pair, status="rejected", author="eva")
    reviews.export_reviews(other, tmp_path / "b", "eva", ALL)
    before = list(connection.iterdump())
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "gosmith.db"), str(tmp_path / "b")]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list(connection.iterdump()) == before
    assert reviews.merge_reviews(connection, tmp_path / "b").operation.changed == 6
