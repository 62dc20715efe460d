"""How the next token is chosen: the settings a person may make, their ranges, and what is really used in the end.

Libraries inherit what is not given from the model's files, ignore values they do not understand, and keep unknown
names in silence. Here every value is explicit, a value out of range is refused by name, and nothing is inherited.
Order of effect, as in transformers: repetition penalty, temperature, top-k, top-p, min-p.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from core.errors import UserError

MOST_STOPS: Final = 8
LONGEST_STOP: Final = 200


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings that `validate` has passed.

    temperature: 0 takes the likeliest token always. top_p, top_k, min_p: 1, 0 and 0 are off. repetition_penalty: 1 is
    off; divides the logits of tokens that the prompt or the answer already holds. max_tokens: new tokens at most.
    stop: texts before which the answer ends; they are not part of it. seed: None = another one each time.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be. open_low: the lower bound itself is not allowed. off: the value that turns it off, if any."""

    low: float
    high: float
    whole: bool = False
    open_low: bool = False
    off: float | None = None
    step: float = 1.0

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.open_low else f"{self.low:g}"
        between = f"{low} and up to {self.high:g}" if self.open_low else f"{low} to {self.high:g}"
        off = "" if self.off is None else f"; {self.off:g} turns it off"
        return f"{'a whole number, ' if self.whole else ''}{between}{off}"


RANGES: Final[dict[str, Range]] = {
    "temperature": Range(0.0, 2.0, step=0.05),
    "top_p": Range(0.0, 1.0, open_low=True, off=1.0, step=0.01),
    "top_k": Range(0, 200, whole=True, off=0),
    "min_p": Range(0.0, 0.5, off=0.0, step=0.01),
    "repetition_penalty": Range(0.5, 2.0, off=1.0, step=0.01),
    "max_tokens": Range(1, 131_072, whole=True),
    "seed": Range(0, 2**31 - 1, whole=True),
}
"""The numbers, for checks and for the fields of a window. step: how far one click of a field goes."""

_FIELDS: Final = tuple(field.name for field in fields(Sampling))


def validate(**given: Any) -> Sampling:
    """Settings from anything a person, a file or a request gave; None means the default.

    Whole numbers are taken for fractional fields, never the reverse. Raises UserError naming the field and its range,
    or the nearest known field.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, 1)
            raise UserError(
                f"There is no sampling setting “{name}”.",
                f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(_FIELDS)}.",
            )
        if value is not None:
            values[name] = _stops(value) if name == "stop" else _number(name, value)
    return Sampling(**values)


def _number(name: str, value: Any) -> float | int:
    allowed = RANGES[name]
    right_type = isinstance(value, int if allowed.whole else int | float) and not isinstance(value, bool)
    if not right_type:
        raise UserError(f"{name} is {value!r:.40} but must be a number.", f"Allowed: {allowed}.")
    if (
        not math.isfinite(value)
        or not allowed.low <= value <= allowed.high
        or (allowed.open_low and value == allowed.low)
    ):
        raise UserError(f"{name} is {value}, which is out of range.", f"Allowed: {allowed}.")
    return value if allowed.whole else float(value)


def _stops(value: Any) -> tuple[str, ...]:
    stops = (value,) if isinstance(value, str) else value
    if not isinstance(stops, list | tuple) or not all(isinstance(stop, str) for stop in stops):
        raise UserError("stop must be a text or a list of texts.", f"At most {MOST_STOPS}, none empty.")
    unique = tuple(dict.fromkeys(stops))
    if len(unique) > MOST_STOPS:
        raise UserError(f"stop names {len(unique)} texts.", f"At most {MOST_STOPS} are possible.")
    for stop in unique:
        if not stop:
            raise UserError("stop holds an empty text, which would end every answer at once.", "Leave it out.")
        if len(stop) > LONGEST_STOP:
            raise UserError(f"stop holds a text of {len(stop)} letters.", f"At most {LONGEST_STOP} are possible.")
    return unique


def as_dict(sampling: Sampling) -> dict[str, Any]:
    """Plain JSON data that `validate` takes back."""
    return {**asdict(sampling), "stop": list(sampling.stop)}


def from_dict(data: Mapping[str, Any]) -> Sampling:
    """`validate` of a mapping, such as a parsed file."""
    return validate(**{str(key): value for key, value in data.items()})


def effective(sampling: Sampling) -> Sampling:
    """What really has an effect: at temperature 0 nothing is drawn, so what shapes the draw is shown as off."""
    if sampling.temperature == 0:
        return replace(sampling, top_p=1.0, top_k=0, min_p=0.0, seed=None)
    return sampling


def fit(sampling: Sampling, prompt_tokens: int, context: int) -> Sampling:
    """The same settings with max_tokens cut to what is left of the context.

    context: positions of the model, in tokens. Raises UserError when the prompt alone fills them.
    """
    left = context - prompt_tokens
    if left < 1:
        raise UserError(
            f"The prompt has {prompt_tokens:,} tokens, but the model reads at most {context:,} with its answer.",
            "Shorten the prompt.",
        )
    return replace(sampling, max_tokens=min(sampling.max_tokens, left))


def warnings(sampling: Sampling) -> tuple[str, ...]:
    """What is allowed but seldom wanted for code, one sentence each."""
    found = []
    if sampling.repetition_penalty > 1.15:
        found.append("A repetition penalty above 1.15 also punishes Go's keywords and the words of the prompt.")
    if sampling.repetition_penalty < 1:
        found.append("A repetition penalty below 1 rewards repetition.")
    if sampling.temperature > 1.2 and sampling.top_p == 1 and not sampling.top_k and not sampling.min_p:
        found.append("A temperature above 1.2 without top-p, top-k or min-p draws tokens that make no sense.")
    if sampling.temperature == 0 and (sampling.top_p < 1 or sampling.top_k or sampling.min_p):
        found.append("At temperature 0 the likeliest token is taken, so top-p, top-k and min-p have no effect.")
    if sampling.top_k == 1 and sampling.temperature > 0:
        found.append("With top-k 1 the likeliest token is always taken, whatever the temperature.")
    return tuple(found)
