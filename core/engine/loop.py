"""The training loop, read from top to bottom: what happens in a run, in the order in which it happens.

One optimizer step trains on batch.micro x batch.accumulation sequences, for any number of processes: they share them out,
so that one process and two give the same losses. The loss is the mean over all trained tokens of the step, counted before the
first backward pass, so that accumulation is the same computation as a larger batch. It refuses to go on with a number that is not finite.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from core.engine import checkpoint, data, model, optim, template
from core.engine.compute import Compute, choose, describe
from core.engine.parallel import Group, check_mode
from core.errors import UserError
from core.training.config import RunConfig, to_mapping

VALIDATION_SEQUENCES = 128


class Monitor(Protocol):
    """Where a run tells how it goes and hears that it should stop; a job's WorkerContext is one."""

    def event(self, kind: str, /, **fields: object) -> None: ...

    def progress(self, done: int, total: int | None = None) -> None: ...

    def should_stop(self) -> bool: ...

    def checkpoint_requested(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Result:
    """steps done, the last step's loss and the last validation loss (None without validation rows), checkpoints on disk."""

    steps: int
    final_loss: float
    validation: float | None
    checkpoints: tuple[Path, ...]
    stopped: bool


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

    if config.data.objective == "sft" and not any(ends_with_mark(tokenizer, item) for item in train.documents):
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


def train(
    config: RunConfig, base: Path, snapshot: Path, output: Path, *, run: str, monitor: Monitor, group: Group
) -> Result:
    """Train, and write checkpoints into `output`, from which a second call with the same arguments goes on.

    base: a model folder or a checkpoint. snapshot: a folder with train.jsonl and validation.jsonl. Raises UserError.
    """
    prepared = prepare(config, base, snapshot, run, monitor, group.rank)
    student, compute = prepared.student, prepared.compute
    size = config.batch.micro * config.batch.accumulation
    steps = total_steps(config, len(prepared.train.members))
    parameters = [parameter for _, parameter in student.trainable()]
    optimizer = optim.adamw(
        student.trainable(),
        learning_rate=config.optimizer.learning_rate,
        weight_decay=config.optimizer.weight_decay,
    )
    if group.first:
        checkpoint.sweep(output)
    start = resume(output, prepared, optimizer, monitor)
    loss = validation_loss = math.nan
    if start in (0, steps):
        validation_loss = validate(prepared, 0, config, monitor, group)
    monitor.progress(start, steps)
    stopped = False
    saved = done = start

    for step in range(start, steps):
        began = time.perf_counter()
        chosen = prepared.train.at(step, size)
        trained = prepared.train.targets(chosen)
        rate = config.optimizer.learning_rate * optim.factor(
            step, steps, schedule=config.optimizer.schedule, rise=config.optimizer.warmup_steps(steps)
        )
        optim.set_learning_rate(optimizer, rate)

        student.model.train()
        summed = 0.0
        for micro in data.share(chosen, group.rank, group.size, config.batch.micro):
            seed_dropout(config.seed, step, micro)
            batch = prepared.train.collate(micro, pad_id(student)).to(compute.device)
            micro_loss = student.loss(batch, compute)
            (micro_loss / trained).backward()  # type: ignore[no-untyped-call]
            summed += micro_loss.item()
        group.add_gradients(parameters)
        loss = group.total(summed) / trained
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.optimizer.clip or math.inf))
        check_finite(step + 1, loss, norm, output)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done = step + 1

        tokens = sum(prepared.train.length(sequence) for sequence in chosen)
        seconds = time.perf_counter() - began
        monitor.event(
            "step",
            step=done,
            loss=round(loss, 6),
            lr=rate,
            grad_norm=round(norm, 6),
            tokens=tokens,
            tokens_per_second=round(tokens / seconds, 1),
        )
        monitor.progress(done, steps)
        if config.validation.every and (done % config.validation.every == 0 or done == steps):
            validation_loss = validate(prepared, done, config, monitor, group)
        stopped = group.any(monitor.should_stop())
        asked = group.any(monitor.checkpoint_requested())
        if stopped or asked or done == steps or (config.checkpoints.every and done % config.checkpoints.every == 0):
            save(output, done, prepared, optimizer, config, monitor, group)
            saved = done
        if stopped:
            break

    if saved != done:
        save(output, done, prepared, optimizer, config, monitor, group)
    paths = tuple(item.path for item in checkpoint.list_checkpoints(output))
    return Result(done, loss, None if math.isnan(validation_loss) else validation_loss, paths, stopped)


