"""The decode loop: the tokens transformers would choose, a cache that never changes them, an end within one token."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import decoder, generate, loop, model
from core.engine.asked import End, Piece, describe
from core.engine.generate import Chatter
from core.engine.parallel import Group
from core.errors import UserError
from core.inference.sampling import Sampling, validate
from tests.core.engine.conftest import Notes, config

GREEDY = Sampling(temperature=0.0, max_tokens=24)


@pytest.fixture(scope="module")
def tuned(base: Path, snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA checkpoint that has learned the shape of an answer."""
    folder = tmp_path_factory.mktemp("tuned")
    settings = config(
        budget={"steps": 60},
        method={"rank": 16, "alpha": 64},
        optimizer={"learning_rate": 2e-2},
        batch={"micro": 4},
        checkpoints={"every": 0},
        validation={"every": 0},
    )
    return loop.train(settings, base, snapshot, folder, run="r", monitor=Notes(), group=Group()).checkpoints[-1]


@pytest.fixture
def chatter(tuned: Path) -> Chatter:
    return generate.load(tuned, "fp32")


def run(chatter: Chatter, ids: list[int], sampling: Sampling, **more: Any) -> tuple[str, End]:
    *pieces, end = chatter.answer(ids, sampling, **more)
    assert isinstance(end, End)
    assert all(isinstance(piece, Piece) and piece.text for piece in pieces)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), end


def ask(chatter: Chatter, text: str = "Write Sum3.") -> list[int]:
    return chatter.chat_ids([{"role": "user", "content": text}])


def test_greedy_text_is_that_of_transformers(chatter: Chatter) -> None:
    ids = ask(chatter)
    text, end = run(chatter, ids, GREEDY)
    theirs = chatter.causal.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=24, use_cache=True,
        eos_token_id=sorted(chatter.decoder.ends),
    )  # fmt: skip
    assert text == chatter.tokenizer.decode(theirs[0, len(ids) :], skip_special_tokens=True)
    assert (end.tokens, end.prompt_tokens) == (theirs.shape[1] - len(ids), len(ids))


def test_a_checkpoint_is_merged_into_its_base_and_answers_as_the_adapter_does(chatter: Chatter, tuned: Path) -> None:
    ids = torch.tensor([ask(chatter)])
    adapter = model.open_adapter(
        model.load_causal(model.adapter_base(tuned), torch.float32, torch.device("cpu")), tuned, trainable=False
    )
    with torch.no_grad():
        torch.testing.assert_close(
            chatter.causal(input_ids=ids).logits, adapter(input_ids=ids).logits, atol=1e-4, rtol=1e-3
        )
    assert not any("lora" in name for name, _ in chatter.causal.named_modules())


def test_the_same_seed_gives_the_same_text_while_others_draw_numbers(chatter: Chatter) -> None:
    wanted = Sampling(temperature=1.0, seed=11, max_tokens=24)
    first, end = run(chatter, ask(chatter), wanted)
    ended = threading.Event()

    def noise() -> None:
        while not ended.is_set():
            torch.rand(100)

    thread = threading.Thread(target=noise)
    thread.start()
    again, _ = run(chatter, ask(chatter), wanted)
    ended.set()
    thread.join()
    assert again == first
    assert end.settings["seed"] == 11
    assert run(chatter, ask(chatter), Sampling(temperature=1.0, seed=12, max_tokens=24))[0] != first


def test_without_a_seed_the_one_that_was_drawn_is_told_and_repeats_the_text(chatter: Chatter) -> None:
    first, end = run(chatter, ask(chatter), Sampling(temperature=1.0, max_tokens=16))
    again, _ = run(chatter, ask(chatter), Sampling(temperature=1.0, max_tokens=16, seed=end.settings["seed"]))
    assert again == first


def test_the_settings_told_are_those_really_used(chatter: Chatter) -> None:
    _, end = run(chatter, ask(chatter), Sampling(temperature=0.0, top_k=5, max_tokens=100_000))
    assert end.settings["top_k"] == 0, "top-k has no effect at temperature 0"
    assert end.settings["max_tokens"] == chatter.context - end.prompt_tokens


