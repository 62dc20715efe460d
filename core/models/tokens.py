"""Counting tokens as a model would, from the tokenizer in its folder alone: no weights, no torch, no template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from core.errors import UserError
from core.models.catalogue import recorded_base


def counter(model: Path) -> Callable[[Sequence[str]], Iterable[int]]:
    """A function that counts the tokens of texts with the tokenizer of a model folder; that of its base for an adapter.

    Raises UserError when there is no tokenizer.json or it cannot be read.
    """
    from tokenizers import Tokenizer  # 50 ms that only counting needs

    path = model / "tokenizer.json"
    if not path.is_file() and (model / "adapter_config.json").is_file():
        path = recorded_base(model) / "tokenizer.json"
    if not path.is_file():
        raise UserError(f"{model} has no tokenizer.json.", "Choose a model whose folder holds one.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for whatever it does not understand
        raise UserError(f"{path} cannot be read as a tokenizer: {error}", "Copy the model anew.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> Iterable[int]:
        return [len(encoded.ids) for encoded in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    return count
