"""A run configuration: everything has a default but two keys, and what is wrong is named by its key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.training.config import RunConfig
from core.training.config_file import dump_config, from_mapping, parse_config, to_mapping
from core.training.presets import apply, list_presets
from core.training.problems import check

LEAST = '[model]\nbase = "starter"\n[data]\nsnapshot = "gold-v1"\n'


def test_two_keys_are_enough() -> None:
    config = parse_config(LEAST)
    assert (config.method.kind, config.budget.steps, config.optimizer.learning_rate) == ("lora", 300, 2e-4)


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("[optimizer]\nlearnin_rate = 1e-4", "learning_rate"),
        ("[optimizer]\nlearning_rate = 2", "optimizer.learning_rate"),
        ('[optimizer]\nschedule = "cosin"', "cosine"),
        ("[budget]\nsteps = 10\nepochs = 2", "steps or epochs"),
        ("[method]\nrank = 0", "method.rank"),
        ('[method]\nkind = "qlora"', "method.kind"),
        ("[batch]\nmicro = 1.5", "batch.micro"),
        ("steps = 3", "[budget]"),
        ('[parallel]\nmode = "single"\nprocesses = 2', "single"),
        ("[data", "TOML"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(addition: str, words: str) -> None:
    text = f"{addition}\n{LEAST}" if addition.startswith("steps") else f"{LEAST}{addition}\n"
    with pytest.raises(UserError) as caught:
        parse_config(text)
    assert words in str(caught.value)


def test_all_problems_are_found_at_once_each_under_its_key() -> None:
    problems = check({"model": {"base": ""}, "data": {"snapshot": "x", "max_length": 3}, "method": {"rank": -1}})
    assert isinstance(problems, list)
    assert {problem.key for problem in problems} == {"model.base", "data.max_length", "method.rank"}


configs = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z][A-Za-z0-9 _-]{0,20}[A-Za-z0-9]", fullmatch=True),
        "seed": st.integers(0, 2**31 - 1),
        "model": st.fixed_dictionaries({"base": st.sampled_from(["starter", "/models/x", "org/name"])}),
        "data": st.fixed_dictionaries(
            {"snapshot": st.sampled_from(["a", "gold-v1"]), "max_length": st.integers(64, 4096), "packing": st.booleans()}
        ),
        "method": st.fixed_dictionaries(
            {"kind": st.sampled_from(["lora", "full"]), "rank": st.integers(1, 64), "targets": st.sampled_from(["all-linear", ["q_proj", "v_proj"]])}
        ),
        "optimizer": st.fixed_dictionaries({"learning_rate": st.floats(1e-7, 1.0), "warmup": st.floats(0, 0.9)}),
        "budget": st.sampled_from([{"steps": 7}, {"epochs": 2}, {"epochs": 0.5}]),
    }
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(configs)
def test_what_is_written_is_read_back_the_same(data: dict[str, object]) -> None:
    config = from_mapping(data)
    assert parse_config(dump_config(config)) == config
    assert from_mapping(to_mapping(config)) == config


def test_every_preset_is_a_whole_configuration_with_a_line_on_when_to_use_it() -> None:
    presets = list_presets()
    assert len(presets) >= 4
    for preset in presets:
        assert preset.when.endswith(".")
        assert isinstance(apply(preset, base="starter", snapshot="gold", name="x"), RunConfig)
