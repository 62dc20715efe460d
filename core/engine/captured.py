"""The decode step of one text as a recorded CUDA graph: a small model on a GPU waits for its launches, and a graph is one.

    fixed      the token, its place, and the room of the row: a graph reads and writes the same addresses every time
    recorded   for a row when it says its second token, and again when it outgrows its room, which it does by half each time
    compared   with the step as it is; a model whose graph gives other numbers, or none, is run as before

Steps of several texts, and of several tokens, are not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from core.engine.llama import Llama, Turn
from core.engine.rounding import only_rounding
from core.engine.rows import Part

Step = Callable[[], Tensor]
Recorder = Callable[[Step], Step]
"""From a step to what repeats it, on whatever its tensors hold by then."""

KEPT = 2
"""Recorded rows at a time: two conversations may take turns."""


@dataclass(slots=True, eq=False)
class Recorded:
    """The step of the row that has this store."""

    store: Tensor
    token: Tensor
    place: Tensor
    step: Step


@dataclass(slots=True, eq=False)
class Captured:
    """A pass (`core.engine.forward.Pass`) that replays what it has recorded. works: False once a recording has failed."""

    model: Llama
    head: Turn
    plain: Callable[[Tensor, Tensor, Sequence[Part], Tensor], Tensor]
    record: Recorder
    works: bool = True
    _recorded: list[Recorded] = field(default_factory=list)

    def __call__(self, ids: Tensor, places: Tensor, parts: Sequence[Part], wanted: Tensor) -> Tensor:
        """Logits [wanted, vocabulary]."""
        row = parts[0].row
        if not self.works or len(ids) != 1 or row.adapter or len(wanted) != 1 or row.store is None:
            return self.plain(ids, places, parts, wanted)
        found = next((one for one in self._recorded if one.store is row.store), None)
        if found is None:
            return self._recorded_now(ids, places, parts, wanted)
        found.token.copy_(ids)
        found.place.copy_(places)
        return found.step().clone()

    def _recorded_now(self, ids: Tensor, places: Tensor, parts: Sequence[Part], wanted: Tensor) -> Tensor:
        """Record the step, and answer with what it gives if that is what it should be."""
        expected = self.plain(ids, places, parts, wanted)
        store = parts[0].row.store
        assert store is not None
        token, place = ids.clone(), places.clone()
        try:
            step = self.record(lambda: self._step(store, token, place))
            found = step().clone()
        except (RuntimeError, NotImplementedError):  # what cannot be recorded: a sync, an allocation outside the pool
            self.works = False
            return expected
        if not only_rounding(found, expected):
            self.works = False
            return expected
        self._recorded = [*self._recorded[1 - KEPT :], Recorded(store, token, place, step)]
        return expected

    def _step(self, store: Tensor, token: Tensor, place: Tensor) -> Tensor:
        room = store.shape[-2]
        after = torch.arange(room, device=store.device) > place
        mask = torch.zeros(room, dtype=store.dtype, device=store.device).masked_fill(after, -torch.inf)[None]

        def see(query: Tensor, key_value: Tensor, layer: int) -> Tensor:
            mine = store[layer]
            mine.index_copy_(2, place, key_value.permute(1, 2, 0, 3))
            keys, values = mine[:, None].unbind(0)
            _, heads, width = query.shape
            shared = query.view(1, keys.shape[1], heads // keys.shape[1], width)
            return scaled_dot_product_attention(shared, keys, values, attn_mask=mask).view(1, heads, width)

        return self.head(self.model.states(token, place, see))


def record_cuda(step: Step) -> Step:
    """As a CUDA graph. Raises RuntimeError where the step cannot be one."""
    stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # libraries allocate what they keep before the recording
        step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        answer = step()

    def replay() -> Tensor:
        graph.replay()
        return answer

    return replay
