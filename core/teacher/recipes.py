"""Recipes: what to ask for, as data. A folder with recipe.toml and Jinja templates; nothing in it is program code.

A folder of the same name in the workspace takes precedence over ours, so a team edits a copy. Templates run in a sandbox, and a name
that nobody has given is an error with file and line, never an empty place in a question that costs money.
"""

from __future__ import annotations

import hashlib
import shutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from core.errors import UserError
from core.paths import resources
from core.teacher.written import Written, parse, read_text, refused

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

COMMON = "common"
FILE = "recipe.toml"
SYSTEM, PROMPT, REPAIR, FIX = "system.j2", "prompt.j2", "repair.j2", "fix.j2"
"""Templates that every recipe has, from COMMON where it has none of its own."""
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
    digest: str
    _environment: SandboxedEnvironment = field(repr=False, compare=False)

    def render(self, template: str, /, **given: Any) -> str:
        """A template's text, without blank ends. Raises UserError with file and line where it cannot be made."""
        from jinja2 import TemplateError

        try:
            return self._environment.get_template(template).render(**given).strip()
        except TemplateError as error:
            raise _broken(self.name, template, error) from None
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise _broken(self.name, template, error) from None


def roots(workspace: Path | None) -> list[Path]:
    """Where recipes are looked for, first found first."""
    ours = resources() / "recipes"
    return [ours] if workspace is None else [workspace / "recipes", ours]


def names(workspace: Path | None = None) -> list[str]:
    """All recipes by name, the workspace's own among them."""
    return sorted({path.parent.name for root in roots(workspace) for path in root.glob(f"*/{FILE}")} - {COMMON})


def find(name: str, workspace: Path | None = None) -> Recipe:
    """The recipe of that name. Raises UserError where there is none, or it is broken."""
    for root in roots(workspace):
        if (root / name / FILE).is_file() and Path(name).name == name:
            return load(root / name, own=root != roots(None)[0])
    raise UserError(f"There is no recipe “{name}”.", f"Known are: {', '.join(names(workspace))}.")


def load(folder: Path, *, name: str = "", own: bool = False) -> Recipe:
    """The recipe in a folder. Raises UserError with file and line for one that is broken."""
    name = name or folder.name
    file = parse(read_text(folder / FILE, "recipe"), RecipeFile, f"{name}/{FILE}")
    texts = _texts(folder)
    environment = _environment(folder)
    for template in sorted(texts):
        if template.endswith(".j2"):
            _compile(environment, name, template)
    for stage in (file.instruction, file.solution):
        if stage is not None and stage.template not in texts:
            raise UserError(
                f"{name}/{FILE} names {stage.template}, which is not there.", "Add the template, or name another."
            )
    digest = hashlib.sha256()
    for template, content in sorted(texts.items()):
        digest.update(f"{template}\0{len(content)}\0".encode() + content)
    return Recipe(name, folder, own, file, digest.hexdigest(), environment)


def copy(name: str, workspace: Path) -> Path:
    """Put an editable copy of one of our recipes into the workspace; returns its folder. Raises UserError when there is one already."""
    recipe = find(name)
    place = workspace / "recipes" / name
    if place.exists():
        raise UserError(f"The workspace has a recipe “{name}” already.", f"Edit it in {place}, or remove it.")
    freeze(recipe, place)
    return place


def freeze(recipe: Recipe, place: Path) -> None:
    """Write all texts of a recipe, the common ones included, into one folder that `load` reads the same. Raises UserError."""
    try:
        place.mkdir(parents=True)
        for name, content in _texts(recipe.folder).items():
            (place / name).write_bytes(content)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise UserError(f"The recipe cannot be copied to {place}: {error.strerror}.", "Free some space.") from error


def _texts(folder: Path) -> dict[str, bytes]:
    """All files of a recipe by name; its own win over the common ones."""
    found: dict[str, bytes] = {}
    for place in (resources() / "recipes" / COMMON, folder):
        found |= {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.suffix in (".j2", ".toml")}
    return found


def _environment(folder: Path) -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment  # late: only who renders pays for it

    return SandboxedEnvironment(
        loader=FileSystemLoader([str(folder), str(resources() / "recipes" / COMMON)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # of files that are included
        autoescape=False,  # what is made is no HTML
    )


def _compile(environment: SandboxedEnvironment, name: str, template: str) -> None:
    from jinja2 import TemplateError

    try:
        environment.get_template(template)
    except TemplateError as error:
        raise _broken(name, template, error) from None
    except UnicodeDecodeError:
        raise UserError(f"{name}/{template} is not UTF-8 text.", "Save it as UTF-8.") from None


def _broken(name: str, template: str, error: Exception) -> UserError:
    from jinja2 import TemplateSyntaxError

    line = 0
    if isinstance(error, TemplateSyntaxError):
        template, line = error.name or template, error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.endswith(".j2"):
            template, line = Path(frame.filename).name, frame.lineno or 0
    place = f"{name}/{template}{f', line {line}' if line else ''}"
    return UserError(
        f"{place}: {str(error).rstrip('.')}.", "Mend the template; `gosmith teacher recipes` checks all of them."
    )
