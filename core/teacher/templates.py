"""Folders with a TOML file and Jinja templates (recipes, rubrics): where they are looked for, copied, frozen, and how they are rendered.

A folder of the same name in the workspace takes precedence over ours. Templates run in a sandbox, and a name that nobody has given is an
error with file and line, never an empty place in a question that costs money. What the TOML file means is not known here.
"""

from __future__ import annotations

import hashlib
import shutil
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.paths import resources

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of such folders. word: for people. place: the folder of them all. file: its TOML file. common: the folder whose texts all of them
    share, "" for none. command: what checks all of them."""

    word: str
    place: str
    file: str
    common: str
    command: str


@dataclass(frozen=True, slots=True)
class Templates:
    """The texts of one folder, ready to be rendered. digest: sha256 of all of them, so that an edited copy is told from ours."""

    kind: Kind
    name: str
    names: frozenset[str]
    digest: str
    _environment: SandboxedEnvironment = field(repr=False, compare=False)

    def render(self, template: str, /, **given: Any) -> str:
        """A template's text, without blank ends. Raises UserError with file and line where it cannot be made."""
        from jinja2 import TemplateError

        try:
            return self._environment.get_template(template).render(**given).strip()
        except TemplateError as error:
            raise _broken(self.kind, self.name, template, error) from None
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise _broken(self.kind, self.name, template, error) from None


def roots(kind: Kind, workspace: Path | None) -> list[Path]:
    """Where they are looked for, first found first."""
    ours = resources() / kind.place
    return [ours] if workspace is None else [workspace / kind.place, ours]


def names(kind: Kind, workspace: Path | None = None) -> list[str]:
    """All by name, the workspace's own among them."""
    found = {path.parent.name for root in roots(kind, workspace) for path in root.glob(f"*/{kind.file}")}
    return sorted(found - {kind.common})


def find(kind: Kind, name: str, workspace: Path | None = None) -> tuple[Path, bool]:
    """The folder of that name, and whether it is the workspace's own. Raises UserError where there is none."""
    for root in roots(kind, workspace):
        if (root / name / kind.file).is_file() and Path(name).name == name:
            return root / name, root != roots(kind, None)[0]
    raise UserError(f"There is no {kind.word} “{name}”.", f"Known are: {', '.join(names(kind, workspace))}.")


def load(kind: Kind, folder: Path, name: str) -> Templates:
    """All texts of a folder, each template compiled. Raises UserError with file and line for one that is broken."""
    texts = _texts(kind, folder)
    environment = _environment(kind, folder)
    for template in sorted(texts):
        if template.endswith(".j2"):
            _compile(environment, kind, name, template)
    digest = hashlib.sha256()
    for template, content in sorted(texts.items()):
        digest.update(f"{template}\0{len(content)}\0".encode() + content)
    return Templates(kind, name, frozenset(texts), digest.hexdigest(), environment)


def copy(kind: Kind, name: str, workspace: Path) -> Path:
    """Put an editable copy of one of ours into the workspace; returns its folder. Raises UserError when there is one already."""
    folder, _ = find(kind, name)
    place = workspace / kind.place / name
    if place.exists():
        raise UserError(f"The workspace has a {kind.word} “{name}” already.", f"Edit it in {place}, or remove it.")
    freeze(kind, folder, place)
    return place


def freeze(kind: Kind, folder: Path, place: Path) -> None:
    """Write all texts of a folder, the common ones included, into one that `load` reads the same. Raises UserError."""
    try:
        place.mkdir(parents=True)
        for name, content in _texts(kind, folder).items():
            (place / name).write_bytes(content)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise UserError(
            f"The {kind.word} cannot be copied to {place}: {error.strerror}.", "Free some space."
        ) from error


def _places(kind: Kind, folder: Path) -> list[Path]:
    """Where the texts of a folder lie; its own first."""
    return [folder, *([resources() / kind.place / kind.common] if kind.common else [])]


def _texts(kind: Kind, folder: Path) -> dict[str, bytes]:
    """All files by name; its own win over the common ones."""
    found: dict[str, bytes] = {}
    for place in reversed(_places(kind, folder)):
        found |= {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.suffix in (".j2", ".toml")}
    return found


def _environment(kind: Kind, folder: Path) -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment  # late: only who renders pays for it

    return SandboxedEnvironment(
        loader=FileSystemLoader([str(place) for place in _places(kind, folder)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # of files that are included
        autoescape=False,  # what is made is no HTML
    )


def _compile(environment: SandboxedEnvironment, kind: Kind, name: str, template: str) -> None:
    from jinja2 import TemplateError

    try:
        environment.get_template(template)
    except TemplateError as error:
        raise _broken(kind, name, template, error) from None
    except UnicodeDecodeError:
        raise UserError(f"{name}/{template} is not UTF-8 text.", "Save it as UTF-8.") from None


def _broken(kind: Kind, name: str, template: str, error: Exception) -> UserError:
    from jinja2 import TemplateSyntaxError

    line = 0
    if isinstance(error, TemplateSyntaxError):
        template, line = error.name or template, error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.endswith(".j2"):
            template, line = Path(frame.filename).name, frame.lineno or 0
    place = f"{name}/{template}{f', line {line}' if line else ''}"
    return UserError(f"{place}: {str(error).rstrip('.')}.", f"Mend the template; `{kind.command}` checks all of them.")
