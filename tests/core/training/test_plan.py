"""What a plan says of steps, epochs, tokens and what a person should know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.models import Linear, ModelShape
from core.training.calibration import Calibration
from core.training.config import RunConfig
from core.training.config_file import from_mapping
from core.training.dataset import DataShape
from core.training.machine import Machine
from core.training.plan import estimate

SHAPE = ModelShape(
    "LlamaForCausalLM", 256, 6, 4, 2, 64, 704, 4096, True, "fp32", 2048, 5_500_000,
    (Linear("down_proj", 704, 256, 6), Linear("q_proj", 256, 256, 6)),
)  # fmt: skip
LENGTHS = np.array([100] * 90 + [1000] * 10)
DATA = DataShape(100, int(LENGTHS.sum()), 1000, 5, LENGTHS)
CPU = Machine("a CPU", 0, 8 << 30, 6 << 30)
GPUS = Machine("a GPU", 2, 80 << 30, 79 << 30)


def config(**sections: Any) -> RunConfig:
    data = {"snapshot": "s", "max_length": 512, **sections.pop("data", {})}
    return from_mapping({"model": {"base": "b"}, "data": data, **sections})


def warned(run: RunConfig, data: DataShape = DATA, on: Machine = CPU) -> str:
    return " ".join(estimate(run, SHAPE, data, on).warnings)


def test_an_epoch_without_packing_sees_every_sample_once() -> None:
    run = config(data={"packing": False}, budget={"epochs": 2}, batch={"micro": 2, "accumulation": 5})
    plan = estimate(run, SHAPE, DATA, CPU)
    assert (plan.steps, plan.epochs) == (20, 2.0)
    assert plan.tokens == 2 * (90 * 100 + 10 * 512)


def test_packing_takes_fewer_steps_for_the_same_tokens() -> None:
    run = config(budget={"epochs": 2}, batch={"micro": 1, "accumulation": 1})
    plan = estimate(run, SHAPE, DATA, CPU)
    whole = (90 * 100 + 10 * 512) / 512
    assert 2 * whole <= plan.steps <= 2 * whole * 1.1 + 2
    assert plan.tokens == pytest.approx(2 * whole * 512, rel=0.05)


def test_steps_are_taken_at_their_word_and_epochs_follow() -> None:
    plan = estimate(
        config(data={"packing": False}, budget={"steps": 50}, batch={"micro": 2, "accumulation": 5}), SHAPE, DATA, CPU
    )
    assert (plan.steps, plan.epochs) == (50, 5.0)


def test_a_batch_is_as_long_as_its_longest_row_and_no_longer_than_allowed() -> None:
    short = DataShape(100, 1000, 10, 5, np.full(100, 10))
    run = config(data={"packing": False})
    assert (
        estimate(run, SHAPE, short, CPU).memory["activations"]
        < estimate(run, SHAPE, DATA, CPU).memory["activations"] / 40
    )
    tiny = DataShape(3, 30, 10, 0, np.full(3, 10))
    packed = estimate(config(), SHAPE, tiny, CPU)  # three rows of ten tokens fill one sequence of thirty
    assert packed.memory["activations"] < estimate(config(), SHAPE, DATA, CPU).memory["activations"] / 20


def test_processes_share_main_memory_but_not_that_of_gpus() -> None:
    two = config(parallel={"processes": 2})
    total = estimate(two, SHAPE, DATA, CPU).memory["total"]
    assert estimate(two, SHAPE, DATA, replace(CPU, free=int(1.5 * total))).fits is False
    assert estimate(two, SHAPE, DATA, replace(CPU, free=int(2.5 * total))).fits is True
    gpu_total = estimate(two, SHAPE, DATA, GPUS).memory["total"]
    assert estimate(two, SHAPE, DATA, replace(GPUS, free=gpu_total + 1)).fits is True
    assert estimate(two, SHAPE, DATA, replace(GPUS, free=0)).fits is None


def test_what_does_not_fit_comes_with_the_setting_to_change_first() -> None:
    full = replace(CPU, free=1 << 20)
    assert "Lower batch.micro" in warned(config(), on=full)
    assert "activation_checkpointing" in warned(config(batch={"micro": 1}), on=full)
    small = config(batch={"micro": 1}, parallel={"activation_checkpointing": "full"})
    assert "max_length" in warned(small, on=full)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"budget": {"steps": 3000}}, "learn them by heart"),
        ({"budget": {"steps": 1}}, "ends after"),
        ({}, "10 of 100 samples are longer than 512 tokens"),
        ({"data": {"max_length": 4096}}, "only 2,048 positions"),
        ({"method": {"kind": "full"}}, "high for all weights"),
        ({"optimizer": {"learning_rate": 0.01}}, "high for an adapter"),
        ({"parallel": {"processes": 64}}, "64 processes share"),
    ],
)
def test_what_a_person_should_know(sections: dict[str, Any], words: str) -> None:
    assert words in warned(config(**sections))


def test_more_processes_than_gpus_and_nothing_held_back() -> None:
    assert "there are 2 GPUs" in warned(config(parallel={"processes": 4}), on=GPUS)
    assert "no validation loss" in warned(config(), data=replace(DATA, validation=0))
    assert "no validation loss" not in warned(config(validation={"every": 0}), data=replace(DATA, validation=0))


def test_a_checkpoint_holds_weights_and_both_moments() -> None:
    plan = estimate(config(), SHAPE, DATA, CPU, tokenizer=1000)
    assert plan.trainable == 16 * 6 * ((704 + 256) + (256 + 256))
    assert plan.checkpoint_bytes == 12 * plan.trainable + 1000


@pytest.mark.parametrize(
    ("name", "bytes_a_parameter"), [("adamw", 8), ("sgd", 4), ("rmsprop", 4), ("adamw8bit", 2), ("adafactor", 0.26)]
)
def test_what_each_optimizer_remembers(name: str, bytes_a_parameter: float) -> None:
    plan = estimate(config(optimizer={"name": name}), SHAPE, DATA, CPU)
    assert plan.memory["optimizer"] == pytest.approx(bytes_a_parameter * plan.trainable, rel=0.15)


def test_compute_in_days_and_tokens_a_parameter() -> None:
    plan = estimate(config(), SHAPE, DATA, CPU)
    assert plan.pf_days == pytest.approx(plan.flops / 86.4e18)
    assert plan.tokens_per_parameter == pytest.approx(plan.tokens / 5_500_000)
    assert "from scratch" in plan.compute_sentence


def test_a_validation_that_is_larger_than_training_is_said() -> None:
    data = DataShape(2, 60, 40, 50, np.array([20, 40]), validation_longest=40_000)
    run = config(data={"max_length": 40_000, "packing": False}, batch={"micro": 8, "accumulation": 1})
    assert "Measuring the validation loss takes more memory" in warned(run, data)
    assert "Measuring" not in warned(config())
    assert estimate(config(validation={"every": 0}), SHAPE, DATA, CPU).validation_bytes == 0


def test_a_cpu_without_bf16_computes_in_fp32() -> None:
    old = replace(CPU, bf16=False)
    exact = estimate(config(precision={"dtype": "fp32"}), SHAPE, DATA, CPU).memory
    assert estimate(config(), SHAPE, DATA, old).memory == exact


def test_the_calibrated_total_is_what_fits_or_not() -> None:
    plain = estimate(config(), SHAPE, DATA, CPU)
    twice = estimate(config(), SHAPE, DATA, CPU, calibrated=lambda _config, _closed: Calibration(2.0, 3))
    assert twice.memory["total"] == 2 * plain.memory["total"] == 2 * twice.closed
    assert twice.measured == 3
    tight = replace(CPU, free=int(1.5 * plain.memory["total"]))
    assert estimate(config(), SHAPE, DATA, tight).fits is True
    assert estimate(config(), SHAPE, DATA, tight, calibrated=lambda _config, _closed: Calibration(2.0, 3)).fits is False
