"""The decode loop: a prompt in, pieces of an answer out, one token at a time.

    ids -> prefill (what the cache does not hold yet) -> [last logits -> next token -> text -> one forward] until the end

The caller may stop between any two tokens. Every setting is explicit: nothing is inherited from the model's own files but the
tokens that end an answer. One generation at a time; a `Chatter` is for one thread.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core.engine import model, sampler, template
from core.engine.compute import Compute, choose
from core.engine.quantize import quicker_in_int8
from core.engine.stops import Text
from core.errors import UserError
from core.inference import sampling as settings
from core.inference.sampling import Sampling

PREFILL = 512
"""Prompt tokens a forward pass: between two of them the caller may stop."""

SMALL = 512 * 2**20
"""Bytes of weights up to which a model counts as small."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show now; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """How an answer ended.

    reason: stop (the model ended it, or a stop string), length (max_tokens), cancelled. tokens: new ones.
    cached: prompt tokens that needed no work. seconds_to_first: until the first token. settings: those really used. weights: the
    model's number format, and what was found out about it.
    """

    reason: str
    stop_string: str | None
    tokens: int
    prompt_tokens: int
    cached: int
    seconds_to_first: float | None
    tokens_per_second: float | None
    settings: Mapping[str, Any]
    weights: str


class Chatter:
    """A model that is ready to answer, and the cache of its last conversation."""

    def __init__(
        self, causal: Any, tokenizer: Any, compute: Compute, run: Callable[..., Any] | None = None, weights: str = ""
    ) -> None:
        """run: what is called for a forward pass, where that is not the model itself. weights: what to say of them, if not the number format."""
        self.weights = weights or str(compute.dtype).removeprefix("torch.")
        self.causal = causal
        self._run = run or causal
        self.tokenizer = tokenizer
        self.compute = compute
        self.ends = ending_tokens(causal, tokenizer)
        self.context = int(causal.config.to_dict().get("max_position_embeddings") or 2**20)
        self._cache: Any = None
        self._held: list[int] = []

    def chat_ids(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The prompt of a chat as the model was trained to see it."""
        template.ensure_template(self.tokenizer)
        return template.encode_prompt(self.tokenizer, messages)

    def text_ids(self, prompt: str) -> list[int]:
        """The prompt of a plain completion."""
        return template.encode_text(self.tokenizer, prompt, end=False)

    def answer(
        self, ids: Sequence[int], wanted: Sampling, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[Piece | End]:
        """Pieces, then one End. Raises UserError when the prompt is empty or fills the context."""
        if not ids:
            raise UserError("The prompt is empty.", "Write something for the model to go on from.")
        fitted = settings.fit(wanted, len(ids), self.context)
        seed = fitted.seed if fitted.seed is not None else secrets.randbelow(2**31)
        used = settings.as_dict(settings.effective(replace(fitted, seed=seed)))
        generator = torch.Generator(self.compute.device).manual_seed(seed)
        text = Text(self.tokenizer, fitted.stop)
        began = time.perf_counter()
        first: float | None = None
        reason, count, cached = "length", 0, 0
        logits, cached = self._prefill(list(ids), cancelled)
        seen = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
        seen[torch.tensor(ids, device=logits.device)] = True
        while count < fitted.max_tokens:
            if cancelled():
                reason = "cancelled"
                break
            token = sampler.next_token(logits, seen.nonzero().squeeze(1), fitted, generator)
            count += 1
            first = first if first is not None else time.perf_counter()
            if token in self.ends:
                reason = "stop"
                break
            seen[token] = True
            shown = text.add(token)
            if shown:
                yield Piece(shown)
            if text.stopped is not None:
                reason = "stop"
                break
            if count < fitted.max_tokens:
                logits = self._forward([token])
        if rest := text.rest():
            yield Piece(rest)
        seconds = time.perf_counter() - first if first is not None else 0.0
        yield End(
            reason=reason,
            stop_string=text.stopped,
            tokens=count,
            prompt_tokens=len(ids),
            cached=cached,
            seconds_to_first=first - began if first is not None else None,
            tokens_per_second=(count - 1) / seconds if count > 1 and seconds > 0 else None,
            settings=used,
            weights=self.weights,
        )

    def _prefill(self, ids: list[int], cancelled: Callable[[], bool]) -> tuple[torch.Tensor, int]:
        """Logits after the prompt, and how many of its tokens the cache already held.

        The last prompt token is always run, since its logits are wanted.
        """
        common = 0
        for held, wanted in zip(self._held, ids[:-1], strict=False):
            if held != wanted:
                break
            common += 1
        if common:
            self._cache.crop(common - len(self._held))
            del self._held[common:]
        else:
            from transformers import DynamicCache

            self._cache, self._held = DynamicCache(config=self.causal.config), []
        logits = torch.empty(0)
        for start in range(common, len(ids), PREFILL):
            if cancelled() and start > common:
                break
            logits = self._forward(ids[start : start + PREFILL])
        return logits, common

    @torch.inference_mode()  # here and not in `answer`: a generator would leave it on in its caller between two pieces
    def _forward(self, tokens: list[int]) -> torch.Tensor:
        """Logits after these tokens, which are appended to the cache."""
        batch = torch.tensor([tokens], device=self.compute.device)
        held, self._held = self._held, []  # a forward that fails leaves a cache that nobody knows
        output = self._run(input_ids=batch, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._held = held + tokens
        logits: torch.Tensor = output.logits[0, -1]
        return logits


def load(path: Path, dtype: str = "auto", *, int8: bool = False) -> Chatter:
    """The model in a folder, or the checkpoint with its base, merged. Raises UserError.

    dtype "auto": bf16, but fp32 for a small model on a CPU, where it is as fast and a merged adapter loses nothing to
    rounding. For a small model this process then computes with one thread: sharing out a token's work costs more than it
    gives (140 against 60 tokens/s of the starter on two busy cores). int8: weights of 8 bits, if they are measured to be faster here.
    """
    root = model.adapter_base(path) if model.is_adapter(path) else path
    small = sum(file.stat().st_size for file in root.glob("*.safetensors")) < SMALL
    compute = choose("bf16" if dtype == "auto" else dtype)
    if small and compute.device.type == "cpu":
        torch.set_num_threads(1)
        if dtype == "auto":
            compute = choose("fp32")
    tokenizer = model.load_tokenizer(path if (path / "tokenizer.json").exists() else root)
    causal = model.load_causal(root, compute.dtype, compute.device)
    model.check_vocabulary(causal, tokenizer, path)
    if root != path:
        with model.quiet():
            causal = model.open_adapter(causal, path, trainable=False).merge_and_unload()
    causal.eval()
    return Chatter(causal, tokenizer, compute, weights=quicker_in_int8(causal, compute) if int8 else "")


def ending_tokens(causal: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that tokenizer, model or chat template treat as the end: a tuned model may have learned another than its base."""
    found: set[int] = set()
    for value in (tokenizer.eos_token_id, causal.generation_config.eos_token_id, causal.config.eos_token_id):
        found.update(value if isinstance(value, list | tuple) else [value])
    for name in ("<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>"):
        token = tokenizer.convert_tokens_to_ids(name)
        if isinstance(token, int) and token != tokenizer.unk_token_id:
            found.add(token)
    return frozenset(token for token in found if isinstance(token, int))


def describe(end: End) -> dict[str, Any]:
    """An End as JSON data, for whoever asked."""
    return {
        "stop_reason": end.reason,
        "stop_string": end.stop_string,
        "tokens": end.tokens,
        "prompt_tokens": end.prompt_tokens,
        "cached_tokens": end.cached,
        "time_to_first_token": end.seconds_to_first,
        "tokens_per_second": end.tokens_per_second,
        "settings": dict(end.settings),
        "weights": end.weights,
    }
