"""Where samples start from: functions of a Go tree that compile alone, lines of any function, other samples."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.database import transaction
from core.errors import UserError
from core.golang.toolchain import Toolchain
from core.samples import adding
from core.samples.conversation import Message, NewSample
from core.teacher import recipes, seeds

ALONE = """package text

import "strings"

// Initials gives the first letters of the words of a name.
func Initials(name string) string {
	var b strings.Builder
	for _, word := range strings.Fields(name) {
		b.WriteString(word[:1])
		b.WriteByte('.')
	}
	return b.String()
}

// Shout needs something that is not here.
func Shout(name string) string {
	loud := upper(name)
	if loud == "" {
		loud = strings.ToUpper(name)
	}
	loud += "!"
	return loud
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree" / "strings"
    folder.mkdir(parents=True)
    (folder / "text.go").write_text(ALONE)
    return folder.parent


def test_functions_are_whole_files_that_compile_alone(tmp_path: Path, tree: Path, toolchain: Toolchain) -> None:
    file = recipes.find("test-writing").file
    (one,) = seeds.pool(file, tmp_path / "seeds.jsonl", tree, toolchain)
    assert (one.title, one.package, one.origin, one.topic) == ("Initials", "text", "strings/text.go:6", "strings")
    assert one.text.startswith('package text\n\nimport "strings"\n\n// Initials gives')
    (tree / "strings" / "text.go").unlink()
    assert seeds.pool(file, tmp_path / "seeds.jsonl", tree, toolchain) == [one]


def test_excerpts_come_from_any_function(tmp_path: Path, tree: Path, toolchain: Toolchain) -> None:
    found = seeds.pool(recipes.find("oss-instruct").file, tmp_path / "seeds.jsonl", tree, toolchain)
    assert [one.title for one in found] == ["Initials", "Shout"]


def test_a_tree_without_go_is_named(tmp_path: Path, toolchain: Toolchain) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no Go function"):
        seeds.pool(recipes.find("oss-instruct").file, tmp_path / "seeds.jsonl", tmp_path / "empty", toolchain)


def test_the_toolchains_own_source_is_the_default(tmp_path: Path, toolchain: Toolchain) -> None:
    found = seeds.some(recipes.find("oss-instruct").file, None, toolchain, None, "", 5)
    assert len(found) == 5
    assert all((toolchain.goroot / "src" / one.origin.rpartition(":")[0]).is_file() for one in found)


def test_samples_are_known_by_their_uid(tmp_path: Path, connection: sqlite3.Connection, toolchain: Toolchain) -> None:
    with transaction(connection):
        new = [
            NewSample((Message("user", f"Write F{n}."), Message("assistant", "```go\nfunc F() {}\n```")), "time")
            for n in range(2)
        ]
        adding.add(connection, new, author="test")
    place = tmp_path / "seeds.jsonl"
    assert seeds.write_samples(connection, "topic:time", place) == 2
    first, _ = seeds.pool(recipes.find("evol-instruct").file, place, None, toolchain)
    assert first.text == "Write F0."
    assert connection.execute("SELECT uid FROM sample WHERE id = 1").fetchone() == (first.origin,)
    with pytest.raises(UserError, match="found by “status:accepted”"):
        seeds.write_samples(connection, "status:accepted", place)
