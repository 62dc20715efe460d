"""The event log: whole lines only, whoever writes and whoever reads meanwhile."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.jobs.events import EventTail, EventWriter, last_events, read_events


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl")
    for step in range(3):
        writer.write("step", step=step)
    assert [event["step"] for event in read_events(tmp_path / "events.jsonl")] == [0, 1, 2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.data())
def test_a_tail_that_looks_in_the_middle_of_a_line_misses_and_repeats_nothing(
    texts: list[str], data: st.DataObject
) -> None:

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        content = b"".join(json.dumps({"t": 0, "kind": "message", "text": text}).encode() + b"\n" for text in texts)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
        tail = EventTail(path)
        seen = []
        start = 0
        for end in [*cuts, len(content)]:
            with path.open("ab") as file:
                file.write(content[start:end])
            start = end
            while found := tail.read():
                seen += found
        assert [event["text"] for event in seen] == texts


def test_a_log_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    assert EventTail(tmp_path / "none").read() == []
    assert last_events(tmp_path / "none") == []
