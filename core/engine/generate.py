"""A model that is ready to answer: loaded, its adapter merged, and the decode loop behind one call.

One request at a time is `Chatter.answer`; many at a time are `Chatter.decoder`, which `core.engine.runner` keeps going in a thread of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.engine import adapters, lookup, model, template
from core.engine.asked import End, Piece, Request
from core.engine.compute import Compute, choose, free_memory
from core.engine.decoder import Decoder
from core.engine.forward import Alone, EndToEnd
from core.engine.forward import choose as choose_way
from core.engine.quantize import quicker_in_int8
from core.errors import UserError
from core.inference.sampling import Sampling

ROWS = 0.6
"""Share of the memory that is free once the weights are loaded, for what is remembered of answers under way; a pass itself needs some, too."""

SMALL = 512 * 2**20
"""Bytes of weights up to which a model counts as small."""


class Chatter:
    """A model, its tokenizer, and the decode loop over both. For one thread."""

    def __init__(
        self,
        causal: Any,
        tokenizer: Any,
        compute: Compute,
        run: Callable[..., Any] | None = None,
        weights: str = "",
        *,
        in_training: bool = False,
    ) -> None:
        """run: what is called for a forward pass, where that is not the model itself. weights: what to say of them, if not the number format.
        in_training: the model's weights must stay where they lie."""
        self.causal = causal
        self.tokenizer = tokenizer
        self.compute = compute
        self.adapters: list[str] = []
        self.context = int(causal.config.to_dict().get("max_position_embeddings") or 2**20)
        way = choose_way(causal, compute, own=not in_training) if run is None else Alone(causal, compute.device, run)
        self.decoder = Decoder(
            way,
            tokenizer,
            self.context,
            ending_tokens(causal, tokenizer),
            weights or str(compute.dtype).removeprefix("torch."),
            room=int(ROWS * free_memory(compute)),
        )

    def beside(self, name: str, path: Path) -> None:
        """Let requests name an adapter of this model, which is not merged. Raises UserError where that cannot be."""
        way = self.decoder.way
        if not isinstance(way, EndToEnd) or way.adapters is None:
            raise UserError(
                "Adapters can answer side by side only on models that are built like Llama or Qwen.",
                "Serve one checkpoint at a time: then it is merged.",
            )
        way.adapters[name] = adapters.read(path, self.compute)
        self.adapters.append(name)

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
        return self.ask(Request(tuple(ids), wanted), cancelled)

    def ask(self, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Piece | End]:
        """Pieces, then one End. Dropping the iterator drops the request. Raises UserError as `answer` does."""
        heard: deque[Piece | End] = deque()
        asked = self.decoder.ask(request, heard.append, cancelled)
        try:
            while not asked.ended:
                self.step()
                while heard:
                    yield heard.popleft()
        finally:
            if not asked.ended:
                self.decoder.drop(asked)

    def score(self, ids: Sequence[int]) -> list[float]:
        """Negative log-likelihood of every token after the first, in nats. Raises UserError when there is none, or too many."""
        if len(ids) < 2:
            raise UserError("A text of one token has nothing to predict.", "Give a longer one.")
        request = Request(tuple(ids), Sampling(max_tokens=1), prompt_too=True, answer=False)
        tokens = [token for part in self.ask(request) if isinstance(part, Piece) for token in part.tokens]
        return [-token.logprob for token in tokens if token.logprob is not None]

    def step(self) -> None:
        """One pass for all that is asked; whatever it raises, every request is given up."""
        try:
            self.decoder.step()
        except BaseException:
            self.decoder.abandon()
            raise


def load(path: Path, dtype: str = "auto", *, int8: bool = False, beside: Mapping[str, Path] | None = None) -> Chatter:
    """The model in a folder, or the checkpoint with its base, merged. Raises UserError.

    beside: adapters of the model in `path`, by the name under which requests ask for them.

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
    chatter = Chatter(causal, tokenizer, compute, weights=quicker_in_int8(causal, compute) if int8 else "")
    chatter.decoder.guesses = lookup.pays(chatter.decoder.way, compute)
    for name, folder in (beside or {}).items():
        if root != path or model.adapter_base(folder).resolve() != root.resolve():
            raise UserError(
                f"The adapter in {folder} was trained on another base than {path}.", "Serve its base, or it alone."
            )
        chatter.beside(name, folder)
    return chatter


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
