"""Tokens a second of our decode loop beside `model.generate` of transformers, and with weights of 8 bits: one prompt, greedy, on this CPU.

python -m tests.benchmarks.bench_decode

The starter as it is, and a model of Qwen2.5-Coder-0.5B's shape with random weights. Both sides run the same weights in the same number format with the same
number of threads, from the same prompt, to the same number of new tokens; no end token stops either. Arms take turns, the best round counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from core.engine import generate
from core.engine.asked import End
from core.engine.compute import Compute
from core.engine.generate import Chatter
from core.engine.quantize import quicker_in_int8
from core.inference.sampling import Sampling
from core.paths import resources
from tests.benchmarks.report import report

ROUNDS = 3
SHAPE = {
    "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
    "tie_word_embeddings": True, "vocab_size": 151936, "max_position_embeddings": 4096,
}  # fmt: skip


def random_chatter() -> Chatter:
    """A 0.5B with random weights in bf16, and the starter's tokenizer, whose tokens it has."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from core.engine import model

    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        causal = Qwen2ForCausalLM(Qwen2Config(**SHAPE)).eval()
    finally:
        torch.set_default_dtype(before)
    return Chatter(causal, model.load_tokenizer(resources() / "starter"), Compute(torch.device("cpu"), torch.bfloat16))


def ours(chatter: Chatter, ids: list[int], tokens: int) -> None:
    """Greedy, by our loop, from an empty cache."""
    chatter.ends = frozenset()
    chatter._held = []
    *_, end = chatter.answer(ids, Sampling(temperature=0.0, max_tokens=tokens))
    assert isinstance(end, End)
    assert end.tokens == tokens


def theirs(chatter: Chatter, ids: list[int], tokens: int) -> None:
    """Greedy, by transformers."""
    batch = torch.tensor([ids])
    out = chatter.causal.generate(
        batch, attention_mask=torch.ones_like(batch), do_sample=False, max_new_tokens=tokens, min_new_tokens=tokens, use_cache=True
    )  # fmt: skip
    assert out.shape[1] == len(ids) + tokens


def speed(run: Callable[[Chatter, list[int], int], None], chatter: Chatter, ids: list[int], tokens: int) -> float:
    """New tokens a second, the prompt included in the time."""
    began = time.perf_counter()
    run(chatter, ids, tokens)
    return tokens / (time.perf_counter() - began)


def compare(chatter: Chatter, tokens: int) -> dict[str, float]:
    """Both arms in turns, and ours with weights of 8 bits where they are faster."""
    ids = chatter.text_ids("package main\n\nfunc main() {\n")
    found = {"ours": 0.0, "generate": 0.0}
    for _ in range(ROUNDS):
        for name, arm in (("ours", ours), ("generate", theirs)):
            found[name] = max(found[name], speed(arm, chatter, ids, tokens))
    return found


def main() -> None:
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, chatter, tokens in (
        ("starter", generate.load(resources() / "starter"), 200),
        ("0.5B", random_chatter(), 24),
    ):
        found = compare(chatter, tokens)
        figures |= {f"{name}, {arm}, tokens/s": round(value, 1) for arm, value in found.items()}
        figures[f"{name}, ours to generate"] = round(found["ours"] / found["generate"], 2)
        said = quicker_in_int8(chatter.causal, chatter.compute)
        figures[f"{name}, weights of 8 bits"] = said
        if said.startswith("int8"):
            ids = chatter.text_ids("package main\n\nfunc main() {\n")
            eight = max(speed(ours, chatter, ids, tokens) for _ in range(ROUNDS))
            figures[f"{name}, ours with 8 bits, tokens/s"] = round(eight, 1)
            figures[f"{name}, 8 bits to 16"] = round(eight / found["ours"], 2)
    report("decode", figures)


if __name__ == "__main__":
    main()
