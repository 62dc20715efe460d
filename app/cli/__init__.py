"""The `gosmith` command: every use of the app without a window.

`gosmith` alone opens the window; Qt is not imported for anything else. A subcommand imports what it needs when it runs,
so that `gosmith samples count` does not pay for training. Torch never runs in this process: what needs it is a job.
"""

from __future__ import annotations

from app.cli.root import main

__all__ = ["main"]
