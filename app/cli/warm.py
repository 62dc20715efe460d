"""`gosmith warm`: build now what the first check of Go code would otherwise wait for."""

from __future__ import annotations

import click

from app.cli.output import Session
from app.cli.waiting import wait_for
from core.golang.helper import is_ready
from core.golang.toolchain import find
from core.golang.warming import start_warming


@click.command()
@click.pass_obj
def warm(session: Session) -> None:
    """Prepare Go: build the helper and compile the standard library, once a Go version."""
    toolchain = find()
    already = is_ready(toolchain)
    if not already:
        wait_for(start_warming(session.workspace().jobs), "Preparing Go")
    session.answer(
        {"toolchain": toolchain.version, "already": already},
        f"{toolchain.version} was ready already." if already else f"{toolchain.version} is ready.",
    )
