"""What may be asked of a model: usual values, every complaint by its name, and the same rules where an evaluation is started."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation import asking
from core.evaluation.asking import MOST_SAMPLES, read_ks, wanted, worth


def test_what_is_not_given_is_the_usual() -> None:
    found, wrong = wanted({"seed": "", "temperature": None})
    assert found is not None
    assert wrong == {}
    assert (found.ks, found.samples, found.seconds) == ((1,), 1, 10.0)
    assert (found.sampling.temperature, found.sampling.max_tokens, found.sampling.seed) == (0.0, 1024, None)
    several, _ = wanted({"samples": 10, "k": "10, 1"})
    assert several is not None
    assert (several.ks, several.sampling.temperature) == ((1, 10), 0.8)


def test_every_complaint_comes_at_once_and_by_its_name() -> None:
    found, wrong = wanted(
        {"samples": 2, "k": "1,5", "seconds": 0, "temperature": 0, "top_p": 7, "top_k": 1.5, "min_p": "x", "seed": -1}
    )
    assert found is None
    assert wrong["k"] == "pass@5 needs 5 samples of each problem, and 2 are asked for."
    assert wrong["seconds"] == "Give 1 to 600 seconds."
    assert wrong["temperature"].startswith("At a temperature of 0 all 2 samples of a problem are the same.")
    assert {"top_p", "top_k", "min_p", "seed"} <= wrong.keys()
    assert "out of range" in wrong["top_p"]


@pytest.mark.parametrize("samples", [0, MOST_SAMPLES + 1, 1.5, "many", True, float("nan")])
def test_samples_are_a_whole_number_in_its_range(samples: object) -> None:
    found, wrong = wanted({"samples": samples})
    assert found is None
    assert wrong == {"samples": "Give a whole number from 1 to 1,000."}


@pytest.mark.parametrize("seconds", [0.5, 601, "soon", float("inf"), True])
def test_seconds_are_a_number_in_its_range(seconds: object) -> None:
    assert wanted({"seconds": seconds})[1] == {"seconds": "Give 1 to 600 seconds."}


@pytest.mark.parametrize("text", ["0", "1,x", "-1", "1;2", ","])
def test_ks_are_whole_numbers(text: str) -> None:
    with pytest.raises(UserError, match="names no pass@k"):
        read_ks(text)


@given(st.dictionaries(st.sampled_from(["k", "samples", "seconds", *asking.SAMPLING]), st.one_of(st.none(), st.text("0123456789.,-ex ", max_size=6), st.integers(), st.floats(), st.booleans())))  # fmt: skip
def test_whatever_is_typed_is_taken_or_named_and_never_both(values: dict[str, object]) -> None:
    found, wrong = wanted(values)
    assert (found is None) == bool(wrong)
    assert wrong.keys() <= {"k", "samples", "seconds", *asking.SAMPLING}
    assert all(wrong.values())


def test_a_sentence_says_what_samples_buy() -> None:
    assert "is found 14 % of the time" in worth(1)
    assert "is found 48 % of the time" in worth(5)
    assert "is found at least 48 % of the time" in worth(7)
    assert "is found more than 87 % of the time" in worth(50)


def test_what_is_seldom_wanted_is_remarked_upon() -> None:
    found, _ = wanted({"samples": 4, "temperature": 1.5, "top_p": 1})
    assert found is not None
    assert "make no sense" in " ".join(asking.remarks(found))
    greedy, _ = wanted({"top_p": 0.5})
    assert greedy is not None
    assert asking.remarks(greedy) == ()
