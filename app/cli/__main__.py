"""`python -m app.cli` is `gosmith`, for a checkout that was not installed."""

from __future__ import annotations

import sys

from app.cli.root import main

if __name__ == "__main__":
    sys.exit(main())
