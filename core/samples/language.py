"""The search language, the same in the search field, on the command line and in saved views.

`status:accepted verdict:fail check:vet tokens:>200 tag:concurrency "free text" -status:rejected sort:-tokens`

Conditions are and-ed; values of one condition joined by commas are or-ed; `-` in front negates. Bare words match the beginning of words in
the text, quoted phrases match exactly as they are written but for capitals. Inside quotes `\\"` and `\\\\` stand for a quote and a backslash; a quote left open ends with the text,
so that typing shows results. This module knows the words of the language and nothing of SQL: that is `query`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.errors import UserError

_CHECKS = ("parse", "format", "types", "vet", "test")
POLICIES = ("placeholder", "ignored_error", "panic", "forbidden_import", "external")
"""What Gosmith complains of where the compiler does not; `external` marks imports beyond the standard library."""
CHOICES: dict[str, tuple[str, ...]] = {
    "status": ("new", "accepted", "rejected", "needs_work"),
    "verdict": ("pass", "fail", "unchecked"),
    "check": _CHECKS,
    "dup": ("yes", "no"),
    "policy": POLICIES,
    "contaminated": ("yes", "no"),
    "disputed": ("yes", "no"),
    "deleted": ("yes", "no"),
}
"""Keys whose values are a fixed set."""
NUMBERS = ("tokens", "lines", "rating", "score", "judge", "id")
"""Keys whose values are numbers, with <, <=, >, >= or a range 100..200."""
NAMES = ("tag", "topic", "source", "reason", "reviewer", "snapshot", "job")
"""Keys whose values are names that people chose; compared without regard to case, `*` at the end matches any ending.
`snapshot:NAME` finds the samples that were frozen into it, whatever became of their texts since; `job:ID` what a teacher's job wrote, or a judge's judged."""
KEYS = (*CHOICES, *NUMBERS, *NAMES)
SORTS = (
    "id",
    "title",
    "status",
    "rating",
    "topic",
    "source",
    "tokens",
    "lines",
    "verdict",
    *_CHECKS,
    "dup",
    "reviewed",
    "score",
    "judge",
    "uncertain",
)

_QUOTED = r'"(?:\\.|[^"\\])*(?:"|\\?$)'
_PIECE = re.compile(
    rf'(?P<minus>-?)(?:(?P<key>[A-Za-z_]+):(?P<value>(?:{_QUOTED}|[^\s"])*)|(?P<phrase>{_QUOTED})|(?P<word>\S*))',
    re.DOTALL,
)
_NUMBER = re.compile(r"(?P<op><=|>=|<|>|=)?(?P<low>\d{1,15})|(?P<from>\d{1,15})\.\.(?P<to>\d{1,15})")
_PLAIN = re.compile(r'[^\s",:\\-][^\s",:\\]*')


@dataclass(frozen=True, slots=True)
class Condition:
    """`key:value,value`, all keys in KEYS. values: any of them will do; for numbers as written, such as `>=4` or `100..200`."""

    key: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """Free text; a phrase matches exactly, a bare word the beginning of words."""

    text: str
    phrase: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """One of SORTS, smallest first unless descending."""

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search. text: as it was written, for showing again; two queries that mean the same are equal."""

    text: str = field(default="", compare=False)
    conditions: tuple[Condition, ...] = ()
    words: tuple[Word, ...] = ()
    sort: tuple[SortKey, ...] = ()


def parse(text: str) -> Query:
    """Read a search. Raises UserError that names the character where it goes wrong and the nearest known word."""
    text = text.encode("utf-8", "replace").decode()
    conditions: list[Condition] = []
    words: list[Word] = []
    sort: list[SortKey] = []
    for position, negated, key, value in _pieces(text):
        if key == "sort":
            sort.extend(_sort_keys(value, position, negated))
        elif key == "phrase":
            words.append(Word(_unquoted(value), True, negated))
        elif key == "word":
            words.append(Word(value, False, negated))
        else:
            conditions.append(Condition(key, _values(key, value, position), negated))
    words = [word for word in words if word.text.strip()]
    return Query(text, tuple(conditions), tuple(words), tuple(sort))


