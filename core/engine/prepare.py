"""Everything before the first step: load, check, and refuse early.

Every mismatch between configuration, model and data ends here, as a sentence with what to do, before a minute of training is
spent on it. Nothing is repaired in silence: what is replaced or cut is said as an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from core.engine import attention, data, documents, model, provenance, sharding, template, token_cache
from core.engine.compute import Compute, choose, describe
from core.engine.objective import Objective, add_noise
from core.engine.parallel import Group
from core.errors import UserError
from core.training.config import RunConfig
from core.training.config_file import to_mapping
from kernels import tile, trial
from kernels.attach import attach_kernels
from kernels.reference import Terms


class Monitor(Protocol):
    """Where a run tells how it goes and hears that it should stop; a job's WorkerContext is one."""

    def event(self, kind: str, /, **fields: object) -> None: ...

    def progress(self, done: int, total: int | None = None) -> None: ...

    def should_stop(self) -> bool: ...

    def checkpoint_requested(self) -> bool: ...

    def stop_after_epoch(self) -> bool: ...

    def stopped_early(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run before its first step: everything that is computed from the request.

    sharded: every process must run the model equally often, with or without rows.
    """

    student: model.Student
    objective: Objective
    train: data.Sequences
    validation: data.Sequences | None
    compute: Compute
    sharded: bool
    identity: dict[str, Any]


def prepare(config: RunConfig, base: Path, snapshot: Path, run: str, monitor: Monitor, group: Group) -> Prepared:
    """Load and check everything. Every mismatch between configuration, model and data ends here, as a UserError."""
    compute = choose(config.precision.dtype, group.rank % config.parallel.processes)
    check_kernels(config.kernels, compute)
    torch.manual_seed(config.seed)

    tokenizer = model.load_tokenizer(base)
    if config.data.objective == "sft" and template.ensure_template(tokenizer):
        monitor.event(
            "message", text="The base has no chat template: a plain one is used and saved with the checkpoints."
        )
    if not group.first:
        group.wait()  # until rank 0 has tokenized for all
    train = load_sequences(snapshot / "train.jsonl", base, tokenizer, config, monitor)
    validation = load_validation(snapshot / "validation.jsonl", base, tokenizer, config)
    if group.first:
        group.wait()

    sharded = config.parallel.mode == "fsdp" and group.size > 1
    student = load_student(config, base, tokenizer, compute, group, sharded=sharded)
    if group.first or not sharded:
        where = Compute(torch.device("cpu"), compute.dtype) if sharded else compute
        model.probe(student, where, packing=config.data.packing, flat=config.may_be_flat)
    student.fused_head, student.flat = group.told((student.fused_head, student.flat))
    if student.flat:
        attention.attach(student.causal)
    if config.kernels == "off":
        student.fused_head = False
    try_head(student, config, compute, group, monitor)
    if config.may_be_fused:
        fuse(student, compute, group, monitor)
    objective = student.objective(compute, label_smoothing=config.method.label_smoothing)
    distribute(objective, student, config, compute, group, sharded=sharded)
    if config.method.neftune:
        add_noise(student.causal, config.method.neftune)

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
        **provenance.describe(snapshot, group.size),
    }
    return Prepared(student, objective, train, validation, compute, sharded, identity)


def distribute(
    objective: Objective, student: model.Student, config: RunConfig, compute: Compute, group: Group, *, sharded: bool
) -> None:
    """Bring the model onto this process's device, or its shard of it, ready to be trained."""
    source: dict[str, torch.Tensor] | None = None
    if sharded:
        if group.first:
            source = {name: value.detach() for name, value in sharding.tensors(objective)}
        else:
            sharding.on_no_device(objective)
        meshes = sharding.meshes(config.parallel, compute.device)
        if meshes.tensor is not None:
            sharding.split_layers(student.causal, meshes.tensor)
    sharding.recompute_activations(student.causal, config.parallel.activation_checkpointing)
    if config.parallel.compile:
        sharding.compile_layers(student.causal)
    if sharded:
        if meshes.data is not None:
            sharding.shard(objective, student.causal, config.parallel, compute, meshes.data)
        sharding.spread(objective, source, compute.device, offload=config.parallel.offload)


def load_sequences(path: Path, base: Path, tokenizer: Any, config: RunConfig, monitor: Monitor) -> data.Sequences:
    """The training sequences. Raises UserError naming the first row that would teach nothing."""
    good, bad = documents.split_refusals(token_cache.load(path, base, tokenizer, config.data))
    documents.refuse(bad, path.name)
    if not good:
        raise UserError("The snapshot has no sample to train on.", "Create a snapshot from a query that finds samples.")
    cut = sum(document.cut > 0 for document in good)
    if cut:
        monitor.event("message", text=f"{cut:,} of {len(good):,} samples are cut at {config.data.max_length:,} tokens.")
    return data.sequences(
        good,
        packing=config.data.packing,
        max_length=config.data.max_length,
        seed=config.seed,
    )


def load_validation(path: Path, base: Path, tokenizer: Any, config: RunConfig) -> data.Sequences | None:
    """The validation sequences, one document each; rows that teach nothing cannot be measured and are left out."""
    if not path.exists() or not config.validation.every:
        return None
    good, _ = documents.split_refusals(token_cache.load(path, base, tokenizer, config.data))
    return data.sequences(good, packing=False, max_length=config.data.max_length, seed=config.seed) if good else None


def load_student(
    config: RunConfig, base: Path, tokenizer: Any, compute: Compute, group: Group, *, sharded: bool
) -> model.Student:
    """The base with a new adapter, or with the adapter of the checkpoint `base` to go on from, or all of it trainable.

    Of a sharded run rank 0 loads into main memory, and the others make the shape alone.
    """
    lora = config.method.kind == "lora"
    continued = model.is_adapter(base)
    root = model.adapter_base(base) if continued else base
    dtype = compute.dtype if lora else torch.float32
    hollow = sharded and not group.first
    if hollow:
        causal = model.shape_of(root, dtype)
    else:
        causal = model.load_causal(root, dtype, torch.device("cpu") if sharded else compute.device)
    model.check_vocabulary(causal, tokenizer, base)
    check_length(causal, config)
    if not lora:
        if continued:
            raise UserError(
                'method.kind = "full" cannot go on from a LoRA checkpoint.', 'Use "lora", or start from a whole model.'
            )
        return model.Student(causal, causal, tokenizer, "full")
    if continued:
        wrapped = model.open_adapter(causal, base, trainable=True, values=not hollow)
        wrapped.peft_config["default"].base_model_name_or_path = str(root)
        if wrapped.peft_config["default"].r != config.method.rank:
            raise UserError(
                f"method.rank is {config.method.rank}, but the checkpoint has rank {wrapped.peft_config['default'].r}.",
                "Use the checkpoint's rank.",
            )
    else:
        wrapped = model.attach_lora(causal, base=root, method=config.method)
    return model.Student(wrapped, causal, tokenizer, "lora")


def fuse(student: model.Student, compute: Compute, group: Group, monitor: Monitor) -> None:
    """Put our operations into the model, the same ones on every process: the first tries them, for it always has values."""
    given = attention.for_a_trial(compute.device) if student.flat else {}
    report = attach_kernels(student.model, dtype=compute.dtype, attention=given) if group.first else None
    ways = group.told(report.ways if report else {})
    if report is None:
        attach_kernels(student.model, ways, dtype=compute.dtype)
    else:
        why = tile.why_not(compute.device) if compute.device.type == "cuda" else ""
        monitor.event("message", text=f"{report.sentence()} {why and f'Plain torch computes them: {why}.'}".rstrip())


def try_head(student: model.Student, config: RunConfig, compute: Compute, group: Group, monitor: Monitor) -> None:
    """Keep to the model's own head where the GPU program of ours fails: the first process tries it for all."""
    if not student.fused_head:
        return
    wrong = ""
    if group.first:
        vocabulary = student.causal.get_output_embeddings().weight.shape[0]
        terms = Terms(config.method.label_smoothing, softcap=student.softcap)
        wrong = trial.head_difference(vocabulary, compute.dtype, compute.device, terms)
    if wrong := group.told(wrong):
        student.fused_head = False
        monitor.event("message", text=f"The output head is the model's own, which takes more memory: of ours, {wrong}.")


def ends_with_mark(tokenizer: Any, document: documents.Document) -> bool:
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
    if kernels == "on" and (why := tile.why_not(compute.device)):
        raise UserError(
            f'kernels = "on" asks for Triton on an NVIDIA GPU, and {why}.',
            'Use kernels = "auto": the same operations in plain torch.',
        )
