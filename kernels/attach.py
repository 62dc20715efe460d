"""Putting the fused operations into a model that is already built, layer by layer, and taking them out again.

A new forward is the one instance's, never that of all of its class; names of parameters, hooks and saved adapters stay as they were. What can stand for
what is said in `kernels.layers` and `kernels.blocks`. Before layers of a class are replaced anywhere, one of them computes once
with its own forward and once with ours (`kernels.trial`); what differs by more than rounding is left alone, and the report says why.

It is called after the adapters were put in and before layers are sharded. It refuses nothing: a model of which nothing is replaced trains as
before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import nn

from kernels.blocks import ATTENTION, LAYER
from kernels.layers import GATE, LINEAR, MLP, NORM, Replacement

REPLACEMENTS: Final[Mapping[str, Replacement]] = {
    "layer": LAYER,
    "attention": ATTENTION,
    "mlp": MLP,
    "gate": GATE,
    "linear": LINEAR,
    "norm": NORM,
}
"""By type, the outer ones first: what they cover is not looked at again."""
NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(slots=True)
class Report:
    """What was replaced. found, replaced: how many layers by type (a key of REPLACEMENTS). reasons: by type, why some or all were not.

    ways: (type, class of a layer) -> the forward that stands in layers of it, by its name.
    """

    found: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    ways: dict[tuple[str, str], str] = field(default_factory=dict)
    undoing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of which something was replaced."""
        return tuple(kind for kind in REPLACEMENTS if self.replaced.get(kind))

    def sentence(self) -> str:
        """For the log: "Fused: 6 of 6 feed-forward blocks, 0 of 24 linear layers with an adapter (DoRA)."."""
        parts = []
        for kind, replacement in REPLACEMENTS.items():
            if self.found.get(kind):
                why = f" ({self.reasons[kind]})" if kind in self.reasons else ""
                parts.append(f"{self.replaced.get(kind, 0)} of {self.found[kind]} {replacement.name}{why}")
        return f"Fused: {', '.join(parts)}." if parts else "Nothing in this model can be fused."

    def undo(self) -> None:
        """Give every layer its own forward back."""
        for undo in reversed(self.undoing):
            undo()
        self.undoing.clear()


def attach_kernels(
    model: nn.Module,
    ways: Mapping[tuple[str, str], str] | None = None,
    *,
    dtype: torch.dtype,
    check: bool = True,
    attention: Mapping[str, Any] = NOTHING,
) -> Report:
    """Replace what can be replaced.

    ways: those of another process's report, which are taken as they are: for one that holds no values. dtype: what products are computed
    in. check: whether to try first; without it the likeliest way of each type is taken to be right. attention: what
    the model's attention has to be called with for `kernels.trial.ROWS` rows, besides what every model's is.
    """
    report = Report()
    covered: set[nn.Module] = set()
    for kind, replacement in REPLACEMENTS.items():
        groups: dict[str, list[nn.Module]] = defaultdict(list)
        for module in model.modules():
            if module not in covered and replacement.found_in(module):
                groups[type(module).__qualname__].append(module)
        for name, modules in groups.items():
            report.found[kind] = report.found.get(kind, 0) + len(modules)
            reasons = {module: replacement.why_not(module) for module in modules}
            good = [module for module in modules if not reasons[module]]
            refused = next((why for why in reasons.values() if why), "")
            if good and ways is not None:
                way = ways.get((kind, name), "")
            elif good:
                way, wrong = _way(replacement, good[0], dtype, check, attention)
                refused = wrong or refused
            else:
                way = ""
            if way:
                report.undoing += [replacement.put(module, replacement.ways(module)[way]) for module in good]
                covered.update(part for module in good for part in replacement.covers(module))
                report.ways[kind, name] = way
                report.replaced[kind] = report.replaced.get(kind, 0) + len(good)
            if refused:
                report.reasons[kind] = refused
    return report


def _way(
    replacement: Replacement, module: nn.Module, dtype: torch.dtype, check: bool, attention: Mapping[str, Any]
) -> tuple[str, str]:
    """The name of the first forward that gives what the module's own gives; or "", and what is wrong with the likeliest."""
    wrong = ""
    for name, forward in replacement.ways(module).items():
        difference = replacement.difference(module, forward, dtype, attention) if check else ""
        if not difference:
            return name, ""
        wrong = wrong or difference
    return "", wrong
