"""A run: the same numbers however it is cut into batches or attempts, and an early sentence for what cannot work."""

from __future__ import annotations

import json
import math
import resource
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import checkpoint, loop, model, run
from core.engine.parallel import Group
from core.errors import UserError
from core.training.config import RunConfig
from tests.core.engine.conftest import Notes, conversation, write_snapshot

Train = Callable[..., tuple[loop.Result, Notes]]


@pytest.fixture
def train(base: Path, snapshot: Path, tmp_path: Path, make_config: Callable[..., RunConfig]) -> Train:
    """Run with these changes; `out` names the output folder, so that runs can be continued."""

    def run(
        *, out: str = "output", notes: Notes | None = None, on: Path = base, over: Path = snapshot, **sections: Any
    ) -> tuple[loop.Result, Notes]:
        watching = notes or Notes()
        result = loop.train(
            make_config(**sections), on, over, tmp_path / out, run="run-1", monitor=watching, group=Group()
        )
        return result, watching

    return run


def test_a_run_learns_and_tells_its_steps_as_the_design_says(train: Train, tmp_path: Path) -> None:
    result, notes = train(budget={"steps": 12})
    steps = notes.of("step")
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert set(steps[0]) == {"kind", "step", "loss", "lr", "grad_norm", "tokens", "tokens_per_second"} | {
        "trained",
        "trained_per_second",
        "memory",
    }
    assert steps[-1]["loss"] < steps[0]["loss"] - 0.2
    assert result.final_loss == pytest.approx(steps[-1]["loss"], abs=1e-5)
    assert [event["step"] for event in notes.of("validation")] == [0, 3, 6, 9, 12]
    assert notes.of("validation")[-1]["loss"] < notes.of("validation")[0]["loss"]
    assert [event["step"] for event in notes.of("checkpoint")] == [3, 6, 9, 12]
    assert [path.name for path in result.checkpoints] == ["checkpoint-000009", "checkpoint-000012"]
    assert notes.of("progress")[-1] == {"kind": "progress", "done": 12, "total": 12}
    assert not list((tmp_path / "output").glob(".*")), "no temporary folder stays"


@pytest.mark.parametrize("packing", [True, False])
def test_accumulation_is_the_same_computation_as_a_larger_batch(train: Train, packing: bool) -> None:
    losses, norms = [], []
    for number, batch in enumerate(({"micro": 4, "accumulation": 1}, {"micro": 1, "accumulation": 4})):
        _, notes = train(out=f"o{number}", batch=batch, data={"packing": packing, "max_length": 128})
        losses.append(notes.losses())
        norms.append([event["grad_norm"] for event in notes.of("step")])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


@pytest.mark.parametrize("kernels", ["off", "auto"])
def test_with_and_without_the_chunked_head_the_losses_agree(train: Train, kernels: str) -> None:
    _, notes = train(kernels=kernels)
    assert notes.losses() == pytest.approx(EXPECTED.setdefault("losses", notes.losses()), rel=1e-4)


EXPECTED: dict[str, list[float]] = {}


@pytest.mark.parametrize("method", [{"kind": "lora", "dropout": 0.1}, {"kind": "full"}])
def test_a_run_that_was_stopped_goes_on_to_the_same_digits(
    train: Train, tmp_path: Path, method: dict[str, Any]
) -> None:
    batch = {"micro": 1, "accumulation": 2}
    _, whole = train(out="whole", method=method, batch=batch)
    stopped, first = train(out="cut", method=method, batch=batch, notes=Notes(stop_after=2))
    assert stopped.stopped
    assert stopped.steps == 2
    resumed, second = train(out="cut", method=method, batch=batch)
    assert not resumed.stopped
    assert first.losses() + second.losses() == whole.losses()
    assert "Going on after step 2." in [event["text"] for event in second.of("message")]
    last = [weights(tmp_path / out / "checkpoint-000006") for out in ("whole", "cut")]
    for name, value in last[0].items():
        assert torch.equal(value, last[1][name]), name


def test_a_finished_run_that_is_started_again_trains_nothing(train: Train) -> None:
    first, _ = train()
    again, notes = train()
    assert again == first
    assert not notes.losses()


