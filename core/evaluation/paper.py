"""Candidate programs as the published harnesses make them, mistakes included: what numbers in papers were measured with.

Where a completion ends, which packages are imported for it, and what is put together in which order is theirs. Ours are the walls,
the Go version, and what a pass is: a program that leaves with exit code 0 before its tests are over has passed in their harnesses
and does not pass here. Their vet run before each test is left out. What is wrong with all this, and what is done instead, stands in
`core.evaluation.answers`.
"""

from __future__ import annotations

import re
from typing import Any

from core.evaluation.suites import Problem

PACKAGES = ("math", "strings", "fmt", "strconv", "time", "bytes", "regexp", "sort", "math/rand", "crypto/md5")
"""What the harnesses of HumanEval-X and HumanEvalPack import where a completion seems to use it; nothing else."""
PACK_STOPS = ("\n//", "\nfunc main(", "struct", "\nfunc")
X_ENDS = ("\n//", "\nfunc main(")
_PACKAGE_CLAUSE = re.compile(r"^package\s+\w+", re.MULTILINE)


def stops(suite_format: str, problem: Problem) -> tuple[str, ...]:
    """Texts at whose first occurrence a model is stopped."""
    if suite_format == "humanevalpack":
        return PACK_STOPS
    if suite_format == "multipl-e":
        return tuple(str(one) for one in problem.record["stop_tokens"])
    return ()


def program(suite_format: str, problem: Problem, completion: str) -> str:
    """The one file that is tested."""
    text = _until(completion, stops(suite_format, problem))
    if suite_format == "multipl-e":
        whole = f"{problem.prompt}{text}\n{problem.test}"
        return _PACKAGE_CLAUSE.sub("package main", whole, count=1)
    text = balanced(text)
    if suite_format == "humaneval-x":
        text = _cleaned(text)
    record = problem.record
    setup = str(record.get("test_setup", ""))
    names = [_imported(path, suite_format) for path in PACKAGES if path not in setup and _last(path) + "." in text]
    imports = "import (\n" + "".join(f'    "{name}"\n' for name in names) + ")\n" if names else ""
    prompt = problem.prompt.replace(_text(record, "import"), "") if _text(record, "import") else problem.prompt
    return f"{setup}\n{imports}{prompt}{text}\n{problem.test}"


def balanced(completion: str) -> str:
    """Up to the brace that closes the one that the prompt ends with. Braces in strings count: so it was."""
    depth = 1
    for at, sign in enumerate(completion):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return completion[: at + 1]
    return completion


def _cleaned(completion: str) -> str:
    for word in X_ENDS:
        if word in completion:
            completion = completion[: completion.rfind(word)]
    return completion[: completion.rfind("}") + 1] if "}" in completion else completion


def _until(completion: str, stops: tuple[str, ...]) -> str:
    places = [place for stop in stops if (place := completion.find(stop)) >= 0]
    return completion[: min(places)] if places else completion


def _imported(path: str, suite_format: str) -> str:
    """HumanEvalPack's harness writes the last element where a path was meant; such a program does not build."""
    return _last(path) if suite_format == "humanevalpack" else path


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _text(record: Any, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
