"""Many samples as one Go module, one package each, so that one go command serves them all.

Lays files out, starts go commands under limits, and says which sample a line of their output belongs to. Judges nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.golang.commands import Cancel, Finished, run
from core.golang.helper import build
from core.golang.pipeline import GivenUp, Pipeline
from core.golang.toolchain import Toolchain, environment

MODULE = "sample"
SUFFIX = "_"
COMPILE_MEMORY = 4 << 30  # bytes of address space of a compiler
_LAVISH = {"GOGC": "off", "GOMEMLIMIT": "512MiB"}
COMPILE_SECONDS = 60  # of processor time of a compiler; a bomb never ends, a large test takes two


@dataclass(frozen=True, slots=True)
class Example:
    """An example function and what it must print."""

    name: str
    output: str
    unordered: bool


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a go command or the type checker says about a file, columns in bytes: text is "code", "test", or "" for the package as a whole."""

    text: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Arranged:
    """A sample as files of a package of its own: same lines, other package clause and imports where they must be.

    folder: below the module. shift: characters put in front of line 1 of code and test. tests, examples: what must report
    by name. alone: why it must not be linked with other samples, "" when it may. outside: why it cannot be built here, "" when it can. wrong: (text, line, column, message) of what keeps it from being
    built anywhere, None when nothing does; text is "code" or "test". package: the test's. shared: code and test with SUFFIX + folder
    behind all that they declare, so that they fit into one package with others; None where they do not, or nobody asked. types: what
    the type checker said meanwhile, as the compiler would.
    """

    key: int
    folder: str
    code: str
    test: str
    shift: tuple[int, int]
    tests: tuple[str, ...]
    examples: tuple[Example, ...]
    alone: str
    outside: str
    wrong: tuple[str, int, int, str] | None
    package: str = ""
    shared: tuple[str, str] | None = None
    types: tuple[Complaint, ...] = ()


def arrange(pipeline: Pipeline, items: Iterable[tuple[int, str, str]], *, shared: bool = False) -> list[Arranged]:
    """Arrange (key, code, test) triples; the folders are named by their order. shared: also as what fits into one package."""
    questions = (
        (
            (key, f"s{at:04d}"),
            {
                "code": code,
                "test": test,
                "path": f"{MODULE}/s{at:04d}",
                "suffix": f"{SUFFIX}s{at:04d}" if shared else "",
            },
        )
        for at, (key, code, test) in enumerate(items)
    )
    return [_arranged(*subject, answer) for subject, answer in pipeline.ask(questions)]


def lay(module: Path, samples: Sequence[Arranged], toolchain: Toolchain, *, test: str = "code_test.go") -> None:
    """Write the module: go.mod, and for each sample its folder with code.go and its test in a file of that name."""
    version = re.match(r"go(\d+\.\d+)", toolchain.version)
    (module / "go.mod").write_text(f"module {MODULE}\n" + (f"\ngo {version[1]}\n" if version else ""))
    for sample in samples:
        folder = module / sample.folder
        folder.mkdir()
        (folder / "code.go").write_text(sample.code, encoding="utf-8", newline="")
        if sample.test:
            (folder / test).write_text(sample.test, encoding="utf-8", newline="")


def lay_shared(module: Path, name: str, samples: Sequence[Arranged]) -> None:
    """Write a folder that these samples share, next to what `lay` wrote: two files for each."""
    folder = module / name
    folder.mkdir()
    for sample in samples:
        assert sample.shared is not None
        for ending, text in zip(("code.go", "codetest.go"), sample.shared, strict=True):
            (folder / f"{sample.folder}{ending}").write_text(text, encoding="utf-8", newline="")


def go(
    toolchain: Toolchain,
    arguments: Sequence[str],
    module: Path,
    *,
    seconds: float,
    cancel: Cancel | None,
    cgo: bool = False,
) -> Finished:
    """A go command in the module, each of its processes under limits: compilers can be bombed.

    cgo: C code may be linked, such as the race detector. Its processes are short and have memory to spare, so that they collect garbage only when there is much of it.
    """
    bounds = ["confine", "-memory", str(COMPILE_MEMORY), "-processor", str(COMPILE_SECONDS)]
    return run(
        [build(toolchain), *bounds, "--", toolchain.go, *arguments],
        folder=module, environment=environment(toolchain) | _LAVISH | {"CGO_ENABLED": str(int(cgo))}, seconds=seconds, cancel=cancel,
    )  # fmt: skip


