"""Everything before the first step: load, check, and refuse early.

Every mismatch between configuration, model and data ends here, as a sentence with what to do, before a minute of training is
spent on it. Nothing is repaired in silence: what is replaced or cut is said as an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from core.engine import data, model, template
from core.engine.compute import Compute, choose, describe
from core.engine.parallel import check_mode
from core.errors import UserError
from core.training.config import RunConfig
from core.training.config_file import to_mapping


class Monitor(Protocol):
    """Where a run tells how it goes and hears that it should stop; a job's WorkerContext is one."""

    def event(self, kind: str, /, **fields: object) -> None: ...

    def progress(self, done: int, total: int | None = None) -> None: ...

    def should_stop(self) -> bool: ...

    def checkpoint_requested(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run before its first step: everything that is computed from the request."""

    student: model.Student
    train: data.Sequences
    validation: data.Sequences | None
    compute: Compute
    identity: dict[str, Any]


def prepare(config: RunConfig, base: Path, snapshot: Path, run: str, monitor: Monitor, rank: int = 0) -> Prepared:
    """Load and check everything. Every mismatch between configuration, model and data ends here, as a UserError."""
    check_mode(config.parallel.mode, config.parallel.processes, offload=config.parallel.offload)
    compute = choose(config.precision.dtype, rank)
    check_kernels(config.kernels, compute)
    torch.manual_seed(config.seed)

    tokenizer = model.load_tokenizer(base)
    if config.data.objective == "sft" and template.ensure_template(tokenizer):
        monitor.event(
            "message", text="The base has no chat template: a plain one is used and saved with the checkpoints."
        )
    train = load_sequences(snapshot / "train.jsonl", tokenizer, config, monitor)
    validation = load_validation(snapshot / "validation.jsonl", tokenizer, config)
    student = load_student(config, base, tokenizer, compute)
    model.probe(student, compute, packing=config.data.packing)
    if config.kernels == "off":
        student.fused_head = False

    uncut = [item for item in train.documents if not item.cut]
    if config.data.objective == "sft" and uncut and not any(ends_with_mark(tokenizer, item) for item in uncut):
        monitor.event("message", text="No answer is trained with an end mark, so the student may not learn to stop.")
    if compute.note:
        monitor.event("message", text=compute.note)
    trainable = sum(parameter.numel() for _, parameter in student.trainable())
    monitor.event(
        "message",
        text=f"{len(train.documents):,} documents in {len(train.members):,} sequences; "
        f"{trainable:,} trainable parameters; {describe()}, {str(compute.dtype).removeprefix('torch.')}.",
    )
    root = model.adapter_base(base) if model.is_adapter(base) else base
    identity = {
        "run": run,
        "kind": config.method.kind,
        "base": str(root),
        "base_hash": model.fingerprint(root),
        "start": str(base),
        "start_hash": model.fingerprint(base),
        "template_hash": template.template_hash(tokenizer),
        "vocabulary": len(tokenizer),
        "data_hash": train.fingerprint(),
        "config": to_mapping(config),
    }
    return Prepared(student, train, validation, compute, identity)


def load_sequences(path: Path, tokenizer: Any, config: RunConfig, monitor: Monitor) -> data.Sequences:
    """The training sequences. Raises UserError naming the first row that would teach nothing."""
    good, bad = data.split_refusals(
        data.documents(data.read_rows(path), tokenizer, config.data.objective, config.data.max_length)
    )
    data.refuse(bad, path.name)
    if not good:
        raise UserError("The snapshot has no sample to train on.", "Create a snapshot from a query that finds samples.")
    cut = sum(document.cut > 0 for document in good)
    if cut:
        monitor.event("message", text=f"{cut:,} of {len(good):,} samples are cut at {config.data.max_length:,} tokens.")
    return data.sequences(good, packing=config.data.packing, max_length=config.data.max_length, seed=config.seed)


def load_validation(path: Path, tokenizer: Any, config: RunConfig) -> data.Sequences | None:
    """The validation sequences, one document each; rows that teach nothing cannot be measured and are left out."""
    if not path.exists() or not config.validation.every:
        return None
    good, _ = data.split_refusals(
        data.documents(data.read_rows(path), tokenizer, config.data.objective, config.data.max_length)
    )
    return data.sequences(good, packing=False, max_length=config.data.max_length, seed=config.seed) if good else None


def load_student(config: RunConfig, base: Path, tokenizer: Any, compute: Compute) -> model.Student:
    """The base with a new adapter, or with the adapter of the checkpoint `base` to go on from, or all of it trainable."""
    lora = config.method.kind == "lora"
    continued = model.is_adapter(base)
    root = model.adapter_base(base) if continued else base
    causal = model.load_causal(root, compute.dtype if lora else torch.float32, compute.device)
    model.check_vocabulary(causal, tokenizer, base)
    check_length(causal, config)
    if config.parallel.activation_checkpointing != "none":
        with model.quiet():
            causal.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if not lora:
        if continued:
            raise UserError(
                'method.kind = "full" cannot go on from a LoRA checkpoint.', 'Use "lora", or start from a whole model.'
            )
        return model.Student(causal, causal, tokenizer, "full")
    if continued:
        wrapped = model.open_adapter(causal, base, trainable=True)
        wrapped.peft_config["default"].base_model_name_or_path = str(root)
        if wrapped.peft_config["default"].r != config.method.rank:
            raise UserError(
                f"method.rank is {config.method.rank}, but the checkpoint has rank {wrapped.peft_config['default'].r}.",
                "Use the checkpoint's rank.",
            )
    else:
        wrapped = model.attach_lora(
            causal,
            base=root,
            rank=config.method.rank,
            alpha=config.method.alpha,
            dropout=config.method.dropout,
            targets=config.method.targets,
        )
    return model.Student(wrapped, causal, tokenizer, "lora")


def ends_with_mark(tokenizer: Any, document: data.Document) -> bool:
    """Whether the last trained token of a document is a special one, such as <|im_end|>."""
    return int(document.ids[document.trained][-1]) in tokenizer.all_special_ids


def check_length(causal: Any, config: RunConfig) -> None:
    """A sequence longer than the model's positions teaches nothing good."""
    limit = causal.config.to_dict().get("max_position_embeddings")
    if limit is not None and config.data.max_length > limit:
        raise UserError(
            f"data.max_length is {config.data.max_length:,}, but the model has {limit:,} positions.",
            f"Set max_length to {limit} or less.",
        )


def check_kernels(kernels: str, compute: Compute) -> None:
    """`kernels = "on"` asks for the Triton kernels, and refuses to run without them."""
    if kernels != "on":
        return
    if compute.device.type != "cuda":
        raise UserError('kernels = "on" needs an NVIDIA GPU, and this machine has none.', 'Use kernels = "auto".')
    raise UserError("The Triton kernels are not built yet.", 'Use kernels = "auto": the chunked torch operations.')
