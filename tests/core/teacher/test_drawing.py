"""Draws follow from seed and number alone, keep quotas, and come again the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.teacher import recipes
from core.teacher.drawing import Seed, draws

GRID = recipes.find("topic-grid").file
POOL = [Seed("function", f"a.go:{n}", "\n".join(f"line {n}.{i}" for i in range(30)), "F", "a") for n in range(10)]


@given(st.integers(0, 2**40), st.integers(1, 60))
def test_the_same_seed_draws_the_same_and_more_samples_only_add(seed: int, samples: int) -> None:
    first = list(draws(GRID, seed, samples, {}))
    assert first == list(draws(GRID, seed, samples, {}))
    assert first == list(draws(GRID, seed, samples + 5, {}))[:samples]
    assert [draw.number for draw in first] == list(range(samples))


@given(st.integers(0, 2**40), st.dictionaries(st.sampled_from(GRID.topics()), st.integers(0, 4)))
def test_quotas_are_kept(seed: int, quotas: dict[str, int]) -> None:
    counts = Counter(draw.topic for draw in draws(GRID, seed, 80, quotas))
    assert all(counts[topic] <= most for topic, most in quotas.items())
    assert counts.total() == 80 or all(topic in quotas for topic in GRID.topics())


def test_quotas_that_allow_no_more_end_the_draws() -> None:
    quotas = dict.fromkeys(GRID.topics(), 1)
    drawn = list(draws(GRID, 1, 80, quotas))
    assert 6 <= len(drawn) <= len(quotas)


def test_seeds_differ_from_one_another() -> None:
    assert list(draws(GRID, 1, 20, {})) != list(draws(GRID, 2, 20, {}))


def test_every_function_is_started_from_once_before_any_is_twice() -> None:
    file = recipes.find("test-writing").file
    origins = [draw.seed.origin for draw in draws(file, 4, 20, {}, POOL) if draw.seed]
    assert len(set(origins[:10])) == 10
    assert origins[:10] == origins[10:]


def test_an_excerpt_is_some_lines_in_a_row() -> None:
    file = recipes.find("oss-instruct").file
    for draw in draws(file, 4, 50, {}, POOL):
        assert draw.seed is not None
        whole = next(one.text for one in POOL if draw.seed.origin.startswith(one.origin + "+"))
        assert 4 <= draw.seed.text.count("\n") + 1 <= 15
        assert draw.seed.text in whole


def test_without_anything_to_start_from_nothing_is_drawn() -> None:
    assert list(draws(recipes.find("test-writing").file, 4, 20, {})) == []


def test_what_is_drawn_again_asks_for_another_answer() -> None:
    file = GRID.model_copy(update={"axes": {name: choices[:1] for name, choices in GRID.axes.items()}})
    assert [draw.again for draw in draws(file, 4, 4, {})] == [0, 1, 2, 3]


def test_quotas_for_rare_topics_are_filled_to_the_last_sample() -> None:
    wanted = {"time": 30, "context": 9, "errors": 1}
    quotas = {**dict.fromkeys(GRID.topics(), 0), **wanted}
    for seed in range(5):
        assert Counter(draw.topic for draw in draws(GRID, seed, 40, quotas)) == wanted


def test_seeds_of_topics_with_room_are_found_in_a_large_pool() -> None:
    pool = [Seed("function", f"a.go:{n}", "line", "F", "a", "io" if n else "time") for n in range(2000)]
    file = recipes.find("test-writing").file
    file = file.model_copy(
        update={
            "axes": {
                name: tuple(one.model_copy(update={"topic": ""}) for one in some) for name, some in file.axes.items()
            }
        }
    )
    assert Counter(draw.topic for draw in draws(file, 3, 5, {"io": 1}, pool)) == {"io": 1, "time": 4}


def test_shares_steer_an_axis_and_leave_the_others_alone() -> None:
    shares = {"difficulty": {"medium": 1, "hard": 3}}
    drawn = list(draws(GRID, 9, 400, {}, shares=shares))
    counts = Counter(draw.axes["difficulty"].value for draw in drawn)
    assert counts["easy"] == 0
    assert 2 < counts["hard"] / counts["medium"] < 4.5
    assert len({draw.axes["package"].value for draw in drawn}) == len(GRID.axes["package"])
    assert drawn == list(draws(GRID, 9, 400, {}, shares=shares))
