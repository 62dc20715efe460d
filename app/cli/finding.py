"""`gosmith find`: a value of a run's configuration that only a try on this machine can tell."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.output import Session
from app.cli.waiting import wait_for
from core.jobs import start
from core.training import finders, launch
from core.training.config_file import load_config


@click.command()
@click.argument("finder", type=click.Choice(list(finders.TITLES)))
@click.argument("config_file", metavar="CONFIG.toml", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def find(session: Session, finder: str, config_file: Path) -> None:
    """Try a run's steps and say what to set.

    micro: the largest batch.micro that fits. learning-rate: by a range test. batch: rows a step, by the gradient noise scale.
    """
    workspace = session.workspace()
    config = load_config(config_file)
    named = launch.inputs(config, jobs=workspace.jobs, snapshots=workspace.snapshots, models=workspace.models)
    folder = finders.create(finder, config, named.base.path, named.snapshot, workspace.jobs)
    start(folder)
    wait_for(folder, finders.TITLES[finder])
    found = finders.read(folder)
    session.answer(found.to_json(), found.sentence)
