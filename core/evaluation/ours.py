"""Suites of our own: a folder of Markdown files, one problem each, written by people and read by people.

    ---
    topic: strings
    difficulty: easy
    entry: Reverse
    signature: func Reverse(s string) string
    ---
    ## Prompt       what the model is asked
    ## Reference    one Go block: an answer that passes
    ## Test         one Go block with func Test…, which no model sees

A problem is called <suite>/<file's name>. `signature` may come several times, one line each. Beside them may lie suite.toml with the
suite's `title` and what it is `about`. A file that is not as it should be is named with its line and left out. Nothing is compiled
here: whether a reference passes and a stub fails is asked in `core.evaluation.checking`. What is read here is written by
`core.evaluation.drafting`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import UserError
from core.evaluation.suites import OURS, BadRow, Problem, Suite
from core.golang.extract import blocks

DIFFICULTIES = ("easy", "medium", "hard")
SECTIONS = ("Prompt", "Reference", "Test")
FACTS = "suite.toml"
_KEYS = ("topic", "difficulty", "entry", "signature")
_ABOUT = ("title", "about")
_PACKAGE = re.compile(r"^package solution\b", re.MULTILINE)
_TEST = re.compile(r"^func Test\w*\(", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")


class Wrong(Exception):  # noqa: N818  it is an answer, not a failure
    """Why a text is no problem, and in which line of it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read(folder: Path) -> Suite:
    """Read the suite in `folder`. Raises UserError when it cannot be read or holds no problem."""
    suite = load(folder)
    if not suite.problems:
        bad = suite.bad
        why = f" {bad[0].file}:{bad[0].line}: {bad[0].reason}." if bad else ""
        raise UserError(
            f"{folder} holds no problem.{why}", "A problem is a Markdown file; see resources/suites/README.md."
        )
    return suite


def load(folder: Path) -> Suite:
    """As `read`, but a suite may be empty, as every new one is. README.md files are no problems. Raises UserError when it cannot be read."""
    problems: dict[str, Problem] = {}
    bad: list[BadRow] = []
    digest = hashlib.sha256()
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            problem = parse(folder.name, path.stem, content.decode("utf-8"))
        except OSError as error:
            raise UserError(
                f"{path} cannot be read: {error.strerror}.", "Choose a folder that you may read."
            ) from error
        except UnicodeDecodeError:
            bad.append(BadRow(1, "the text is not UTF-8", name))
            continue
        except Wrong as wrong:
            bad.append(BadRow(wrong.line, wrong.reason, name))
            continue
        if problem.task in problems:
            bad.append(BadRow(1, f"the task “{problem.task}” comes twice", name))
        else:
            problems[problem.task] = problem
    facts = _about(folder, bad)
    return Suite(OURS, tuple(problems.values()), tuple(bad), digest.hexdigest(), **facts)


def files(folder: Path) -> list[Path]:
    """The files that are problems or want to be, in the order in which they are read."""
    return [path for path in sorted(folder.rglob("*.md")) if path.name != "README.md"]


def parse(suite: str, slug: str, text: str) -> Problem:
    """The problem that this text of a file is. Raises Wrong."""
    lines = text.replace("\r\n", "\n").split("\n")
    facts, start = _front(lines)
    sections = _sections(lines, start)
    prompt = "\n".join(sections["Prompt"][1]).strip()
    if not prompt:
        raise Wrong(sections["Prompt"][0], "the prompt is empty")
    reference, test = (_block(name, *sections[name]) for name in ("Reference", "Test"))
    if not _TEST.search(test):
        raise Wrong(sections["Test"][0], "the test has no function Test…")
    entry = facts["entry"]
    if not re.search(rf"^(?:func|type|var|const)\s[^\n]*\b{entry}\b", reference, re.MULTILINE):
        raise Wrong(sections["Reference"][0], f"the reference does not declare {entry}")
    if not re.search(rf"\b{entry}\b", facts["signature"]):
        raise Wrong(1, f"the signature does not name {entry}")
    return Problem(
        f"{suite}/{slug}", entry, prompt, reference, test, {**facts, "slug": slug},
        facts["topic"], facts["difficulty"], facts["signature"],
    )  # fmt: skip


