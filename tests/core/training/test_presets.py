"""Presets: the bundled ones are whole configurations that say when to use them; a person's own are kept, listed, deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.training import presets
from core.training.config import RunConfig


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOSMITH_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def careful() -> RunConfig:
    return presets.apply(presets.preset("lora-careful"), base="starter", snapshot="gold", name="x")


def test_every_bundled_preset_can_be_used_and_says_when_in_one_line() -> None:
    found = presets.list_presets()
    assert [one.name for one in found] == list(presets.ORDER)
    for one in found:
        assert not one.problem
        assert not one.own
        assert one.when.endswith(".")
        assert len(one.when) < 130
        assert isinstance(presets.apply(one, base="starter", snapshot="gold", name="x"), RunConfig)


def test_each_bundled_preset_keeps_to_the_usual_learning_rates() -> None:
    for one in presets.list_presets():
        config = presets.apply(one, base="starter", snapshot="gold", name="x")
        low, high = (1e-4, 3e-4) if config.method.kind == "lora" else (1e-5, 5e-5)
        assert low <= config.optimizer.learning_rate <= high, one.name


def test_what_is_saved_comes_after_the_bundled_ones_and_means_the_same() -> None:
    made = presets.save_preset("Two  GPUs, errgroup", "For concurrency samples.", careful())
    last = presets.list_presets()[-1]
    assert (last.name, last.title, last.own) == ("two-gpus-errgroup", "Two GPUs, errgroup", True)
    assert last == made
    assert presets.apply(last, base="starter", snapshot="gold", name="x") == careful()


def test_the_same_title_is_replaced_and_a_title_that_only_looks_alike_is_not() -> None:
    presets.save_preset("Mine", "One.", careful())
    presets.save_preset("mine", "Two.", careful())
    presets.save_preset("Mine!", "Three.", careful())
    assert [(one.name, one.when) for one in presets.list_presets() if one.own] == [
        ("mine", "Two."),
        ("mine-2", "Three."),
    ]


def test_a_title_of_ours_or_none_is_refused() -> None:
    for title in ("lora, careful", "  "):
        with pytest.raises(UserError):
            presets.save_preset(title, "", careful())


def test_only_own_presets_are_deleted() -> None:
    made = presets.save_preset("Mine", "", careful())
    presets.delete_preset(made)
    presets.delete_preset(made)
    assert not any(one.own for one in presets.list_presets())
    with pytest.raises(UserError, match="ships with"):
        presets.delete_preset(presets.preset("lora-default"))


@pytest.mark.parametrize(
    ("text", "words"),
    [("[[[", "cannot be read"), ('title = "T"\n[method]\nrnak = 3', "rnak"), ("data = 3", "data"), ("[budget]\nsteps = 0", "budget.steps")],
)  # fmt: skip
def test_an_own_preset_that_cannot_be_used_is_listed_with_the_reason(
    config_folder: Path, text: str, words: str
) -> None:
    (config_folder / "presets").mkdir(parents=True)
    (config_folder / "presets" / "broken.toml").write_text(text)
    last = presets.list_presets()[-1]
    assert last.own
    assert words in last.problem
