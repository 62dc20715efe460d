"""Checkpoints: a folder that is whole or absent, loads anywhere as a PEFT adapter (or a model), and lets a run go on
to the same digits, on as many processes as one likes.

    checkpoint-000100/  adapter_model.safetensors + adapter_config.json   (full training: model.safetensors + config.json)
                        tokenizer files, gosmith.json (where it comes from), optimizer-*.safetensors (what resuming needs)

Tensors are stored whole, whatever shards they were trained in. Random numbers, learning rate and data position are functions
of the seed and the step, so nothing else is kept. Nothing is pickled. A save goes to a temporary folder, is read again (its check
sums go into gosmith.json), flushed and renamed; older checkpoints go only after that.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.engine import optim
from core.engine.model import Student
from core.engine.parallel import Group
from core.engine.sharding import set_values, whole
from core.errors import UserError
from core.files import write_json

PREFIX = "checkpoint-"
PIECE = 4 << 30
"""Bytes of optimizer state in memory at a time, and in one file."""
BESIDES = 64 << 20
"""Bytes that tokenizer, settings and the file system take beside weights and moments."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on disk. note: the contents of gosmith.json."""

    path: Path
    step: int
    note: dict[str, Any]

    @property
    def validation(self) -> float:
        """The validation loss it was saved with; infinity when it was not measured."""
        value = self.note.get("validation_loss")
        return float(value) if isinstance(value, int | float) else math.inf


def save(
    folder: Path,
    step: int,
    student: Student,
    optimizer: torch.optim.Optimizer,
    note: dict[str, Any],
    group: Group,
    *,
    keep: int,
    best: bool = False,
) -> Path:
    """Write checkpoint `step` into `folder`, then drop all but the newest `keep` and, with `best`, the best one.

    Every process must call it; rank 0 writes. Raises UserError there when the disk refuses.
    """
    target = folder / f"{PREFIX}{step:06d}"
    temporary = _hidden(target, "part")
    try:
        if group.first:
            make_room(folder, _size(student, optimizer), keep_best=best)
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
        _write_weights(temporary, student, group)
        _write_optimizer(temporary, student, optimizer, group)
        if group.first:
            student.tokenizer.save_pretrained(temporary)
            sums = {file.name: [file.stat().st_size, _sum(file)] for file in sorted(temporary.iterdir())}
            write_json(temporary / "gosmith.json", {"format": 2, "step": step, **note, "files": sums})
            for file in temporary.iterdir():
                _flush(file)
            if target.exists():
                discard(target)
            os.replace(temporary, target)
            _flush(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise UserError(
            f"The checkpoint of step {step:,} could not be written: {_reason(error)}. {_kept(folder)}",
            "Free some disk space, then resume the run.",
        ) from error
    if group.first:
        for old in superfluous(list_checkpoints(folder), keep=keep, best=best):
            discard(old.path)
    group.wait()
    return target


def list_checkpoints(folder: Path) -> list[Saved]:
    """Complete checkpoints, oldest first. A folder that another program damaged is left out."""
    found = []
    for path in folder.glob(f"{PREFIX}*"):
        try:
            note = json.loads((path / "gosmith.json").read_text(encoding="utf-8"))
            found.append(Saved(path, int(note["step"]), note))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda saved: saved.step)


def superfluous(found: list[Saved], *, keep: int, best: bool) -> list[Saved]:
    """All but the newest `keep` and, with `best`, the one with the lowest validation loss."""
    finest = min(found, key=lambda saved: saved.validation, default=None) if best else None
    return [saved for saved in found[:-keep] if saved is not finest or math.isinf(saved.validation)]


