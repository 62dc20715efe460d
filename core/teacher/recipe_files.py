"""A recipe's files while a person edits them: tried as a whole before any of them is saved, so that nothing broken is ever kept.

Only copies in the workspace are written; ours stay as they are.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.files import write_whole
from core.teacher.recipes import FILE, Recipe, find, freeze, load, roots


def texts(recipe: Recipe) -> dict[str, str]:
    """All files of a recipe, the common ones included: recipe.toml first, then what it has of its own. Raises UserError."""
    with tempfile.TemporaryDirectory(prefix="gosmith-recipe-") as folder:
        whole = Path(folder) / recipe.name
        freeze(recipe, whole)
        found = read_folder(whole)
    own = {path.name for path in recipe.folder.iterdir()}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != FILE, name not in own, name))}


def read_folder(place: Path) -> dict[str, str]:
    """The texts in a folder by name, as far as they are text. Raises UserError when it cannot be read."""
    try:
        return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in sorted(place.iterdir())}
    except OSError as error:
        raise UserError(f"{place} cannot be read: {error.strerror}.", "Check the folder.") from error


@contextmanager
def tried(name: str, files: Mapping[str, str]) -> Iterator[Recipe]:
    """The recipe that these files make, to be rendered inside of the block. Raises UserError with file and line for a broken one."""
    with tempfile.TemporaryDirectory(prefix="gosmith-recipe-") as folder:
        place = Path(folder) / name
        place.mkdir()
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8")
        yield load(place, name=name, own=True)


def save(name: str, files: Mapping[str, str], workspace: Path) -> None:
    """Write the files that differ into the workspace's copy, each whole or not at all. Raises UserError when the recipe is broken so."""
    place = workspace / "recipes" / name
    with tried(name, files):
        pass
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            path = place / file
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                write_whole(path, text)
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror}.", "Free some space.") from error


def is_copy(name: str) -> bool:
    """Is there one of ours by this name?"""
    return (roots(None)[0] / name / FILE).is_file()


def back_to_ours(name: str, workspace: Path) -> Recipe:
    """Remove the workspace's copy of a recipe of ours; returns ours. Raises UserError where there is none of ours, or it cannot be removed."""
    if not is_copy(name):
        raise UserError(
            f"“{name}” is a recipe of your own; there is none of ours to go back to.", "Delete its folder instead."
        )
    try:
        shutil.rmtree(workspace / "recipes" / name)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(
            f"The copy of “{name}” cannot be removed: {error.strerror}.", "Check who may write there."
        ) from error
    return find(name, workspace)