def test_a_checkpoint_says_where_it_comes_from_and_loads_with_peft_alone(train: Train, base: Path) -> None:
    result, _ = train()
    newest = result.checkpoints[-1]
    note = json.loads((newest / "gosmith.json").read_text())
    assert (note["step"], note["run"], note["base"], note["kind"]) == (6, "run-1", str(base), "lora")
    assert note["base_hash"] == model.fingerprint(base)
    assert note["config"]["method"]["rank"] == 4
    assert model.adapter_base(newest) == base
    assert not [file.name for file in newest.iterdir() if file.suffix in (".bin", ".pt", ".pkl")], "nothing is pickled"
    assert model.load_tokenizer(newest).chat_template

    causal = model.load_causal(base, torch.float32, torch.device("cpu"))
    ids = torch.arange(5, 25)[None]
    before = causal(input_ids=ids).logits
    tuned = model.open_adapter(causal, newest, trainable=False)
    assert (tuned(input_ids=ids).logits - before).abs().max() > 1e-3


def test_a_run_can_go_on_from_another_runs_checkpoint(train: Train, base: Path) -> None:
    first, before = train(out="one")
    second, after = train(out="two", on=first.checkpoints[-1])
    assert after.losses()[0] < before.losses()[0] - 0.1
    assert model.adapter_base(second.checkpoints[-1]) == base
    with pytest.raises(UserError, match="rank is 8, but the checkpoint has rank 4"):
        train(out="three", on=first.checkpoints[-1], method={"rank": 8})
    with pytest.raises(UserError, match="cannot go on from a LoRA checkpoint"):
        train(out="four", on=first.checkpoints[-1], method={"kind": "full"})


def test_a_checkpoint_does_not_go_on_with_other_data(train: Train, tmp_path: Path) -> None:
    train(notes=Notes(stop_after=1))
    other = write_snapshot(tmp_path / "other", [{"sample": "x", "messages": conversation(1)}], [])
    with pytest.raises(UserError, match="the training data has changed since"):
        train(over=other)


def test_a_damaged_checkpoint_is_passed_over_aloud(train: Train, tmp_path: Path) -> None:
    _, whole = train(out="whole")
    train(checkpoints={"every": 2}, notes=Notes(stop_after=4))
    newest = tmp_path / "output" / "checkpoint-000004" / "adapter_model.safetensors"
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(bytes(content))
    _, notes = train(checkpoints={"every": 2})
    said = [event["text"] for event in notes.of("message")]
    assert any(
        "checkpoint-000004 is damaged (adapter_model.safetensors is not what was written" in text for text in said
    )
    assert notes.losses() == whole.losses()[2:], "it goes on from the one before"


def test_when_all_checkpoints_are_damaged_nothing_is_begun_anew(train: Train) -> None:
    result, _ = train(notes=Notes(stop_after=2))
    next(result.checkpoints[-1].glob("optimizer*")).write_bytes(b"gone")
    with pytest.raises(
        UserError, match=r"All checkpoints of this run are damaged; checkpoint-000002: optimizer"
    ) as caught:
        train()
    assert "Start a new run" in caught.value.hint


def test_epochs_are_counted_in_steps(make_config: Callable[..., RunConfig]) -> None:
    assert loop.total_steps(make_config(budget={"steps": 9}), 100) == 9
    assert loop.total_steps(make_config(budget={"steps": None, "epochs": 3}), 25) == math.ceil(3 * 25 / 2)


def test_a_loss_that_is_not_finite_stops_the_run_before_a_weight_is_spoilt(
    train: Train, base: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(base, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.embed_tokens.weight"][3] = torch.inf  # a token that every chat holds
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"loss became (nan|inf) at step 1") as caught:
        train(on=broken)
    assert "learning_rate" in caught.value.hint
    tensors["model.norm.weight"][0] = torch.inf
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="base model computes numbers that are not finite"):
        train(on=broken)


def test_a_run_that_diverges_names_the_intact_checkpoint(tmp_path: Path, train: Train) -> None:
    result, _ = train()
    with pytest.raises(UserError, match=r"The gradient norm became inf at step 7.*checkpoint of step 6 is intact"):
        raise run.stopped_by("the gradient norm became inf", 7, result.checkpoints[-1].parent)


