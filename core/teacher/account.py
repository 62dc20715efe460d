"""What is known of the account before anything is sent: what tokens cost, and whether there is a key.

The one place where plan, forecast and window meet prices and keys; how an endpoint is asked is not known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from core.teacher.forecast import Price


def price(workspace: Path | None = None) -> Price | None:
    """What tokens cost; None while no price table is known. workspace: whose own table comes first."""
    return None


def missing_key(base_url: str) -> UserError | None:
    """What to say where no key for this endpoint is found; None where one is, or where only the job can tell."""
    return None
