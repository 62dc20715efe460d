"""A conversation as turns to read: the examples folded into a line each, then the branch, every answer with how it came to be."""

from __future__ import annotations

from app.playground.transcript import Turn
from core.inference import conversation as tree
from core.inference.conversation import Conversation, Message
from core.inference.transcript import facts_line, speaker
from core.samples.conversation import title_of

EXAMPLES = "examples"
"""The id of the turn that stands for the examples."""


def turns_of(conversation: Conversation, *, writing: str = "", unfolded: bool = False) -> list[Turn]:
    """writing: the answer that is still coming in. unfolded: examples in full."""
    found = []
    if conversation.shots:
        parts = []
        for shot in conversation.shots:
            head = f"Sample {shot.sample:,}: {title_of(shot.prompt)}"
            parts.append(f"{head}\n\n{shot.prompt}\n\n{shot.response.rstrip()}\n" if unfolded else head)
        count = len(parts)
        found.append(Turn(EXAMPLES, f"{count} example{'s' if count != 1 else ''} shown before", "\n".join(parts)))
    places: dict[str, list[str]] = {}
    for message in conversation.messages:
        places.setdefault(message.parent, []).append(message.id)
    for message in tree.path(conversation):
        facts = facts_line(message.facts) if message.facts is not None and message.id != writing else ""
        found.append(Turn(message.id, _speaker(places[message.parent], message), message.text, facts))
    return found


def _speaker(places: list[str], message: Message) -> str:
    name = speaker(message)
    return f"{name}  {places.index(message.id) + 1}/{len(places)}" if len(places) > 1 else name
