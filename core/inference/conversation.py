"""A conversation with models as a tree: every question may be asked anew and every answer given again, and nothing said is lost.

Plain values and functions from one to the next; where they are kept is `conversation_files`' business. A message is never changed but for an
answer that is still being written. Which branch is read is one id, the leaf; asking goes on below it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

USER: Final = "user"
ASSISTANT: Final = "assistant"
PROMPT: Final = "prompt"
"""A text that a model goes on from, and what it goes on with. No turns: no chat has them before it."""
CONTINUATION: Final = "continuation"
ROLES: Final = (USER, ASSISTANT, PROMPT, CONTINUATION)
TITLE_LENGTH: Final = 80


@dataclass(frozen=True, slots=True)
class Facts:
    """How an answer came to be. model, path, run, step: as in `core.models.Model`, run "" and step None for what no run saved.

    system: the system prompt it was given. settings: those that were really used, and until it has ended those that were asked for.
    reason: "" while it is being written, then "stop", "length", "stopped" (by a person) or "broken" (its process ended). tokens: new ones.
    time_to_first_token: seconds.
    """

    model: str
    path: str = ""
    run: str = ""
    step: int | None = None
    system: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    tokens: int = 0
    tokens_per_second: float | None = None
    time_to_first_token: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """parent: the message it follows, "" for one that begins. created: seconds since the epoch. facts: of answers only."""

    id: str
    parent: str
    role: str
    text: str
    created: float
    facts: Facts | None = None

    @property
    def answers(self) -> bool:
        """Did a model write it?"""
        return self.role in (ASSISTANT, CONTINUATION)


@dataclass(frozen=True, slots=True)
class Shot:
    """A sample shown to the model before the conversation, as it was when it was chosen: its number, version, question and answer."""

    sample: int
    version: int
    prompt: str
    response: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """messages: in the order they were made, a parent before its children. leaf: the end of the branch that is read, "" for none.

    title: "" until somebody gives it one. dropped: ids whose branches were deleted, so that nobody who read them earlier brings them back.
    """

    id: str
    created: float
    title: str = ""
    messages: tuple[Message, ...] = ()
    leaf: str = ""
    system: str = ""
    shots: tuple[Shot, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: its title, else the first line of its first question."""
        if self.title:
            return self.title
        texts = (message.text for message in self.messages if not message.answers)
        line = next((line.strip() for text in texts for line in text.splitlines() if line.strip()), "")
        return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"

    def message(self, id: str) -> Message:
        """The message with this id. KeyError when there is none."""
        for message in reversed(self.messages):
            if message.id == id:
                return message
        raise KeyError(id)


def begin() -> Conversation:
    """An empty one."""
    now = time.time()
    return Conversation(f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(3)}", now)


def path(conversation: Conversation, leaf: str | None = None) -> tuple[Message, ...]:
    """The branch that ends at `leaf`, by default the one that is read, from its beginning."""
    by_id = {message.id: message for message in conversation.messages}
    found: list[Message] = []
    at = by_id.get(conversation.leaf if leaf is None else leaf)
    while at is not None:
        found.append(at)
        at = by_id.get(at.parent)
    return tuple(reversed(found))


def chat(conversation: Conversation, leaf: str | None = None) -> list[dict[str, str]]:
    """What is sent so that the turn after `leaf` is answered: shots and the branch's turns, without a system prompt.

    Answers that hold nothing are left out with their questions, and so are texts that were only gone on from.
    """
    turns: list[dict[str, str]] = []
    for shot in conversation.shots:
        turns += [{"role": USER, "content": shot.prompt}, {"role": ASSISTANT, "content": shot.response}]
    branch = [message for message in path(conversation, leaf) if message.role in (USER, ASSISTANT)]
    for place, message in enumerate(branch):
        following = branch[place + 1] if place + 1 < len(branch) else None
        unanswered = message.role == USER and following is not None and not (following.answers and following.text)
        if message.text and not unanswered:
            turns.append({"role": message.role, "content": message.text})
    return turns


def siblings(conversation: Conversation, id: str) -> tuple[str, ...]:
    """The messages that stand in the same place, the message itself among them, in the order they were made."""
    parent = conversation.message(id).parent
    return tuple(message.id for message in conversation.messages if message.parent == parent)


