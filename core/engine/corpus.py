"""What the starter reads: the Go toolchain's own source, the functions in it as questions and answers, the bundled samples.

Only code that a person wrote for every platform is taken: no tests, no vendored or generated files, no `cmd`. Files are
held back for validation by a hash of their path, and no function of a held-back file is ever asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HELD_BACK = 32  # one file in so many is for validation
MESSAGE = dict[str, str]

_SKIPPED = {"cmd", "vendor", "testdata", "internal/goarch", "internal/goos"}
_PLATFORM = re.compile(
    r"_(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|bsd|libc"
    r"|386|amd64|arm|arm64|loong64|mips|mipsx|mips64|mips64x|mipsle|ppc64|ppc64x|ppc64le|riscv64|s390x|wasm|asm|noasm|generic"
    r"|purego|stub|stubs|other|off|on)\.go$"
)
_LICENCE = re.compile(r"\A(//[^\n]*\n)*?//[^\n]*LICENSE file\.\n+", re.IGNORECASE)
_FUNCTION = re.compile(r"((?:^//[^\n]*\n)+)^(func [^\n]*\{\n(?:.*\n)*?\}\n)", re.MULTILINE)
_BLOCK = re.compile(r"^## (user|assistant)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class File:
    """A Go file without its licence header. held_back: for validation only."""

    path: str
    text: str
    held_back: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A documented function. doc without `//`, code with its signature on the first line."""

    path: str
    doc: str
    code: str

    @property
    def signature(self) -> str:
        """The first line, up to and with the opening brace."""
        return self.code.split("\n", 1)[0]


def files(source: Path) -> Iterator[File]:
    """The files under a Go `src` folder that are worth reading, in the order of their paths."""
    for path in sorted(source.rglob("*.go")):
        name = path.relative_to(source).as_posix()
        if _skipped(name):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if "DO NOT EDIT" in text[:2000] or "//go:build ignore" in text[:2000] or len(text) > 200_000:
            continue
        text = _LICENCE.sub("", text).strip() + "\n"
        digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
        yield File(name, text, digest % HELD_BACK == 0)


def functions(file: File, *, longest: int = 1600) -> Iterator[Function]:
    """The documented functions of a file that are at most `longest` characters long."""
    for match in _FUNCTION.finditer(file.text):
        doc = " ".join(
            line.removeprefix("//").strip() for line in match[1].splitlines() if not line.startswith("//go:")
        )
        if 20 < len(doc) < 600 and len(match[2]) <= longest and match[2].count("\n") > 2:
            yield Function(file.path, doc.strip(), match[2])


def conversation(function: Function) -> list[MESSAGE]:
    """A function as a question and its answer."""
    package = function.path.rsplit("/", 2)[-2] if "/" in function.path else "main"
    name = re.sub(r"^func (?:\([^)]*\) )?(\w+).*", r"\1", function.signature)
    kind = "method" if function.signature.startswith("func (") else "function"
    form = int.from_bytes(hashlib.sha256(function.code.encode()).digest()[:2]) % 4
    question = (
        f"Write the Go {kind} {name} of package {package}. {function.doc}",
        f"Implement this in Go:\n\n{function.signature.removesuffix(' {')}\n\n{function.doc}",
        f"{function.doc}\n\nShow me the Go {kind} for that.",
        f"I need a Go {kind} called {name}. {function.doc}",
    )[form]
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": f"```go\n{function.code.rstrip()}\n```"},
    ]


def bundled(folder: Path) -> Iterator[list[MESSAGE]]:
    """The bundled samples as conversations; those that are wrong on purpose are left out."""
    for path in sorted(folder.glob("*/*.md")):
        text = path.read_text(encoding="utf-8")
        front, _, body = text.removeprefix("---\n").partition("\n---\n")
        if re.search(r"^(planted|copy_of):", front, re.MULTILINE):
            continue
        parts = _BLOCK.split(body)[1:]
        yield [
            {"role": role, "content": content.strip()} for role, content in zip(parts[::2], parts[1::2], strict=True)
        ]


def _skipped(name: str) -> bool:
    parts = name.split("/")
    return (
        name.endswith("_test.go")
        or bool(_SKIPPED & set(parts))
        or parts[-1].startswith(("z", "_", "."))
        or _PLATFORM.search(parts[-1]) is not None
    )
