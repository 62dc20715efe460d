"""Import declarations put right from what the type checker says: unused ones go, missing ones of the standard library come.

Works on the text, so that everything else stays byte for byte; what it does not understand, it leaves alone. Where a name may mean
several packages, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.golang.checker import Diagnostic

_UNUSED = re.compile(r'"(?P<path>[^"]+)" imported(?: as \S+)? and not used')
_MISSING = re.compile(r'undefined: \w+ \(import "(?P<path>[^"]+)" is missing\)')
_SPEC = re.compile(
    r'[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?(?P<quote>["`])(?P<path>[^"`]+)(?P=quote)[ \t]*;?[ \t]*(?://.*)?'
)
_BLOCK = re.compile(r"^import[ \t]*\([ \t]*$", re.MULTILINE)
_EMPTY_BLOCK = re.compile(r"^import[ \t]*\(\s*\)[ \t]*\n?", re.MULTILINE)
_SINGLE = re.compile(r'^import[ \t]+(?:[\w.]+[ \t]+)?(?:"[^"]+"|`[^`]+`)', re.MULTILINE)
_PACKAGE = re.compile(r"^package[ \t]+\w+[^\n]*\n?", re.MULTILINE)


def mended(code: str, diagnostics: Sequence[Diagnostic]) -> str | None:
    """The code without unused and with missing imports, not formatted; None when there is nothing that can be done."""
    lines = code.split("\n")
    for one in diagnostics:
        unused = _UNUSED.match(one.message) if one.check == "types" else None
        if unused and 0 < one.line <= len(lines):
            spec = _SPEC.fullmatch(lines[one.line - 1].rstrip("\r"))
            if spec and spec["path"] == unused["path"]:
                lines[one.line - 1] = "\0"
    result = "\n".join(line for line in lines if line != "\0")
    result = _EMPTY_BLOCK.sub("", result)
    missing = {found["path"] for one in diagnostics if one.check == "types" and (found := _MISSING.match(one.message))}
    for path in sorted(missing, reverse=True):
        result = _with_import(result, path)
    return result if result != code else None


def _with_import(code: str, path: str) -> str:
    block = _BLOCK.search(code)
    if block:
        return f'{code[: block.end()]}\n\t"{path}"{code[block.end() :]}'
    single = _SINGLE.search(code)
    if single:
        first = code[single.start() : single.end()].removeprefix("import").strip()
        return f'{code[: single.start()]}import (\n\t{first}\n\t"{path}"\n){code[single.end() :]}'
    package = _PACKAGE.search(code)
    if package:
        head = code[: package.end()] if code[: package.end()].endswith("\n") else code[: package.end()] + "\n"
        return f'{head}\nimport "{path}"\n{code[package.end() :]}'
    return f'import "{path}"\n\n{code}'
