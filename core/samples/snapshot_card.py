"""The data card of a snapshot, for people who meet it without Gosmith: what is in it, how it was made, what to mind.

Text from a manifest and from counts; it reads no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


def card(manifest: Mapping[str, Any], topics: Counter[str], sources: Counter[str]) -> str:
    """A data card in Markdown with the header that dataset hubs read. manifest: the content of manifest.json."""
    lines = [
        "---",
        "language: [en]",
        "tags: [code, go, sft]",
        f"size_categories: [{_size(manifest['samples'])}]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - {split: train, path: train.jsonl}",
        "  - {split: validation, path: validation.jsonl}",
        "---",
        "",
        f"# {manifest['name']}",
        "",
        f"{manifest['samples']:,} conversations whose last answer holds Go code: {manifest['train']:,} to train on, "
        f"{manifest['validation']:,} held back. About {manifest['tokens']:,} tokens to train on.",
        "",
        f"Frozen by Gosmith on {manifest['created']} from the search `{manifest['query'] or '(everything)'}`.",
        "Near copies stand on one side of the split; the split follows from texts, share and seed alone "
        f"(share {manifest['validation_share']:g}, seed {manifest['seed']}).",
        "",
        f"SHA-256: `{manifest['sha256']}`",
        "",
        "Each line: `sample` (its id across workspaces), `version`, `hash` of the text, `messages`.",
    ]
    for title, counted in (("Topics", topics), ("Sources", sources)):
        lines += ["", f"## {title}", "", "| | samples |", "|---|---:|"]
        lines += [f"| {_cell(name) or '(none)'} | {number:,} |" for name, number in counted.most_common(30)]
    lines += [
        "",
        "## Use",
        "",
        "Answers that a model of another company wrote may be bound by its terms of use; look at the sources above before you "
        "train a model for others or publish this data.",
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _size(samples: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if samples < limit:
            return name
    return "1M<n<10M"
