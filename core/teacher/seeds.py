"""Where samples start from that start from something: functions of a Go tree, or other samples. Found once a job and kept in its folder.

Reads source and nothing else; a function counts as one that compiles alone only after the type checker has said so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from core.errors import UserError
from core.files import write_whole
from core.golang.checker import Checker, CheckItem
from core.golang.mining import MinedFunction, mine
from core.golang.toolchain import Toolchain
from core.samples import query as search
from core.teacher.drawing import Seed
from core.teacher.recipes import RecipeFile

FILE = "seeds.jsonl"
MOST = 50_000
_OWN_AFFAIRS = (
    "cmd/asm/", "cmd/cgo/", "cmd/compile/", "cmd/dist/", "cmd/internal/", "cmd/link/", "cmd/vendor/", "internal/runtime/", "runtime/",
    "syscall/", "internal/syscall/", "vendor/",
)  # fmt: skip
"""Of the toolchain's own source: what only compilers and runtimes do."""
_TOPICS = {
    "bufio": "io", "bytes": "io", "io": "io", "os": "io", "archive": "io", "compress": "io", "embed": "io",
    "strings": "strings", "unicode": "strings", "regexp": "strings", "strconv": "strings", "text": "strings", "fmt": "strings",
    "encoding": "encoding", "crypto": "encoding", "hash": "encoding", "image": "encoding", "debug": "encoding",
    "net": "http", "html": "http", "mime": "http", "log": "http", "context": "context", "errors": "errors",
    "sync": "concurrency", "runtime": "concurrency", "time": "time", "testing": "testing", "container": "data_structures",
    "iter": "generics", "maps": "generics", "slices": "generics", "cmp": "generics", "reflect": "generics",
}  # fmt: skip


def pool(
    file: RecipeFile,
    place: Path,
    tree: Path | None,
    toolchain: Toolchain,
    progress: Callable[[int, int | None], None] | None = None,
) -> list[Seed]:
    """What the draws of a job start from: read from `place`, found and written there where it is not. tree: None for the toolchain's own source.

    Raises UserError when a Go tree holds nothing of use, or samples were to be written there and are not.
    """
    if file.source == "none":
        return []
    if place.is_file():
        return [Seed(**json.loads(line)) for line in place.read_bytes().splitlines()]
    if file.source == "sample":
        raise UserError("This job has no samples to start from.", "Start it again.")
    folder = tree or toolchain.goroot / "src"
    found = list(islice(_functions(folder, toolchain, alone=file.source == "function", progress=progress), MOST))
    if not found:
        raise UserError(f"{folder} holds no Go function to start from.", "Name another folder in [seeds].")
    write_whole(place, "".join(json.dumps(asdict(seed)) + "\n" for seed in found))
    return found


def some(
    file: RecipeFile,
    tree: Path | None,
    toolchain: Toolchain,
    connection: sqlite3.Connection | None,
    query: str,
    count: int,
) -> list[Seed]:
    """A few of what the draws of a plan would start from, for examples; no more than `count` are looked for."""
    if file.source == "none":
        return []
    if file.source == "sample":
        found = [] if connection is None else list(islice(_samples(connection, query), count))
        if not found:
            raise _no_samples(query)
        return found
    return list(
        islice(
            _functions(tree or toolchain.goroot / "src", toolchain, alone=file.source == "function", progress=None),
            count,
        )
    )


def _functions(
    folder: Path, toolchain: Toolchain, *, alone: bool, progress: Callable[[int, int | None], None] | None
) -> Iterator[Seed]:
    whole = mine(folder, toolchain=toolchain, documented=False, lines=(6, 80) if alone else (6, 150))
    skipped = _OWN_AFFAIRS if folder == toolchain.goroot / "src" else ()
    mined = (one for one in whole if not one.file.startswith(skipped) and not one.file.endswith("_gen.go"))
    count = 0
    with Checker(toolchain) as checker:
        while some := list(islice(mined, 1000)):
            count += len(some)
            if progress is not None:
                progress(count, None)
            if alone:
                checked = checker.check(CheckItem(at, one.source()) for at, one in enumerate(some))
                some = [some[one.key] for one in checked if one.states["types"] == "pass" and _returns(some[one.key])]
            yield from (_seed(one, whole=alone) for one in some)


def _returns(one: MinedFunction) -> bool:
    """Whether a test can see what it does, and call it."""
    return "\treturn " in one.code and one.package != "main" and not one.name.startswith(("Test", "Benchmark", "init"))


def _seed(one: MinedFunction, *, whole: bool) -> Seed:
    top = one.file.split("/")[0]
    topic = "" if "/" not in one.file else _TOPICS.get(top, "")
    return Seed("function", f"{one.file}:{one.line}", one.source() if whole else one.code, one.name, one.package, topic)


def write_samples(connection: sqlite3.Connection, query: str, place: Path) -> int:
    """Write the samples that a search finds as what draws start from; returns how many. Raises UserError when there is none, OSError."""
    found = list(_samples(connection, query))
    if not found:
        raise _no_samples(query)
    write_whole(place, "".join(json.dumps(asdict(seed)) + "\n" for seed in found))
    return len(found)


def _no_samples(query: str) -> UserError:
    return UserError(
        f"No sample with Go code is found by “{query}”, so there is nothing to start from.",
        "Accept some samples, or set seeds.query.",
    )


def _samples(connection: sqlite3.Connection, query: str) -> Iterator[Seed]:
    ids = list(search.ids(connection, search.parse(query)))[:MOST]
    statement = """
        SELECT s.uid, v.prompt, s.title, s.topic FROM json_each(?) e JOIN sample s ON s.id = e.value
        JOIN version v ON v.id = s.version_id WHERE v.context IS NULL AND v.code <> '' ORDER BY s.id
    """
    for uid, prompt, title, topic in connection.execute(statement, (json.dumps(ids),)):
        yield Seed("sample", uid, prompt, title, "", topic)
