"""The table of keys: every key has its line, its default and what it may be."""

from __future__ import annotations

from core.training.config import SECTIONS, RunConfig
from core.training.help import LINES, defaults, key_table


def every_key() -> set[str]:
    inner = {f"{section}.{key}" for section, keys in SECTIONS.items() for key in keys}
    return inner | (set(RunConfig.model_fields) - set(SECTIONS))


def test_every_key_has_one_line_and_no_line_is_left_over() -> None:
    assert set(LINES) == every_key() == {one.key for one in key_table()}
    for key, line in LINES.items():
        assert line.endswith("."), key
        assert len(line) < 120, key
        assert "\n" not in line


def test_defaults_and_bounds_are_those_of_the_configuration() -> None:
    found = {one.key: one for one in key_table()}
    assert found["optimizer.learning_rate"].default == "2e-4"
    assert found["method.rank"].allowed == "whole number, 1 to 1,024"
    assert found["optimizer.schedule"].allowed == "cosine, linear, constant, wsd"
    assert found["data.snapshot"].default == "must be given"
    assert set(defaults()) == every_key() - {"model.base", "data.snapshot", "budget.epochs"}
