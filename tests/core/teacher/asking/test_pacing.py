"""The pace follows what an endpoint says of its limits; where it says nothing, how it fails. Simulated to the microsecond, no clock and no socket."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.teacher.asking.pacing import FIRST, Allowance, Pacer, allowance, retry_after, seconds


@dataclass
class Endpoint:
    """A simulated endpoint with a limit on requests, and on tokens where that is given. latency: seconds from admission to answer."""

    limit: float
    window: float
    bucket: bool
    latency: float = 0.5
    tokens: float | None = None
    headers: bool = True
    most: int | None = None
    left: dict[str, float] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)
    under_way: int = 0

    def admit(self, now: float, tokens: float) -> tuple[bool, dict[str, str]]:
        told: dict[str, str] = {}
        fine = True
        for what, limit, amount in (("requests", self.limit, 1.0), ("tokens", self.tokens, tokens)):
            if limit is None:
                continue
            began = self.at.setdefault(what, now)
            left = self.left.setdefault(what, limit)
            if self.bucket:
                left = min(limit, left + (now - began) * limit / self.window)
                self.at[what] = now
            elif now - began >= self.window:
                self.at[what] = began + (now - began) // self.window * self.window
                left = limit
            fine = fine and left >= amount
            left = left - amount if left >= amount else left
            self.left[what] = left
            reset = (limit - left) / limit * self.window if self.bucket else self.at[what] + self.window - now
            told |= {
                f"x-ratelimit-limit-{what}": f"{limit:.0f}",
                f"x-ratelimit-remaining-{what}": f"{int(left)}",
                f"x-ratelimit-reset-{what}": f"{reset:.3f}s",
            }
        if self.most is not None and self.under_way >= self.most:
            fine = False
        return fine, told if self.headers else {}


def drive(endpoint: Endpoint, until: float, most: int = 64, tokens: float = 500.0) -> tuple[int, int, int]:
    """Send as fast as the pacer allows until a time; returns answers, refusals and the most that were under way."""
    pacer = Pacer(most, rng=random.Random(1))
    ends: list[tuple[float, int, bool, dict[str, str]]] = []
    now, answers, refusals, peak = 0.0, 0, 0, 0
    while now < until:
        wait = pacer.wait(now, tokens)
        assert wait >= 0
        if wait == 0:
            fine, told = endpoint.admit(now, tokens)
            ticket = pacer.sent(now, tokens)
            peak = max(peak, pacer.under_way)
            endpoint.under_way += 1
            heapq.heappush(ends, (now + (endpoint.latency if fine else 0.01), ticket, fine, told))
            continue
        upcoming = ends[0][0] if ends else math.inf
        assert min(now + wait, upcoming) < math.inf, "it would wait for ever"
        now = min(now + max(wait, 1e-6), upcoming)
        while ends and ends[0][0] <= now:
            _, ticket, fine, told = heapq.heappop(ends)
            endpoint.under_way -= 1
            if fine:
                pacer.answered(now, ticket, told)
                answers += 1
            else:
                pacer.limited(now, ticket, told)
                refusals += 1
    return answers, refusals, peak


@pytest.mark.parametrize("bucket", [True, False], ids=["refilled all the time", "refilled at once"])
@pytest.mark.parametrize(
    ("limit", "latency", "most"), [(3, 2.0, 16), (60, 0.5, 64), (500, 2.0, 64), (3000, 0.5, 64), (500, 10.0, 128), (3500, 8.0, 500)]
)  # fmt: skip
def test_nine_tenths_of_a_limit_are_used_without_one_refusal(
    bucket: bool, limit: float, latency: float, most: int
) -> None:
    answers, refusals, peak = drive(Endpoint(limit, 60.0, bucket, latency), until=600.0, most=most)
    assert refusals == 0
    assert answers >= 0.9 * limit * 10
    assert peak <= most


@pytest.mark.parametrize("bucket", [True, False], ids=["refilled all the time", "refilled at once"])
@pytest.mark.parametrize("latency", [0.5, 10.0])
def test_a_limit_on_tokens_is_used_as_well(bucket: bool, latency: float) -> None:
    answers, refusals, _ = drive(Endpoint(10_000, 60.0, bucket, latency, tokens=200_000), until=600.0, tokens=2500.0)
    assert refusals == 0
    assert answers * 2500 >= 0.9 * 200_000 * 10


def test_a_limit_of_a_day_does_not_stop_the_first_questions() -> None:
    answers, refusals, _ = drive(Endpoint(200, 86_400.0, True, 1.0), until=600.0)
    assert answers >= 50
    assert refusals == 0


def test_without_headers_the_number_under_way_finds_what_the_endpoint_can_do() -> None:
    answers, refusals, peak = drive(Endpoint(1e9, 60.0, True, 1.0, headers=False, most=20), until=300.0)
    assert peak <= 64
    assert answers >= 0.6 * 20 * 300
    assert refusals <= 0.02 * answers


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 20_000), window=st.floats(0.5, 3600), bucket=st.booleans(), latency=st.floats(0.01, 30), most=st.integers(1, 200),
    tokens=st.none() | st.integers(100, 2_000_000), need=st.floats(1, 5000),
)  # fmt: skip
def test_no_endpoint_makes_it_exceed_its_number_or_wait_for_ever(
    limit: int, window: float, bucket: bool, latency: float, most: int, tokens: int | None, need: float
) -> None:
    endpoint = Endpoint(limit, window, bucket, latency, tokens)
    answers, _, peak = drive(
        endpoint, until=min(2 * window, 2000 * window / limit) + 2 * latency, most=most, tokens=need
    )
    assert peak <= most
    assert answers >= 1 or (tokens is not None and need > tokens)


def test_it_begins_with_two_and_doubles_each_round() -> None:
    pacer = Pacer(64)
    assert [pacer.wait(0.0) or pacer.sent(0.0) for _ in range(3)] == [1, 2, math.inf]
    rounds = [FIRST]
    for at in range(1, 6):
        for ticket in list(pacer._open):
            pacer.answered(float(at), ticket, {})
        while pacer.wait(float(at)) == 0:
            pacer.sent(float(at))
        rounds.append(pacer.under_way)
    assert rounds == [2, 4, 8, 16, 32, 64]


def test_a_wait_that_is_asked_for_is_kept_to_the_end() -> None:
    pacer = Pacer(8)
    one, two = pacer.sent(0.0), pacer.sent(0.0)
    pacer.limited(1.0, one, {"retry-after": "120"})
    pacer.limited(1.0, two, {"retry-after-ms": "500"})
    assert pacer.wait(1.0) == pytest.approx(120.0)
    assert pacer.wait(120.9) > 0
    assert pacer.wait(121.0) == 0


def test_a_burst_of_refusals_is_one_refusal() -> None:
    pacer = Pacer(64)
    pacer.allowed = 16.0
    tickets = [pacer.sent(0.0) for _ in range(16)]
    for ticket in tickets:
        pacer.limited(1.0, ticket, {})
    assert pacer.allowed == 8
    assert pacer.wait(1.0) == 0, "the first refusal stops nobody"


def test_refusals_without_an_answer_between_them_stop_everything_for_longer_and_longer() -> None:
    pacer, now, waits = Pacer(8, rng=random.Random(3)), 0.0, []
    for _ in range(9):
        waits.append(pacer.limited(now, pacer.sent(now), {}))
        now += waits[-1]
    assert waits[0] == 0
    assert all(0.75 * 2**n <= wait <= 1.25 * 2**n for n, wait in enumerate(waits[1:7]))
    assert max(waits) <= 75


def test_out_of_reach_one_question_at_a_time_knocks_and_the_first_answer_opens_again() -> None:
    pacer = Pacer(64)
    pacer.allowed = 8.0
    for ticket in [pacer.sent(0.0) for _ in range(8)]:
        pacer.unreachable(0.1, ticket)
    assert pacer.unreachable_since == 0.1
    assert 0 < pacer.wait(0.1) <= 1
    knock = pacer.sent(2.0)
    assert pacer.wait(2.0) == math.inf
    pacer.answered(2.5, knock, {})
    assert pacer.unreachable_since is None
    assert pacer.allowed == FIRST


def test_others_who_use_the_same_limit_are_seen() -> None:
    pacer = Pacer(8)
    told = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "30s",
    }
    pacer.answered(1.0, pacer.sent(0.0), told)
    assert pacer.wait(1.0) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6m0s", 360.0), ("1s", 1.0), ("12ms", 0.012), ("1h2m3.5s", 3723.5), ("0", 0.0), ("1.5", 1.5), ("250us", 0.00025), ("1d", 86400.0),
        ("", None), ("soon", None), ("-1", None), ("6m junk", None), ("nan", None), ("inf", None), (None, None),
    ],
)  # fmt: skip
def test_durations_are_read_as_endpoints_write_them(text: str | None, value: float | None) -> None:
    assert seconds(text) == (pytest.approx(value) if value is not None else None)


@pytest.mark.parametrize(
    ("limit", "remaining"),
    [("0", "0"), ("-1", "-1"), ("100", "-1"), ("", "5"), ("many", "few"), (None, "5"), ("5", None)],
)
def test_headers_that_say_nothing_are_none(limit: str | None, remaining: str | None) -> None:
    headers = {"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": remaining}
    assert allowance({name: text for name, text in headers.items() if text is not None}, "requests") is None


def test_headers_that_say_something_are_believed() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert allowance(headers, "tokens") == Allowance(150000, 149984, 360)


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ({"retry-after": "3"}, 3.0), ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5), ({"retry-after": "12ms"}, 0.012), ({}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:27:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None), ({"retry-after": "later"}, None), ({"retry-after": "-3"}, None),
    ],
)  # fmt: skip
def test_the_wait_that_is_asked_for_is_read(headers: dict[str, str], value: float | None) -> None:
    assert retry_after(headers) == value


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "retry-after",
                "retry-after-ms",
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ]
        ),
        st.text(max_size=12),
    )
)
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    pacer = Pacer(4)
    pacer.answered(1.0, pacer.sent(0.0), headers)
    pacer.limited(2.0, pacer.sent(1.0), headers)
    assert pacer.wait(2.0, 10) >= 0