def make_room(folder: Path, needed: int, *, keep_best: bool) -> None:
    """Drop older checkpoints, but never the newest (nor the best), until `needed` bytes are free. Raises OSError when they are not."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in superfluous(list_checkpoints(folder), keep=1, best=keep_best):
        if shutil.disk_usage(folder).free >= needed:
            return
        discard(old.path)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(f"it needs {needed / 2**30:.2f} GiB, and {free / 2**30:.2f} GiB are free on this disk")


def discard(path: Path) -> None:
    """Remove a checkpoint, from the list at once: a process killed meanwhile leaves no half of one that looks whole."""
    gone = _hidden(path, "gone")
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):  # a person was quicker
        os.replace(path, gone)
    shutil.rmtree(gone, ignore_errors=True)


@contextlib.contextmanager
def at_hand(saved: Saved, folder: Path, group: Group) -> Iterator[Saved]:
    """A checkpoint of rank 0's for as long as it is read: other machines are sent a copy, which they keep in `folder` meanwhile.

    Every process must call it.
    """
    if group.nodes == 1:
        yield saved
        return
    here = Saved(saved.path if group.node == 0 else _hidden(folder / saved.path.name, "sent"), saved.step, saved.note)
    receives = group.first_here and not group.first
    if receives:
        shutil.rmtree(here.path, ignore_errors=True)
        here.path.mkdir(parents=True)
    for name, (size, _) in saved.note["files"].items():
        with open(here.path / name, "wb") if receives else open(os.devnull, "wb") as file:
            for piece in group.pieces(saved.path / name, size):
                file.write(piece)
    group.wait()
    yield here
    group.wait()
    if receives:
        shutil.rmtree(here.path)


def sweep(folder: Path) -> None:
    """Remove what a killed process left half written or half removed."""
    for path in folder.glob(f".{PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


def _hidden(path: Path, state: str) -> Path:
    """Where a checkpoint lies while it is written or removed: beside its place, under a name that no list shows."""
    return path.with_name(f".{path.name}.{state}")


def damage(saved: Saved) -> str:
    """What is wrong with the files of a checkpoint, to end a sentence with; "" when they are as they were written."""
    for name, (size, total) in saved.note.get("files", {}).items():
        file = saved.path / name
        try:
            if file.stat().st_size != size:
                return f"{name} has {file.stat().st_size:,} bytes, not {size:,}"
            if _sum(file) != total:
                return f"{name} is not what was written: its check sum differs"
        except OSError as error:
            return f"{name} cannot be read: {_reason(error)}"
    return ""


def restore(saved: Saved, student: Student, optimizer: torch.optim.Optimizer) -> None:
    """Put a checkpoint's weights and optimizer state into a student and an optimizer of the same shape, sharded or not.

    Every process reads what it needs. Raises UserError.
    """
    try:
        parameters = dict(student.model.named_parameters())
        if student.kind == "lora":
            targets: Mapping[str, Tensor] = {name: parameters[own] for own, name in _adapter_names(student).items()}
        else:
            targets = {name: student.causal.get_parameter(name) for name in _names(saved.path / "model.safetensors")}
        with safe_open(saved.path / weights_file(student.kind), framework="pt") as file:
            if set(file.keys()) != set(targets):
                raise ValueError(f"it has other tensors than this model: {sorted(set(file.keys()) ^ set(targets))[0]}")
            for name, target in targets.items():
                set_values(target, file.get_tensor(name))
        optim.load_state_tensors(optimizer, student.trainable(), _optimizer_tensors(saved.path))
    except (OSError, SafetensorError, RuntimeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{saved.path.name} cannot be resumed from: {_reason(error)}.",
            "Delete this checkpoint to go on from the one before it.",
        ) from error


def weights_file(kind: str) -> str:
    """The file that holds the weights of a checkpoint."""
    return "adapter_model.safetensors" if kind == "lora" else "model.safetensors"


def _names(path: Path) -> list[str]:
    with safe_open(path, framework="pt") as file:
        return list(file.keys())


def _optimizer_tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    for path in sorted(folder.glob("optimizer*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - no mapping
                yield name, file.get_tensor(name)


def _write_weights(folder: Path, student: Student, group: Group) -> None:
    if student.kind == "lora":
        names = _adapter_names(student)
        tensors = {
            names[name]: whole(parameter, keep=group.first).contiguous() for name, parameter in student.trainable()
        }
        if group.first:
            save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
            config = student.model.peft_config["default"]
            inference, config.inference_mode = config.inference_mode, True
            config.save_pretrained(folder)
            config.inference_mode = inference
        return
    state = {name: whole(tensor, keep=group.first) for name, tensor in student.causal.named_parameters()}
    state |= {
        name: whole(tensor, keep=group.first)
        for name, tensor in student.causal.state_dict().items()
        if name not in state and not _is_tied(student, name)
    }
    if group.first:
        student.causal.save_pretrained(folder, state_dict=state, max_shard_size="1TB")


def _is_tied(student: Student, name: str) -> bool:
    """Whether a name of the state is a second name of a parameter: the head that is the embedding."""
    try:
        student.causal.get_parameter(name)
    except AttributeError:
        return False
    return True


def _adapter_names(student: Student) -> dict[str, str]:
    """Name of each trained parameter -> its name in PEFT's file. PEFT itself translates: it is given numbers for tensors."""
    from peft import get_peft_model_state_dict

    own = [name for name, _ in student.trainable()]
    numbers = {name: torch.tensor(number) for number, name in enumerate(own)}
    translated = get_peft_model_state_dict(student.model, state_dict=numbers, save_embedding_layers=False)
    return {own[int(number)]: name for name, number in translated.items()}


def _write_optimizer(folder: Path, student: Student, optimizer: torch.optim.Optimizer, group: Group) -> None:
    held: dict[str, Tensor] = {}
    size = written = 0
    for name, value in optim.state_tensors(optimizer, student.trainable(), keep=group.first):
        if not group.first:
            continue
        held[name] = value.contiguous()
        size += value.nbytes
        if size >= PIECE:
            save_file(held, folder / f"optimizer-{written:05d}.safetensors")
            held, size, written = {}, 0, written + 1
    if held:
        save_file(held, folder / f"optimizer-{written:05d}.safetensors")


def _size(student: Student, optimizer: torch.optim.Optimizer) -> int:
    """Bytes that a checkpoint will take, about: the trained weights and two numbers beside each."""
    moments = 2 if isinstance(optimizer, torch.optim.AdamW) else 1
    return BESIDES + (1 + moments) * sum(parameter.numel() * 4 for _, parameter in student.trainable())


def _kept(folder: Path) -> str:
    older = list_checkpoints(folder)
    return f"{older[-1].path.name} is complete and still there." if older else "No earlier checkpoint exists."


def _sum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            total = zlib.crc32(block, total)
    return total


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if number := re.search(r"\(os error (\d+)\)", str(error)):
        return os.strerror(int(number[1]))
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