@pytest.mark.parametrize("seed", range(3))
def test_the_cache_of_earlier_turns_never_changes_a_token(tuned: Path, chatter: Chatter, seed: int) -> None:
    """Prompts that repeat, prolong, cut and branch: as with a cache that starts empty, and with less work."""
    dice = random.Random(seed)
    kept = generate.load(tuned, "fp32")
    prompt = ask(kept)
    saved = 0
    for _ in range(6):
        chatter.decoder.kept.clear()
        expected, fresh = run(chatter, prompt, GREEDY)
        text, end = run(kept, prompt, GREEDY)
        assert text == expected
        assert fresh.cached == 0
        assert end.cached < len(prompt)
        saved += end.cached
        prompt = dice.choice(
            [
                prompt,
                prompt[: max(3, len(prompt) // 2)],
                prompt + kept.text_ids(text + " func"),
                [*prompt[:-4], 9, 8, 7],
            ]
        )[-180:]
    assert saved > 0


def test_a_whole_prompt_in_the_cache_still_runs_its_last_token(chatter: Chatter) -> None:
    ids = ask(chatter)
    first, _ = run(chatter, ids, GREEDY)
    again, end = run(chatter, ids, GREEDY)
    assert again == first
    assert end.cached == len(ids) - 1


def test_a_long_prompt_is_read_in_parts_with_the_same_result(chatter: Chatter, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ask(chatter, "Sum " * 40)
    whole, _ = run(chatter, ids, GREEDY)
    monkeypatch.setattr(decoder, "PREFILL", 7)
    chatter.decoder.kept.clear()
    assert run(chatter, ids, GREEDY)[0] == whole


def test_a_stop_string_is_not_shown_and_is_named(chatter: Chatter) -> None:
    whole, _ = run(chatter, ask(chatter), GREEDY)
    stop = whole[4:7]
    text, end = run(chatter, ask(chatter), validate(temperature=0, max_tokens=24, stop=[stop]))
    assert text == whole[: whole.index(stop)]
    assert (end.reason, end.stop_string) == ("stop", stop)


def test_an_end_token_of_tokenizer_model_or_template_ends_the_answer(chatter: Chatter) -> None:
    assert chatter.tokenizer.eos_token_id in chatter.decoder.ends
    ids = ask(chatter)
    first = int(chatter.causal(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
    chatter.decoder.ends = frozenset({first})
    text, end = run(chatter, ids, GREEDY)
    assert (text, end.reason, end.tokens) == ("", "stop", 1)


def test_a_cancelled_answer_ends_within_one_token(chatter: Chatter) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    _, end = run(chatter, ask(chatter), Sampling(temperature=1.0, seed=1, max_tokens=200), cancelled=cancelled)
    assert end.reason == "cancelled"
    assert end.tokens <= 5
    assert run(chatter, ask(chatter), GREEDY)[1].reason in ("stop", "length"), "the next answer is whole"


def test_an_answer_that_is_dropped_half_way_leaves_a_cache_that_is_right(chatter: Chatter) -> None:
    expected, _ = run(chatter, ask(chatter), GREEDY)
    dropped = chatter.answer(ask(chatter, "Write Sum9."), Sampling(temperature=1.0, seed=1))
    next(dropped)
    dropped.close()  # type: ignore[attr-defined]
    assert run(chatter, ask(chatter), GREEDY)[0] == expected


def test_inference_mode_does_not_leak_into_the_caller(chatter: Chatter) -> None:
    for _ in chatter.answer(ask(chatter), GREEDY):
        assert not torch.is_inference_mode_enabled()


def test_the_last_position_of_the_context_can_be_used_and_not_more(chatter: Chatter) -> None:
    full = [9] * (chatter.context - 1)
    _, end = run(chatter, full, GREEDY)
    assert end.tokens == 1
    with pytest.raises(UserError, match=r"The prompt has 256 tokens"):
        run(chatter, [9] * chatter.context, GREEDY)
    with pytest.raises(UserError, match="prompt is empty"):
        run(chatter, [], GREEDY)


def test_speed_is_told(chatter: Chatter) -> None:
    _, end = run(chatter, ask(chatter), Sampling(temperature=1.0, seed=3, max_tokens=8))
    facts = describe(end)
    assert facts["time_to_first_token"] > 0
    assert end.tokens < 2 or facts["tokens_per_second"] > 0


def test_a_base_that_has_changed_is_not_used_for_its_old_checkpoint(tuned: Path, tmp_path: Path, base: Path) -> None:
    import json
    import shutil

    moved = shutil.copytree(tuned, tmp_path / "checkpoint-000060")
    other = shutil.copytree(base, tmp_path / "other")
    settings = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": str(other)}))
    assert generate.load(moved, "fp32")
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    with pytest.raises(UserError, match="is not the one that checkpoint-000060 was trained on"):
        generate.load(moved)
    shutil.rmtree(other)
    with pytest.raises(UserError, match="is gone"):
        generate.load(moved)