def test_a_full_disk_keeps_the_checkpoint_before(train: Train, tmp_path: Path) -> None:
    train(notes=Notes(stop_after=2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(
            UserError, match=r"checkpoint of step 3 could not be written.*checkpoint-000002 is complete"
        ):
            train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [saved.step for saved in checkpoint.list_checkpoints(tmp_path / "output")] == [2]
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["checkpoint-000002"]
    result, _ = train()
    assert result.steps == 6


def test_what_a_killed_save_left_behind_is_no_checkpoint_and_goes(train: Train, tmp_path: Path) -> None:
    result, _ = train(notes=Notes(stop_after=2))
    part = shutil.copytree(result.checkpoints[-1], tmp_path / "output" / ".checkpoint-000003.part")
    (part / "adapter_model.safetensors").write_bytes(b"half")
    _, notes = train()
    assert [event["step"] for event in notes.of("step")] == [3, 4, 5, 6]
    assert not part.exists()


def test_a_template_that_trains_no_end_mark_is_told(train: Train, base: Path, tmp_path: Path) -> None:
    said = "No answer is trained with an end mark, so the student may not learn to stop."
    copied = shutil.copytree(base, tmp_path / "endless")
    jinja = copied / "chat_template.jinja"
    jinja.write_text(jinja.read_text().replace("+ '<|end|>' }}{%- endgeneration", "}}{%- endgeneration"))
    _, notes = train(on=copied, budget={"steps": 1})
    assert said in [event["text"] for event in notes.of("message")]
    _, notes = train(out="other", budget={"steps": 1})
    assert said not in [event["text"] for event in notes.of("message")]


def test_the_first_bad_row_is_named_before_anything_is_trained(train: Train, tmp_path: Path) -> None:
    rows = [{"sample": f"s{i}", "messages": conversation(i)} for i in range(3)]
    rows[1]["messages"] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]
    with pytest.raises(UserError, match=r"Sample s1 \(line 2 of train.jsonl\) has an empty answer"):
        train(over=write_snapshot(tmp_path / "bad", rows, []))
    with pytest.raises(UserError, match="no sample to train on"):
        train(over=write_snapshot(tmp_path / "none", [], []))


def test_cut_samples_are_counted_aloud(train: Train) -> None:
    _, notes = train(data={"max_length": 64})
    said = " ".join(event["text"] for event in notes.of("message"))
    assert "samples are cut at 64 tokens" in said
    assert "end mark" not in said, "a cut answer is no sign of a template without one"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"kernels": "on"}, "there is no NVIDIA GPU"),
        ({"optimizer": {"name": "adamw8bit"}}, "needs an NVIDIA GPU"),
        ({"data": {"max_length": 512}}, "the model has 256 positions"),
        ({"method": {"targets": ["q_prj"]}}, "q_prj"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(train: Train, sections: Mapping[str, Any], words: str) -> None:
    if "NVIDIA GPU" in words and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UserError, match=words) as caught:
        train(**sections)
    assert caught.value.hint, "says what to use instead"


def test_bf16_trains_like_fp32_where_the_cpu_has_it(train: Train) -> None:
    from core.engine.compute import choose

    _, exact = train(out="fp32")
    _, notes = train(out="bf16", precision={"dtype": "bf16"})
    if choose("bf16").dtype == torch.float32:
        assert any("no bf16 units" in event["text"] for event in notes.of("message"))
    assert notes.losses() == pytest.approx(exact.losses(), rel=0.02)


def test_activation_checkpointing_changes_no_loss(train: Train) -> None:
    _, plain = train(out="plain")
    _, again = train(out="again", parallel={"activation_checkpointing": "full"})
    assert again.losses() == pytest.approx(plain.losses(), rel=1e-5)


def test_text_is_trained_without_a_template(train: Train, tmp_path: Path) -> None:
    rows = [
        {"sample": f"f{i}", "text": f"package p{i}\n\nfunc Sum{i}(a, b int) int {{\n\treturn a + b\n}}\n" * 9}
        for i in range(9)
    ]
    _, notes = train(over=write_snapshot(tmp_path / "text", rows, []), data={"objective": "text"})
    assert notes.losses()


def weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    name = "adapter_model" if (path / "adapter_model.safetensors").exists() else "model"
    return load_file(path / f"{name}.safetensors")
