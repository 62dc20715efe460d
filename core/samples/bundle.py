"""The samples that ship with Gosmith: Markdown files with a front matter, `## user` and `## assistant` turns.

What is known to be wrong with a planted sample stays in the file: nothing of it reaches the workspace, so curation has something to find.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.samples.adding import Added, add
from core.samples.conversation import Message, NewSample, problem

SOURCE = "gosmith"
TAG = "bundled"

_FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_HEADING = re.compile(r"## (system|user|assistant)")


@dataclass(frozen=True, slots=True)
class BundledSample:
    """One file. planted: in which known way it is wrong, None when it is good. copy_of: `topic/slug` of what a near copy copies."""

    topic: str
    slug: str
    messages: tuple[Message, ...]
    planted: str | None
    copy_of: str | None


def read_bundle(folder: Path) -> list[BundledSample]:
    """All samples below `folder`, by topic and slug. Raises UserError that names the file that is not as it should be."""
    return [_read(path) for path in sorted(folder.glob("*/*.md"))]


def add_bundle(connection: sqlite3.Connection, folder: Path) -> Added:
    """Put the bundle into the workspace inside the caller's transaction."""
    new = [NewSample(sample.messages, sample.topic, SOURCE, (TAG,)) for sample in read_bundle(folder)]
    return add(connection, new, author=SOURCE)


def _read(path: Path) -> BundledSample:
    text = path.read_text(encoding="utf-8")
    front = _FRONT.match(text)
    facts = dict(line.partition(": ")[::2] for line in front[1].splitlines()) if front else {}
    messages = _turns(text[front.end() :] if front else text)
    reason = problem(messages) or (
        "" if facts.get("topic") == path.parent.name else "its topic is not its folder's name"
    )
    if reason:
        raise UserError(
            f"The bundled sample {path.parent.name}/{path.name} is damaged: {reason}.", "Install Gosmith again."
        )
    return BundledSample(facts["topic"], path.stem, messages, facts.get("planted"), facts.get("copy_of"))


def _turns(text: str) -> tuple[Message, ...]:
    """Headings inside code fences are text."""
    turns: list[tuple[str, list[str]]] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading:
            turns.append((heading[1], []))
        elif turns:
            turns[-1][1].append(line)
    return tuple(Message(role, "\n".join(lines).strip()) for role, lines in turns)
