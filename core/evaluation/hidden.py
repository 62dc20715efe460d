"""The hidden test of a problem as a Go file of its own, with the imports that it needs and what it leans on.

Tests of HumanEval-X and HumanEvalPack assert with testify, which is not fetched: a file of ours stands for it
(`resources/shims/assert.go`). Tests of MultiPL-E compare what is printed; in the mode `fixed` they compare values
(`resources/shims/same.go`).
"""

from __future__ import annotations

import re
from functools import cache

from core.evaluation.suites import OURS, Problem
from core.paths import resources

TESTIFY = "github.com/stretchr/testify/assert"
_IMPORTS = re.compile(r"^import\s*(?:\((?P<many>[^)]*)\)|(?P<one>(?:[\w.]+\s+)?\"[^\"]+\"))[ \t]*\n?", re.MULTILINE)
_SPEC = re.compile(r"(?:([\w.]+)[ \t]+)?\"([^\"]+)\"")
_PACKAGE = re.compile(r"^package\s+\w+[ \t]*\n?", re.MULTILINE)
_PRINTED = re.compile(
    r"fmt\.Sprintf\(\"%v\",\s*(?P<got>[\w.]+)\)\s*(?P<sign>[!=])=\s*fmt\.Sprintf\(\"%v\",\s*(?P<want>[\w.]+)\)"
)


def hidden_test(suite_format: str, problem: Problem) -> str:
    """The test of the mode `fixed`. Imports that it lacks or has too many are put right by who type-checks it."""
    if suite_format == OURS:
        return problem.test
    if suite_format == "multipl-e":
        start = problem.test.find("func Test")
        body = problem.test[max(start, 0) :]
        compared = _PRINTED.sub(_by_value, body)
        return _file(["testing", "fmt"], compared, "same" if compared != body else "")
    setup = str(problem.record.get("test_setup", ""))
    imports = [
        path for name, path in _SPEC.findall("".join(found[0] for found in _IMPORTS.finditer(setup))) if not name
    ]
    rest = _IMPORTS.sub("", _PACKAGE.sub("", setup, count=1))  # some declare helpers there
    body = f"{rest.strip()}\n\n{problem.test}" if rest.strip() else problem.test
    needs_shim = TESTIFY in setup or "assert." in body
    return _file([path for path in imports if path != TESTIFY], body, "assert" if needs_shim else "")


def company(suite_format: str, program: str) -> tuple[str, str]:
    """A program of the mode `paper` without testify, and the file of package main that stands beside it."""
    if TESTIFY not in program:
        return program, "package main\n"
    without = re.sub(
        rf"^[ \t]*(?:import[ \t]+)?\"{re.escape(TESTIFY)}\"[ \t]*$", "", program, count=1, flags=re.MULTILINE
    )
    imports, body = shim("assert")
    return without, _joined("main", imports, body)


@cache
def shim(name: str) -> tuple[tuple[str, ...], str]:
    """Imports and declarations of a file of ours that tests lean on."""
    text = (resources() / "shims" / f"{name}.go").read_text(encoding="utf-8")
    imports = tuple(path for found in _IMPORTS.finditer(text) for _, path in _SPEC.findall(found[0]))
    return imports, _IMPORTS.sub("", _PACKAGE.sub("", text, count=1)).strip() + "\n"


def _file(imports: list[str], body: str, leans_on: str) -> str:
    more, declarations = shim(leans_on) if leans_on else ((), "")
    return _joined("solution", [*imports, *more], f"{body.rstrip()}\n\n{declarations}")


def _joined(package: str, imports: list[str] | tuple[str, ...], body: str) -> str:
    lines = "".join(f'\t"{path}"\n' for path in dict.fromkeys(imports))
    return f"package {package}\n\n" + (f"import (\n{lines})\n\n" if lines else "") + body


def _by_value(found: re.Match[str]) -> str:
    same = f"sameShim({found['got']}, {found['want']})"
    return f"!{same}" if found["sign"] == "!" else same
