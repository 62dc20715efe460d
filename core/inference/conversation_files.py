"""Conversations on disk: one JSON file each, replaced as a whole, so that a kill or a full disk never costs what was there.

Whoever writes first looks whether somebody else has written since; then both trees are joined (`conversation.merged`) and nothing of either
is lost. A file that is no conversation is named and left alone.

The file: {"gosmith": "conversation", "format": 1, "revision", and the fields of `Conversation`, `Message`, `Facts` and `Shot` by their names}.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.files import write_json
from core.inference.conversation import ROLES, Conversation, Facts, Message, Shot, merged

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation as it stands on disk, with the mark of that state."""

    conversation: Conversation
    revision: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list. changed: seconds since the epoch. problem: why it cannot be read, "" when it can; then name is the file's."""

    id: str
    name: str
    changed: float
    problem: str = ""


def save(folder: Path, conversation: Conversation, revision: str = "") -> Kept:
    """Write a conversation into its file. revision: of what this window read or wrote last, "" for one that is new.

    Returns what stands there now: more than was given where another window has written meanwhile. Raises UserError when it cannot be written;
    what stood there then still stands.
    """
    path = _path(folder, conversation.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            there = load(folder, conversation.id) if path.exists() else None
            if there is not None and there.revision != revision:
                conversation = merged(conversation, there.conversation)
            made = Kept(conversation, secrets.token_hex(8))
            write_json(path, as_dict(made.conversation, made.revision))
            return made
    except OSError as error:
        raise UserError(
            f"The conversation cannot be kept in {folder}: {error.strerror or error}.",
            "Make room there or make the folder writable; what is in the window is not lost.",
        ) from error


def load(folder: Path, id: str) -> Kept:
    """Read one. Raises UserError naming the file when it is missing or damaged."""
    path = _path(folder, id)
    try:
        data = json.loads(path.read_bytes())
        return Kept(from_dict(data), str(data["revision"]))
    except FileNotFoundError as error:
        raise UserError(f"There is no conversation {path}.", "It may have been deleted; open another.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged and was left as it is.", "Mend it by hand, or move it away.") from error


def entries(folder: Path) -> list[Entry]:
    """All of a folder, the one changed last first. Never fails because of one file."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.glob("*.json"):
            changed = 0.0
            try:
                changed = path.stat().st_mtime
                found.append(
                    Entry(path.stem, load(folder, path.stem).conversation.name or "Nothing was asked", changed)
                )
            except (UserError, OSError) as error:
                found.append(Entry(path.stem, path.name, changed, str(error)))
    return sorted(found, key=lambda entry: (entry.changed, entry.id), reverse=True)


def remove(folder: Path, id: str) -> bytes:
    """Delete one and return what its file held, for `put_back`. Raises UserError."""
    path = _path(folder, id)
    try:
        data = path.read_bytes()
        path.unlink()
    except OSError as error:
        raise UserError(f"{path} cannot be deleted: {error.strerror}.", "Check its permissions.") from error
    return data


def put_back(folder: Path, id: str, data: bytes) -> None:
    """Undo `remove`. Raises UserError."""
    try:
        write_json(_path(folder, id), json.loads(data))
    except OSError as error:
        raise UserError(
            f"The conversation cannot be put back: {error.strerror}.", "Make room and try again."
        ) from error


def as_dict(conversation: Conversation, revision: str = "") -> dict[str, Any]:
    """Plain JSON data that `from_dict` takes back."""
    return {"gosmith": "conversation", "format": FORMAT, "revision": revision, **asdict(conversation)}


def from_dict(data: Mapping[str, Any]) -> Conversation:
    """Raises ValueError, KeyError or TypeError for what is no conversation."""
    if data["gosmith"] != "conversation" or data["format"] != FORMAT:
        raise ValueError("no conversation of this format")
    messages: list[Message] = []
    known = {""}
    for one in data["messages"]:
        message = Message(**{**one, "facts": None if one["facts"] is None else Facts(**one["facts"])})
        texts = (message.id, message.parent, message.role, message.text)
        if not all(isinstance(text, str) for text in texts) or message.role not in ROLES or message.parent not in known:
            raise ValueError("a message is not as it should be")
        known.add(message.id)
        messages.append(message)
    if data["leaf"] not in known:
        raise ValueError("the leaf is no message")
    return Conversation(
        id=str(data["id"]),
        created=float(data["created"]),
        title=str(data["title"]),
        messages=tuple(messages),
        leaf=str(data["leaf"]),
        system=str(data["system"]),
        shots=tuple(Shot(**one) for one in data["shots"]),
        dropped=tuple(map(str, data["dropped"])),
    )


def _path(folder: Path, id: str) -> Path:
    return folder / f"{id}.json"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time, of all processes."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
