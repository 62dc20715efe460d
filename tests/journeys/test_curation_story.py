"""Curation by a team through the command line alone: check, mend, compare, pick, score, keep suites out, freeze, merge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.evaluation import problems
from tests.journeys.conftest import Gosmith


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_team_curates_its_samples(gosmith: Gosmith, tmp_path: Path) -> None:
    # verdicts, and the second time nothing is asked again
    first = gosmith("samples", "check").json
    again = gosmith("samples", "check").json
    assert (first["cached"], again["cached"]) == (0, first["checked"])
    assert again["by_check"] == first["by_check"]

    # gofmt and imports, each in one operation that can be undone
    before = gosmith("samples", "count", "check:format").json["count"]
    assert gosmith("samples", "gofmt").json["changed"] == before > 0
    assert gosmith("samples", "count", "check:format").json["count"] == 0
    gosmith("samples", "undo")
    assert gosmith("samples", "count", "check:format").json["count"] == before
    unused = gosmith("samples", "count", "check:types").json["count"]
    mended = gosmith("samples", "fix-imports").json["changed"]
    assert gosmith("samples", "count", "check:types").json["count"] == unused - mended

    # near copies: the best of each is kept
    copies = gosmith("samples", "duplicates", "--keep-best").json
    assert copies["changed"] == sum(len(cluster["ids"]) - 1 for cluster in copies["clusters"]) > 0
    assert gosmith("samples", "count", "status:rejected").json["count"] == copies["changed"]
    assert gosmith("samples", "duplicates", "--kind", "shapes").json["clusters"]

    # a part is picked, a search is saved
    picked = gosmith("samples", "select", "status:new", "--diverse", "40", "--tag", "varied").json
    assert (picked["selected"], picked["changed"]) == (40, 40)
    assert gosmith("views", "save", "to do", "tag:varied", "sort:-tokens").json["query"] == "tag:varied sort:-tokens"
    assert gosmith("views", "list").json["views"] == [
        {"name": "to do", "query": "tag:varied sort:-tokens", "count": 40}
    ]

    # decisions, and an apprentice who learns from them
    chosen = [sample["id"] for sample in gosmith("samples", "list", "tag:varied").json["samples"]]
    gosmith("samples", "review", *map(str, chosen[:20]), "--status", "accepted")
    gosmith("samples", "review", *map(str, chosen[20:]), "--status", "rejected", "--reason", "poor style")
    scored = gosmith("samples", "score").json
    assert scored["scored"] == gosmith("samples", "count").json["count"]
    assert 0 <= scored["auc"] <= 1

    # a suite is for measuring only
    suite = problems.write(tmp_path / "humaneval_go.jsonl", [problems.humaneval_x(0)])
    assert gosmith("suites", "add", suite).json["problems"] == 1
    leak = tmp_path / "leak.jsonl"
    turns = [
        {"role": "user", "content": "Write AnyCloseReadings0."},
        {"role": "assistant", "content": "```go\npackage p\n```"},
    ]
    leak.write_text(json.dumps({"messages": turns}) + "\n", encoding="utf-8")
    gosmith("samples", "import", leak)
    assert gosmith("suites", "find").json == {"contaminated": 1}
    out = tmp_path / "out.jsonl"
    exported = gosmith("samples", "export", out, "-status:rejected").json
    assert exported["contaminated"] == exported["manifest"]["contaminated_left_out"] == 1
    assert "AnyCloseReadings0" not in out.read_text(encoding="utf-8")

    # snapshots are compared and carry a card
    gosmith("snapshot", "create", "one", "status:accepted")
    gosmith("samples", "review", str(chosen[0]), "--status", "needs_work")
    gosmith("snapshot", "create", "two", "status:accepted")
    difference = gosmith("snapshot", "diff", "one", "two").json
    assert (difference["same"], len(difference["removed"]), difference["added"]) == (19, 1, [])
    assert gosmith("snapshot", "show", "one").json["sha256"] in gosmith("snapshot", "card", "one").json["card"]

    # another reviewer merges what was decided here, decides otherwise, and the two are compared
    bundle = tmp_path / "ann.gz"
    assert gosmith("reviews", "export", bundle, "tag:varied", "--reviewer", "ann").json["exported"] == 40
    other = ("--workspace", tmp_path / "other")
    assert gosmith(*other, "reviews", "merge", bundle, "--dry-run").json["changed"] == 0
    merged = gosmith(*other, "reviews", "merge", bundle).json
    assert merged["changed"] > 0
    assert gosmith(*other, "samples", "count", "status:accepted").json["count"] == 19
    assert gosmith(*other, "samples", "undo").json["changed"] == merged["changed"]
    assert gosmith(*other, "samples", "count", "status:accepted").json["count"] == 0
    assert gosmith(*other, "reviews", "agreement").json == {"agreement": []}
