"""A workspace: the folder with the database, snapshots, jobs and models that is open.

Opening makes what is missing and nothing else: no file of a folder that is no workspace is touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.database import connect, migrate, transaction
from core.errors import UserError
from core.paths import resources
from core.samples import membership
from core.samples.bundle import add_bundle

DATABASE = "gosmith.db"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where everything of one workspace lies; a plain value that any thread may hold."""

    root: Path

    @property
    def database_path(self) -> Path:
        return self.root / DATABASE

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def suites(self) -> Path:
        """Suites of this workspace's own; there only if somebody made it."""
        return self.root / "suites"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def conversations(self) -> Path:
        """What was said in the playground; there only if somebody asked something."""
        return self.root / "conversations"

    def connect(self, *, readonly: bool = False) -> sqlite3.Connection:
        """A new connection; the caller closes it. One thread, one connection."""
        made = connect(self.database_path, readonly=readonly)
        membership.attach(made, self.snapshots)
        return made


def open_workspace(root: Path, *, progress: Callable[[int, int], None] | None = None) -> Workspace:
    """Open the workspace at `root`; make it, with the bundled samples, where there is none.

    progress: called with (done, total) while a new workspace is filled. Raises UserError when a file is in the way, when a folder may not be
    written, when the database is damaged or newer than this Gosmith.
    """
    workspace = Workspace(root.expanduser().absolute())
    for folder in (workspace.root, workspace.jobs, workspace.snapshots, workspace.models):
        _make(folder)
    with closing(workspace.connect()) as connection:
        migrate(connection)
        _fill(connection, progress or (lambda done, total: None))
    return workspace


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(
            f"{folder} cannot be a workspace folder: a file is in the way.", "Choose another folder, or move the file."
        ) from error
    except OSError as error:
        raise UserError(
            f"{folder} cannot be made: {error.strerror}.", "Choose a folder that you may write to."
        ) from error


def _fill(connection: sqlite3.Connection, progress: Callable[[int, int], None]) -> None:
    """The bundled samples, once in a workspace's life: whoever deletes them does not get them again."""
    if connection.execute("SELECT 1 FROM fact WHERE name = 'bundle'").fetchone():
        return
    progress(0, 1)
    with transaction(connection):
        if not connection.execute("SELECT 1 FROM fact WHERE name = 'bundle'").fetchone():
            added = add_bundle(connection, resources() / "samples")
            connection.execute("INSERT INTO fact VALUES ('bundle', ?)", (str(len(added.ids)),))
    progress(1, 1)