_HEADING = re.compile(rf"# {MODULE}/([sg]\d{{4}})\b")
_PLACED = re.compile(r"(?:vet: )?(?:\./)?(?:g\d{4}/)?(s\d{4})/?code(_?test)?\.go:(\d+)(?::(\d+))?: (.*)")


def complaints(output: str) -> dict[str, list[Complaint]]:
    """What a go command wrote about each sample's folder, or about one that several share, in order. Lines that begin with a tab belong to the one before."""
    found: dict[str, list[Complaint]] = {}
    folder = ""
    for line in output.splitlines():
        if heading := _HEADING.match(line):
            folder = heading[1]
            continue
        if placed := _PLACED.fullmatch(line.strip()):
            if line.startswith("\t") and placed[1] == folder and found.get(folder):
                last = found[folder][-1]
                found[folder][-1] = replace(last, message=f"{last.message}; {placed[5]} (line {placed[3]})")
                continue
            folder = placed[1]
            text = "test" if placed[2] else "code"
            one = Complaint(text, int(placed[3]), int(placed[4] or 0), placed[5])
            found.setdefault(folder, []).append(one)
        elif line.startswith("\t") and found.get(folder):
            last = found[folder][-1]
            found[folder][-1] = replace(last, message=f"{last.message}; {line.strip()}")
        elif folder and line.strip() and not line.startswith(("FAIL", "ok", "?", "package ")):
            found.setdefault(folder, []).append(Complaint("", 0, 0, line.strip()))
    return found


def too_costly(complaint: Complaint) -> bool:
    """Whether a compiler ran into its limits."""
    return re.search(r"signal: (killed|CPU time)|out of memory|cannot allocate memory", complaint.message) is not None


def in_characters(sample: Arranged, text: str, line: int, column: int) -> int:
    """The column in the sample's own text, in characters; the go command counts bytes of the arranged one."""
    arranged, shift = (sample.test, sample.shift[1]) if text == "test" else (sample.code, sample.shift[0])
    lines = arranged.split("\n")
    if not column or line > len(lines):
        return column
    characters = len(lines[line - 1].encode()[: column - 1].decode(errors="ignore")) + 1
    return max(1, characters - shift) if line == 1 else characters


def sweep(toolchain: Toolchain) -> None:
    """Remove batch folders of processes that are gone."""
    for left in Path(environment(toolchain)["TMPDIR"]).glob("batch-*"):
        owner = left.name.split("-")[1]
        if owner.isdigit():
            try:
                os.kill(int(owner), 0)
            except ProcessLookupError:
                shutil.rmtree(left, ignore_errors=True)
            except PermissionError:
                continue


@contextlib.contextmanager
def arranging(toolchain: Toolchain) -> Iterator[Pipeline]:
    """A helper for as long as the block lasts."""
    pipeline = Pipeline(toolchain, workers=2, seconds=10.0)
    try:
        yield pipeline
    finally:
        pipeline.close()


def _arranged(key: int, folder: str, answer: dict[str, Any] | GivenUp) -> Arranged:
    if isinstance(answer, GivenUp):
        return Arranged(key, folder, "", "", (0, 0), (), (), "", f"kills the checker ({answer.reason})", None)
    wrong = answer["wrong"]
    return Arranged(
        key=key,
        folder=folder,
        code=answer["code"],
        test=answer["test"],
        shift=(answer["shift"][0], answer["shift"][1]),
        tests=tuple(answer["tests"]),
        examples=tuple(Example(**one) for one in answer["examples"]),
        alone=answer["alone"],
        outside=answer["outside"],
        wrong=(wrong["in"], wrong["line"], wrong["column"], wrong["message"]) if wrong else None,
        package=answer["testing"],
        shared=(answer["sharedCode"], answer["sharedTest"]) if answer["sharedCode"] else None,
        types=tuple(Complaint(one["in"], one["line"], one["column"], one["message"]) for one in answer["types"]),
    )
