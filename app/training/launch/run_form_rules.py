"""Which settings apply, given the others, and how flat settings become a nested configuration and back.

A setting that does not apply is not shown. Where it would be refused, it stays at its default, so that nothing unseen contradicts
what is seen; where it is only without effect, it keeps its value for the case that it applies again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from core.training.help import defaults

Flat = dict[str, Any]


def _several(values: Mapping[str, Any]) -> bool:
    sizes = (values["parallel.processes"], values["parallel.nodes"])
    return any(isinstance(size, int) and size > 1 for size in sizes)


def _positive(key: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda values: values[key] != 0


def _is(key: str, *wanted: object) -> Callable[[Mapping[str, Any]], bool]:
    return lambda values: values[key] in wanted


_LORA = ("For LoRA only.", _is("method.kind", "lora"))
_SHARDED = ("For sharding (FSDP) only.", _is("parallel.mode", "fsdp"))
_NODES = ("For several machines only.", lambda values: values["parallel.nodes"] != 1)
_EVALUATED = ("Only with a suite.", lambda values: bool(str(values["evaluation.suite"]).strip()))
_VALIDATED = ("Only with validations.", _positive("validation.every"))

# in an order in which a rule looks only at settings above it, or at settings without a rule
RULES: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bool]]]] = {
    "method.rank": _LORA,
    "method.alpha": _LORA,
    "method.dropout": _LORA,
    "method.targets": _LORA,
    "method.rslora": _LORA,
    "method.dora": _LORA,
    "data.turns": ("For chats only.", _is("data.objective", "sft")),
    "optimizer.decay": ("Only where the rate stays, then falls.", _is("optimizer.schedule", "wsd")),
    "parallel.mode": ("For several processes only.", _several),
    "parallel.replicas": _SHARDED,
    "parallel.tensor": _SHARDED,
    "parallel.reshard": _SHARDED,
    "parallel.offload": _SHARDED,
    "parallel.node": _NODES,
    "parallel.rendezvous": _NODES,
    "checkpoints.keep": ("Only with checkpoints on the way.", _positive("checkpoints.every")),
    "checkpoints.best": _VALIDATED,
    "validation.patience": _VALIDATED,
    "validation.answers": _VALIDATED,
    "evaluation.every": _EVALUATED,
    "evaluation.problems": _EVALUATED,
    "evaluation.samples": _EVALUATED,
    "evaluation.max_tokens": _EVALUATED,
}  # fmt: skip
"""Key -> why it may not apply, and whether it does."""


REFUSED: Final = frozenset(
    {
        "data.turns", "parallel.mode", "parallel.replicas", "parallel.tensor", "parallel.offload", "parallel.node",
        "validation.patience", "validation.answers", "evaluation.every",
    }
)  # fmt: skip
"""Keys that a configuration may not have at another value than the default where they do not apply."""


def effective(values: Mapping[str, Any]) -> tuple[Flat, frozenset[str]]:
    """The values as they count, and the keys that do not apply."""
    found = dict(values)
    idle = set()
    for key, (_, applies) in RULES.items():
        if not applies(found):
            idle.add(key)
            if key in REFUSED:
                found[key] = defaults()[key]
    return found, frozenset(idle)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    result: dict[str, Any] = {}
    for key, value in flat.items():
        section, _, name = key.rpartition(".")
        (result.setdefault(section, {}) if section else result)[name] = value
    return result


def flattened(values: Mapping[str, Any]) -> Flat:
    """The way back from `nested`; keys without a value are left out."""
    result: Flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            result |= {f"{name}.{inner}": one for inner, one in value.items() if one is not None}
        elif value is not None:
            result[name] = value
    return result
