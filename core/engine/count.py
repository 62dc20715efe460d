"""What a step really allocates, counted operation by operation without allocating it: a second opinion on the closed form.

The model is built on no device, with the fused operations that the run would have; its parameters become fake tensors (shapes without
values), and the real objective and the real optimizer run over a micro-batch of the size that the plan expects. A dispatch mode adds up the storages that are alive
after each operation. So it needs neither the weights nor a GPU.

One pass suffices: it is the last micro-batch of a step that is not the first, which meets the optimizer's memory and, where there are several
micro-batches, all gradients. Every other pass of a run does the same and holds no more.

What it is not: the graph is that of one process with the whole model on a CPU. A GPU's attention keeps the same tensors, but scratch
space of libraries, fragmentation and the process itself are not in it (`core.training.memory` allows for them), nor are
optimizers that GPUs alone have.
"""

from __future__ import annotations

import functools
import math
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from core.engine import attention, gradients, model, optim, sharding
from core.engine.compute import Compute
from core.engine.data import Batch
from core.engine.objective import Objective, add_noise
from core.engine.parallel import Group
from core.errors import UserError
from core.training import memory
from core.training.config import RunConfig
from kernels.attach import attach_kernels

ONE_CALL = "documents, counted"
BLOCK = 512
"""Bytes to which torch's allocator rounds on a GPU."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Bytes. weights: of the model as loaded, with its adapter. kept: between two steps, with the optimizer's memory. peak: the most.

    seconds: what the counting took.
    """

    weights: int
    kept: int
    peak: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pretended(Compute):
    """A CPU that makes its logits in chunks of the size that the real device would. budget: bytes."""

    budget: int = memory.CPU_LOGITS

    @property
    def logits_budget(self) -> int:
        """Bytes of logits at a time."""
        return self.budget


def count(config: RunConfig, folder: Path, load: memory.Load) -> Counted:
    """Count a step of `config` for a model folder, of which config.json alone is read, with micro-batches like `load`.

    Raises UserError when the folder's model is unknown to transformers, or its optimizer has nothing to count on a CPU.
    """
    began = time.perf_counter()
    if config.optimizer.name == "adamw8bit":
        raise UserError("adamw8bit runs on a GPU only, so it cannot be counted.", "Trust the forecast, or count adamw.")
    compute = Pretended(torch.device("cpu"), _dtype(config, load), "", memory.logits_budget(load))
    student, objective = _build(config, folder, compute, load)
    with FakeTensorMode(), Counter() as counter, _packed(load.packed and not load.flat):
        _fake(objective)
        trained = student.trainable()
        weights = counter.live
        optimizer = optim.make(trained, config.optimizer)
        for group in optimizer.param_groups:
            if load.gpu and group.get("foreach", True) is None and not group.get("fused"):
                group["foreach"] = True  # as torch chooses on a GPU
        parameters = [parameter for _, parameter in trained]
        objective.train()
        _first_step(optimizer, parameters)
        if load.batches == 1:
            optimizer.zero_grad(set_to_none=True)
        (objective(_batch(load)) * 1.0).backward()
        gradients.norm(parameters, Group())
        gradients.scale(parameters, 0.5)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return Counted(weights, counter.live, counter.peak, time.perf_counter() - began)


def _first_step(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    """Leave behind what any step but the first meets: the optimizer's memory, and gradients as earlier micro-batches leave them."""
    for parameter in parameters:
        parameter.grad = torch.empty_like(parameter)
    optimizer.step()


def _dtype(config: RunConfig, load: memory.Load) -> torch.dtype:
    if memory.number_bytes(config, load) == 4:
        return torch.float32
    return torch.float16 if config.precision.dtype == "fp16" else torch.bfloat16


def _build(config: RunConfig, folder: Path, compute: Compute, load: memory.Load) -> tuple[model.Student, Objective]:
    from transformers import AutoConfig, AutoModelForCausalLM

    lora = config.method.kind == "lora"
    try:
        shape = AutoConfig.from_pretrained(folder, **model.NEVER_CODE)
        with torch.device("meta"):
            causal = AutoModelForCausalLM.from_config(shape, dtype=compute.dtype if lora else torch.float32)
            causal.config.use_cache = False
            tuned = model.attach_lora(causal, base=folder, method=config.method) if lora else causal
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"The model in {folder} cannot be counted: {error}", "Use the forecast.") from error
    if load.flat:
        attention.attach(causal)
        if load.gpu:
            _attend_as_a_gpu(causal)
    if load.gpu:
        _drop_as_a_gpu(tuned)
    if config.may_be_fused:
        attach_kernels(tuned, dtype=compute.dtype, check=False)
    student = model.Student(tuned, causal, None, config.method.kind, fused_head=config.kernels != "off")
    objective = student.objective(compute, label_smoothing=config.method.label_smoothing)
    sharding.recompute_activations(causal, config.parallel.activation_checkpointing)
    if config.method.neftune:
        add_noise(causal, config.method.neftune)
    return student, objective


