"""From what a person writes for a model to a folder that will load: every refusal happens here, before a job starts.

Never the network, never code from a model's folder, never pickled weights.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.models.catalogue import STARTER, Model, checkpoints, describe, list_models
from core.models.shape import read_config
from core.models.weights import ADAPTER_FILE, read_header, read_headers
from core.paths import resources


def resolve(reference: str, models_dir: Path, jobs_dir: Path) -> Model:
    """The model meant by `reference`, checked: weights whole and safe, tokenizer there, adapter and base belong together.

    reference: a name from `list_models`, "starter", a job id (its newest checkpoint) or <job id>/step-100, a folder, or a
    hub id that lies in the local cache. Raises UserError naming what is wrong, or the nearest name.
    """
    model = _find(reference.strip(), models_dir, jobs_dir)
    if model.base is None:
        _check_model(model.path, model.path)
    else:
        if not model.base.is_dir():
            raise UserError(
                f"The base of {model.name} is no longer at {model.base}.", "Put the model back there, or train again."
            )
        _check_model(model.base, model.path if _has_tokenizer(model.path) else model.base)
        _check_adapter(model.path, model.base)
    return model


def _find(reference: str, models_dir: Path, jobs_dir: Path) -> Model:
    if not reference:
        raise UserError("No model is named.", 'Name one, such as "starter".')
    own = models_dir / reference
    if "/" not in reference and own.is_dir():
        return describe(reference, own)
    if reference == STARTER:
        if not (resources() / STARTER).is_dir():
            raise UserError("The starter model is not installed.", "Build it with `gosmith starter build`.")
        return describe(STARTER, resources() / STARTER)
    path = Path(reference).expanduser()
    if path.is_dir() and (path.is_absolute() or "/" in reference):
        return describe(path.name, path.resolve())
    if path.is_absolute() or reference.startswith((".", "~")):
        what = "is not a folder" if path.exists() else "does not exist"
        raise UserError(f"{path} {what}.", "Choose the folder that holds config.json.")
    job, _, rest = reference.partition("/")
    if (jobs_dir / job).is_dir():
        return _of_run(jobs_dir, job, rest)
    named = [model for model in list_models(models_dir, jobs_dir) if model.name == reference]
    if len(named) == 1:
        return describe(reference, named[0].path, run=named[0].run, step=named[0].step)
    if named:
        raise UserError(
            f"{len(named)} runs have saved a “{reference}”.", f"Name the run: {named[0].run}/step-{named[0].step}."
        )
    if re.fullmatch(r"[\w.-]+/[\w.-]+", reference):
        cached = _cached(reference)
        if cached is not None:
            return describe(reference, cached)
    raise _unknown(reference, models_dir, jobs_dir)


def _of_run(jobs_dir: Path, job: str, rest: str) -> Model:
    saved = checkpoints(jobs_dir / job)
    if not saved:
        raise UserError(f"The run {job} has saved no checkpoint.", "Resume it, or choose another.")
    wanted = re.fullmatch(r"(?:step-|checkpoint-|output/checkpoint-)?0*(\d+)", rest) if rest else None
    for model in saved:
        if not rest or (wanted and model.step == int(wanted[1])):
            return describe(model.name, model.path, run=model.run, step=model.step)
    steps = ", ".join(f"step-{model.step}" for model in saved)
    raise UserError(f"The run {job} has no checkpoint “{rest}”.", f"It has {steps}.")


def _unknown(reference: str, models_dir: Path, jobs_dir: Path) -> UserError:
    names = [model.name for model in list_models(models_dir, jobs_dir)]
    near = difflib.get_close_matches(reference, names, 1, cutoff=0.5)
    hint = f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(names[:8]) or 'none'}."
    if re.fullmatch(r"[\w.-]+/[\w.-]+", reference) and not near:
        return UserError(
            f"“{reference}” is neither a model of this workspace nor in the local Hugging Face cache.",
            f"Gosmith downloads nothing: fetch it with `hf download {reference}`, or give a folder.",
        )
    return UserError(f"There is no model “{reference}”.", hint)


def _cached(hub_id: str) -> Path | None:
    """The folder of a hub model in the local cache, as huggingface_hub lays it out; None when it is not there."""
    home = Path(
        os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "huggingface")
    )
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{hub_id.replace('/', '--')}"
    try:
        commit = (cache / "refs" / "main").read_text().strip()
    except OSError:
        return None
    folder = cache / "snapshots" / commit
    return folder if folder.is_dir() else None


def _check_model(path: Path, tokenizer: Path) -> None:
    """Refuse a model whose weights or tokenizer cannot be used."""
    config = read_config(path)
    read_headers(path)
    if not _has_tokenizer(tokenizer):
        raise UserError(
            f"There is no tokenizer in {tokenizer}.",
            "Copy tokenizer.json and tokenizer_config.json into the model folder.",
        )
    vocabulary, tokens = config.get("vocab_size"), _tokens(tokenizer)
    if isinstance(vocabulary, int) and tokens is not None and tokens > vocabulary:
        raise UserError(
            f"The tokenizer in {tokenizer} knows {tokens:,} tokens, but the model in {path} only {vocabulary:,}.",
            "Use the tokenizer, and for an adapter the base, that belong together.",
        )


def _has_tokenizer(path: Path) -> bool:
    return (path / "tokenizer.json").is_file()


def _tokens(folder: Path) -> int | None:
    """One more than the largest token id of tokenizer.json; None when it is laid out in an unknown way."""
    file = folder / "tokenizer.json"
    try:
        value: dict[str, Any] = json.loads(file.read_bytes())
        vocabulary = value["model"]["vocab"]
        largest = max(vocabulary.values(), default=-1) if isinstance(vocabulary, dict) else len(vocabulary) - 1
        added = (token["id"] for token in value.get("added_tokens", ()))
        return int(max(largest, *added, -1)) + 1
    except ValueError:
        raise UserError(f"{file} is no valid JSON.", "Copy the tokenizer again.") from None
    except (KeyError, TypeError, AttributeError):
        return None


def _check_adapter(path: Path, base: Path) -> None:
    """Refuse an adapter whose matrices do not fit those of the base: it was trained on another model."""
    expected = read_headers(base)
    for name, tensor in read_header(path / ADAPTER_FILE).items():
        match = re.fullmatch(r"(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.default)?\.weight", name)
        if not match:
            continue
        layer, side = match[1], match[2]
        weight = expected.get(f"{layer}.weight") or expected.get(f"{layer.removeprefix('model.')}.weight")
        if weight is None:
            raise UserError(
                f"The adapter in {path} was not made for {base}: that model has no layer {layer}.",
                "Choose its own base.",
            )
        inner = tensor.shape[1] if side == "A" else tensor.shape[0]
        if inner not in weight.shape:
            raise UserError(
                f"The adapter in {path} was not made for {base}: {layer} is {' x '.join(map(str, weight.shape))}, "
                f"the adapter expects {inner}.",
                "Choose its own base.",
            )
