"""Which versions of what made a file, for its manifest and for whoever asks. Read from the packages' metadata: nothing is imported for it."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3


def version_of(package: str) -> str | None:
    """The installed version of a distribution; None when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def tools(*packages: str) -> dict[str, str | None]:
    """Gosmith, Python and SQLite, and these distributions besides."""
    return {
        "gosmith": version_of("gosmith"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{package: version_of(package) for package in packages},
    }
