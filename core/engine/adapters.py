"""Several adapters of one base in one pass: each text has the weights of its own, and none is merged.

    a product of the base over all tokens, then for the tokens of each adapter  y += x A^T (B * scale)^T

So checkpoints of a run are compared side by side for little more than one of them alone. For one checkpoint merging is quicker, and exact.
What is no plain LoRA on the layers of `core.engine.llama` is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from core.engine.compute import Compute
from core.engine.rows import Part
from core.errors import UserError

_KEY = re.compile(r"layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.weight$")


@dataclass(frozen=True, slots=True)
class Adapter:
    """(layer, name of its product) -> down [rank, inputs] and up [outputs, rank], the scale in the latter."""

    changes: Mapping[tuple[int, str], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens start to end of a pass have this adapter."""

    adapter: Adapter
    start: int
    end: int


def read(path: Path, compute: Compute) -> Adapter:
    """The LoRA checkpoint in a folder. Raises UserError for one that is more than that."""
    try:
        config = json.loads((path / "adapter_config.json").read_text(encoding="utf-8"))
        values = load_file(path / "adapter_model.safetensors", device=str(compute.device))
    except (OSError, ValueError) as error:
        raise UserError(f"The adapter in {path} cannot be read: {error}", "Choose a LoRA checkpoint.") from error
    unusual = [name for name in ("use_dora", "modules_to_save", "alpha_pattern", "lora_bias") if config.get(name)]
    strange = [key for key in values if not _KEY.search(key)]
    if unusual or strange:
        raise UserError(
            f"The adapter in {path} is more than plain LoRA ({(unusual + strange)[0]}), so it cannot answer beside others.",
            "Serve it alone: then it is merged.",
        )
    halves: dict[tuple[int, str], dict[str, Tensor]] = {}
    for key, value in values.items():
        found = _KEY.search(key)
        assert found is not None
        halves.setdefault((int(found[1]), found[2]), {})[found[3]] = value
    changes = {}
    for place, half in halves.items():
        rank = half["A"].shape[0]
        scale = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
        changes[place] = (half["A"].to(compute.dtype), (half["B"].float() * scale).to(compute.dtype))
    return Adapter(changes)


def spans(parts: Sequence[Part], known: Mapping[str, Adapter]) -> list[Span]:
    """Where in a pass which adapter holds; neighbours of the same one are one span."""
    found: list[Span] = []
    start = 0
    for part in parts:
        end = start + len(part.tokens)
        if part.row.adapter:
            adapter = known[part.row.adapter]
            if found and found[-1].adapter is adapter and found[-1].end == start:
                start = found.pop().start
            found.append(Span(adapter, start, end))
        start = end
    return found


def add(
    answer: Tensor, x: Tensor, spans: Sequence[Span], layer: int, members: Sequence[tuple[str, int, int]]
) -> Tensor:
    """Add to a product [tokens, outputs] of x [tokens, inputs] what the adapters change, in place. members: name, first and last output."""
    for span in spans:
        mine = x[span.start : span.end]
        for name, first, last in members:
            change = span.adapter.changes.get((layer, name))
            if change is not None:
                down, up = change
                answer[span.start : span.end, first:last] += torch.mm(torch.mm(mine, down.t()), up.t())
    return answer
