"""Suites of a workspace's own, written: made, copied, a problem kept or taken out, a suite deleted.

Each of these happens whole or not at all, and none of them overwrites what another program wrote meanwhile. Suites that ship with
Gosmith are never written; a copy of one is.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.evaluation import ours
from core.evaluation.drafting import Draft, draft_of, markdown, name_complaint, normal
from core.files import write_whole
from core.paths import resources


@dataclass(frozen=True, slots=True)
class Kept:
    """A problem as it lies on the disk. text: of its file; complaint: why it is no problem, "" for one that is, and line: where."""

    path: Path
    text: str
    draft: Draft
    complaint: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        """That of its file."""
        return self.path.stem


def create(private: Path, name: str, title: str = "", about: str = "") -> Path:
    """Make an empty suite; returns its folder. private: the workspace's folder of suites. Raises UserError for a name that is taken or none."""
    check_name(private, name)
    with _made(private, name) as folder:
        _write_facts(folder, {}, title, about)
    return private / name


def describe(private: Path, name: str, title: str, about: str) -> None:
    """Say what a suite of the workspace's own is called in a heading and what it measures, "" for nothing; what else its suite.toml holds
    stays. Raises UserError when there is no such suite, or when that file cannot be read."""
    folder = folder_of(private, name)
    place = folder / ours.FACTS
    with _saying(place, "read or written"):
        try:
            before = tomllib.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        except ValueError as error:
            raise UserError(f"{place} is not TOML: {error}.", "Mend the file, or delete it.") from error
        _write_facts(folder, before, title, about)


def copy(source: Path, private: Path, name: str) -> Path:
    """Make a suite that holds what the suite in `source` holds; returns its folder. Raises UserError as `create`, or when it cannot be read."""
    check_name(private, name)
    with _made(private, name) as folder:
        for path in [*ours.files(source), *([source / ours.FACTS] if (source / ours.FACTS).is_file() else [])]:
            place = folder / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return private / name


def delete(private: Path, name: str) -> None:
    """Remove a suite of the workspace's own with all its problems. Raises UserError when there is none of that name."""
    folder = folder_of(private, name)
    gone = folder.with_name(f".{name}.{secrets.token_hex(3)}")
    with _saying(folder):
        os.rename(folder, gone)  # from here on nobody finds it, however long the rest takes
        shutil.rmtree(gone)


def folder_of(private: Path, name: str) -> Path:
    """Where the private suite of that name lies. Raises UserError when there is none."""
    if not name_complaint(name) and (private / name).is_dir():
        return private / name
    if not name_complaint(name) and (resources() / "suites" / name).is_dir():
        raise UserError(f"“{name}” ships with Gosmith and stays as it is.", "Copy it under a name of your own.")
    raise UserError(f"There is no private suite “{name}”.", "`gosmith suites list` shows which there are.")


def check_name(private: Path, name: str) -> None:
    """Raises UserError when no new suite can be called so."""
    if why := name_complaint(name):
        raise UserError(f"A suite cannot be called “{name}”: {why}.", "Choose another name, such as our-parsers.")
    if (private / name).exists() or (resources() / "suites" / name).is_dir():
        raise UserError(f"There is a suite “{name}” already.", "Choose another name.")


# --- its problems --------------------------------------------------------------------------------------------------


def problems(folder: Path) -> list[Kept]:
    """All that lies in a suite, good and bad, by name. Raises UserError when it cannot be read."""
    with _saying(folder, "read"):
        found = [_kept(folder, path) for path in ours.files(folder)]
    first: dict[str, Path] = {}
    for at, one in enumerate(found):
        other = first.setdefault(one.name, one.path)
        if other is not one.path and not one.complaint:
            why = f"the name comes twice: {other.relative_to(folder)} has it, too"
            found[at] = Kept(one.path, one.text, one.draft, why, 1)
    return sorted(found, key=lambda one: (one.name, str(one.path)))


