"""One forward pass over any number of texts, in the quickest way that gives a model's own numbers.

    own code   `core.engine.llama`: models built like Llama, texts end to end
    its class  the model's own forward with our attention over rows, texts end to end
    alone      the model's own forward and cache, one text after the other: whatever needs more than that

`choose` tries them in this order on a few tokens and takes the first whose logits agree with the model's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from core.engine import llama
from core.engine.adapters import Adapter
from core.engine.attention import own_attention
from core.engine.captured import Captured, record_cuda
from core.engine.compute import Compute
from core.engine.rounding import only_rounding
from core.engine.rows import Part, Row, attend

NAME = "rows"
TRIAL = (6, 1, 3, 1)
"""Tokens of the passes that a way is tried with."""


class Memory(Protocol):
    """What a way remembers of one text; `core.engine.rows.Row` says what each does."""

    adapter: str
    ids: list[int]

    @property
    def bytes(self) -> int: ...
    def cut(self, length: int) -> None: ...
    def copy(self, length: int) -> Memory: ...


class Way(Protocol):
    """A forward pass."""

    name: str

    @property
    def token_bytes(self) -> int:
        """Memory that a token of a text takes."""
        ...

    def memory(self, adapter: str = "") -> Memory:
        """Of a text that nothing is known of yet."""
        ...

    def run(self, parts: Sequence[Part]) -> Tensor:
        """Logits [sum of wanted, vocabulary], in the order of the parts, whose rows hold their tokens afterwards.

        A pass that fails leaves every row as it was.
        """
        ...


Pass = Callable[[Tensor, Tensor, Sequence[Part], Tensor], Tensor]
"""(ids [tokens], places [tokens], parts, which tokens' logits are wanted [n]) -> logits [n, vocabulary]."""


@dataclass(slots=True)
class EndToEnd:
    """All texts of a pass as one. like: what rows remember, of no tokens. adapters: those that texts may have, None where none can be."""

    name: str
    logits: Pass
    like: Tensor
    adapters: dict[str, Adapter] | None = None

    @property
    def token_bytes(self) -> int:
        """See `Way`."""
        layers, two, heads, _, width = self.like.shape
        return layers * two * heads * width * self.like.itemsize

    def memory(self, adapter: str = "") -> Row:
        """See `Way`."""
        return Row(adapter)

    @torch.inference_mode()
    def run(self, parts: Sequence[Part]) -> Tensor:
        """See `Way`."""
        ids: list[int] = []
        places: list[int] = []
        chosen: list[int] = []
        for part in parts:
            held = len(part.row.ids)
            part.row.reserve(held + len(part.tokens), self.like)
            ids += part.tokens
            places += range(held, held + len(part.tokens))
            chosen += range(len(ids) - part.wanted, len(ids))
        both = torch.tensor([ids, places], device=self.like.device)
        wanted = torch.tensor(chosen, device=self.like.device, dtype=torch.long)
        logits = self.logits(both[0], both[1], parts, wanted)
        for part in parts:
            part.row.ids.extend(part.tokens)
        return logits


@dataclass(slots=True, eq=False)
class OwnMemory:
    """A cache of the model's own kind."""

    cache: Any
    adapter: str = ""
    ids: list[int] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        layers = [(layer.keys, layer.values) for layer in self.cache.layers if layer.is_initialized]
        return sum(tensor.numel() * tensor.itemsize for pair in layers for tensor in pair)

    def cut(self, length: int) -> None:
        """Forget what comes after the first `length` tokens."""
        if length < len(self.ids):
            self.cache.crop(length - len(self.ids))
            del self.ids[length:]

    def copy(self, length: int) -> OwnMemory:
        """Another that begins with the first `length` tokens."""
        other = OwnMemory(copy.deepcopy(self.cache), self.adapter, self.ids.copy())
        other.cut(length)
        return other


@dataclass(slots=True)
class Alone:
    """One text after the other, by the model's own forward, or by what is called instead of it."""

    causal: Any
    device: torch.device
    forward: Callable[..., Any]
    name: str = "one at a time"

    @property
    def token_bytes(self) -> int:
        """See `Way`. Of a cache of keys and values, which is more than others take; 0 where the configuration does not tell."""
        config = self.causal.config.to_dict()
        heads, hidden = config.get("num_attention_heads"), config.get("hidden_size")
        if not heads or not hidden:
            return 0
        width = config.get("head_dim") or hidden // heads
        keys = config.get("num_key_value_heads") or heads
        return int(2 * (config.get("num_hidden_layers") or 0) * keys * width * self.causal.dtype.itemsize)

    def memory(self, adapter: str = "") -> OwnMemory:
        """See `Way`."""
        from transformers import DynamicCache

        return OwnMemory(DynamicCache(config=self.causal.config), adapter)

    @torch.inference_mode()
    def run(self, parts: Sequence[Part]) -> Tensor:
        """See `Way`."""
        found = []
        for part in parts:
            row: Any = part.row
            held, row.ids = row.ids, []  # a pass that fails leaves a cache that nobody knows
            output = self.forward(
                input_ids=torch.tensor([list(part.tokens)], device=self.device),
                past_key_values=row.cache,
                use_cache=True,
                logits_to_keep=max(1, part.wanted),
            )
            row.ids = held + list(part.tokens)
            found.append(output.logits[0, : part.wanted])
        return torch.cat(found)


def choose(causal: Any, compute: Compute, *, own: bool = True) -> Way:
    """The first way whose numbers are the model's own. own: our own code may be tried, which joins weights and so moves them."""
    alone = Alone(causal, compute.device, causal)
    expected = _logits(alone)
    for way in (_own_code(causal, compute) if own else None, _its_class(causal, compute)):
        if way is not None and _agrees(way, expected):
            return way
    return alone


def _own_code(causal: Any, compute: Compute) -> Way | None:
    found = llama.read(causal)
    if found is None:
        return None
    head = llama.joined([causal.get_output_embeddings()])

    def logits(ids: Tensor, places: Tensor, parts: Sequence[Part], wanted: Tensor) -> Tensor:
        states = found(ids, places, parts)
        return head(states if len(wanted) == len(ids) else states[wanted])

    run = Captured(found, head, logits, record_cuda) if compute.device.type == "cuda" else logits
    shape = (len(found.layers), 2, found.key_heads, 0, found.width)
    return EndToEnd("own code", run, torch.empty(shape, dtype=compute.dtype, device=compute.device), found.adapters)


def _its_class(causal: Any, compute: Compute) -> Way | None:
    from transformers import AttentionInterface

    config = causal.config.to_dict()
    heads = config.get("num_attention_heads")
    if config.get("is_encoder_decoder") or not heads or not config.get("num_hidden_layers"):
        return None
    width = config.get("head_dim") or config["hidden_size"] // heads
    shape = (config["num_hidden_layers"], 2, config.get("num_key_value_heads") or heads, 0, width)
    AttentionInterface.register(NAME, attention)

    def logits(ids: Tensor, places: Tensor, parts: Sequence[Part], wanted: Tensor) -> Tensor:
        with own_attention(causal, NAME):
            answer: Tensor = causal(
                input_ids=ids[None], position_ids=places[None], use_cache=False, logits_to_keep=wanted, rows=parts
            ).logits[0]
        return answer

    return EndToEnd("its class", logits, torch.empty(shape, dtype=compute.dtype, device=compute.device))


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _attention_mask: Tensor | None,
    *,
    rows: Sequence[Part],
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_others: Any,
) -> tuple[Tensor, None]:
    """What transformers calls: query [1, heads, tokens, width], key and value likewise -> [1, tokens, heads, width]."""
    both = torch.stack((key[0], value[0])).permute(2, 0, 1, 3)
    asked = query[0].transpose(0, 1)
    found = attend(asked, both, rows, module.layer_idx, scale=scaling, window=sliding_window, softcap=softcap or 0.0)
    return found[None], None


def _logits(way: Way) -> Tensor:
    """After every pass of a trial: [passes, vocabulary]. A second text rides along, so that a leak shows."""
    row, other = way.memory(), way.memory()
    found = []
    start = 0
    for length in TRIAL:
        tokens = range(start, start + length)
        parts: list[Any] = [Part(other, [7, 3], 1), Part(row, [(5 * token + 1) % 50 for token in tokens], 1)]  # type: ignore[arg-type]
        found.append(way.run(parts)[1])
        start += length
    return torch.stack(found)


def _agrees(way: Way, expected: Tensor) -> bool:
    try:
        found = _logits(way)
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError, IndexError):
        return False  # a model that is built otherwise than it says
    return only_rounding(found, expected)
