"""Every section of a configuration: what contradicts itself is refused in a sentence, each bad value names its key, and what
is written is read back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.config import RunConfig
from core.training.config_file import dump_config, parse_config
from core.training.help import key_table
from core.training.problems import Problem, check

TWO = {"processes": 2}
SHARDED = {"processes": 4, "mode": "fsdp"}


def with_(section: str, **values: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"model": {"base": "starter"}, "data": {"snapshot": "gold"}}
    data[section] = {**data.get(section, {}), **values}
    return data


def problems(data: dict[str, Any]) -> list[Problem]:
    found = check(data)
    assert isinstance(found, list), "nothing was refused"
    return found


@pytest.mark.parametrize(
    ("data", "key", "words"),
    [
        (with_("data", max_length=32), "data.packing", "no room to pack"),
        (with_("data", objective="text", turns="last"), "data.turns", "for conversations"),
        (with_("method", targets=[]), "method.targets", "at least one layer"),
        (with_("method", targets=["q_proj", "q_proj"]), "method.targets", "twice"),
        (with_("method", targets=["q proj"]), "method.targets", "no layer name"),
        (with_("method", targets="some"), "method.targets", "all-linear"),
        (with_("method", targets=[3]), "method.targets", "layer names"),
        (with_("optimizer", warmup=1.5), "optimizer.warmup", "whole number of steps"),
        (with_("optimizer", decay=2.5), "optimizer.decay", "whole number of steps"),
        (with_("budget", steps=3, epochs=1), "budget", "not both"),
        (with_("parallel", mode="single", processes=2), "parallel.mode", "contradicts processes = 2"),
        (with_("parallel", mode="single", nodes=2, rendezvous="a:1"), "parallel.mode", "on 2 nodes"),
        (with_("parallel", mode="ddp"), "parallel.mode", "processes = 2 or more"),
        (with_("parallel", mode="fsdp"), "parallel.mode", "processes = 2 or more"),
        (with_("parallel", mode="ddp", replicas=2, **TWO), "parallel.replicas", 'needs mode = "fsdp"'),
        (with_("parallel", tensor=2, **TWO), "parallel.tensor", 'needs mode = "fsdp"'),
        (with_("parallel", mode="ddp", offload=True, **TWO), "parallel.offload", "fsdp"),
        (with_("parallel", mode="single", offload=True), "parallel.offload", "fsdp"),
        (with_("parallel", tensor=3, **SHARDED), "parallel.replicas", "does not divide"),
        (with_("parallel", replicas=4, tensor=2, **SHARDED), "parallel.replicas", "does not divide"),
        (with_("parallel", gpus=[]), "parallel.gpus", "at least one GPU"),
        (with_("parallel", gpus=[1, 1], **TWO), "parallel.gpus", "each once"),
        (with_("parallel", gpus=[0, 2]), "parallel.gpus", "names 2, but processes = 1"),
        (with_("parallel", gpus="two"), "parallel.gpus", '"any" or a list of numbers'),
        (with_("parallel", node=1), "parallel.node", "counted from 0"),
        (with_("parallel", nodes=2), "parallel.rendezvous", "10.0.0.1:29500"),
        (with_("parallel", nodes=2, rendezvous="host"), "parallel.rendezvous", "host and port"),
        (with_("validation", every=0, patience=3), "validation.patience", "set every"),
        (with_("validation", every=0, answers=3), "validation.answers", "set every"),
        ({**with_("optimizer", warmup=50), "budget": {"steps": 10}}, "optimizer.warmup", "longer than the run"),
        ({**with_("optimizer", name="adafactor"), "parallel": SHARDED}, "optimizer.name", "whole matrices"),
        ({**with_("optimizer", name="adamw8bit"), "parallel": SHARDED}, "optimizer.name", "whole matrices"),
        ({**with_("method", dora=True), "parallel": {**SHARDED, "tensor": 2}}, "parallel.tensor", "dora"),
        ({**with_("method"), "name": " "}, "name", "visible text"),
        ({**with_("method"), "name": "a\nb"}, "name", "one line"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_at_the_key_it_speaks_of(data: dict[str, Any], key: str, words: str) -> None:
    (problem,) = problems(data)
    assert problem.key == key
    assert words in problem.message
    assert problem.message.endswith(".")


BAD: dict[str, list[Any]] = {
    "text": [3, True, ["a"]],
    "true, false": ["yes", 1],
    "whole number": ["many", 1.5, True, -1, 10**12],
    "number": ["fast", True, -1.0, float("nan"), float("inf"), [1]],
}


def bad_values(key: str, allowed: str) -> list[Any]:
    if key == "method.targets":
        return [3, True, "none", {"a": 1}]
    kind = allowed.split(",")[0] if allowed not in BAD else allowed
    return BAD.get(kind, ["no such word", 3, True, None])  # else one of several words


@pytest.mark.parametrize("help_", key_table(), ids=lambda one: one.key)
def test_a_bad_value_gets_one_sentence_that_names_its_key(help_: Any) -> None:
    section, _, key = help_.key.rpartition(".")
    for value in bad_values(help_.key, help_.allowed):
        data = with_(section, **{key: value}) if section else {**with_("method"), key: value}
        found = [problem for problem in problems(data) if problem.key == help_.key]
        assert len(found) == 1, (value, problems(data))
        assert found[0].message.startswith(help_.key), found[0].message
        assert found[0].message.endswith("."), found[0].message
        assert "different (" not in found[0].message, found[0].message


shares = st.floats(0, 0.99) | st.integers(0, 5)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Any configuration that does not contradict itself."""
    every = draw(st.sampled_from([0, 1, 50]))
    lanes = draw(st.sampled_from(["one", "ddp", "fsdp", "auto"]))
    objective = draw(st.sampled_from(["sft", "text"]))
    parallel: dict[str, Any] = {
        "activation_checkpointing": draw(st.sampled_from(["none", "selective", "full"])),
        "compile": draw(st.booleans()),
    }
    if lanes == "one":
        parallel["mode"] = draw(st.sampled_from(["auto", "single"]))
    else:
        nodes = draw(st.sampled_from([1, 2]))
        parallel["gpus"] = draw(st.sampled_from(["any", [0, 1, 2, 3], [7, 5, 3, 1]]))
        parallel |= {"processes": 4, "mode": lanes, "nodes": nodes, "node": draw(st.integers(0, nodes - 1))}
        parallel["rendezvous"] = draw(st.sampled_from(["10.0.0.1:29500", "[::1]:29500", "gpu-1.local:1"]))
    if lanes == "fsdp":
        sizes = {
            "replicas": st.sampled_from([1, 2]),
            "tensor": st.sampled_from([1, 2]),
            "offload": st.booleans(),
            "reshard": st.booleans(),
        }
        parallel |= {key: draw(values) for key, values in sizes.items()}
    split = parallel.get("tensor", 1) > 1
    optimizers = ["adamw", "sgd", "rmsprop"] + (["adafactor", "adamw8bit"] if lanes != "fsdp" else [])
    return {
        "name": draw(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20)),
        "seed": draw(st.integers(0, 2**31 - 1)),
        "kernels": draw(st.sampled_from(["auto", "on", "off"])),
        "tensorboard": draw(st.booleans()),
        "model": {"base": draw(st.sampled_from(["starter", "/models/ü x", 'odd "quotes"']))},
        "data": {
            "snapshot": "gold", "objective": objective, "packing": draw(st.booleans()), "max_length": draw(st.integers(64, 2**20)),
            "turns": draw(st.sampled_from(["all", "last"])) if objective == "sft" else "all",
        },
        "method": {
            "kind": draw(st.sampled_from(["lora", "full"])), "rank": draw(st.integers(1, 1024)), "alpha": draw(st.integers(1, 99) | st.floats(0.1, 99)),
            "dropout": draw(st.floats(0, 0.99)), "targets": draw(st.sampled_from(["all-linear", ["q_proj", "mlp.up_proj"]])),
            "rslora": draw(st.booleans()), "dora": draw(st.booleans()) and not split, "neftune": draw(st.floats(0, 100)),
            "label_smoothing": draw(st.floats(0, 0.99)),
        },
        "optimizer": {
            "name": draw(st.sampled_from(optimizers)), "learning_rate": draw(st.floats(1e-9, 1.0)), "warmup": draw(shares), "decay": draw(shares),
            "schedule": draw(st.sampled_from(["cosine", "linear", "constant", "wsd"])), "clip": draw(st.floats(0, 10)),
        },
        "budget": draw(st.sampled_from([{"steps": 7}, {"epochs": 2}, {"epochs": 0.5}, {}])),
        "parallel": parallel,
        "precision": {"dtype": draw(st.sampled_from(["bf16", "fp16", "fp32"]))},
        "checkpoints": {"every": draw(st.integers(0, 99)), "keep": draw(st.integers(1, 9)), "best": draw(st.booleans())},
        "validation": {"every": every, "patience": draw(st.integers(0, 3)) if every else 0, "answers": draw(st.integers(0, 9)) if every and objective == "sft" else 0},
        "guard": {"not_finite": draw(st.sampled_from(["stop", "skip", "rewind"])), "spike": draw(st.sampled_from(["note", "skip", "rewind", "stop"]))},
    }  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(configurations())
def test_any_configuration_is_read_back_from_its_toml(data: dict[str, Any]) -> None:
    config = check(data)
    assert isinstance(config, RunConfig), config
    text = dump_config(config)
    assert parse_config(text) == config
    assert dump_config(parse_config(text)) == text
