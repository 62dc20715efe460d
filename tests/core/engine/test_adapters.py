"""Checkpoints of one base answer side by side in one batch, each as it does alone and merged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from core.engine import generate, model
from core.engine.asked import End, Piece, Request
from core.errors import UserError
from core.inference.sampling import Sampling
from tests.core.engine.serving import serving

GREEDY = Sampling(temperature=0, max_tokens=16)


def make_adapter(base: Path, folder: Path, seed: int, **settings: Any) -> Path:
    """An adapter of random numbers, large enough to change every answer."""
    torch.manual_seed(seed)
    causal = model.load_causal(base, torch.float32, torch.device("cpu"))
    targets = settings.pop("target_modules", "all-linear")
    with model.quiet():
        tuned: Any = get_peft_model(
            causal, LoraConfig(r=4, lora_alpha=16, target_modules=targets, init_lora_weights=False, **settings)
        )
    tuned.peft_config["default"].base_model_name_or_path = str(base)
    tuned.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {
        "early": make_adapter(base, folder / "early", 1),
        "late": make_adapter(
            base, folder / "late", 2, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"]
        ),
    }


@pytest.fixture(scope="module")
def chatter(base: Path, trained: dict[str, Path]) -> generate.Chatter:
    return generate.load(base, "fp32", beside=trained)


def text_of(parts: list[Piece | End]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Piece))


def test_each_gets_what_it_says_when_it_is_merged(
    chatter: generate.Chatter, base: Path, trained: dict[str, Path]
) -> None:
    ids = tuple(chatter.text_ids("func Sum3(a, b int)"))
    heard: dict[str, list[Piece | End]] = {name: [] for name in ("", "early", "late")}
    for name, parts in heard.items():
        chatter.decoder.ask(Request(ids, GREEDY, adapter=name), parts.append)
    while chatter.decoder.busy:
        chatter.decoder.step()
    for name, folder in {"": base, **trained}.items():
        alone = generate.load(folder, "fp32")
        assert text_of(heard[name]) == text_of(list(alone.answer(ids, GREEDY))), name
    assert len({text_of(parts) for parts in heard.values()}) == 3


def test_what_one_has_read_is_no_use_to_another(chatter: generate.Chatter) -> None:
    ids = tuple(range(5, 60))
    ends = []
    for name in ("early", "late", "early"):
        *_, end = chatter.ask(Request(ids, GREEDY, adapter=name))
        assert isinstance(end, End)
        ends.append(end.cached)
    assert ends == [0, 0, len(ids) - 1]


def test_a_server_has_them_as_models(base: Path, trained: dict[str, Path]) -> None:
    with serving(generate.load(base, "fp32", beside=trained)) as served:
        _, listed = served.post("/v1/models", b"")
        assert [one["id"] for one in listed["data"]] == ["tiny", "early", "late"]
        answers = {name: served.chat(model=name, temperature=0)[1] for name in ("tiny", "early", "late")}
        assert [answer["model"] for answer in answers.values()] == ["tiny", "early", "late"]
        assert len({answer["choices"][0]["message"]["content"] for answer in answers.values()}) == 3
        assert served.chat(model="gosmith", temperature=0)[1]["model"] == "tiny"
        status, refused = served.chat(model="erly")
        assert (status, refused["error"]["code"]) == (404, "model_not_found")
        assert "tiny, early, late" in refused["error"]["message"]


@pytest.mark.parametrize("more", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}])
def test_what_is_more_than_plain_lora_is_refused(
    base: Path, trained: dict[str, Path], tmp_path: Path, more: dict[str, Any]
) -> None:
    folder = shutil.copytree(trained["early"], tmp_path / "a")
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**settings, **more}))
    with pytest.raises(UserError, match="more than plain LoRA"):
        generate.load(base, "fp32", beside={"a": folder})


def test_an_adapter_of_another_base_is_refused(base: Path, trained: dict[str, Path], tmp_path: Path) -> None:
    moved = shutil.copytree(trained["early"], tmp_path / "moved")
    other = shutil.copytree(base, tmp_path / "other")
    settings = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": str(other)}))
    with pytest.raises(UserError, match="trained on another base"):
        generate.load(base, "fp32", beside={"a": moved})


def test_a_model_that_is_run_one_at_a_time_has_none_beside_it(
    chatter: generate.Chatter, trained: dict[str, Path]
) -> None:
    alone = generate.Chatter(chatter.causal, chatter.tokenizer, chatter.compute, run=chatter.causal)
    with pytest.raises(UserError, match="side by side only"):
        alone.beside("early", trained["early"])
