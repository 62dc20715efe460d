"""Recipes: what to ask for, as data. A folder with recipe.toml and Jinja templates; nothing in it is program code.

A folder of the same name in the workspace takes precedence over ours, so a team edits a copy. How such folders are found, copied and
rendered is `templates`' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from core.errors import UserError
from core.teacher import templates
from core.teacher.templates import Kind, Templates
from core.teacher.written import Written, parse, read_text, refused

FILE = "recipe.toml"
_KIND = Kind("recipe", "recipes", FILE, "common", "gosmith teacher recipes")
SYSTEM, PROMPT, REPAIR, FIX = "system.j2", "prompt.j2", "repair.j2", "fix.j2"
"""Templates that every recipe has, from the folder common where it has none of its own."""
GIVEN = frozenset({"go", "topic", "seed", "task", "code", "test", "words", "weak", "notes"})
"""What templates may name besides the axes."""


class Choice(Written):
    """One value of an axis. about: what the teacher is told of it. topic: of the samples that draw it; that of the first axis with one counts."""

    value: Annotated[str, Field(min_length=1)]
    about: str = ""
    topic: str = ""


class Stage(Written):
    """One question. template: a file of the recipe. tokens: what an answer is expected to take, for the forecast.

    parameters: fields of this request that are other than the plan's.
    """

    template: Annotated[str, Field(min_length=1)]
    tokens: Annotated[int, Field(ge=1)] = 800
    parameters: dict[str, Any] = Field(default_factory=dict)


class Limits(Written):
    """What is too short or too long: characters of a task, lines of code."""

    task: tuple[int, int] = (40, 8000)
    lines: tuple[int, int] = (3, 500)


class RecipeFile(Written):
    """recipe.toml.

    topic: of samples whose draw names none. source: what each sample starts from besides the axes: nothing, some lines of a Go tree
    (excerpt), a function of it that compiles alone, or another sample. given: the sample's code is the one in the task, the teacher
    writes the rest. broken: whether the task holds broken code: not at all, code on which the sample's test must fail (prompt), or code
    and a test of which the toolchain must complain, whose words then stand in the task (checked). answers: how many solutions are
    asked for, the one that most tests agree with is kept.
    """

    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1)]
    about: Annotated[str, Field(min_length=1)]
    topic: str = "algorithms"
    source: Literal["none", "excerpt", "function", "sample"] = "none"
    excerpt: tuple[int, int] = (4, 15)
    given: bool = False
    broken: Literal["no", "prompt", "checked"] = "no"
    answers: Annotated[int, Field(ge=1, le=32)] = 1
    instruction: Stage | None = None
    solution: Stage
    limits: Limits = Limits()
    axes: dict[str, tuple[Choice, ...]] = Field(default_factory=dict)

    @field_validator("axes", mode="before")
    @classmethod
    def _texts_are_choices(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: tuple({"value": one} if isinstance(one, str) else one for one in choices)
            if isinstance(choices, tuple)
            else choices
            for name, choices in value.items()
        }

    @model_validator(mode="after")
    def _fits_together(self) -> RecipeFile:
        empty = next((name for name, choices in self.axes.items() if not choices), None)
        if empty is not None:
            raise refused(f"axes.{empty} has no choice")
        if taken := sorted(self.axes.keys() & GIVEN):
            raise refused(f"axes.{taken[0]} has a name that templates know as something else")
        if self.broken == "checked" and self.instruction is None:
            raise refused('broken = "checked" needs an instruction: somebody must write the broken code')
        if self.given and self.source != "function" and self.instruction is None:
            raise refused("given = true needs an instruction or a function to take the code from")
        return self

    def topics(self) -> list[str]:
        """All topics that its axes name, and its own."""
        named = [choice.topic for choices in self.axes.values() for choice in choices if choice.topic]
        return list(dict.fromkeys([*named, self.topic]))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe ready to be rendered. own: from the workspace. digest: sha256 of all its texts, so that an edited copy is told from ours."""

    name: str
    folder: Path
    own: bool
    file: RecipeFile
    templates: Templates

    @property
    def digest(self) -> str:
        """Of all its texts."""
        return self.templates.digest

    def render(self, template: str, /, **given: Any) -> str:
        """A template's text, without blank ends. Raises UserError with file and line where it cannot be made."""
        return self.templates.render(template, **given)


def roots(workspace: Path | None) -> list[Path]:
    """Where recipes are looked for, first found first."""
    return templates.roots(_KIND, workspace)


def names(workspace: Path | None = None) -> list[str]:
    """All recipes by name, the workspace's own among them."""
    return templates.names(_KIND, workspace)


def find(name: str, workspace: Path | None = None) -> Recipe:
    """The recipe of that name. Raises UserError where there is none, or it is broken."""
    folder, own = templates.find(_KIND, name, workspace)
    return load(folder, own=own)


def load(folder: Path, *, name: str = "", own: bool = False) -> Recipe:
    """The recipe in a folder. Raises UserError with file and line for one that is broken."""
    name = name or folder.name
    file = parse(read_text(folder / FILE, "recipe"), RecipeFile, f"{name}/{FILE}")
    texts = templates.load(_KIND, folder, name)
    for stage in (file.instruction, file.solution):
        if stage is not None and stage.template not in texts.names:
            raise UserError(
                f"{name}/{FILE} names {stage.template}, which is not there.", "Add the template, or name another."
            )
    return Recipe(name, folder, own, file, texts)


def copy(name: str, workspace: Path) -> Path:
    """Put an editable copy of one of our recipes into the workspace; returns its folder. Raises UserError when there is one already."""
    return templates.copy(_KIND, name, workspace)


def freeze(recipe: Recipe, place: Path) -> None:
    """Write all texts of a recipe, the common ones included, into one folder that `load` reads the same. Raises UserError."""
    templates.freeze(_KIND, recipe.folder, place)
