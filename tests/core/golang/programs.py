"""Go programs that tests run behind walls."""

from __future__ import annotations

from pathlib import Path

from core.golang.commands import run
from core.golang.toolchain import Toolchain, environment


def build(toolchain: Toolchain, folder: Path, name: str, text: str) -> Path:
    """Build a program of one file in its folder."""
    (folder / "go.mod").write_text(f"module {name}\n\ngo 1.22\n")
    (folder / "main.go").write_text(text)
    done = run(
        [toolchain.go, "build", "-buildvcs=false", "-o", name, "."],
        folder=folder, environment=environment(toolchain), seconds=120,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return folder / name
