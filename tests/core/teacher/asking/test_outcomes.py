"""Every end of a sending has one consequence and a sentence; every body is read or refused, and never breaks the reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.teacher.asking.bodies import MalformedError, read_answer, read_complaint
from core.teacher.asking.outcomes import Again, Answered, Heard, Kind, Pause, Rejected, judge
from tests.core.teacher.asking.scripted_replies import answer, streamed

URL = "https://llm.example/v1"


def body(message: str = "No.", code: object = None, kind: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code, "type": kind}}).encode()


def heard(status: int, raw: bytes) -> object:
    return judge(Heard("response", status, {}, raw), URL, "gpt-4.1")


@pytest.mark.parametrize(
    ("status", "raw", "expected"),
    [
        (429, body(code="insufficient_quota"), Pause), (429, body(kind="insufficient_quota"), Pause), (400, body(code="billing_hard_limit_reached"), Pause),
        (401, body(), Pause), (402, body(), Pause), (403, body(), Pause), (404, body(), Pause), (404, b"<html>Not found</html>", Pause), (400, body(code="model_not_found"), Pause),
        (429, body(code="rate_limit_exceeded"), Again), (429, b"", Again), (408, b"", Again), (409, b"", Again), (425, b"", Again),
        (500, b"", Again), (502, b"<html>", Again), (503, body(), Again), (504, b"", Again), (520, b"", Again), (529, body(), Again),
        (400, body(), Rejected), (400, body(code="context_length_exceeded"), Rejected), (413, b"", Rejected), (422, b'{"detail": "bad"}', Rejected), (418, b"", Rejected),
        (400, body(code="content_filter"), Rejected), (403, body(code="content_policy_violation"), Rejected), (302, b"", Rejected),
        (200, answer().body, Answered), (200, streamed().body, Answered), (200, b"", Again), (200, b"{", Again), (200, b"null", Again),
        (200, body(code=429, kind="rate_limit"), Again), (200, body(code=502), Again), (200, body(code=401), Pause), (200, body(code="insufficient_quota"), Pause),
    ],
)  # fmt: skip
def test_each_response_has_one_consequence(status: int, raw: bytes, expected: type) -> None:
    assert isinstance(heard(status, raw), expected)


@pytest.mark.parametrize(
    ("kind", "counts", "billed"),
    [("timeout", True, True), ("cut", True, True), ("unreachable", False, False), ("interrupted", False, True)],
)
def test_what_ends_below_http_is_asked_again(kind: Kind, counts: bool, billed: bool) -> None:
    outcome = judge(Heard(kind, words="because"), URL, "gpt-4.1")
    assert isinstance(outcome, Again)
    assert (outcome.counts, outcome.possibly_billed) == (counts, billed)


def test_limits_and_overload_slow_down_and_nothing_else_does() -> None:
    slow = [status for status in (408, 409, 429, 500, 502, 503, 504, 529) if heard(status, b"").limited]
    assert slow == [429, 503, 529]


@pytest.mark.parametrize(
    ("returned", "noted"),
    [("gpt-4.1", False), ("gpt-4.1-2025-04-14", False), ("", False), ("gpt-4.1o", True), ("other", True)],
)
def test_another_model_is_noted(returned: str, noted: bool) -> None:
    outcome = heard(200, answer(model=returned).body)
    assert isinstance(outcome, Answered)
    assert bool(outcome.note) == noted


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 429, 500, 503])
@given(raw=st.binary(max_size=80) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "refusal", "finish_reason", "usage", "error", "code", "type", "prompt_tokens", "delta", "index"]), inner, max_size=4),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_body_breaks_it(status: int, raw: bytes) -> None:
    for whole in (raw, b"data: " + raw + b"\n\n", b'{"choices": [' + raw + b"]}", b'data: {"choices": [' + raw + b"]}"):
        assert isinstance(heard(status, whole), Answered | Again | Rejected | Pause)
        read_complaint(whole)


@given(st.text(), st.integers(1, 7))
def test_a_stream_says_what_the_whole_says(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    events = [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
        for piece in pieces
    ]
    events.append({"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
    raw = ": keep-alive\n\n" + "".join(f"data: {json.dumps(event, ensure_ascii=False)}\r\n\r\n" for event in events)
    got = read_answer(raw.encode("utf-8", "surrogatepass"))
    assert (got.text, got.finish, got.usage) == (text, "length", None)


def test_a_stream_without_a_reason_to_finish_was_cut_off() -> None:
    raw = streamed("a\nb\n").body
    with pytest.raises(MalformedError, match="cut off"):
        read_answer(raw[: raw.index(b'"stop"') - 80].rpartition(b"data:")[0])


def test_sentences_name_the_endpoint_and_quote_its_words() -> None:
    outcome = heard(429, body("You exceeded your current quota.", "insufficient_quota"))
    assert isinstance(outcome, Pause)
    assert (
        outcome.words
        == f"The account at {URL} has no quota left: You exceeded your current quota. Add credit, then resume."
    )
