"""Which checkpoints stand for a run where there is room for a few."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.models.catalogue import Model
from core.models.choosing import newest_run, of_run

BASE = Model("base", Path("/base"), "base")


def saved(steps: list[int]) -> list[Model]:
    return [Model(f"r/step-{one}", Path(f"/r/{one}"), "checkpoint", Path("/base"), "r", one) for one in reversed(steps)]


@given(st.integers(0, 30), st.integers(1, 6))
def test_the_base_the_first_and_the_last_are_among_them_and_all_are_in_order(count: int, most: int) -> None:
    models = [BASE, *saved(list(range(100, 100 + 100 * count, 100)))]
    found = of_run(models, "r", most)
    steps = [one.step for one in found if one.step is not None]
    assert len(found) == min(most, count + 1 if count else 0)
    assert steps == sorted(set(steps))
    if count:
        assert found[0] == BASE
    if count and most > 2:
        assert (steps[0], steps[-1]) == (100, 100 * count)


def test_what_is_broken_is_left_out_and_the_newest_run_is_found() -> None:
    broken = Model("n/step-1", Path("/n/1"), "checkpoint", run="n", step=1, problem="No weights.")
    assert of_run([BASE, broken], "n", 6) == ()
    assert newest_run([BASE, broken, *saved([100])]) == "r"
    assert newest_run([BASE]) is None
