"""What a student answered while it was trained, as the engine keeps it in the run's output folder, one file an exam.

Reading only; the shares that parse and compile are curves and come with the events. A file that is damaged holds no answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.files import read_json

VERDICTS: Final = ("compiles", "parses", "fails")
_FILE = re.compile(r"answers-(\d+)\.json")


@dataclass(frozen=True, slots=True)
class Answer:
    """verdict: one of VERDICTS; "parses" means no more than that. message: the first complaint, "" for none."""

    prompt: str
    text: str
    verdict: str
    message: str = ""


def listed(output: Path) -> tuple[tuple[int, Path], ...]:
    """Step and file of each exam of a run, newest first."""
    found = [(int(match[1]), path) for path in output.glob("answers-*.json") if (match := _FILE.fullmatch(path.name))]
    return tuple(sorted(found, reverse=True))


def read(path: Path) -> tuple[Answer, ...]:
    """The answers of one exam, in the order of their questions; none where the file cannot be read."""
    told = (read_json(path) or {}).get("answers")
    return tuple(_answer(one) for one in told if isinstance(one, dict)) if isinstance(told, list) else ()


def _answer(told: dict[str, Any]) -> Answer:
    verdict = str(told.get("verdict", ""))
    return Answer(
        prompt=str(told.get("prompt", "")),
        text=str(told.get("text", "")),
        verdict=verdict if verdict in VERDICTS else "fails",
        message=str(told.get("message", "")),
    )