def _fake(module: nn.Module) -> None:
    """Give every parameter and buffer a fake tensor on the CPU; what was one tensor with two names stays one."""
    made: dict[int, nn.Parameter] = {}
    for part in list(module.modules()):
        for name, parameter in list(part.named_parameters(recurse=False)):
            if id(parameter) not in made:
                empty = torch.empty(parameter.shape, dtype=parameter.dtype, device="cpu")
                made[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
            part.register_parameter(name, made[id(parameter)])
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, torch.empty(buffer.shape, dtype=buffer.dtype, device="cpu"))


def _attend_as_a_gpu(causal: Any) -> None:
    """All documents in one call, which keeps copies of keys and values for every head: see `core.engine.attention`."""
    from transformers import AttentionInterface

    AttentionInterface.register(ONE_CALL, _one_call)
    causal.set_attn_implementation(ONE_CALL)


def _one_call(
    module: Any, query: Tensor, key: Tensor, value: Tensor, _mask: Tensor | None, **_others: Any
) -> tuple[Tensor, None]:
    repeats = query.shape[1] // key.shape[1]
    if repeats > 1:
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    return nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2), None


def _drop_as_a_gpu(tuned: nn.Module) -> None:
    """Dropout that keeps a byte for each number it was asked about, where a CPU's keeps a number."""
    for part in tuned.modules():
        if isinstance(part, nn.Dropout) and part.p > 0:
            part.forward = functools.partial(_dropped, part.p)  # type: ignore[method-assign]


def _dropped(share: float, x: Tensor) -> Tensor:
    return torch.native_dropout(x, share, True)[0]


def _batch(load: memory.Load) -> Batch:
    shape: tuple[int, int] = (load.rows, load.width)
    lengths: tuple[int, ...] = ()
    if load.flat:
        shape, lengths = (1, load.tokens), (load.width,) * load.rows
    ids, positions, targets = (torch.zeros(shape, dtype=torch.int64) for _ in range(3))
    return Batch(ids, positions, targets, lengths)


@contextmanager
def _packed(packed: bool) -> Iterator[None]:
    """Fake positions have no values by which transformers could tell packed rows from plain ones: say which they are."""
    from transformers import masking_utils

    if packed:
        yield
        return
    before = masking_utils.find_packed_sequence_indices
    masking_utils.find_packed_sequence_indices = lambda position_ids: None
    try:
        yield
    finally:
        masking_utils.find_packed_sequence_indices = before


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages that are alive. live, peak: bytes.

    Operations whose result depends on values are answered as if every token were trained and every number were one.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.prim.device.default:
            return args[0].fake_device  # the most frequent question, and the dearest when it goes on to the next mode
        answer = _VALUES.get(func)
        result = answer(args[0]) if answer else func(*args, **(kwargs or {}))
        for value in _tensors(result):
            self._meet(value)
        return result

    def _meet(self, value: Tensor) -> None:
        storage = value.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = math.ceil(storage.nbytes() / BLOCK) * BLOCK
        self._known[key] = size
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.live -= self._known.pop(key, 0)


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for item in result:
            yield from _tensors(item)


_VALUES: dict[Any, Callable[[Tensor], Any]] = {
    torch.ops.aten._local_scalar_dense.default: lambda value: 1.0 if value.is_floating_point() else 1,
    torch.ops.aten.nonzero.default: lambda value: torch.empty((value.numel(), value.ndim), dtype=torch.int64),
    torch.ops.aten.bincount.default: lambda value: torch.empty(value.shape, dtype=torch.int64),
}
