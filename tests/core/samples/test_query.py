"""What a search finds: SQL against a plain reading of every condition in Python, and full text as people type it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import connect, migrate, transaction
from core.errors import UserError
from core.samples import edits, query, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.samples.language import CHOICES, POLICIES, SORTS, Condition, Query, SortKey, having, parse, render, sorted_by
from core.samples.store import Sample
from tests.core.samples.judged import judged

Fill = Callable[..., tuple[int, ...]]
NAMED = {"tag": ["gold", "Web", "a b", "none"], "topic": ["errors", "HTTP", "io"], "source": ["gpt-4", "mined"], "reason": ["wrong", "off topic"], "reviewer": ["me", "ann"]}  # fmt: skip


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Fifty samples in all kinds of states."""
    made = connect(tmp_path_factory.mktemp("query") / "gosmith.db")
    migrate(made)
    new = [
        NewSample(
            (Message("user", f"{'abcde'[n % 5]} question {n}"), Message("assistant", "```go\n" + f"// {n}\n" * (1 + n * 7 % 13) + "```")),
            ("errors", "HTTP", "io", "")[n % 4], ("gpt-4", "mined")[n % 2], (("gold",), ("web", "a b"), ())[n % 3],
        )
        for n in range(50)
    ]  # fmt: skip
    with transaction(made):
        ids = add(made, new, author="test").ids
        made.execute("INSERT INTO duplicate VALUES (1, 1, 1.0), (2, 1, 1.0), (9, 1, 0.8)")
    for n, key in enumerate(ids):
        if n % 4:
            edits.review(
                made, [key], status=("accepted", "rejected", "needs_work")[n % 3], reasons=NAMED["reason"][: n % 3]
            )
        if n % 3 == 1:
            edits.review(made, [key], rating=1 + n % 5)
    edits.delete(made, ids[::11])
    states = [{}, {"parse": "fail"}, {"parse": "pass", "types": "fail", "vet": "skipped"}, {"parse": "pass", "types": "pass"}, {"test": "skipped"}]  # fmt: skip
    store.save_verdicts(made, [store.VerdictRecord(key, states[n % 5]) for n, key in enumerate(ids)])
    with transaction(made):
        made.execute("INSERT INTO suite VALUES (1, 'held back', 'multipl-e', '', 0)")
        made.execute("INSERT INTO problem VALUES (1, 1, 'Go/0', 'F', '', '', '', '{}')")
        for n, key in enumerate(ids):
            facts = facts_of(key)
            version = store.sample(made, key).version
            for kind in facts["policy"]:
                made.execute("INSERT INTO policy VALUES (?, ?, 1, 1, '')", (version, kind))
            if facts["contaminated"]:
                made.execute("INSERT INTO contamination VALUES (?, 1, 'ngram', 'prompt', 0, 5)", (version,))
            if facts["score"] is not None:
                made.execute("INSERT INTO score VALUES (?, ?)", (version, facts["score"]))
            for said in facts["judgements"]:
                judged(made, key, said)
            if n % 6 == 0:
                made.execute("INSERT INTO opinion VALUES (?, 'ann', ?, NULL, '[]', '', 0)", (key, n % 4))
    yield made
    made.close()


def facts_of(key: int) -> dict[str, Any]:
    """What hangs on a version beside its verdict, chosen by the sample's id."""
    kinds = [kind for place, kind in enumerate(POLICIES) if key % (place + 3) == 0]
    return {
        "policy": kinds,
        "contaminated": key % 8 == 0,
        "score": None if key % 5 == 0 else key * 37 % 101,
        "judgements": [[], [key], [99, key], [key, None], [None]][key % 5],
        "judge": key if key % 5 in (1, 2, 3) else None,
        "opinion": store.STATUSES[(key - 1) % 4] if (key - 1) % 6 == 0 else None,
    }


