"""What weight files say about themselves, from their headers alone, and which weight files are refused.

Only safetensors: a pickle can run any code when it is read. Nothing here reads a tensor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UserError

MODEL_FILE: Final = "model.safetensors"
ADAPTER_FILE: Final = "adapter_model.safetensors"
INDEX_FILE: Final = "model.safetensors.index.json"
_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_LARGEST_HEADER: Final = 100 << 20


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a weight file. dtype: as safetensors names it, such as "BF16"."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of elements."""
        product = 1
        for size in self.shape:
            product *= size
        return product


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, all shards of them.

    Raises UserError when there are none, or pickles or GGUF only, or a shard is missing.
    """
    index = folder / INDEX_FILE
    if (folder / MODEL_FILE).is_file():
        return [folder / MODEL_FILE]
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(f"{index} is damaged.", "Copy the model again.") from None
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UserError(
                f"The model in {folder} is not whole: {missing[0]} is missing ({len(missing)} of {len(names)} weight files).",
                "Copy or download it again.",
            )
        return [folder / name for name in names]
    raise no_weights(folder, MODEL_FILE)


def has_weights(folder: Path) -> bool:
    """Are there weight files of any format, even one that is refused?"""
    return any(path.name.endswith((".safetensors", ".index.json", ".gguf", *_PICKLES)) for path in folder.iterdir())


def no_weights(folder: Path, expected: str) -> UserError:
    """Why a folder without safetensors cannot be used."""
    names = sorted(path.name for path in folder.iterdir())
    pickled = [name for name in names if name.endswith(_PICKLES)]
    if pickled:
        return UserError(
            f"The weights in {folder} are pickled ({pickled[0]}), and reading a pickle can run any code.",
            "Get the model as safetensors, or convert it on a machine you can lose.",
        )
    if any(name.endswith(".gguf") for name in names):
        return UserError(f"The weights in {folder} are in GGUF format.", "Get the model as safetensors.")
    return UserError(f"There are no weights in {folder}.", f"It should hold {expected}.")


def read_header(file: Path) -> dict[str, Tensor]:
    """Tensor name -> dtype and shape. Raises UserError when the file is no safetensors file or is cut off."""
    size = file.stat().st_size
    with open(file, "rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        if start == b"version ":
            raise UserError(f"{file} is only a pointer to a large file.", "Run `git lfs pull` in its folder.")
        if len(start) < 8 or length > _LARGEST_HEADER:
            raise UserError(f"{file} is not a safetensors file.", "Copy or download it again.")
        try:
            header: dict[str, Any] = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            tensors = {name: Tensor(entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()}
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise UserError(f"{file} is not a whole safetensors file.", "Copy or download it again.") from None
    if size < 8 + length + end:
        raise UserError(
            f"{file} is cut off: {size:,} of {8 + length + end:,} bytes are there.", "Copy or download it again."
        )
    return tensors


def read_headers(folder: Path) -> dict[str, Tensor]:
    """`read_header` of all weight files of a model folder."""
    tensors: dict[str, Tensor] = {}
    for file in weight_files(folder):
        tensors.update(read_header(file))
    return tensors
