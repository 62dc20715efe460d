"""One model over several processes: shards of every layer (FSDP2), and layers split between neighbours (tensor parallel).

    mesh      replicas x shards x tensor; `tensor` neighbours see the same rows, the others share the rows out
    order     split layers, recompute activations, compile, shard layer by layer, the whole last
    loading   rank 0 reads the model, the others build its shape on no device at all; each tensor is then sent round once

Base and adapter of a layer are one unit, so that a layer is gathered once. The embedding, when it is no part of the head, is a unit of its own;
final norm and head stay gathered from the forward to the backward pass. Gradients come out as means over the processes that
share rows out, which the loop undoes; nothing of torch's divide factors is used.
Sources: fully_shard of torch 2.11 and later (Zhao et al. 2023), tensor parallel as in Shoeybi et al. 2019.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, MixedPrecisionPolicy, OffloadPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from core.engine.compute import Compute
from core.engine.objective import Objective
from core.errors import UserError
from kernels import lora, lora_mlp, lora_qkv

if TYPE_CHECKING:  # so that the engine's parts can be used where pydantic is not
    from core.training.sections import ParallelSection


@dataclass(frozen=True, slots=True)
class Meshes:
    """data: over which gradients are added and weights sharded; None when there is one data process. tensor: None for one."""

    data: DeviceMesh | None
    tensor: DeviceMesh | None


def meshes(parallel: ParallelSection, device: torch.device) -> Meshes:
    """The processes as a grid. Every process must call it."""
    sizes = (parallel.replicas, parallel.world // (parallel.replicas * parallel.tensor), parallel.tensor)
    whole = init_device_mesh(device.type, sizes, mesh_dim_names=("replicas", "shards", "tensor"))
    data = None
    if sizes[0] > 1:
        data = whole["replicas", "shards"]
    elif sizes[1] > 1:
        data = whole["shards"]
    return Meshes(data, whole["tensor"] if sizes[2] > 1 else None)


def layers_of(causal: Any) -> list[nn.Module]:
    """The decoder layers: the longest list of modules of one class. Raises UserError when there is none."""
    lists = [list(item) for item in causal.modules() if isinstance(item, nn.ModuleList) and len(item)]
    if not lists:
        raise UserError(
            "This model has no list of layers, so it cannot be sharded.", 'Use parallel.mode = "ddp" or "single".'
        )
    return max(lists, key=lambda found: sum(p.numel() for module in found for p in module.parameters()))


def recompute_activations(causal: Any, kind: str) -> None:
    """Drop activations in the forward pass and compute them again: all of a layer ("full"), or all but the products ("selective").

    Products are what is dear to compute and attention what is dear to keep whole (Korthikanti et al. 2022).
    """
    if kind == "none":
        return
    options: dict[str, Any] = {"use_reentrant": False}
    if kind == "selective":
        from torch.utils.checkpoint import create_selective_checkpoint_contexts

        options["context_fn"] = functools.partial(create_selective_checkpoint_contexts, _products())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # transformers 5.23 has another name for it, 5.17 has not
        causal.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)


def _products() -> list[Any]:
    ops = torch.ops.aten
    names = (
        "mm", "addmm", "bmm", "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_flash_attention_for_cpu",
    )  # fmt: skip
    return [
        *(getattr(ops, name).default for name in names),
        lora.forward_op.op,
        lora_mlp.forward_op.op,
        lora_qkv.forward_op.op,
    ]


def compile_layers(causal: Any) -> None:
    """torch.compile, a layer at a time: all layers are alike, so one compilation serves them all."""
    for layer in layers_of(causal):
        layer.compile(dynamic=True)


def split_layers(causal: Any, mesh: DeviceMesh) -> None:
    """Split linear layers over neighbours by the plan that transformers has for this model. Raises UserError without one.

    An adapter is split with its layer: of a column-split layer lora_B by columns, of a row-split one lora_A by rows; the other half is
    whole on every process and gets the same gradient on each.
    """
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    plan = _tensor_plan(causal, mesh.size())
    styles: dict[str, Callable[[], Any]] = {"colwise": ColwiseParallel, "rowwise": RowwiseParallel}
    for name, module in list(causal.base_model.named_modules()):
        style = next((style for pattern, style in plan.items() if fnmatchcase(name, pattern)), None)
        if style is None:
            continue
        if style not in styles:
            if any(parameter.requires_grad for parameter in module.parameters()):
                raise _no_tensor(f"its plan wants {style} for {name}")
            continue
        base = getattr(module, "base_layer", module)
        parallelize_module(base, mesh, styles[style](), src_data_rank=None)
        if base is not module:
            half = module.lora_B if style == "colwise" else module.lora_A
            for linear in half.values():
                parallelize_module(linear, mesh, styles[style](), src_data_rank=None)


def _tensor_plan(causal: Any, size: int) -> dict[str, str]:
    plan: Mapping[str, str] | None = causal.config.base_model_tp_plan
    if not plan:
        raise _no_tensor("transformers has no plan for it")
    shape = causal.config
    for what in ("num_attention_heads", "num_key_value_heads", "intermediate_size"):
        count = getattr(shape, what)
        if count % size:
            raise _no_tensor(f"{what} is {count}, which {size} does not divide")
    return dict(plan)


def _no_tensor(why: str) -> UserError:
    return UserError(
        f"This model's layers cannot be split over processes: {why}.", "Set parallel.tensor = 1, or a smaller number."
    )


def shard(objective: Objective, causal: Any, parallel: ParallelSection, compute: Compute, mesh: DeviceMesh) -> None:
    """Shard everything in `objective` over `mesh`, in place. Optimizers are built after this."""
    trained = {p.dtype for p in objective.parameters() if p.requires_grad}
    half = compute.dtype != torch.float32 and all(p.requires_grad for p in objective.parameters())
    options: dict[str, Any] = {
        "mesh": mesh,
        "reshard_after_forward": parallel.reshard,
        "mp_policy": MixedPrecisionPolicy(
            param_dtype=compute.dtype if half else None,  # an adapter's few weights are cast by autocast instead
            reduce_dtype=torch.float32 if trained - {torch.float32} or half else None,
            cast_forward_inputs=False,
        ),
        "offload_policy": CPUOffloadPolicy(pin_memory=compute.device.type == "cuda")
        if parallel.offload
        else OffloadPolicy(),
    }
    for layer in layers_of(causal):
        fully_shard(layer, **options)
    embedding, head = causal.get_input_embeddings(), causal.get_output_embeddings()
    if embedding.weight is not head.weight:
        fully_shard(embedding, **options)
    fully_shard(objective, **{**options, "reshard_after_forward": False})


def sync_gradients(objective: nn.Module, *, now: bool) -> None:
    """Whether the coming backward pass adds gradients up over processes; once a step is enough."""
    if isinstance(objective, FSDPModule):
        objective.set_requires_gradient_sync(now)


def give_back(objective: nn.Module) -> None:
    """Back to shards after a forward pass that no backward pass follows: the root stays gathered otherwise."""
    for module in objective.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def on_no_device(module: nn.Module) -> None:
    """Give up all values and keep the shapes."""
    module.to("meta")


def spread(objective: nn.Module, source: Mapping[str, Tensor] | None, device: torch.device, *, offload: bool) -> None:
    """Fill a sharded module with what rank 0 has: `source` by name there, None elsewhere. Every process must call it.

    Buffers travel too, the ones that are never saved above all: what rotates positions is one.
    """
    if source is None:
        _make_room(objective, torch.device("cpu") if offload else device)
    for name, parameter in tensors(objective):
        full = torch.empty(parameter.shape, dtype=parameter.dtype) if source is None else source[name]
        with torch.no_grad():
            sent = full.to(device).contiguous()
            torch.distributed.broadcast(sent, src=0)
            set_values(parameter, sent)
    if offload:
        for module in objective.modules():
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.to(device))


def _make_room(module: nn.Module, device: torch.device) -> None:
    """Memory for what is on no device. What was one tensor with two names stays one, which torch does not see to by itself."""
    first: dict[nn.Parameter, str] = {}
    again: dict[str, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if first.setdefault(parameter, name) != name:
            again[name] = first[parameter]
    module.to_empty(device=device)
    for name, same in again.items():
        owner, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(owner), attribute, module.get_parameter(same))


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers by name, each once."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def set_values(target: Tensor, full: Tensor) -> None:
    """Put the whole tensor `full` into `target`, of which this process may hold a shard. No message is sent."""
    with torch.no_grad():
        if isinstance(target, DTensor):
            full = full.to(target.device_mesh.device_type, target.dtype)
            part = distribute_tensor(full, target.device_mesh, target.placements, src_data_rank=None)
            target.to_local().copy_(part.to_local())
        else:
            target.copy_(full)


def whole(tensor: Tensor, *, keep: bool) -> Tensor:
    """The whole of a tensor of which this process may hold a shard, on the CPU; nothing where it is not to be kept.

    Every process that has a shard must call it.
    """
    full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return full.detach().cpu() if keep else torch.empty(0)


def local(tensor: Tensor) -> Tensor:
    """What this process holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def copies(tensor: Tensor, world: int) -> int:
    """On how many of `world` processes each number of a tensor lies."""
    if not isinstance(tensor, DTensor):
        return world
    mesh = tensor.device_mesh
    same = world // mesh.size()
    for dimension, placement in enumerate(tensor.placements):
        if placement.is_replicate():
            same *= mesh.size(dimension)
    return same
