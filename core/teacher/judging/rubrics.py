"""Rubrics: by what a judge scores, as data. A folder with rubric.toml and Jinja templates; nothing in it is program code.

A folder of the same name in the workspace takes precedence over ours. What a sample holds reaches a template only inside of fences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from core.errors import UserError
from core.teacher import templates
from core.teacher.templates import Kind, Templates
from core.teacher.written import Written, parse, read_text, refused

FILE = "rubric.toml"
SYSTEM, JUDGE, AGAIN = "system.j2", "judge.j2", "again.j2"
"""Templates that every rubric has."""
SUMMARY = "summary"
_KIND = Kind("rubric", "rubrics", FILE, "", "gosmith teacher rubrics")

Sentence = Annotated[str, Field(min_length=1)]


class Criterion(Written):
    """name: its key in the answer. weight: against the others'. worst, top: what the fewest and the most points mean."""

    name: str
    title: Sentence
    weight: Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)] = 1.0
    question: Sentence
    worst: Sentence
    top: Sentence

    @field_validator("name")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if not (value.isascii() and value.islower() and value.isidentifier() and len(value) <= 40):
            raise refused(f"is “{value[:40]}” but must be a name of small letters, digits and _")
        if value == SUMMARY:
            raise refused(f"is “{SUMMARY}”, which every answer has besides the criteria")
        return value


class RubricFile(Written):
    """rubric.toml. best: points go from 1 to this. tokens: what an answer is expected to take, for the forecast."""

    version: Annotated[int, Field(ge=1)]
    title: Sentence
    about: Sentence
    best: Annotated[int, Field(ge=2, le=10)] = 5
    tokens: Annotated[int, Field(ge=1)] = 400
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> RubricFile:
        found = [one.name for one in self.criteria]
        twice = next((name for name in found if found.count(name) > 1), None)
        if twice is not None:
            raise refused(f"criteria has “{twice}” twice")
        return self

    def score(self, points: Mapping[str, int]) -> int:
        """The weighted mean of the points of all criteria, 1 as 0 and best as 100, to the nearest whole number (halves up)."""
        weights = {one.name: Fraction(str(one.weight)) for one in self.criteria}
        earned = sum(weight * (points[name] - 1) for name, weight in weights.items())
        return math.floor(100 * earned / (sum(weights.values()) * (self.best - 1)) + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rubric ready to be rendered. own: from the workspace."""

    name: str
    folder: Path
    own: bool
    file: RubricFile
    templates: Templates

    @property
    def digest(self) -> str:
        """sha256 of all its texts, so that an edited copy is told from ours."""
        return self.templates.digest

    def render(self, template: str, /, **given: Any) -> str:
        """A template's text, without blank ends. Raises UserError with file and line where it cannot be made."""
        return self.templates.render(template, rubric=self.file, **given)


def names(workspace: Path | None = None) -> list[str]:
    """All rubrics by name, the workspace's own among them."""
    return templates.names(_KIND, workspace)


def find(name: str, workspace: Path | None = None) -> Rubric:
    """The rubric of that name. Raises UserError where there is none, or it is broken."""
    folder, own = templates.find(_KIND, name, workspace)
    return load(folder, own=own)


def load(folder: Path, *, name: str = "", own: bool = False) -> Rubric:
    """The rubric in a folder. Raises UserError with file and line for one that is broken."""
    name = name or folder.name
    file = parse(read_text(folder / FILE, "rubric"), RubricFile, f"{name}/{FILE}")
    texts = templates.load(_KIND, folder, name)
    missing = next((one for one in (SYSTEM, JUDGE, AGAIN) if one not in texts.names), None)
    if missing is not None:
        raise UserError(f"The rubric “{name}” has no {missing}.", "Copy it from one of ours.")
    return Rubric(name, folder, own, file, texts)


def copy(name: str, workspace: Path) -> Path:
    """Put an editable copy of one of our rubrics into the workspace; returns its folder. Raises UserError when there is one already."""
    return templates.copy(_KIND, name, workspace)


def freeze(rubric: Rubric, place: Path) -> None:
    """Write all texts of a rubric into a folder that `load` reads the same. Raises UserError."""
    templates.freeze(_KIND, rubric.folder, place)
