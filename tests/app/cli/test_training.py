"""`gosmith train --help-config`: the keys of a configuration without a configuration, a workspace or torch."""

from __future__ import annotations

import json

import pytest

from app.cli.root import main
from core.training.help import LINES


def test_every_key_is_printed_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help-config"]) == 0
    text = capsys.readouterr().out
    for key, line in LINES.items():
        assert key in text
        assert line in text


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help-config", "--json"]) == 0
    keys = json.loads(capsys.readouterr().out)["keys"]
    assert {one["key"]: one["line"] for one in keys} == dict(LINES)