def add(conversation: Conversation, role: str, text: str, *, parent: str | None = None, facts: Facts | None = None) -> Conversation:  # fmt: skip
    """A new message below `parent`, by default below the leaf; it is the leaf now. `parent` "" begins a new branch."""
    below = conversation.leaf if parent is None else parent
    message = Message(secrets.token_hex(6), below, role, text, time.time(), facts)
    return replace(conversation, messages=(*conversation.messages, message), leaf=message.id)


def ask_anew(conversation: Conversation, id: str, text: str) -> Conversation:
    """Another question in the place of `id`, which stays with all that follows it."""
    old = conversation.message(id)
    return add(conversation, old.role, text, parent=old.parent)


def written(conversation: Conversation, id: str, text: str, facts: Facts | None = None) -> Conversation:
    """The answer `id` with the text that it has by now, and with these facts if given."""
    changed = tuple(
        replace(one, text=text, facts=facts or one.facts) if one.id == id else one for one in conversation.messages
    )
    return replace(conversation, messages=changed)


def show(conversation: Conversation, id: str) -> Conversation:
    """Read the branch through `id`, to the newest message below it."""
    below = _children(conversation.messages)
    while id in below:
        id = below[id][-1]
    return replace(conversation, leaf=id)


def turn(conversation: Conversation, id: str, by: int) -> Conversation:
    """Read the sibling that stands `by` places after `id`; the same conversation where there is none."""
    places = siblings(conversation, id)
    wanted = places.index(id) + by
    return show(conversation, places[wanted]) if 0 <= wanted < len(places) else conversation


def delete(conversation: Conversation, id: str) -> Conversation:
    """Take a message away with all that follows it; what is read then is the nearest sibling's branch, or what led there."""
    gone = descendants(conversation.messages, {id})
    message = conversation.message(id)
    others = [one for one in siblings(conversation, id) if one != id]
    left = replace(
        conversation,
        messages=tuple(one for one in conversation.messages if one.id not in gone),
        dropped=(*conversation.dropped, id),
    )
    if conversation.leaf not in gone:
        return left
    return show(left, others[-1]) if others else replace(left, leaf=message.parent)


def without_first(conversation: Conversation, questions: int) -> Conversation:
    """A branch of its own that begins after the first so many questions of what is read; the long one stays."""
    branch = path(conversation)
    places = [place for place, message in enumerate(branch) if message.role == USER]
    if questions < 1 or questions >= len(places):
        return conversation
    made = replace(conversation, leaf="")
    for message in branch[places[questions] :]:
        made = add(made, message.role, message.text, facts=message.facts)
    return made


def descendants(messages: Sequence[Message], ids: set[str]) -> set[str]:
    """These messages and all below them."""
    found = set(ids)
    for message in messages:
        if message.parent in found:
            found.add(message.id)
    return found


def merged(mine: Conversation, theirs: Conversation) -> Conversation:
    """What two windows have made of one conversation: every message of both, but for what either has deleted.

    Of an answer that both have, the longer text counts; title, system prompt, shots and the branch that is read are mine.
    """
    dropped = tuple(dict.fromkeys((*theirs.dropped, *mine.dropped)))
    both: dict[str, Message] = {message.id: message for message in theirs.messages}
    for message in mine.messages:
        other = both.get(message.id)
        if other is None or (len(message.text), _ended(message)) >= (len(other.text), _ended(other)):
            both[message.id] = message
    ordered = tuple(_parents_first(sorted(both.values(), key=lambda message: message.created)))
    gone = descendants(ordered, set(dropped))
    left = tuple(message for message in ordered if message.id not in gone)
    known = {message.id for message in left}
    branch = [message.id for message in path(replace(mine, messages=ordered)) if message.id in known]
    leaf = branch[-1] if branch else ""
    return replace(mine, messages=left, leaf=leaf, dropped=dropped, title=mine.title or theirs.title)


def _ended(message: Message) -> bool:
    return message.facts is None or bool(message.facts.reason)


def _parents_first(messages: Sequence[Message]) -> Iterator[Message]:
    """Clocks of two windows may differ by a little; what lost its parent is left out."""
    below: dict[str, list[Message]] = {}
    for message in messages:
        below.setdefault(message.parent, []).append(message)
    ready = list(reversed(below.get("", [])))
    while ready:
        message = ready.pop()
        yield message
        ready += reversed(below.get(message.id, []))


def _children(messages: Sequence[Message]) -> dict[str, list[str]]:
    below: dict[str, list[str]] = {}
    for message in messages:
        below.setdefault(message.parent, []).append(message.id)
    return below