def holds(sample: Sample, condition: Condition, alone: bool) -> bool:
    """The condition in plain words. alone: no `check:` says which verdict is meant."""
    key, values = condition.key, condition.values
    verdict = {check: getattr(sample.verdict, check) for check in CHOICES["check"]}
    overall = "fail" if "fail" in verdict.values() else "pass" if "pass" in verdict.values() else "unchecked"
    names = {
        "tag": sample.tags,
        "topic": (sample.topic,),
        "source": (sample.source,),
        "reason": sample.reasons,
        "reviewer": (sample.author,),
    }
    facts = facts_of(sample.id)
    numbers = {"rating": sample.rating, "id": sample.id, "score": facts["score"], "judge": facts["judge"]}
    disputed = facts["opinion"] not in (None, "new") and sample.status not in ("new", facts["opinion"])
    if key == "policy":
        return any(value in facts["policy"] for value in values)
    if key in names:
        return any(
            name.lower().startswith(value[:-1].lower()) if value.endswith("*") else name.lower() == value.lower()
            for name in names[key] for value in values
        )  # fmt: skip
    if key in numbers:
        return any(compares(numbers[key], value) for value in values)
    mine = {
        "status": sample.status, "verdict": overall, "dup": "yes" if sample.duplicate else "no", "deleted": "yes" if sample.deleted else "no",
        "contaminated": "yes" if facts["contaminated"] else "no", "disputed": "yes" if disputed else "no",
    }  # fmt: skip
    return any(verdict[value] == "fail" for value in values) if key == "check" else mine[key] in values


def compares(number: int | None, value: str) -> bool:
    if number is None:
        return False
    low, dots, high = value.partition("..")
    if dots:
        return int(low) <= number <= int(high)
    wanted = int(value.lstrip("<>="))
    return {"<": number < wanted, "<=": number <= wanted, ">": number > wanted, ">=": number >= wanted}.get(
        value.rstrip("0123456789"), number == wanted
    )


numbers = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["", "<", "<=", ">", ">=", "="]), st.integers(0, 50)),
    st.builds("{}..{}".format, st.integers(0, 30), st.integers(0, 50)),
)
conditions = st.one_of(
    *[
        st.builds(Condition, st.just(key), st.lists(st.sampled_from(values), min_size=1, max_size=2).map(tuple), st.booleans())
        for key, values in {**CHOICES, **{key: [*names, "g*", "m*"] for key, names in NAMED.items()}}.items()
        if key not in ("check", "verdict")
    ],
    *[st.builds(Condition, st.just(key), st.lists(numbers, min_size=1, max_size=2).map(tuple), st.booleans()) for key in ("rating", "id", "score", "judge")],
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(conditions, max_size=4))
def test_conditions_find_what_they_say_in_plain_words(varied: sqlite3.Connection, chosen: list[Condition]) -> None:
    wanted = Query("", tuple(chosen))
    if not any(condition.key == "deleted" for condition in chosen):
        chosen = [*chosen, Condition("deleted", ("no",))]
    expected = [
        key
        for key in range(1, 51)
        if all(holds(store.sample(varied, key), condition, True) != condition.negated for condition in chosen)
    ]
    assert list(query.ids(varied, wanted)) == expected
    assert query.count(varied, wanted) == len(expected)
    assert list(query.first(varied, wanted, 7)) == expected[:7]
    assert list(query.ids(varied, parse(render(wanted)))) == expected


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("verdict:fail", lambda v: "fail" in v.values()),
        ("verdict:pass", lambda v: "pass" in v.values() and "fail" not in v.values()),
        ("verdict:unchecked", lambda v: not {"pass", "fail"} & set(v.values())),
        ("-verdict:fail", lambda v: "fail" not in v.values()),
        ("check:types", lambda v: v["types"] == "fail"),
        ("check:types verdict:fail", lambda v: v["types"] == "fail"),
        ("verdict:pass check:parse", lambda v: v["parse"] == "pass"),
        ("check:vet,types verdict:pass", lambda v: "pass" in (v["types"], v["vet"])),
        ("check:types verdict:unchecked", lambda v: v["types"] is None),
        ("verdict:fail -check:parse", lambda v: "fail" in v.values() and v["parse"] != "fail"),
    ],
)
def test_a_check_says_which_verdict_is_meant(
    varied: sqlite3.Connection, text: str, test: Callable[[dict[str, str | None]], bool]
) -> None:
    def states(key: int) -> dict[str, str | None]:
        verdict = store.sample(varied, key).verdict
        return {check: getattr(verdict, check) for check in CHOICES["check"]}

    everything = query.ids(varied, Query())
    assert list(query.ids(varied, parse(text))) == [key for key in everything if test(states(key))]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", SORTS)
