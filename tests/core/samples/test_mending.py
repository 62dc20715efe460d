"""Mending many samples at once: only the code changes, the verdict is of the new text, and one undo takes it all back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import pytest

from core.database import transaction
from core.golang.checker import Checker, CheckItem, CheckResult
from core.samples import edits, mending, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.samples.language import Query, parse
from tests.core.samples.conftest import dump

UGLY = "package p\n\nfunc F( a int)int{\nreturn a }\n"
TIDY = "package p\n\nfunc F(a int) int {\n\treturn a\n}\n"
UNUSED = 'package p\n\nimport "os"\n\nfunc G() int { return 1 }\n'
MISSING = "package p\n\nfunc H() { fmt.Println(os.Args) }\n"
BROKEN = "package p\n\nfunc {\n"
UNCLEAR = "package p\n\nvar X = rand.Int()\n"


def put(connection: sqlite3.Connection, *codes: str) -> tuple[int, ...]:
    new = [
        NewSample(
            (Message("user", f"Question {n}"), Message("assistant", f"Before {n}.\r\n\n```go\n{code}```\n\n  After.\n"))
        )
        for n, code in enumerate(codes)
    ]
    with transaction(connection):
        return add(connection, new, author="test").ids


@pytest.fixture
def mixed(connection: sqlite3.Connection) -> dict[str, int]:
    names = ("ugly", "tidy", "unused", "missing", "broken", "unclear")
    return dict(zip(names, put(connection, UGLY, TIDY, UNUSED, MISSING, BROKEN, UNCLEAR), strict=True))


def test_gofmt_changes_what_is_not_formatted_and_nothing_else(
    connection: sqlite3.Connection, mixed: dict[str, int]
) -> None:
    before = dump(connection)
    old = {name: store.sample(connection, key).response for name, key in mixed.items()}
    operation = mending.gofmt(connection, Query())
    assert (operation.changed, operation.label) == (1, f"Format sample {mixed['ugly']}")
    new = {name: store.sample(connection, key).response for name, key in mixed.items()}
    assert new.pop("ugly") == old.pop("ugly").replace(UGLY, TIDY)
    assert new == old
    verdict = store.sample(connection, mixed["ugly"]).verdict
    assert (verdict.parse, verdict.format, verdict.types) == ("pass", "pass", "pass")
    edits.undo(connection)
    assert dump(connection) == before
    edits.redo(connection)
    assert store.sample(connection, mixed["ugly"]).code == TIDY


def test_imports_are_put_right_where_it_is_certain(connection: sqlite3.Connection, mixed: dict[str, int]) -> None:
    before = dump(connection)
    operation = mending.fix_imports(connection, Query())
    assert (operation.changed, operation.label) == (2, "Fix the imports of 2 samples")
    assert store.sample(connection, mixed["unused"]).code == "package p\n\nfunc G() int { return 1 }\n"
    assert store.sample(connection, mixed["missing"]).code == (
        'package p\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc H() { fmt.Println(os.Args) }\n'
    )
    for name in ("unused", "missing"):
        assert store.sample(connection, mixed[name]).verdict.types == "pass"
    assert store.sample(connection, mixed["unclear"]).code == UNCLEAR
    assert len(store.versions(connection, mixed["unused"])) == 2
    edits.undo(connection)
    assert dump(connection) == before


def test_only_what_the_search_finds_is_mended(connection: sqlite3.Connection) -> None:
    first, second = put(connection, UGLY, UGLY.replace("F(", "K("))
    assert mending.gofmt(connection, parse(f"id:{second}")).changed == 1
    assert store.sample(connection, first).code == UGLY
    edits.delete(connection, [first])
    assert mending.gofmt(connection, Query()).changed == 0
    assert mending.gofmt(connection, parse("deleted:yes")).changed == 0


def test_many_batches_are_one_operation(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "BATCH", 3)
    ids = put(connection, *(UGLY.replace("F(", f"F{n}(") for n in range(10)))
    before = dump(connection)
    told: list[tuple[int, int]] = []
    operation = mending.gofmt(connection, Query(), progress=lambda done, total: told.append((done, total)))
    assert operation.changed == len(ids)
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]
    edits.undo(connection)
    assert dump(connection) == before
    assert edits.undo_state(connection).undo_label is None


def test_an_undo_meanwhile_ends_it(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "BATCH", 1)
    ids = put(connection, *(UGLY.replace("F(", f"F{n}(") for n in range(4)))

    def undo_after_the_second(done: int, total: int) -> None:
        if done == 2:
            edits.undo(connection)

    operation = mending.gofmt(connection, Query(), progress=undo_after_the_second)
    assert operation.changed == 2
    assert all("( a int)" in store.sample(connection, key).code for key in ids), "undone, and it went no further"
    assert mending.gofmt(connection, Query(), cancel=lambda: True).changed == 0
    assert all("( a int)" in store.sample(connection, key).code for key in ids)


def test_what_was_edited_while_go_looked_at_it_stays(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = put(connection, UGLY, UGLY.replace("F(", "K("))
    asked = mending._formatted

    def edited_meanwhile(checker: Checker, items: Sequence[CheckItem]) -> Iterator[tuple[int, str, CheckResult]]:
        found = list(asked(checker, items))
        edits.edit(connection, mine, "My own answer.", base_version=store.sample(connection, mine).version)
        yield from found

    monkeypatch.setattr(mending, "_formatted", edited_meanwhile)
    assert mending.gofmt(connection, Query()).changed == 1
    assert store.sample(connection, mine).response == "My own answer."
    assert store.sample(connection, other).verdict.format == "pass"
