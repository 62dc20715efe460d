"""Times of day as people write and read them: "22:00" is the next ten in the evening, wherever this computer stands.

Local time, as on the clock on the wall; no time zones, no "in two hours", no repetition.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from core.errors import UserError


def next_time(text: str, now: float) -> float:
    """Seconds since the epoch of what a person wrote: `22:00`, the next time it is that late, or `2026-11-21T22:00`.

    Raises UserError for what is neither, and for a moment that has passed.
    """
    wanted = text.strip()
    present = datetime.fromtimestamp(now)
    try:
        if match := re.fullmatch(r"(\d{1,2}):(\d{2})", wanted):
            moment = present.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
            if moment <= present:
                moment += timedelta(days=1)
        elif re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", wanted):
            moment = datetime.fromisoformat(wanted)
        else:
            raise ValueError
    except ValueError:
        raise UserError(f"“{text}” is no time of day.", "Write 22:00 or 2026-11-21T22:00.") from None
    if moment <= present:
        raise UserError(f"{clock_text(moment.timestamp(), now)} has passed.", "Name a time to come.")
    return moment.timestamp()


def clock_text(when: float, now: float) -> str:
    """A moment as short as it can be told: `22:00` within a day, else `21 Nov 22:00`, in other years `2 Jan 2099 03:04`."""
    moment = datetime.fromtimestamp(when)
    if 0 <= when - now < 86_400:
        return f"{moment:%H:%M}"
    year = "" if moment.year == datetime.fromtimestamp(now).year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"
