"""Checks of the house that no other linter knows: file sizes, package faces, circles. Prints what is wrong; exit 1 if anything is.

Everything else (floors, Qt-free, torch-free) is an import-linter contract in pyproject.toml.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 600
MOST_PUBLIC_NAMES = 10
TOP_LEVEL = {
    ".ci", ".gitignore", "app", "core", "kernels", "resources", "tests", "packaging",
    "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml",
}  # fmt: skip


def tracked_files() -> list[Path]:
    """Files git tracks or would track, as paths below the root."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(line) for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def long_files(files: list[Path]) -> list[str]:
    """Source files above the limit."""
    found = []
    for path in files:
        if path.suffix in {".py", ".go", ".sh"}:
            lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
            if lines > LONGEST_FILE:
                found.append(f"{path}: {lines} lines; {LONGEST_FILE} is the limit. Ask what its two jobs are")
    return found


def wide_packages(files: list[Path]) -> list[str]:
    """Packages whose `__init__` shows more names than a reader can hold."""
    found = []
    for path in files:
        if path.name == "__init__.py" and path.parts[0] in {"app", "core", "kernels"}:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            names = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
            names = [alias for alias in names if alias.name != "annotations"]
            if len(names) > MOST_PUBLIC_NAMES:
                found.append(f"{path}: {len(names)} public names; {MOST_PUBLIC_NAMES} is the limit")
    return found


def missing_docstrings(files: list[Path]) -> list[str]:
    """Modules that do not say why they exist."""
    found = []
    for path in files:
        if path.suffix == ".py" and path.parts[0] in {"app", "core", "kernels", "packaging"}:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            if not ast.get_docstring(tree):
                found.append(f"{path}: no module docstring")
    return found


def unexpected_top_level(files: list[Path]) -> list[str]:
    """Entries at the top that DESIGN does not draw."""
    return [f"{name}: not part of the top level" for name in sorted({path.parts[0] for path in files} - TOP_LEVEL)]


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node (Tarjan 1972), iterative order by name."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(edges.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = []
            while True:
                member = stack.pop()
                component.append(member)
                if member == node:
                    break
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def import_circles() -> list[str]:
    """Circles between files, and between the packages directly below a floor: of this tree, whichever is installed."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph("app", "core", "kernels", exclude_type_checking_imports=True, cache_dir=None)
    files: dict[str, set[str]] = defaultdict(set)
    packages: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        for target in graph.find_modules_directly_imported_by(module):
            files[module].add(target)
            here, there = ".".join(module.split(".")[:2]), ".".join(target.split(".")[:2])
            if here != there and "." in here and "." in there:
                packages[here].add(there)
    sys.setrecursionlimit(10_000)
    return [f"circle between files: {' <-> '.join(names)}" for names in circles(files)] + [
        f"circle between packages: {' <-> '.join(names)}" for names in circles(packages)
    ]


def main() -> int:
    files = tracked_files()
    problems = [
        *unexpected_top_level(files),
        *long_files(files),
        *wide_packages(files),
        *missing_docstrings(files),
        *import_circles(),
    ]
    for problem in problems:
        print(problem)
    print(f"house: {len(problems)} problem(s) in {len(files)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
