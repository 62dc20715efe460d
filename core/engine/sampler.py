"""From a row of logits to the next token.

The order is fixed and told: repetition penalty, temperature, top-k, top-p, min-p, then one draw. Each request draws from a
generator of its own, so that nothing else in the process changes its text. Temperature 0 takes the likeliest token.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.inference.sampling import Sampling


def next_token(logits: Tensor, seen: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """The next token's id.

    logits: [vocabulary] of the last position, any float type. seen: distinct ids of prompt and answer, for the penalty.
    """
    scores = penalise(logits.float(), seen, sampling.repetition_penalty)
    if sampling.temperature == 0:
        return int(scores.argmax())
    shares = distribution(scores, sampling)
    return int(torch.multinomial(shares, 1, generator=generator))


def penalise(scores: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Divide positive scores of seen tokens by the penalty, multiply negative ones (Keskar et al. 2019); 1 changes nothing."""
    if penalty == 1.0 or not len(seen):
        return scores
    chosen = scores[seen]
    return scores.index_put((seen,), torch.where(chosen > 0, chosen / penalty, chosen * penalty))


def distribution(scores: Tensor, sampling: Sampling) -> Tensor:
    """What is drawn from: [vocabulary], sums to 1. Temperature above 0.

    top-k keeps the k likeliest; top-p the fewest likeliest that add up to p (Holtzman et al. 2020), the one that crosses p
    included; min-p those at least min_p times as likely as the likeliest. The likeliest always stays.
    """
    scores = scores / sampling.temperature
    if 0 < sampling.top_k < len(scores):
        least = scores.topk(sampling.top_k).values[-1]
        scores = scores.masked_fill(scores < least, -torch.inf)
    shares = scores.softmax(-1)
    if sampling.top_p < 1.0:
        ordered, places = shares.sort(descending=True)
        before = ordered.cumsum(-1) - ordered
        shares = shares.index_fill(0, places[before >= sampling.top_p], 0.0)
    if sampling.min_p > 0.0:
        shares = shares.masked_fill(shares < sampling.min_p * shares.max(), 0.0)
    return shares / shares.sum()