def test_every_column_sorts_everything_and_ties_go_by_id(
    varied: sqlite3.Connection, key: str, descending: bool
) -> None:
    def value(one: Sample) -> object:
        row = store.rows(varied, [one.id])[0]
        assert row is not None
        rank = {None: -1, "fail": 0, "pass": 1, "skipped": 2}
        states = [getattr(one.verdict, check) for check in CHOICES["check"]]
        score, judge = facts_of(one.id)["score"], facts_of(one.id)["judge"]
        return {
            "score": -1 if score is None else score, "uncertain": -1 if score is None else abs(score - 50),
            "judge": -1 if judge is None else judge,
            "id": 0, "title": row.title.lower(), "status": store.STATUSES.index(one.status), "rating": one.rating or -1, "topic": one.topic.lower(),
            "source": one.source.lower(), "tokens": row.tokens, "lines": row.lines, "dup": one.duplicate, "reviewed": 0,
            "verdict": 0 if "fail" in states else 1 if "pass" in states else -1,
            **{check: rank[getattr(one.verdict, check)] for check in CHOICES["check"]},
        }[key]  # fmt: skip

    found = query.ids(varied, sorted_by(Query(), SortKey(key, descending)))
    assert sorted(found) == list(query.ids(varied, Query()))
    if key == "reviewed":  # by the second, which a test cannot know
        return
    assert query.first(varied, sorted_by(Query(), SortKey(key, descending)), 20) == found[:20]
    expected = sorted((store.sample(varied, one) for one in found), key=lambda one: (value(one), one.id), reverse=descending)  # type: ignore[arg-type]  # fmt: skip
    assert list(found) == [one.id for one in expected]


def test_facets_count_what_the_search_finds(varied: sqlite3.Connection) -> None:
    for text in ("", "status:accepted", "tag:gold -topic:io", "deleted:yes", "id:>1000"):
        found = [store.sample(varied, key) for key in query.ids(varied, parse(text))]
        facets = query.facets(varied, parse(text))
        assert facets.total == len(found)
        assert facets.status == {s: n for s in store.STATUSES if (n := sum(one.status == s for one in found))}
        for topic, number in facets.topic.items():
            assert number == query.count(varied, parse(f'{text} topic:"{topic}"')) if topic else number
        for state, number in facets.verdict.items():
            assert number == query.count(varied, parse(f"{text} verdict:{state}"))
        for check, states in facets.checks.items():
            assert sum(states.values()) == len(found)
            assert states.get("fail", 0) == query.count(varied, parse(f"{text} check:{check}"))
        assert facets.tag == {t: n for t in ("a b", "gold", "web") if (n := sum(t in one.tags for one in found))}
        assert facets.reason == {r: n for r in NAMED["reason"] if (n := sum(r in one.reasons for one in found))}


fragments = st.lists(
    st.sampled_from([*(f"{key}:" for key in (*CHOICES, "tokens", "tag", "sort", "rating")), *'"-*%_\\:,.<>= \0\n\ud800é(){}[]^~', "yes", "fail", "types", "AND", "NEAR", "a", "17", ".."]),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(fragments, st.text(max_size=30)))
def test_whatever_is_typed_is_answered_or_refused_with_a_sentence(varied: sqlite3.Connection, text: str) -> None:
    with contextlib.suppress(UserError):
        found = parse(text)
        assert parse(render(found)) == found
        assert query.count(varied, found) == len(query.ids(varied, found))


TEXTS = {
    "client": "Use http.Client with ctx.Done() and sync_pool",
    "server": "An http server: client comes later, pool_size too",
    "quote": 'Println("100% done_") <- ch; x := a[i]',
    "accent": "naïve Größe",
}


