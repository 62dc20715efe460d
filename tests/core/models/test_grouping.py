"""Which models share a process, and which would not fit beside each other."""

from __future__ import annotations

import json
from pathlib import Path

from core.models.catalogue import Model, describe
from core.models.fitting import SPARE, needed, too_much
from core.models.grouping import Group, grouped
from tests.core.models import folders


def make(path: Path, steps: tuple[int, ...] = (100, 200)) -> tuple[Model, list[Model]]:
    base = folders.model(path / "base")
    return describe("base", base), [
        describe(f"run/step-{step}", folders.adapter(path / f"checkpoint-{step}", base), run="run", step=step)
        for step in steps
    ]


def test_a_base_and_its_plain_checkpoints_answer_from_one_process(tmp_path: Path) -> None:
    base, (early, late) = make(tmp_path)
    assert grouped([base, early, late]) == (Group(base.path, (base, early, late), (early, late)),)
    assert grouped([late, early]) == (Group(base.path, (late, early), (late, early)),)


def test_one_checkpoint_alone_is_merged_and_other_bases_have_processes_of_their_own(tmp_path: Path) -> None:
    base, (early, late) = make(tmp_path / "one")
    other, _ = make(tmp_path / "two")
    assert grouped([early]) == (Group(early.path, (early,)),)
    assert grouped([base]) == (Group(base.path, (base,)),)
    assert grouped([base, other, late]) == (Group(base.path, (base, late), (late,)), Group(other.path, (other,)))
    assert grouped([early, other]) == (Group(early.path, (early,)), Group(other.path, (other,)))
    assert grouped([]) == ()


def test_what_the_engine_refused_once_is_alone(tmp_path: Path) -> None:
    base, (early, late) = make(tmp_path)
    assert grouped([base, early, late], alone=[early.path]) == (
        Group(base.path, (base, late), (late,)), Group(early.path, (early,)),
    )  # fmt: skip
    assert grouped([base, late], alone=[late.path]) == (Group(base.path, (base,)), Group(late.path, (late,)))


def test_what_is_more_than_plain_lora_or_of_another_family_is_alone(tmp_path: Path) -> None:
    base, (early, late) = make(tmp_path)
    config = early.path / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "use_dora": True}))
    (late.path / "adapter_config.json").write_text("{")
    assert [group.adapters for group in grouped([base, early, late])] == [(), (), ()]
    gemma = describe("g", folders.model(tmp_path / "gemma", model_type="gemma2"))
    tuned = describe("t", folders.adapter(tmp_path / "tuned", gemma.path))
    assert [group.models for group in grouped([gemma, tuned])] == [(gemma,), (tuned,)]


def test_the_same_base_by_another_name_is_the_same_process(tmp_path: Path) -> None:
    base, (early, _) = make(tmp_path)
    (tmp_path / "link").symlink_to(base.path)
    linked = describe("linked", tmp_path / "link")
    assert len(grouped([linked, early])) == 1


def test_a_process_takes_its_base_once(tmp_path: Path) -> None:
    base, (early, late) = make(tmp_path)
    alone, both = needed(Group(base.path, (base,))), needed(Group(base.path, (base, early, late), (early, late)))
    assert both - alone == early.bytes + late.bytes
    assert needed(Group(early.path, (early,))) == alone + early.bytes
    assert alone > SPARE


def test_models_that_do_not_fit_together_are_named_with_a_way_out(tmp_path: Path) -> None:
    base, (early, _) = make(tmp_path)
    groups = [Group(base.path, (base,)), Group(early.path, (early,))]
    assert too_much(groups, 10 * SPARE) is None
    assert too_much(groups[:1], 1) is None
    error = too_much(groups, SPARE, "GPU memory")
    assert error is not None
    assert "base, run/step-100 need some 1.0 GiB together, and 0.5 GiB of GPU memory are free." in error.message
    assert "one after the other" in error.hint
