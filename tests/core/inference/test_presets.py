"""Settings under a name: those that come along, one's own, and a file that somebody damaged."""

from __future__ import annotations

import json

import pytest

from core.errors import UserError
from core.inference import presets
from core.inference.presets import BUNDLED, Preset
from core.inference.sampling import Sampling


def by_name() -> dict[str, Preset]:
    return {preset.name: preset for preset in presets.load()}


def test_those_that_come_along_set_the_samplers_and_leave_the_rest() -> None:
    before = Sampling(temperature=0.3, top_k=7, max_tokens=99, stop=("x",), seed=4)
    after = BUNDLED[0].applied(before)
    assert (after.temperature, after.top_k, after.max_tokens, after.stop, after.seed) == (0.0, 0, 99, ("x",), 4)
    neutral = BUNDLED[-1].applied(before)
    assert (neutral.temperature, neutral.top_p, neutral.top_k, neutral.min_p, neutral.repetition_penalty) == (
        1,
        1,
        0,
        0,
        1,
    )
    assert BUNDLED[1].applied(Sampling(temperature=2.0)) == Sampling()


def test_own_ones_hold_everything_and_can_be_renamed_and_deleted() -> None:
    mine = Sampling(temperature=0.3, max_tokens=99, stop=("x",), seed=4)
    presets.save(presets.of("  My  own ", mine, "Be brief."))
    kept = by_name()["My own"]
    assert kept.applied(Sampling()) == mine
    assert kept.system == "Be brief."
    assert not kept.bundled
    presets.rename("My own", "Brief")
    presets.save(presets.of("Brief", Sampling(), ""))
    assert by_name()["Brief"].applied(mine) == Sampling(seed=None)
    gone = presets.delete("Brief")
    assert list(by_name()) == [preset.name for preset in BUNDLED]
    presets.save(gone)
    assert "Brief" in by_name()


@pytest.mark.parametrize("name", ["", "   ", "Greedy", "greedy"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        presets.save(presets.of(name, Sampling(), ""))


def test_a_name_that_is_taken_is_refused_and_one_that_is_not_there_too() -> None:
    presets.save(presets.of("A", Sampling(), ""))
    presets.save(presets.of("B", Sampling(), ""))
    with pytest.raises(UserError, match="already"):
        presets.rename("A", "B")
    for name in ("Greedy", "C"):
        with pytest.raises(UserError, match="no preset"):
            presets.delete(name)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"presets": 3}'])
def test_a_damaged_file_is_named_and_not_written_over(text: str) -> None:
    path = presets.presets_path()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UserError, match=r"presets\.json"):
        presets.load()
    with pytest.raises(UserError, match=r"presets\.json"):
        presets.save(presets.of("A", Sampling(), ""))
    assert path.read_text() == text


def test_a_preset_that_is_not_understood_is_passed_over_and_kept() -> None:
    presets.save(presets.of("A", Sampling(), ""))
    path = presets.presets_path()
    strange = [{"name": "hot", "sampling": {"temperature": 9}, "system": ""}, {"name": 3}, "x"]
    path.write_text(json.dumps({"presets": [*json.loads(path.read_text())["presets"], *strange]}))
    assert list(by_name()) == [*(preset.name for preset in BUNDLED), "A"]
    presets.save(presets.of("B", Sampling(), ""))
    assert strange[0] in json.loads(path.read_text())["presets"]
