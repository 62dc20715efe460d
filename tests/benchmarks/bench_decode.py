"""Tokens a second of our decode loop beside transformers, one prompt and 32 at once, and the time to the first token late in a chat: greedy, on this CPU.

python -m tests.benchmarks.bench_decode

The starter as it is, and a model of Qwen2.5-Coder-0.5B's shape with random weights. Both sides run the same weights in the same number format with the same
number of threads, from the same prompts, to the same number of new tokens; no end token stops either. Arms take turns, the best round counts. One prompt:
`model.generate`, and ours with weights of 8 bits where they are faster. 32 prompts of 16 to 140 tokens: `model.generate_batch`, which is their continuous
batching. Turns of a chat: each adds 40 tokens to the history, the first one to none, the last one to about 2,000.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from core.engine import generate
from core.engine.asked import End, Request
from core.engine.compute import choose
from core.engine.generate import Chatter
from core.engine.quantize import quicker_in_int8
from core.inference.sampling import Sampling
from core.paths import resources
from tests.benchmarks.report import report

ROUNDS = 3
SLOW = 20
"""Tokens a second below which batches and chats are measured once: minutes each."""
PROMPTS = 32
SHAPE = {
    "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
    "tie_word_embeddings": True, "vocab_size": 151936, "max_position_embeddings": 4096,
}  # fmt: skip


def random_chatter() -> Chatter:
    """A 0.5B with random weights in the format that the engine takes here, and the starter's tokenizer, whose tokens it has."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from core.engine import model

    torch.manual_seed(0)
    before = torch.get_default_dtype()
    compute = choose("bf16")
    torch.set_default_dtype(compute.dtype)
    try:
        causal = Qwen2ForCausalLM(Qwen2Config(**SHAPE)).eval()
    finally:
        torch.set_default_dtype(before)
    return Chatter(causal, model.load_tokenizer(resources() / "starter"), compute)


def ours(chatter: Chatter, ids: list[int], tokens: int) -> None:
    """Greedy, by our loop, with nothing remembered."""
    chatter.decoder.ends = frozenset()
    chatter.decoder.kept.clear()
    *_, end = chatter.answer(ids, Sampling(temperature=0.0, max_tokens=tokens))
    assert isinstance(end, End)
    assert end.tokens == tokens


def theirs(chatter: Chatter, ids: list[int], tokens: int) -> None:
    """Greedy, by transformers."""
    batch = torch.tensor([ids], device=chatter.compute.device)
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


def prompts(chatter: Chatter) -> list[list[int]]:
    """32 of different lengths."""
    words = chatter.text_ids("package main\n\nfunc main() {\n\tfor i := range 10 {\n\t\tfmt.Println(i)\n\t}\n}\n" * 8)
    return [words[number : number + 16 + 4 * number] for number in range(PROMPTS)]


def ours_together(chatter: Chatter, asked: list[list[int]], tokens: int) -> None:
    """All at once, by our loop, with nothing remembered."""
    chatter.decoder.ends = frozenset()
    chatter.decoder.kept.clear()
    heard: list[Any] = []
    for ids in asked:
        chatter.decoder.ask(Request(tuple(ids), Sampling(temperature=0.0, max_tokens=tokens)), heard.append)
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert sum(part.tokens for part in heard if isinstance(part, End)) == tokens * len(asked)


def theirs_together(chatter: Chatter, asked: list[list[int]], tokens: int) -> None:
    """All at once, by the continuous batching of transformers, in as much memory as ours may take."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    before = chatter.causal.config._attn_implementation
    settings = GenerationConfig(do_sample=False, max_new_tokens=tokens, eos_token_id=-1, pad_token_id=0)
    batching = ContinuousBatchingConfig(num_blocks=64, max_batch_tokens=512)
    found = chatter.causal.generate_batch(asked, generation_config=settings, continuous_batching_config=batching, progress_bar=False)  # fmt: skip
    chatter.causal.set_attn_implementation(before)
    assert sum(len(one.generated_tokens) for one in found.values()) == tokens * len(asked)


def turns(chatter: Chatter, chats: int) -> tuple[float, float]:
    """Seconds to the first token of a chat's first turn, and of the turn with 2,000 tokens of history: medians of so many chats."""
    first, last = [], []
    limit = min(2000, chatter.context - 60)
    for chat in range(chats):
        chatter.decoder.kept.clear()
        ids: list[int] = []
        while len(ids) < limit:
            ids += [(13 * (chat + 1) * (len(ids) + place)) % 4000 + 5 for place in range(40)]
            *_, end = chatter.answer(ids, Sampling(temperature=0.0, max_tokens=2))
            assert isinstance(end, End)
            assert end.seconds_to_first is not None
            if len(ids) == 40:
                first.append(end.seconds_to_first)
        last.append(end.seconds_to_first)
    return statistics.median(first), statistics.median(last)


def together(chatter: Chatter, tokens: int, rounds: int) -> dict[str, float]:
    """New tokens a second of 32 prompts, both arms in turns."""
    asked = prompts(chatter)
    found = {"ours": 0.0, "continuous batching": 0.0}
    for _ in range(rounds):
        for name, arm in (("ours", ours_together), ("continuous batching", theirs_together)):
            began = time.perf_counter()
            arm(chatter, asked, tokens)
            found[name] = max(found[name], tokens * len(asked) / (time.perf_counter() - began))
    return found


def main() -> None:
    figures: dict[str, Any] = {}
    for name, make, tokens in (
        ("starter", lambda: generate.load(resources() / "starter"), 200),
        ("0.5B", random_chatter, 24),
    ):
        chatter = make()
        figures[f"{name}, number format"] = str(chatter.compute.dtype).removeprefix("torch.")
        figures[f"{name}, way"] = chatter.decoder.way.name
        found = compare(chatter, tokens)
        print(name, found, flush=True)
        figures |= {f"{name}, {arm}, tokens/s": round(value, 1) for arm, value in found.items()}
        figures[f"{name}, ours to generate"] = round(found["ours"] / found["generate"], 2)
        rounds = ROUNDS if found["ours"] > SLOW else 1
        batch = together(chatter, tokens // 4, rounds)
        figures |= {f"{name}, {PROMPTS} prompts, {arm}, tokens/s": round(value, 1) for arm, value in batch.items()}
        figures[f"{name}, {PROMPTS} prompts, ours to theirs"] = round(batch["ours"] / batch["continuous batching"], 2)
        print(name, batch, flush=True)
        first, last = turns(chatter, rounds)
        figures[f"{name}, first token of turn 1, ms"] = round(1e3 * first, 1)
        figures[f"{name}, first token after 2,000 tokens, ms"] = round(1e3 * last, 1)
        figures[f"{name}, late turn to first turn"] = round(last / first, 2)
        said = quicker_in_int8(chatter.causal, chatter.compute)
        figures[f"{name}, weights of 8 bits"] = said
        if said.startswith("int8"):
            ids = chatter.text_ids("package main\n\nfunc main() {\n")
            chatter = Chatter(chatter.causal, chatter.tokenizer, chatter.compute)
            eight = max(speed(ours, chatter, ids, tokens) for _ in range(ROUNDS))
            figures[f"{name}, ours with 8 bits, tokens/s"] = round(eight, 1)
            figures[f"{name}, 8 bits to 16"] = round(eight / found["ours"], 2)
    report("decode", figures)


if __name__ == "__main__":
    main()
