"""How a model is to be asked the problems of a suite, judged before anything starts: every value at once, each complaint by its name.

The rules are those of `core.evaluation.starting`, which starts nothing that does not pass them. What is not given is the usual:
greedy for one sample of each problem, a temperature of 0.8 for several.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import UserError
from core.evaluation.judging import LIMITS
from core.inference.sampling import RANGES, Sampling, effective, validate, warnings

SEVERAL = 0.8
"""Temperature at which several answers to a problem differ enough (Chen et al. 2021 take it for pass@100)."""
LONGEST = 1024
"""Tokens of an answer, unless said otherwise."""
SAMPLING = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed")
"""What may be said of how the next token is chosen; no penalty, because it hurts code."""
MOST_SAMPLES = 1_000
SECONDS = (1.0, 600.0)
"""The shortest and the longest that a candidate may be given to run."""
FOUND = ((1, 14), (5, 48), (10, 70), (20, 87))
"""How often (%) a true gain of 4 points is found with so many samples of each problem: 164 problems, two checkpoints of one run, 600
simulated repeats; McNemar's test for one sample, the paired interval for several."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What `wanted` made of what was typed. sampling: what really has an effect, its seed None for another one each time."""

    ks: tuple[int, ...]
    samples: int
    seconds: float
    sampling: Sampling


def usual(samples: int) -> dict[str, float]:
    """What is not left to `Sampling`'s own defaults."""
    return {"temperature": 0.0 if samples == 1 else SEVERAL, "max_tokens": LONGEST}


def wanted(values: Mapping[str, object]) -> tuple[Asking | None, dict[str, str]]:
    """What these values ask for, and by name what is wrong with them; None where anything is.

    values: k ("1,10"), samples, seconds, and those of SAMPLING; one that is missing, None or "" is the usual one.
    """
    given = {key: value for key, value in values.items() if value not in (None, "")}
    wrong: dict[str, str] = {}
    samples = _between(given.get("samples", 1), 1, MOST_SAMPLES, whole=True)
    if samples is None:
        wrong["samples"] = f"Give a whole number from 1 to {MOST_SAMPLES:,}."
    count = round(samples or 1)
    ks: tuple[int, ...] = (1,)
    try:
        ks = read_ks(str(given.get("k", "1")))
        if "samples" not in wrong and (few := too_few(ks, count)) is not None:
            wrong["k"] = few.message
    except UserError as error:
        wrong["k"] = str(error)
    seconds = _between(given.get("seconds", LIMITS.seconds), *SECONDS)
    if seconds is None:
        wrong["seconds"] = f"Give {SECONDS[0]:g} to {SECONDS[1]:g} seconds."
    fields: dict[str, object] = dict(usual(count))
    for key in SAMPLING:
        if key in given:
            try:
                fields[key] = getattr(validate(**{key: given[key]}), key)
            except UserError as error:
                wrong[key] = str(error)
    sampling = validate(**fields)
    if "temperature" not in wrong and (same := all_the_same(count, sampling)) is not None:
        wrong["temperature"] = str(same)
    return (None if wrong else Asking(ks, count, seconds or LIMITS.seconds, sampling)), wrong


def read_ks(text: str) -> tuple[int, ...]:
    """The k of pass@k as people write them, "1,10", in order. Raises UserError."""
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise UserError(f"“{text[:40]}” names no pass@k.", "Give whole numbers from 1 on, such as 1,10.")
    return tuple(ks)


def too_few(ks: Sequence[int], samples: int) -> UserError | None:
    """Why these k are too many for so many samples of each problem; None when they are not."""
    if max(ks) <= samples:
        return None
    return UserError(
        f"pass@{max(ks)} needs {max(ks)} samples of each problem, and {samples} are asked for.",
        f"Use --samples {max(ks)} or a smaller -k.",
    )


def all_the_same(samples: int, sampling: Sampling) -> UserError | None:
    """Why so many samples would be one and the same answer; None when they would not."""
    if samples == 1 or sampling.temperature != 0:
        return None
    return UserError(
        f"At a temperature of 0 all {samples} samples of a problem are the same.",
        "Ask for one sample, or for a temperature above 0.",
    )


def remarks(asking: Asking) -> tuple[str, ...]:
    """What is allowed and seldom wanted, a sentence each. What is off anyway at temperature 0 is nobody's mistake."""
    return warnings(effective(asking.sampling))


def worth(samples: int) -> str:
    """What so many samples of each problem buy, in a sentence."""
    known = [share for count, share in FOUND if count <= samples]
    steps = ", ".join(f"{share} % with {count}" for count, share in FOUND)
    about = "" if samples in dict(FOUND) else "at least " if samples < FOUND[-1][0] else "more than "
    return (
        f"{samples} sample{'s' if samples != 1 else ''} of each problem: a true gain of 4 points between two checkpoints is found {about}"
        f"{known[-1]} % of the time ({steps}; 164 problems)."
    )


def range_of(key: str) -> str:
    """What a value of SAMPLING may be, in words."""
    return str(RANGES[key])


def _between(value: object, low: float, high: float, *, whole: bool = False) -> float | None:
    """The number, None where it is none or lies outside."""
    right_type = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not isinstance(value, int | float) or not right_type:
        return None
    return float(value) if math.isfinite(value) and low <= value <= high else None
