"""Several runs side by side: only what differs is said."""

from __future__ import annotations

from core.training.compare import Difference, differences


def config(**more: object) -> dict[str, object]:
    return {"name": str(more), "model": {"base": "starter"}, "data": {"snapshot": "gold"}, **more}


def test_only_keys_that_differ_are_told_in_the_order_of_the_configuration() -> None:
    one = config(seed=7, optimizer={"learning_rate": 2e-4}, method={"rank": 16})
    other = config(seed=7, optimizer={"learning_rate": 1e-3}, method={"rank": 64})
    assert differences([one, other, one]) == (
        Difference("method.rank", ("16", "64", "16")),
        Difference("optimizer.learning_rate", ("2e-4", "0.001", "2e-4")),
    )


def test_a_default_that_is_written_out_is_no_difference() -> None:
    assert differences([config(), config(seed=7)]) == ()


def test_a_configuration_of_another_version_is_taken_as_it_stands() -> None:
    told = {row.key: row.values for row in differences([config(), config(unheard={"of": True})])}
    assert told["unheard.of"] == ("–", "yes")
