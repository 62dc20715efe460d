"""Mending many samples at once by what the Go toolchain says: gofmt, and imports put right. One operation, which can be undone.

Only the code block of an answer changes, everything else stays byte for byte. A sample that somebody edited meanwhile is left as it is.
Each new text comes with the verdict that was given on exactly it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from core.changes import Changes
from core.database import transaction
from core.golang.checker import Checker, CheckItem, CheckResult
from core.golang.extract import with_code
from core.golang.imports import mended
from core.golang.toolchain import find
from core.samples import operations
from core.samples import query as search
from core.samples.adding import add_version
from core.samples.conversation import Message, messages_of, text_of
from core.samples.language import Query, living
from core.samples.operations import Operation
from core.samples.store import NAMED_IDS, VerdictRecord, put_verdicts

BATCH = 200
ROUNDS = 3
"""Mending an import may show the next one that is missing."""

Progress = Callable[[int, int], None]
Cancel = Callable[[], bool]
Mend = Callable[[Checker, Sequence[CheckItem]], Iterator[tuple[int, str, CheckResult]]]


@dataclass(frozen=True, slots=True)
class _Text:
    version: int
    context: str | None
    prompt: str
    response: str
    code: str


def gofmt(
    connection: sqlite3.Connection,
    query: Query,
    *,
    author: str = "me",
    progress: Progress | None = None,
    cancel: Cancel = lambda: False,
) -> Operation:
    """Format the code of what the query finds as gofmt does. Raises UserError when there is no Go toolchain."""
    return _mend(connection, query, "Format", _formatted, author, progress, cancel)


def fix_imports(
    connection: sqlite3.Connection,
    query: Query,
    *,
    author: str = "me",
    progress: Progress | None = None,
    cancel: Cancel = lambda: False,
) -> Operation:
    """Take out unused imports and put in missing ones of the standard library, where there is only one that can be meant.

    A sample is changed when fewer complaints are left than before. Raises UserError when there is no Go toolchain.
    """
    return _mend(connection, query, "Fix the imports of", _imported, author, progress, cancel)


def _formatted(checker: Checker, items: Sequence[CheckItem]) -> Iterator[tuple[int, str, CheckResult]]:
    better = {result.key: result.formatted for result in checker.check(items) if result.formatted is not None}
    for result in checker.check([CheckItem(key, code) for key, code in better.items()]):
        if result.states["format"] == "pass":
            yield result.key, better[result.key], result


def _imported(checker: Checker, items: Sequence[CheckItem]) -> Iterator[tuple[int, str, CheckResult]]:
    first = {result.key: result for result in checker.check(items)}
    tidy = {key for key, result in first.items() if result.states["format"] == "pass"}
    code = {item.key: item.code for item in items}
    latest = dict(first)
    for _ in range(ROUNDS):
        better = {key: text for key in latest if (text := mended(code[key], latest[key].diagnostics)) is not None}
        if not better:
            break
        checked = {result.key: result for result in checker.check([CheckItem(*one) for one in better.items()])}
        for key in tidy & checked.keys():
            better[key] = checked[key].formatted or better[key]
        code |= better
        latest = {r.key: r for r in checker.check([CheckItem(key, code[key]) for key in better])}
        for key, result in latest.items():
            if len(result.diagnostics) < len(first[key].diagnostics) and mended(code[key], result.diagnostics) is None:
                yield key, code[key], result


def _mend(
    connection: sqlite3.Connection,
    query: Query,
    verb: str,
    mend: Mend,
    author: str,
    progress: Progress | None,
    cancel: Cancel,
) -> Operation:
    toolchain = find()
    ids = search.ids(connection, living(query))
    waiting = iter(ids)
    entry = 0
    changed: list[int] = []
    done = 0
    with Checker(toolchain) as checker:
        while (part := list(islice(waiting, BATCH))) and not cancel():
            texts = _texts(connection, part)
            found = list(mend(checker, [CheckItem(key, text.code) for key, text in texts.items()]))
            if found:
                with transaction(connection):
                    if entry and not operations.is_open(connection, entry):
                        break  # it was undone while we were at it
                    entry = entry or operations.begin(connection, author)
                    for key, code, result in found:
                        if _replace(connection, entry, key, texts[key], code, result, author, toolchain.version):
                            changed.append(key)
                    operations.close(connection, entry, _title(verb, changed), len(changed))
                    entry = entry if changed else 0
            done += len(part)
            if progress is not None:
                progress(done, len(ids))
    named = tuple(changed) if len(changed) <= NAMED_IDS else None
    changes = Changes(text=bool(changed), verdict=bool(changed), ids=named)
    return Operation(entry, _title(verb, changed), len(changed), changes)


def _title(verb: str, changed: list[int]) -> str:
    return f"{verb} sample {changed[0]}" if len(changed) == 1 else f"{verb} {len(changed):,} samples"


def _texts(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, _Text]:
    statement = """
        SELECT s.id, t.id, t.context, t.prompt, t.response, t.code FROM json_each(?) e
        JOIN sample s ON s.id = e.value JOIN version t ON t.id = s.version_id WHERE t.code <> '' ORDER BY e.key
    """
    return {key: _Text(*rest) for key, *rest in connection.execute(statement, (json.dumps(list(ids)),))}


def _replace(
    connection: sqlite3.Connection,
    operation: int,
    key: int,
    text: _Text,
    code: str,
    result: CheckResult,
    author: str,
    toolchain: str,
) -> bool:
    now = connection.execute("SELECT version_id FROM sample WHERE id = ?", (key,)).fetchone()
    response = with_code(text.response, code)
    if now is None or now[0] != text.version or response == text.response:
        return False
    messages = (*messages_of(text.context, text.prompt, text.response)[:-1], Message("assistant", response))
    version = add_version(connection, key, text.version, text_of(messages), author=author)
    operations.put_part(connection, operation, "version", {"version": text.version}, {"version": version}, [key])
    operations.choose_version(connection, key, version)
    put_verdicts(
        connection, [VerdictRecord(version, result.states, result.diagnostics, toolchain, policy=result.policy)]
    )
    return True
