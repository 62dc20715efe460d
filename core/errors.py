"""The one line between what a user can mend and what is our bug.

A `UserError` is shown as a banner or as one line on the terminal. Every other exception is a bug and goes to the
report dialog; this module offers no third kind on purpose.
"""

from __future__ import annotations


class UserError(Exception):
    """Something a user can mend.

    message: one sentence that says what is wrong and where.
    hint: what to do next; empty only where the message already says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
