"""Documented functions of any Go source tree, read by the Go helper: real code to fill a workspace with.

Reads source only: needs no build, follows no links, and skips what nobody would learn from (generated files, vendor,
testdata). What makes a good sample of a function is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.golang.helper import build
from core.golang.toolchain import Toolchain, environment, find


@dataclass(frozen=True, slots=True)
class MinedFunction:
    """One function or method.

    file: below the folder, with slashes. line: of the word `func`. imports: the import specs it needs, as Go writes
    them (`"fmt"`, `crand "crypto/rand"`). name: "Write", "Buffer.Write" for a method. doc: the comment's text, "" for
    none. code: from `func` to the closing brace.
    """

    file: str
    line: int
    package: str
    imports: tuple[str, ...]
    name: str
    doc: str
    code: str

    def source(self) -> str:
        """A whole Go file with this function and what it imports, as gofmt writes it (old styles of comment apart)."""
        parts = [f"package {self.package}\n"]
        if len(self.imports) == 1:
            parts.append(f"import {self.imports[0]}\n")
        elif self.imports:
            parts.append("import (\n" + "".join(f"\t{spec}\n" for spec in self.imports) + ")\n")
        comment = "".join(_comment(line) for line in self.doc.splitlines())
        return "\n".join([*parts, f"{comment}{self.code}\n"])


def _comment(line: str) -> str:
    """A line of a doc comment; gofmt wants no blank before a tab."""
    return f"//{line}\n" if line.startswith("\t") else f"// {line}".rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read or parsed, with the reason."""

    file: str
    reason: str


def mine(
    directory: Path,
    *,
    toolchain: Toolchain | None = None,
    documented: bool = True,
    tests: bool = False,
    lines: tuple[int, int] = (3, 150),
    unread: Callable[[Unread], None] | None = None,
) -> Iterator[MinedFunction]:
    """The functions below a directory, file by file in order of names; tens of thousands in a few seconds.

    documented: only those with a doc comment. tests: read _test.go files too. lines: fewest and most of a function.
    unread: told of each file that had to be left out. Stopping half-way ends the helper.
    Raises UserError when the directory cannot be read.
    """
    folder = Path(directory)
    try:
        next(iter(folder.iterdir()), None)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be mined: {error.strerror}.", "Name a folder with Go source files."
        ) from error
    toolchain = toolchain or find()
    command = [str(build(toolchain)), "mine", "-min-lines", str(lines[0]), "-max-lines", str(lines[1])]
    command += ["-tests"] * tests + ["-undocumented"] * (not documented) + [str(folder.resolve())]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(toolchain)
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                found = json.loads(line)
                if "unread" in found:
                    if unread is not None:
                        unread(Unread(found["file"], found["unread"]))
                    continue
                imports = sorted(found["imports"], key=lambda one: (one["path"], one["name"]))
                found["imports"] = tuple(f'{one["name"]} "{one["path"]}"'.strip() for one in imports)
                yield MinedFunction(**found)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
