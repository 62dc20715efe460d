"""Where Gosmith keeps things: one place that knows, so that tests can point all of it at a temporary folder.

The environment wins over the platform's custom: GOSMITH_CACHE, GOSMITH_CONFIG, GOSMITH_DATA. Nothing here creates a folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def resources() -> Path:
    """The read-only files that ship with Gosmith."""
    return Path(__file__).resolve().parent.parent / "resources"


def cache_dir() -> Path:
    """What can be built again: the compiled Go helper, Go's build cache, tokenized snapshots."""
    return Path(os.environ.get("GOSMITH_CACHE") or platformdirs.user_cache_path("gosmith"))


def config_dir() -> Path:
    """Settings and window state of this user."""
    return Path(os.environ.get("GOSMITH_CONFIG") or platformdirs.user_config_path("gosmith"))


def data_dir() -> Path:
    """What must not be lost and belongs to no workspace of the user's choosing."""
    return Path(os.environ.get("GOSMITH_DATA") or platformdirs.user_data_path("gosmith"))


def default_workspace() -> Path:
    """The workspace that opens when none is named: GOSMITH_WORKSPACE, else a folder in `data_dir`."""
    named = os.environ.get("GOSMITH_WORKSPACE")
    return Path(named).expanduser() if named else data_dir() / "workspace"
