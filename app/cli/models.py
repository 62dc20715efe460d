"""`gosmith models`, `complete`, `serve`, `starter`: bases and checkpoints, and what they answer.

Torch runs in a process of its own in each of these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from app.cli.output import Session, table
from core.errors import UserError
from core.inference import sampling
from core.jobs import create, start
from core.models import list_models, resolve


@click.group()
def models() -> None:
    """Bases and checkpoints at hand."""


@models.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the starter, the workspace's models and every run's checkpoints."""
    workspace = session.workspace()
    found = list_models(workspace.models, workspace.jobs)
    data = [
        {
            "name": m.name, "path": str(m.path), "kind": m.kind, "base": str(m.base) if m.base else None,
            "run": m.run, "step": m.step, "parameters": m.parameters, "bytes": m.bytes,
        }
        for m in found
    ]  # fmt: skip
    rows = [(m.name, m.kind, f"{m.parameters / 1e6:,.1f} M", f"{m.bytes / 2**20:,.1f} MiB", str(m.path)) for m in found]
    session.answer({"models": data}, table(rows, ("name", "kind", "parameters", "size", "path")))


INT8 = click.option("--int8", is_flag=True, help="Weights of 8 bits, if they are measured to be faster here.")


@click.command()
@click.argument("model")
@click.option("--prompt", required=True, help="The text to go on from, or with --chat the user's message.")
@click.option("--chat", is_flag=True, help="Apply the model's chat template.")
@click.option("--max-tokens", type=int)
@click.option("--temperature", type=float)
@click.option("--top-p", type=float)
@click.option("--top-k", type=int)
@click.option("--min-p", type=float)
@click.option("--repetition-penalty", type=float)
@click.option("--stop", multiple=True, help="End the answer before this text; may be given more than once.")
@click.option("--seed", type=int)
@INT8
@click.pass_obj
def complete(session: Session, model: str, prompt: str, chat: bool, int8: bool, **fields: Any) -> None:
    """Let a model answer one prompt."""
    workspace = session.workspace()
    chosen = sampling.validate(**{name: value for name, value in fields.items() if value not in (None, ())})
    found = resolve(model, workspace.models, workspace.jobs)
    request = {
        "model": str(found.path), "prompt": prompt, "chat": chat, "int8": int8, "sampling": sampling.as_dict(chosen)
    }  # fmt: skip
    answer = _run_completion(request, stream=not session.as_json)
    data = {key: answer[key] for key in ("text", "tokens", "stop_reason", "tokens_per_second", "settings", "weights")}
    session.answer({**data, "time_to_first_token": answer.get("time_to_first_token")}, "")


def _run_completion(request: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """One answer from `core.engine.complete` in its own process: JSON in on stdin, JSON lines out."""
    command = [sys.executable, "-m", "core.engine.complete"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(request))
        child.stdin.close()
        final: dict[str, Any] | None = None
        for line in child.stdout:
            message = json.loads(line)
            if message["kind"] == "error":
                raise UserError(message["message"], message.get("hint", ""))
            if message["kind"] == "text" and stream:
                click.echo(message["text"], nl=False)
            elif message["kind"] == "end":
                final = message
    if final is None:
        raise UserError(
            "The model's process ended without an answer.", "Run it again; `gosmith doctor` checks the parts."
        )
    return final


@click.command()
@click.argument("model")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 lets the system choose.")
@click.option(
    "--beside",
    multiple=True,
    metavar="CHECKPOINT",
    help="A LoRA checkpoint of MODEL, asked for by its name as a model; any number.",
)
@INT8
@click.pass_obj
def serve(session: Session, model: str, port: int, beside: tuple[str, ...], int8: bool) -> None:
    """Serve a model over an OpenAI-compatible interface on loopback until interrupted.

    The first line on stdout is JSON with `url` and `key`. The key is GOSMITH_API_KEY, else made for this start.
    """
    workspace = session.workspace()
    found = resolve(model, workspace.models, workspace.jobs)
    words = ["--model", str(found.path), "--name", found.name, "--port", str(port), *(["--int8"] if int8 else [])]
    for one in beside:
        checkpoint = resolve(one, workspace.models, workspace.jobs)
        words += ["--beside", f"{checkpoint.name}={checkpoint.path}"]
    # this process becomes the server, so that whoever ends the command ends the server
    os.execv(sys.executable, [sys.executable, "-m", "core.engine.serve", *words])


@click.group()
def starter() -> None:
    """The small model that ships with Gosmith."""


@starter.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where to write it; default: the workspace's models folder."
)
@click.option("--source", type=click.Path(path_type=Path), help="A Go source tree; default: the toolchain's own.")
@click.option("--steps", type=click.IntRange(min=2), help="Optimizer steps; default: the recipe's own 1,900 or so.")
@click.pass_obj
def build(session: Session, out: Path | None, source: Path | None, steps: int | None) -> None:
    """Train the starter anew: tokenizer and model, on Go source and the bundled samples."""
    from app.cli.waiting import wait_for

    workspace = session.workspace()
    target = (out or workspace.models / "starter").resolve()
    request = {"out": str(target), "source": str(source.resolve()) if source else None, "steps": steps}
    job = create(workspace.jobs, "starter", request, title="Build the starter model")
    start(job)
    state = wait_for(job, "Building the starter")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    session.answer({"job": state.id, "path": str(target), "bytes": size}, f"Built {target} ({size / 2**20:.1f} MiB)")
