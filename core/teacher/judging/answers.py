"""What a judge must answer, as a strict JSON schema, and what it did answer, checked again: a schema on the other side is a promise, no proof.

Mends nothing: an answer that is nearly right is refused with a sentence, which the judge is told once.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from core.teacher.judging.judgement import Points
from core.teacher.judging.rubrics import SUMMARY, Rubric, RubricFile


class InvalidError(Exception):
    """The answer is no judgement. Its text is a sentence, for the judge and for people."""


@dataclass(frozen=True, slots=True)
class Said:
    """A judgement as it was answered; points in the order of the rubric."""

    points: tuple[Points, ...]
    summary: str


def response_format(rubric: Rubric) -> dict[str, Any]:
    """The field of the request. The reason stands before the number, so that the number follows from it; what the keys mean, the question says."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", rubric.name)[:64]
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": _schema(rubric.file)}}


def _schema(file: RubricFile) -> dict[str, Any]:
    points = {"type": "integer", "enum": list(range(1, file.best + 1))}
    properties = {one.name: _object({"why": {"type": "string"}, "points": points}) for one in file.criteria}
    return _object({**properties, SUMMARY: {"type": "string"}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def read(text: str, file: RubricFile) -> Said:
    """The judgement in an answer. Raises InvalidError with what is wrong first."""
    value = _parsed(text)
    wanted = [one.name for one in file.criteria]
    _keys(value, [*wanted, SUMMARY], "The answer")
    found = []
    for name in wanted:
        one = value[name]
        if not isinstance(one, dict):
            raise InvalidError(f"“{name}” must be an object with “why” and “points”.")
        _keys(one, ["why", "points"], f"“{name}”")
        points = one["points"]
        if type(points) is not int or not 1 <= points <= file.best:  # True is an int, and 4.0 is nearly one
            raise InvalidError(
                f"The points of “{name}” are {_shown(points)}; they must be a whole number from 1 to {file.best}."
            )
        found.append(Points(name, points, _sentence(one["why"], f"The “why” of “{name}”")))
    return Said(tuple(found), _sentence(value[SUMMARY], f"The “{SUMMARY}”"))


def _parsed(text: str) -> dict[str, Any]:
    if text.strip().startswith(("```", "~~~")):
        raise InvalidError("The answer stands in a fence; it must be the JSON object alone.")
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise InvalidError("The answer is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise InvalidError(f"The answer is no JSON: {error.msg} (character {error.pos + 1}).") from None
    except ValueError:  # a number of thousands of digits
        raise InvalidError("The answer is no JSON that can be read: a number in it is too long.") from None
    if not isinstance(value, dict):
        raise InvalidError(f"The answer is {_shown(value)}; it must be a JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidError(f"The key “{_short(name)}” stands there twice.")
        found[name] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise InvalidError(f"The answer holds {word}, which is no number in JSON.")


def _keys(value: dict[str, Any], wanted: list[str], what: str) -> None:
    missing = next((name for name in wanted if name not in value), None)
    if missing is not None:
        raise InvalidError(f"{what} has no “{missing}”.")
    extra = next((name for name in value if name not in wanted), None)
    if extra is not None:
        raise InvalidError(f"{what} has a key “{_short(extra)}” that was not asked for.")


def _sentence(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidError(f"{what} must be a text that says something.")
    return _whole(value.strip())


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return _whole(" ".join(text.split())[:40])


def _whole(text: str) -> str:
    """Half a character, which JSON can hold, can be sent to nobody and stored nowhere."""
    return text.encode("utf-8", "replace").decode()
