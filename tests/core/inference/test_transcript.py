"""A conversation given away: Markdown that reads, JSON that holds everything."""

from __future__ import annotations

import json
from dataclasses import replace

from core.inference import conversation as tree
from core.inference.conversation import ASSISTANT, USER, Facts, Shot
from core.inference.transcript import as_json, as_markdown, facts_line

FACTS = Facts("starter", "/m/starter", "", None, "Be brief.", {"temperature": 0.2, "seed": 11, "stop": ["\n}"], "min_p": None}, "length", 24, 81.25, 0.04)  # fmt: skip


def made() -> tree.Conversation:
    start = replace(tree.begin(), system="Be brief.", shots=(Shot(7, 9, "shot?", "shot!"),))
    first = tree.add(start, USER, "Write Sum.")
    answered = tree.add(first, ASSISTANT, "first", facts=FACTS, parent=first.leaf)
    return tree.add(answered, ASSISTANT, "```go\nfunc Sum(", facts=FACTS, parent=first.leaf)


def test_markdown_has_every_turn_and_closes_what_was_cut() -> None:
    text = as_markdown(made())
    for part in (
        "# Write Sum.",
        "## System\n\nBe brief.",
        "sample 7",
        "shot!",
        "## You",
        "## starter",
        "```go\nfunc Sum(\n```",
    ):
        assert part in text
    assert "\nfirst\n" not in text
    assert "24 tokens · 81.2 tokens/s · first after 40 ms · cut at max new tokens" in text


def test_json_holds_settings_and_branches() -> None:
    data = json.loads(as_json(made()))
    question, answer = data["messages"]
    assert (question["role"], question["text"], question["branches"]) == ("user", "Write Sum.", 1)
    assert (answer["branch"], answer["branches"], answer["model"], answer["tokens"]) == (2, 2, "starter", 24)
    assert answer["settings"] == {"temperature": 0.2, "seed": 11, "stop": ["\n}"], "min_p": None}
    assert data["examples"][0]["sample"] == 7


def test_facts_name_what_has_an_effect() -> None:
    said = facts_line(FACTS)
    assert 'temperature 0.2, seed 11, stop "\\n}"' in said
    assert "min_p" not in said
    assert facts_line(replace(FACTS, settings={"top_k": 0, "repetition_penalty": 1.0, "top_p": 0.9})).endswith(
        "new tokens · top_p 0.9"
    )
    assert facts_line(Facts("m", reason="broken")) == "broken off"