def _about(folder: Path, bad: list[BadRow]) -> dict[str, str]:
    """What suite.toml says; what is wrong with it is added to `bad`."""
    try:
        said = tomllib.loads((folder / FACTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserError(f"{folder / FACTS} cannot be read: {error.strerror}.", "Check who may read it.") from error
    except UnicodeDecodeError:
        bad.append(BadRow(1, "the text is not UTF-8", FACTS))
        return {}
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        bad.append(BadRow(int(at[1]) if at else 1, f"this is not TOML: {str(error).split(' (at')[0]}", FACTS))
        return {}
    wrong = next((key for key in said if key not in _ABOUT or not isinstance(said[key], str)), None)
    if wrong is not None:
        bad.append(BadRow(1, f"“{wrong[:40]}” is none of the texts {', '.join(_ABOUT)}", FACTS))
    return {key: value for key, value in said.items() if key in _ABOUT and isinstance(value, str)}


def _front(lines: list[str]) -> tuple[dict[str, str], int]:
    """The facts between the dashes, and the index of the first line behind them."""
    if lines[0] != "---" or "---" not in lines[1:]:
        raise Wrong(1, "there is no front matter between two lines of ---")
    end = lines.index("---", 1)
    facts: dict[str, str] = {}
    for number, line in enumerate(lines[1:end], start=2):
        key, colon, value = line.partition(":")
        value = value.strip()
        if not colon or not value:
            raise Wrong(number, "a line of the front matter is “key: value”")
        if key not in _KEYS:
            raise Wrong(number, f"there is no field “{key[:40]}”; known are {', '.join(_KEYS)}")
        if key in facts and key != "signature":
            raise Wrong(number, f"“{key}” comes twice")
        facts[key] = f"{facts[key]}\n{value}" if key in facts else value
    if missing := [key for key in _KEYS if key not in facts]:
        raise Wrong(1, f"the front matter lacks {', '.join(missing)}")
    if facts["difficulty"] not in DIFFICULTIES:
        raise Wrong(1, f"the difficulty is none of {', '.join(DIFFICULTIES)}")
    if not _NAME.fullmatch(facts["entry"]):
        raise Wrong(1, "the entry is not a Go name")
    return facts, end + 1


def _sections(lines: list[str], start: int) -> dict[str, tuple[int, list[str]]]:
    """Line number and lines of each section, by its heading. Headings inside fences are text."""
    found: dict[str, tuple[int, list[str]]] = {}
    current: list[str] = []
    for number, line, fence in fenced(lines[start:], start + 1):
        if not fence and line.startswith("## "):
            name = line[3:].strip()
            if name not in SECTIONS:
                raise Wrong(number, f"there is no section “{name[:40]}”; known are {', '.join(SECTIONS)}")
            if name in found:
                raise Wrong(number, f"the section “{name}” comes twice")
            current = []
            found[name] = (number, current)
            continue
        current.append(line)
    if missing := [name for name in SECTIONS if name not in found]:
        raise Wrong(len(lines), f"the section “{missing[0]}” is missing")
    return found


def fenced(lines: Iterable[str], first: int = 1) -> Iterator[tuple[int, str, str]]:
    """Number and text of each line, and the fence that it stands in or closes or opens, "" outside of all."""
    fence = ""
    for number, line in enumerate(lines, start=first):
        mark = re.match(r"(`{3,}|~{3,})", line)
        inside = fence or (mark[1] if mark else "")
        if not fence:
            fence = inside
        elif mark and not line.strip(fence[0]) and len(line) >= len(fence):
            fence = ""
        yield number, line, inside


def _block(name: str, line: int, lines: list[str]) -> str:
    found = [one for one in blocks("\n".join(lines)) if one.language == "go"]
    if len(found) != 1:
        raise Wrong(line, f"the section “{name}” has {len(found)} Go blocks; it takes one")
    if not _PACKAGE.search(found[0].text):
        raise Wrong(line + found[0].line, "its package is not “solution”")
    return found[0].text
