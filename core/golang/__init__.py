"""What the Go toolchain says of samples: finding it, cutting code out of answers, verdicts, tests behind walls.

Refuses to fetch anything: imports beyond the standard library are reported, never downloaded.
"""

from __future__ import annotations

from core.golang.checker import CHECKS, Checker, CheckItem, CheckResult, Diagnostic
from core.golang.extract import GoCode, from_answer, with_code
from core.golang.toolchain import Toolchain, find

__all__ = [
    "CHECKS",
    "CheckItem",
    "CheckResult",
    "Checker",
    "Diagnostic",
    "GoCode",
    "Toolchain",
    "find",
    "from_answer",
    "with_code",
]
