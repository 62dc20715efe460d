"""How likely a model thought what was said: natural logarithms of its own probabilities, before any sampler."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.engine.asked import Token


def of(logits: Tensor, tokens: Sequence[int], alternatives: int) -> list[Token]:
    """What is known of each token, with the likeliest `alternatives` ones. logits: [tokens, vocabulary], each of the token's own place."""
    if not tokens:
        return []
    known = logits.float().log_softmax(-1)
    taken = known.gather(1, torch.tensor(tokens, device=known.device)[:, None])[:, 0].tolist()
    if not alternatives:
        return [Token(token, value) for token, value in zip(tokens, taken, strict=True)]
    best, ids = known.topk(min(alternatives, known.shape[-1]))
    tops = [
        tuple(zip(row_ids, values, strict=True)) for row_ids, values in zip(ids.tolist(), best.tolist(), strict=True)
    ]
    return [Token(token, value, top) for token, value, top in zip(tokens, taken, tops, strict=True)]