def find(folder: Path, name: str) -> Kept:
    """The problem of that name, good or bad. Raises UserError when there is none."""
    found = next((one for one in problems(folder) if one.name == name.rpartition("/")[2]), None)
    if found is None:
        raise UserError(f"The suite “{folder.name}” has no problem “{name}”.", "`gosmith suites show` lists them.")
    return found


def save(folder: Path, draft: Draft, kept: Kept | None = None) -> Kept:
    """Write a problem. kept: what it was when it was read, None for a new one; under another name it is renamed.

    Raises UserError for a draft that is no problem, a name that is taken, a file that somebody else changed meanwhile, or a full disk.
    """
    draft = normal(draft)
    return save_text(folder, draft.name, markdown(draft), kept)


def save_text(folder: Path, name: str, text: str, kept: Kept | None = None) -> Kept:
    """As `save`, of the text of a whole file. Raises UserError with file and line for a text that is no problem."""
    if why := name_complaint(name):
        raise UserError(f"A problem cannot be called “{name}”: {why}.", "Choose another name, such as reverse-words.")
    path = (kept.path if kept is not None else folder / name).with_name(f"{name}.md")
    try:
        ours.parse(folder.name, name, text)
    except ours.Wrong as wrong:
        raise UserError(f"{path}:{wrong.line}: {wrong.reason}.", "Mend that line and save again.") from wrong
    with _saying(folder):
        if kept is not None:
            _check_unchanged(kept)
        if any(one.stem == name and (kept is None or one != kept.path) for one in ours.files(folder)):
            raise UserError(f"There is a problem “{name}” in this suite already.", "Choose another name.")
        write_whole(kept.path if kept is not None else path, text)
        if kept is not None and kept.path != path:
            os.rename(kept.path, path)
        return _kept(folder, path)


def remove(folder: Path, kept: Kept) -> None:
    """Take a problem out of its suite. Raises UserError when somebody else changed it meanwhile."""
    with _saying(folder):
        _check_unchanged(kept)
        kept.path.unlink(missing_ok=True)


def _kept(folder: Path, path: Path) -> Kept:
    content = path.read_bytes()
    text = content.decode("utf-8", "replace")
    try:
        return Kept(path, text, draft_of(ours.parse(folder.name, path.stem, content.decode("utf-8"))))
    except UnicodeDecodeError:
        return Kept(path, text, Draft(path.stem), "the text is not UTF-8", 1)
    except ours.Wrong as wrong:
        return Kept(path, text, Draft(path.stem), wrong.reason, wrong.line)


def _check_unchanged(kept: Kept) -> None:
    """A file that is gone is no hindrance: what was opened of it takes its place."""
    try:
        now = kept.path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return
    if now != kept.text:
        raise UserError(
            f"{kept.path} was changed by another program since it was opened here, so nothing was written.",
            "Keep what you typed elsewhere, open the problem again and decide.",
        )


def _write_facts(folder: Path, before: Mapping[str, Any], title: str, about: str) -> None:
    words = {"title": " ".join(title.split()), "about": " ".join(about.split())}
    said = {key: text for key, text in ({**before, **words}).items() if text}
    if said:
        import tomli_w  # late: workers, which read and never write, run where it is not installed

        write_whole(folder / ours.FACTS, tomli_w.dumps(said))
    else:
        (folder / ours.FACTS).unlink(missing_ok=True)


@contextmanager
def _made(private: Path, name: str) -> Iterator[Path]:
    """A folder to fill, which gets its name when it is whole; nothing is left of one that is not."""
    with _saying(private / name):
        private.mkdir(parents=True, exist_ok=True)
        folder = private / f".{name}.{secrets.token_hex(3)}"
        folder.mkdir()
        try:
            yield folder
            os.rename(folder, private / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _saying(place: Path, what: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{place} cannot be {what}: {error.strerror}.", "Check the disk and who may use the folder."
        ) from error
