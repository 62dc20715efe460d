"""Where a checkpoint comes from, as far as it can be told: data, code, packages, hardware, and the command that made it.

It goes into gosmith.json of every checkpoint. It tells, and decides nothing.
"""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from core.engine.compute import describe as describe_hardware
from core.files import read_json

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "triton", "numpy")


def describe(snapshot: Path, processes: int) -> dict[str, Any]:
    """Plain data for a note."""
    manifest = read_json(snapshot / "manifest.json") or {}
    return {
        "snapshot": {"name": snapshot.name, "sha256": str(manifest.get("sha256", ""))},
        "gosmith": {"version": _version("gosmith"), "commit": _commit()},
        "packages": {name: _version(name) for name in PACKAGES if _version(name)},
        "hardware": {"device": describe_hardware(), "processes": processes, "gpus": _gpus()},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """The commit of a checkout, with "+" when files differ from it; "" for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    told = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return told.stdout.strip()


def _gpus() -> list[str]:
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
