"""What a run minimises, as one module: forward is the summed loss of a batch.

It is a module of its own because sharding gathers weights where a module is entered: the output head is used here, not in a
layer's own forward, so the root of the sharded tree must be what uses it. It knows no optimizer and no data.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.engine.attention import Documents
from core.engine.compute import Compute
from core.engine.data import Batch
from kernels import reference
from kernels.linear_cross_entropy import linear_cross_entropy


class Objective(nn.Module):
    """model: what is trained (a PEFT model or the base itself). causal: the base inside it.

    fused_head: whether hidden @ head.T are the model's logits (see `core.engine.model.probe`), but for a softcap, 0 for none.
    """

    def __init__(
        self,
        model: nn.Module,
        causal: Any,
        compute: Compute,
        *,
        fused_head: bool = True,
        softcap: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.fused_head = fused_head
        self.softcap = softcap
        self.label_smoothing = label_smoothing
        self._causal = (causal,)  # in a tuple, for it is inside `model` already and must not count twice
        self._compute = compute

    def forward(self, batch: Batch) -> Tensor:
        """Summed cross-entropy over the batch's trained tokens, fp32."""
        (causal,) = self._causal
        targets = batch.targets.reshape(-1)
        smoothing = self.label_smoothing if self.training else 0.0
        with self._compute.autocast():
            if not self.fused_head:
                logits = causal(**inputs(batch)).logits
                return nn.functional.cross_entropy(
                    logits.float().flatten(0, 1),
                    targets,
                    ignore_index=reference.IGNORE,
                    reduction="sum",
                    label_smoothing=smoothing,
                )
            states = hidden(causal, batch).flatten(0, 1).to(self._compute.dtype)
            head = causal.get_output_embeddings().weight.to(self._compute.dtype)
        return linear_cross_entropy(
            states,
            head,
            targets,
            kept=batch.kept,
            terms=reference.Terms(smoothing, softcap=self.softcap),
            budget=self._compute.logits_budget,
        )

    def next_logits(self, **given: Any) -> Any:
        """The model's own forward pass, with a cache, for answering in the middle of a run."""
        (causal,) = self._causal
        return causal(**given)


def hidden(causal: Any, batch: Batch) -> Tensor:
    """Last hidden states [rows, length, width]."""
    states: Tensor = causal.base_model(**inputs(batch)).last_hidden_state
    return states


def inputs(batch: Batch) -> dict[str, Any]:
    """What a model is given of a batch.

    Documents in one row are kept apart by their lengths (`core.engine.attention`); else by `positions` alone: transformers builds
    the block mask from them only where there is neither an attention mask nor a cache, so neither is ever passed here.
    """
    given: dict[str, Any] = {"input_ids": batch.ids, "position_ids": batch.positions, "use_cache": False}
    if batch.lengths:
        given["documents"] = Documents.of(batch.lengths, batch.ids.device)
    return given


def add_noise(causal: Any, alpha: float) -> None:
    """NEFTune (Jain et al. 2023): in training, add uniform noise of size alpha / sqrt(length x width) to the embeddings.

    length: of the document a token stands in, so that packing changes nothing. The noise is seeded by whoever seeds torch.
    """
    seen: list[Tensor] = []

    def remember(_module: nn.Module, _args: Any, options: dict[str, Any]) -> None:
        seen[:] = [options["position_ids"]]

    def disturb(module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        if not module.training or not seen:
            return output
        size = alpha / torch.sqrt(document_lengths(seen[0]).to(output.dtype) * output.shape[-1])
        return output + (2 * torch.rand_like(output) - 1) * size[..., None]

    causal.base_model.register_forward_pre_hook(remember, with_kwargs=True)
    causal.get_input_embeddings().register_forward_hook(disturb)


def document_lengths(positions: Tensor) -> Tensor:
    """For every token how many tokens its document has; positions [sequences, length] start again at every document."""
    number = (positions == 0).flatten().cumsum(0) - 1
    counts = torch.bincount(number.clamp_min(0))
    return counts[number.clamp_min(0)].view_as(positions)
