"""Mode "auto": the fastest way that the plan says fits, written out for the engine, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from core.models import Linear, ModelShape
from core.training import memory
from core.training.config import RunConfig
from core.training.config_file import from_mapping
from core.training.dataset import DataShape
from core.training.machine import Machine
from core.training.plan import estimate, settled
from core.training.planned import Plan
from core.training.strategy import choose

GIB = 2**30
QWEN_7B = ModelShape(
    "Qwen2ForCausalLM", 3584, 28, 28, 4, 128, 18944, 152064, False, "bf16", 32768, 7_615_616_512,
    tuple(
        Linear(name, inputs, outputs, 28)
        for name, inputs, outputs in (
            ("q_proj", 3584, 3584), ("k_proj", 3584, 512), ("v_proj", 3584, 512), ("o_proj", 3584, 3584),
            ("gate_proj", 3584, 18944), ("up_proj", 3584, 18944), ("down_proj", 18944, 3584),
        )
    ),
)  # fmt: skip
DATA = DataShape(1000, 1_000_000, 2000, 50)


def config(**sections: Any) -> RunConfig:
    data = {"snapshot": "s", "max_length": 2048, "packing": False}
    batch = {"micro": 1, "accumulation": 8}
    return from_mapping({"model": {"base": "b"}, "data": data, "batch": batch, **sections})


def plan(gib: float, main: float = 1000, **parallel: Any) -> Plan:
    """On four GPUs of this size, a full fine-tuning with checkpointing in bf16."""
    on = Machine("a GPU", 4, round(gib * GIB), round(gib * GIB), round(main * GIB))
    section = {"processes": 4, "activation_checkpointing": "full", **parallel}
    return estimate(config(parallel=section, method={"kind": "full"}), QWEN_7B, DATA, on)


def test_one_process_holds_everything() -> None:
    alone = estimate(config(), QWEN_7B, DATA, Machine("a GPU", 1, 80 * GIB, 80 * GIB))
    assert (alone.mode, alone.parallel) == ("single", {"mode": "single"})
    assert "One process" in alone.why


@pytest.mark.parametrize(
    ("gib", "mode", "settings", "words"),
    [
        (180, "ddp", {"mode": "ddp"}, "nothing is faster"),
        (85, "fsdp", {"mode": "fsdp", "reshard": False}, "ZeRO-2"),
        (72, "fsdp", {"mode": "fsdp"}, "ZeRO-3"),
        (48, "fsdp", {"mode": "fsdp", "offload": True}, "main memory"),
    ],
)
def test_less_memory_leads_to_slower_ways(gib: float, mode: str, settings: dict[str, Any], words: str) -> None:
    found = plan(gib)
    assert (found.mode, found.parallel, found.fits) == (mode, settings, True)
    assert words in found.why


def test_when_nothing_fits_the_least_is_taken_and_said() -> None:
    found = plan(8)
    assert (found.mode, found.fits) == ("fsdp", False)
    assert "nothing fits" in found.why
    assert "probably not fit" in found.warnings[0]


def test_shards_in_main_memory_need_room_there() -> None:
    found = plan(48, main=40)
    assert found.fits is False
    assert any("Main memory" in warning for warning in found.warnings)


def test_what_a_person_has_set_is_never_changed() -> None:
    found = plan(8, mode="ddp")
    assert (found.mode, found.parallel, found.why) == ("ddp", {}, "")
    assert plan(180, offload=True).parallel == {"mode": "fsdp"}


def test_an_optimizer_that_cannot_be_sharded_stays_with_copies() -> None:
    found = choose(config(parallel={"processes": 2}, optimizer={"name": "adafactor"}), lambda _: False)
    assert found.config.parallel.mode == "ddp"
    assert "adafactor cannot be sharded" in found.why


def test_copies_are_taken_where_free_memory_is_not_known() -> None:
    assert choose(config(parallel={"processes": 2}), lambda _: None).config.parallel.mode == "ddp"


def test_machines_that_must_agree_do_not_look_at_what_is_free_now() -> None:
    several = {"processes": 4, "nodes": 2, "rendezvous": "a:1"}
    busy, idle = (Machine("a GPU", 4, 80 * GIB, free * GIB) for free in (10, 79))
    assert (
        estimate(config(parallel=several), QWEN_7B, DATA, busy).parallel
        == estimate(config(parallel=several), QWEN_7B, DATA, idle).parallel
    )


def test_the_engine_is_told_what_the_plan_says() -> None:
    asked = config(parallel={"processes": 4})
    small = Machine("a GPU", 4, 20 * GIB, 20 * GIB)
    exact = settled(asked, estimate(asked, QWEN_7B, DATA, small))
    assert exact.parallel.mode == "fsdp"
    assert exact.parallel.processes == 4


def test_a_shard_holds_its_part_and_what_is_gathered() -> None:
    load = memory.Load(1, 2048, packed=False, gpu=True)
    whole = memory.parts(config(method={"kind": "full"}), QWEN_7B, load)
    eight = {"processes": 8, "mode": "fsdp"}
    three = memory.parts(config(method={"kind": "full"}, parallel=eight), QWEN_7B, load)
    two = memory.parts(config(method={"kind": "full"}, parallel={**eight, "reshard": False}), QWEN_7B, load)
    assert three["optimizer"] == pytest.approx(whole["optimizer"] / 8)
    assert three["weights"] == pytest.approx(4 * QWEN_7B.parameters / 8, rel=0.01)
    assert "gathered" not in whole
    assert three["gathered"] < two["gathered"] / 5
    assert two["gathered"] == pytest.approx(2 * QWEN_7B.parameters, rel=0.01)
    hybrid = memory.parts(config(method={"kind": "full"}, parallel={**eight, "replicas": 2}), QWEN_7B, load)
    assert hybrid["optimizer"] == pytest.approx(2 * three["optimizer"])
    away = memory.parts(config(method={"kind": "full"}, parallel={**eight, "offload": True}), QWEN_7B, load)
    assert (away["weights"], away["optimizer"]) == (0, 0)


def test_gradients_between_micro_batches_are_whole() -> None:
    eight = {"processes": 8, "mode": "fsdp", "activation_checkpointing": "full"}
    run = config(method={"kind": "full"}, parallel=eight)
    one, two = (memory.parts(run, QWEN_7B, memory.Load(1, 512, False, True, batches)) for batches in (1, 2))
    assert two["total"] - one["total"] > 3.5 * QWEN_7B.parameters


def test_processes_that_share_layers_keep_less_of_each() -> None:
    load = memory.Load(4, 2048, packed=False, gpu=True, batches=2)
    parallel = {"processes": 4, "mode": "fsdp"}
    whole = memory.parts(config(parallel=parallel, kernels="off"), QWEN_7B, load)  # split layers are not fused either
    split = memory.parts(config(parallel={**parallel, "tensor": 2}), QWEN_7B, load)
    assert split["activations"] < 0.75 * whole["activations"]