def render(query: Query) -> str:
    """The search as text in its plainest form: `parse(render(query)) == query`."""
    parts = [f"{'-' * c.negated}{c.key}:{','.join(_quoted_value(v) for v in c.values)}" for c in query.conditions]
    parts += [f"{'-' * w.negated}{_quote(w.text) if w.phrase else w.text}" for w in query.words]
    if query.sort:
        parts.append("sort:" + ",".join("-" * s.descending + s.key for s in query.sort))
    return " ".join(parts)


def having(query: Query, key: str, values: Sequence[str]) -> Query:
    """The query with exactly this condition on `key`, or none when `values` is empty: what a filter chip does."""
    kept = tuple(condition for condition in query.conditions if condition.key != key)
    return _renewed(Query("", (*kept, *([Condition(key, tuple(values))] if values else [])), query.words, query.sort))


def sorted_by(query: Query, *keys: SortKey) -> Query:
    """The query in another order: what a click on a column does."""
    return _renewed(Query("", query.conditions, query.words, keys))


def living(query: Query) -> Query:
    """The query without deleted samples, also where it asks for them: for what leaves the workspace."""
    return Query(query.text, (*query.conditions, Condition("deleted", ("no",))), query.words, query.sort)


def leaving(query: Query) -> Query:
    """What may leave the workspace of a query: nothing deleted, and nothing that gives away a problem of a suite."""
    kept = living(query)
    return Query(kept.text, (*kept.conditions, Condition("contaminated", ("no",))), kept.words, kept.sort)


def _renewed(query: Query) -> Query:
    return Query(render(query), query.conditions, query.words, query.sort)


def _pieces(text: str) -> Iterator[tuple[int, bool, str, str]]:
    """Position, whether it is negated, the key or else "phrase" or "word", and what is written after it."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _PIECE.match(text, position)
        assert found is not None
        key, written = (found["key"] or "").lower(), found["value"] or found["phrase"] or found["word"] or ""
        end = found.end()
        if not key:
            key = "word" if found["phrase"] is None else "phrase"
        elif key not in KEYS and key != "sort":
            if not written.startswith("="):  # but `x:=1` is Go
                hint = f'To search for it as text, write "{found["key"]}:…" in quotes.'
                raise _unknown("key", found["key"], (*KEYS, "sort"), found.start("key"), hint)
            end = found.start("key") + len(text[found.start("key") :].split(None, 1)[0])
            key, written = "word", text[found.start("key") : end]
        yield position, bool(found["minus"]), key, written
        position = max(end, position + 1)


def _values(key: str, value: str, position: int) -> tuple[str, ...]:
    values = tuple(_unquoted(part) for part in _split(value))
    if not values or not all(part.strip() for part in values):
        raise UserError(f"“{key}:” at character {position + 1} has no value.", _examples(key))
    if key in CHOICES:
        values = tuple(part.lower() for part in values)
    for part in values:
        if key in CHOICES and part not in CHOICES[key]:
            raise _unknown(f"value for {key}", part, CHOICES[key], position)
        if key in NUMBERS and _NUMBER.fullmatch(part) is None:
            raise UserError(f"“{part}” at character {position + 1} is no number for {key}.", _examples(key))
    return values


def _sort_keys(value: str, position: int, negated: bool) -> list[SortKey]:
    keys = []
    for part in value.split(","):
        name = part.removeprefix("-")
        if name not in SORTS:
            raise _unknown("column to sort by", name, SORTS, position)
        keys.append(SortKey(name, part.startswith("-") != negated))
    return keys


def _split(value: str) -> list[str]:
    """At commas outside quotes."""
    return (
        re.findall(r'(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^,"])+', value, re.DOTALL)
        if ",," not in value and value.strip(",") == value
        else [""]
    )


def _unquoted(value: str) -> str:
    return re.sub(
        r'"((?:\\.|[^"\\])*)(?:"|\\?$)',
        lambda found: re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL),
        value,
        flags=re.DOTALL,
    )


def _quoted_value(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _quote(value)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unknown(what: str, word: str, known: Sequence[str], position: int, hint: str = "") -> UserError:
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.0)[0]
    shown = word[:40]
    message = f"There is no {what} “{shown}” (character {position + 1}); did you mean “{near}”?"
    return UserError(message, hint or f"Known are: {', '.join(known)}.")


def _examples(key: str) -> str:
    if key in CHOICES:
        return f"Known are: {', '.join(CHOICES[key])}."
    if key in NUMBERS:
        return f"Write {key}:200, {key}:>200, {key}:<=200 or {key}:100..200."
    return f'Write {key}:name or {key}:"two words".'
