"""Questions, prices and an endpoint for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.teacher.asking import Asker, Patience
from core.teacher.exchange import Question
from core.teacher.prices import Price, PriceTable
from tests.core.teacher.scripted_server import KEY, ScriptedServer

QUICK = Patience(first_wait=0.01, longest_wait=0.05, outage=0.3, answer=5.0, silence=2.0, grace=0.2)
"""As patient as a test can be."""
PRICES = PriceTable(
    "test",
    Decimal("0.5"),
    (Price(("gpt-4.1*",), date(2025, 1, 1), date(2025, 1, 1), Decimal("2.00"), Decimal("0.50"), Decimal("8.00")),),
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The key in the environment; no keyring is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("core.teacher.keys._from_keyring", lambda base_url: "")
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
