"""Questions, prices and an endpoint for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.teacher.asking.asker import Asker
from core.teacher.exchange import Question
from tests.core.teacher.asking.asking_child import PRICES, QUICK
from tests.core.teacher.asking.scripted_replies import KEY
from tests.core.teacher.asking.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The key in the environment; no keyring is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("core.teacher.asking.keys._from_keyring", lambda base_url: "")
    return KEY


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """An endpoint that answers everything, until a test gives it a script."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def ask_for(server: ScriptedServer) -> Callable[..., Question]:
    """`ask_for("a binary heap")`: a question to the endpoint."""

    def make(text: str = "a heap", model: str = "gpt-4.1", index: int = 0, **parameters: Any) -> Question:
        messages = ({"role": "user", "content": f"Write {text} in Go."},)
        return Question(server.url, model, messages, {"max_tokens": 200, **parameters}, index)

    return make


@pytest.fixture
def asker(tmp_path: Path) -> Callable[..., Asker]:
    """`asker(budget=…)`: an asker on this test's ledger."""

    def make(**options: Any) -> Asker:
        return Asker(tmp_path / "output" / "ledger.db", PRICES, **{"patience": QUICK, **options})

    return make
