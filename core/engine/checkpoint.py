"""Checkpoints: a folder that is whole or absent, loads anywhere as a PEFT adapter (or a model), and lets a run go on
to the same digits.

    checkpoint-000100/  adapter_model.safetensors + adapter_config.json   (full training: model.safetensors + config.json)
                        tokenizer files, gosmith.json (where it comes from), optimizer.safetensors (what resuming needs)

Random numbers, learning rate and data position are functions of the seed and the step, so nothing else is kept. Nothing is
pickled. A save goes to a temporary folder, is flushed, and is renamed; older checkpoints go only after that.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.engine import optim
from core.engine.model import Student
from core.errors import UserError
from core.files import write_json

PREFIX = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on disk. note: the contents of gosmith.json."""

    path: Path
    step: int
    note: dict[str, Any]


def save(
    folder: Path, step: int, student: Student, optimizer: torch.optim.Optimizer, note: dict[str, Any], *, keep: int
) -> Path:
    """Write checkpoint `step` into `folder` and drop all but the newest `keep`. Raises UserError when the disk refuses."""
    target = folder / f"{PREFIX}{step:06d}"
    temporary = folder / f".{target.name}.part"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _write_weights(temporary, student)
        student.tokenizer.save_pretrained(temporary)
        save_file(optim.state_tensors(optimizer), temporary / "optimizer.safetensors")
        write_json(temporary / "gosmith.json", {"format": 1, "step": step, **note})
        for file in temporary.iterdir():
            _flush(file)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
        _flush(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        older = list_checkpoints(folder)
        kept = f"{older[-1].path.name} is complete and still there." if older else "No earlier checkpoint exists."
        raise UserError(
            f"The checkpoint of step {step:,} could not be written: {_reason(error)}. {kept}",
            "Free some disk space, then resume the run.",
        ) from error
    for old in list_checkpoints(folder)[:-keep]:
        shutil.rmtree(old.path, ignore_errors=True)
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


def sweep(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for path in folder.glob(f".{PREFIX}*.part"):
        shutil.rmtree(path, ignore_errors=True)


def restore(saved: Saved, student: Student, optimizer: torch.optim.Optimizer) -> None:
    """Put a checkpoint's weights and optimizer state into a student and an optimizer of the same shape."""
    try:
        if student.kind == "lora":
            from peft import set_peft_model_state_dict

            set_peft_model_state_dict(student.model, load_file(saved.path / "adapter_model.safetensors"))
        else:
            tensors = load_file(saved.path / "model.safetensors")
            _, unexpected = student.causal.load_state_dict(tensors, strict=False)  # tied weights are stored once
            if unexpected:
                raise ValueError(f"unexpected tensors {unexpected[:3]}")
        optim.load_state_tensors(optimizer, load_file(saved.path / "optimizer.safetensors"))
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{saved.path.name} cannot be resumed from: {_reason(error)}.",
            "Delete this checkpoint to go on from the one before it.",
        ) from error


def _write_weights(folder: Path, student: Student) -> None:
    if student.kind == "lora":
        from peft import get_peft_model_state_dict

        tensors = get_peft_model_state_dict(student.model, save_embedding_layers=False)
        save_file(
            {name: value.detach().contiguous().cpu() for name, value in tensors.items()},
            folder / "adapter_model.safetensors",
            metadata={"format": "pt"},
        )
        config = student.model.peft_config["default"]
        inference, config.inference_mode = config.inference_mode, True
        config.save_pretrained(folder)
        config.inference_mode = inference
    else:
        student.causal.save_pretrained(folder, max_shard_size="1TB")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
