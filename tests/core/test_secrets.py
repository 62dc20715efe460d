"""What is written down holds no key, however it came into the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.secrets import hide


def test_keys_are_known_by_their_looks_by_the_environment_and_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "team-0123456789")
    assert hide("sk-proj-abc_123 and hf_abcdef") == "[key] and [key]"
    assert hide('{"Authorization": "Bearer abc.def"}') == '{"Authorization": "[key]"}'
    assert hide("team-0123456789 is no key", "another-one") == "[key] is no key"
    assert hide("it was another-one", "another-one") == "it was [key]"


def test_what_is_no_key_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    text = "none of the risk-averse tasks (ask-me) bears a Bearer; sk- alone is none"
    assert hide(text, "") == text


@given(st.text(), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=8), st.text())
def test_a_named_key_never_stays(before: str, key: str, after: str) -> None:
    assert key not in hide(before + key + after, key).replace("[key]", "\n")