@pytest.fixture
def texts(connection: sqlite3.Connection) -> dict[str, int]:
    new = [NewSample((Message("user", name), Message("assistant", text))) for name, text in TEXTS.items()]
    with transaction(connection):
        return dict(zip(TEXTS, add(connection, new, author="test").ids, strict=True))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("http", "client server"), ("http.Client", "client"), ("http.cli", "client"), ("HTTP.CLIENT", "client"),
        ("http client", "client server"), ('"http client"', ""), ('"http server"', "server"), ('"http serv"', ""),
        ("sync_pool", "client"), ("sync", "client"), ("pool", "server"), ("pool_", "server"), ("ctx.Done()", "client"), ('"ctx.Done()"', "client"),
        ("ctx.Done)", ""), ("-http", "quote accent"), ("-http.Client", "server quote accent"), ("http -pool_size", "client"),
        ('"100% done_"', "quote"), ('"100x done_"', ""), ("<-", "quote"), (":=", "quote"), ("a[i]", "quote"), ("%", "quote"), ("-<-", "client server accent"),
        ("gross", ""), ("größe", "accent"), ("naive", "accent"), ('println("100%', "quote"), ("clien serv", "server"),
    ],
)  # fmt: skip
def test_words_are_found_as_people_type_them(
    connection: sqlite3.Connection, texts: dict[str, int], text: str, names: str
) -> None:
    found = query.ids(connection, parse(text))
    assert sorted(found) == sorted(texts[name] for name in names.split())


def test_search_reads_the_text_of_today(connection: sqlite3.Connection, texts: dict[str, int]) -> None:
    key = texts["client"]
    edits.edit(connection, key, "Now about goroutines", base_version=store.sample(connection, key).version)
    assert list(query.ids(connection, parse("goroutines"))) == [key]
    assert list(query.ids(connection, parse("sync_pool"))) == []
    edits.undo(connection)
    assert list(query.ids(connection, parse("goroutines"))) == []
    assert list(query.ids(connection, parse("sync_pool"))) == [key]


def test_a_chip_sets_its_condition_and_leaves_the_rest() -> None:
    start = parse('status:new "two words" -tag:x sort:-tokens')
    assert (
        having(start, "status", ["accepted", "rejected"]).text
        == '-tag:x status:accepted,rejected "two words" sort:-tokens'
    )
    assert having(start, "status", []).text == '-tag:x "two words" sort:-tokens'
    assert sorted_by(start, SortKey("lines")).sort == (SortKey("lines"),)
    assert parse(having(start, "topic", ['odd "name", really']).text).conditions[-1].values == ('odd "name", really',)


def test_a_search_at_work_can_be_interrupted(connection: sqlite3.Connection, fill: Fill) -> None:
    fill(300)
    connection.set_progress_handler(lambda: 1, 200)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        query.ids(connection, parse("sort:-title"))
    connection.set_progress_handler(None, 0)
    assert len(query.ids(connection, parse("sort:-title"))) == 300


def test_a_reader_searches_too(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    fill(3)
    with closing(connect(tmp_path / "gosmith.db", readonly=True)) as reader:
        assert query.count(reader, Query()) == 3
        assert query.facets(reader, Query()).total == 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SORTS), min_size=1, max_size=3), st.booleans())
def test_several_sort_keys_lose_nothing(varied: sqlite3.Connection, keys: Sequence[str], descending: bool) -> None:
    with contextlib.suppress(UserError):
        found = query.ids(varied, parse("sort:" + ",".join("-" * descending + key for key in keys)))
        assert sorted(found) == list(query.ids(varied, Query()))


@pytest.mark.parametrize("text", ["question", '"question 1"', "question -2 status:accepted", "quest topic:io", "zebra"])
def test_the_first_rows_of_words_are_those_of_the_whole_answer(varied: sqlite3.Connection, text: str) -> None:
    whole = query.ids(varied, parse(text))
    assert query.first(varied, parse(text), 5) == whole[:5]
    assert query.first(varied, parse(text), 500) == whole
