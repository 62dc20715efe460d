"""From rows of logits to the next tokens, each row with settings and a generator of its own.

The order is fixed and told: repetition penalty, temperature, top-k, top-p, min-p, then one draw. One number of a row's own generator decides
a token, on a CPU whatever the model runs on, so nothing else in the process changes its text. Temperature 0 takes the likeliest token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.inference.sampling import Sampling

CANDIDATES = 64
"""Likeliest tokens that are looked at first; eight times as many as long as the last of them may still be drawn."""


@dataclass(slots=True)
class Draw:
    """How one row is drawn. seen: [vocabulary] bool, the tokens of prompt and answer; None where no penalty asks for it."""

    sampling: Sampling
    generator: torch.Generator
    seen: Tensor | None = None


def next_tokens(logits: Tensor, draws: Sequence[Draw]) -> list[int]:
    """The next token of every row. logits: [rows, vocabulary] of the last positions, any float type."""
    scores = penalise(logits.float(), draws)
    tokens = scores.argmax(-1)
    drawn = [row for row, draw in enumerate(draws) if draw.sampling.temperature > 0]
    for narrowed in (True, False):
        rows = [row for row in drawn if _narrows(draws[row].sampling) == narrowed]
        if rows:
            at = torch.tensor(rows, device=logits.device)
            samplings = [draws[row].sampling for row in rows]
            if narrowed:
                shares, places = distributions(scores[at], samplings)
            else:  # all may be drawn, so their order need not be found
                shares, places = _tempered(scores[at], samplings), None
            luck = torch.tensor([_luck(draws[row].generator) for row in rows], device=logits.device)
            tokens[at] = _pick(shares, places, luck)
    return [int(token) for token in tokens.tolist()]


def penalise(scores: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Divide positive scores of seen tokens by a row's penalty, multiply negative ones (Keskar et al. 2019); 1 changes nothing."""
    changed = scores
    for row, draw in enumerate(draws):
        penalty = draw.sampling.repetition_penalty
        if penalty != 1.0 and draw.seen is not None:
            if changed is scores:
                changed = scores.clone()
            old = scores[row]
            changed[row] = torch.where(draw.seen, torch.where(old > 0, old / penalty, old * penalty), old)
    return changed


def distributions(scores: Tensor, samplings: Sequence[Sampling]) -> tuple[Tensor, Tensor]:
    """What is drawn from: shares [rows, n] from the likeliest down, 0 for what may not be drawn, and whose they are [rows, n].

    Temperature above 0. top-k keeps the k likeliest, and those as likely as the last of them; top-p the fewest likeliest that add up to p
    (Holtzman et al. 2020), the one that crosses p included; min-p those at least min_p times as likely as the likeliest, which always stays.
    """
    shares = _tempered(scores, samplings)
    size = scores.shape[-1]
    top_k = torch.tensor([sampling.top_k or size for sampling in samplings], device=scores.device)[:, None].clamp(max=size)  # fmt: skip
    top_p = torch.tensor([sampling.top_p for sampling in samplings], device=scores.device)[:, None]
    min_p = torch.tensor([sampling.min_p for sampling in samplings], device=scores.device)[:, None]
    looked_at = CANDIDATES
    while True:
        looked_at = min(looked_at, size)
        likeliest, places = shares.topk(looked_at)
        last = likeliest.gather(1, (top_k - 1).clamp(max=looked_at - 1))
        kept = (likeliest >= last) | (top_k > looked_at)
        of_k = torch.where(kept, likeliest, 0.0)
        whole = torch.where(top_k < size, of_k.sum(-1, keepdim=True), 1.0)
        of_k = of_k / whole
        before = of_k.cumsum(-1) - of_k
        kept = kept & ((before < top_p) | (top_p >= 1.0)) & (of_k >= min_p * of_k[:, :1])
        kept[:, 0] = True
        if looked_at == size or not bool(kept[:, -1].any()):
            left = torch.where(kept, of_k, 0.0)
            return left / left.sum(-1, keepdim=True), places
        looked_at *= 8


def _tempered(scores: Tensor, samplings: Sequence[Sampling]) -> Tensor:
    temperature = torch.tensor([sampling.temperature for sampling in samplings], device=scores.device)
    return (scores / temperature[:, None]).softmax(-1)


def _narrows(sampling: Sampling) -> bool:
    return sampling.top_k > 0 or sampling.top_p < 1.0 or sampling.min_p > 0.0


def _luck(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator, dtype=torch.float64))


def _pick(shares: Tensor, places: Tensor | None, luck: Tensor) -> Tensor:
    """One token a row: where the running sum of the shares passes its number between 0 and 1."""
    sums = shares.cumsum(-1)
    aim = (luck * sums[:, -1]).to(sums.dtype)
    found = torch.searchsorted(sums, aim[:, None], right=True)
    # rounding may carry the aim to the very end, past the last that may be drawn
    last = torch.where(shares > 0, torch.arange(shares.shape[-1], device=shares.device), 0).amax(-1, keepdim=True)
    found = torch.minimum(found, last)
    return (found if places is None else places.gather(1, found))[:, 0]