def validate(prepared: Prepared, step: int, config: RunConfig, monitor: Monitor, group: Group) -> float:
    """Mean loss over the trained tokens of the (first) validation sequences; nan when there are none."""
    held = prepared.validation
    if held is None:
        return math.nan
    chosen = sorted(range(min(len(held.members), VALIDATION_SEQUENCES)), key=held.length)
    prepared.student.model.eval()
    summed = 0.0
    with torch.no_grad():
        for micro in data.share(chosen, group.rank, group.size, config.batch.micro):
            batch = held.collate(micro, pad_id(prepared.student)).to(prepared.compute.device)
            summed += prepared.student.loss(batch, prepared.compute).item()
    loss = group.total(summed) / held.targets(chosen)
    monitor.event("validation", step=step, loss=round(loss, 6), sequences=len(chosen))
    return loss


def save(
    output: Path,
    step: int,
    prepared: Prepared,
    optimizer: torch.optim.Optimizer,
    config: RunConfig,
    monitor: Monitor,
    group: Group,
) -> None:
    """Rank 0 writes; the others wait, so that none runs into a failure of the first one's disk a step later."""
    if group.first:
        path = checkpoint.save(
            output, step, prepared.student, optimizer, prepared.identity, keep=config.checkpoints.keep
        )
        monitor.event("checkpoint", step=step, path=str(path))
    group.wait()


def resume(output: Path, prepared: Prepared, optimizer: torch.optim.Optimizer, monitor: Monitor) -> int:
    """Load the newest checkpoint in `output`, if any, and return its step. Raises UserError when data or model have changed."""
    found = checkpoint.list_checkpoints(output)
    if not found:
        return 0
    newest = found[-1]
    for key, what in (("start_hash", "base model"), ("data_hash", "training data"), ("template_hash", "chat template")):
        if newest.note.get(key) != prepared.identity[key]:
            raise UserError(
                f"{newest.path.name} cannot be resumed from: the {what} has changed since.",
                "Put it back as it was, or start a new run.",
            )
    checkpoint.restore(newest, prepared.student, optimizer)
    monitor.event("message", text=f"Going on after step {newest.step:,}.", step=newest.step)
    return newest.step


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


def total_steps(config: RunConfig, sequences: int) -> int:
    """budget.steps, or as many steps as budget.epochs passes over the data take."""
    if config.budget.epochs is not None:
        return max(1, math.ceil(config.budget.epochs * sequences / (config.batch.micro * config.batch.accumulation)))
    assert config.budget.steps is not None
    return config.budget.steps


def seed_dropout(seed: int, step: int, sequences: Sequence[int]) -> None:
    """Random numbers of a micro-batch from what it is, not from what ran before: resuming needs no generator state."""
    torch.manual_seed(hash((seed, step, *sequences)) & (2**63 - 1))


def check_finite(step: int, loss: float, norm: float, output: Path) -> None:
    """Stop before a weight is spoilt. Raises UserError."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    what = "loss" if not math.isfinite(loss) else "gradient norm"
    older = checkpoint.list_checkpoints(output)
    kept = f" The checkpoint of step {older[-1].step:,} is intact." if older else ""
    raise UserError(
        f"The {what} became {loss if what == 'loss' else norm} at step {step:,}, so the run was stopped.{kept}",
        "Lower optimizer.learning_rate (a third of it), lengthen optimizer.warmup, or set precision.dtype to fp32.",
    )


def pad_id(student: model.Student) -> int:
    """Any id will do: padding is never attended to and never trained."""
    return int(student.tokenizer.pad_token_id or 0)
