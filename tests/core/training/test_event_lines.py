"""The quick reader of a log says what `json.loads` says, line by line, whatever is in the log."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training import event_lines
from core.training.event_lines import STEP_FIELDS, Batch, LineTail, number, parse

NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(), st.none(), st.integers(0, 5000), st.floats(0, 10))
STEP = st.dictionaries(st.sampled_from(STEP_FIELDS), NUMBERS).map(lambda values: {"kind": "step", **values})
ODD = st.one_of(
    st.builds(lambda s, k, v: {**s, k: v}, STEP, st.sampled_from(STEP_FIELDS), st.sampled_from(["5", True, [1], {}])),
    st.fixed_dictionaries({"kind": st.sampled_from(["validation", "state", "", "Step"]), "step": NUMBERS}),
    st.dictionaries(st.text(max_size=5), st.one_of(NUMBERS, st.text(max_size=8)), max_size=4),
    st.sampled_from([None, 5, [], "step", {"kind": None}, {"kind": 3, "step": 1}, {"kind": ["step"], "step": 1}]),
)
LINE = st.builds(
    lambda event, tight: json.dumps(event, separators=(",", ":") if tight else None).encode(),
    st.one_of(STEP, ODD),
    st.booleans(),
)
BROKEN = st.one_of(
    st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")),
    st.builds(lambda line, cut: line[: int(cut * len(line))], LINE, st.floats(0, 1)),
    st.builds(lambda one, other: one + other, LINE, LINE),
    st.sampled_from(
        [
            b'{"kind":"step","step":01}', b'{"kind":"step","step":1.}', b'{"kind":"step","step":1e999,"loss":2}',
            b'{"kind":"step","step":1,"step":2}', b' {"kind":"step","step":1}', b'{"kind":"step","step":1}\r',
            b'{"kind":"step","step":1,"text":"\xff"}', b'{"kind":"step","step":1,"text":"\\ud800"}', b"\xef\xbb\xbf{}",
            b'{"kind":"step","step":1,"x":{"step":2}}', b'{"kind":"step","step":1}\0', b'{"kind":"step","step":-0.0}',
            b'{"kind":"st\\u0065p","step":4}', b'{"kind":"step","step":Infinity}', b'{"kind":"step","step":1,"loss":-Infinity}', b'{"kind":"step","step":1,"x":[', b']}',
        ]
    ),
)  # fmt: skip


def by_json(lines: list[bytes]) -> tuple[list[list[float]], list[tuple[int, dict[str, Any]]]]:
    """What the lines say, without any cleverness."""
    steps: list[list[float]] = []
    others: list[tuple[int, dict[str, Any]]] = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict) or "kind" not in event:
            continue
        if event["kind"] != "step":
            others.append((len(steps), event))
        elif not math.isnan(number(event.get("step"))):
            steps.append([number(event.get(name)) for name in STEP_FIELDS])
    return steps, others


def as_lists(batch: Batch) -> str:
    return repr((batch.steps.T.tolist(), list(batch.others)))


@pytest.fixture(scope="module")
def everything_is_long() -> Any:
    """Even three lines are worth Arrow."""
    patch = pytest.MonkeyPatch()
    patch.setattr(event_lines, "_WORTH_ARROW", 1)
    yield
    patch.undo()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(LINE, LINE, LINE, BROKEN), max_size=12))
def test_it_says_what_json_says(everything_is_long: None, lines: list[bytes]) -> None:
    lines = [line for one in lines for line in one.split(b"\n")]
    data = b"".join(line + b"\n" for line in lines)
    steps, others = by_json(lines)
    assert as_lists(parse(data)) == repr((steps, others))


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=30))
def test_every_digit_of_a_number_survives(everything_is_long: None, events: list[dict[str, Any]]) -> None:
    data = "".join(json.dumps(event) + "\n" for event in events).encode()
    steps, _ = by_json(data.splitlines())
    assert np.array_equal(parse(data).steps.T, np.array(steps).reshape(-1, len(STEP_FIELDS)), equal_nan=True)


def test_one_broken_line_in_a_long_log_costs_that_line_alone() -> None:
    rng = random.Random(7)
    lines = [json.dumps({"t": n, "kind": "step", "step": n, "loss": rng.random()}).encode() for n in range(5000)]
    lines[2500] = lines[2500][:30]
    lines[3000] = json.dumps({"kind": "validation", "step": 3000, "loss": 1.5}).encode()
    batch = parse(b"".join(line + b"\n" for line in lines))
    assert batch.steps.shape == (len(STEP_FIELDS), 4998)
    assert batch.others == ((2999, {"kind": "validation", "step": 3000, "loss": 1.5}),)


def test_a_tail_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = LineTail(path)
    assert tail.read() == b""
    path.write_bytes(b'{"a":1}\n{"b"')
    assert tail.read() == b'{"a":1}\n'
    assert tail.read() == b""
    with path.open("ab") as file:
        file.write(b":2}\n")
    assert tail.read(limit=3) == b'{"b":2}\n'
    assert not tail.shrank()
    path.write_bytes(b"")
    assert tail.shrank()
