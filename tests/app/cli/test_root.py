"""The command line's manners: global options anywhere, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import json
import sys

import pytest

from app.cli.root import COMMANDS, globals_first, gosmith, main


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["samples", "count", "--json"], ["--json", "samples", "count"]),
        (["samples", "--workspace", "w", "count"], ["--workspace", "w", "samples", "count"]),
        (["jobs", "list", "--workspace=w"], ["--workspace=w", "jobs", "list"]),
        (["complete", "m", "--prompt", "--json"], ["complete", "m", "--prompt", "--json"]),
        (["samples", "list", "--", "--json"], ["samples", "list", "--", "--json"]),
        (["samples", "list", "-tag:x", "--limit", "3"], ["samples", "list", "--limit", "3", "--", "-tag:x"]),
    ],
)
def test_global_options_may_stand_anywhere(given: list[str], expected: list[str]) -> None:
    assert globals_first(given) == expected


def test_every_command_of_the_table_exists_under_its_name() -> None:
    context = gosmith.make_context("gosmith", ["samples"], resilient_parsing=True)
    for name in COMMANDS:
        command = gosmith.get_command(context, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize("words", [["no-such-command"], ["samples", "review"], ["samples", "list", "--limit", "0"]])
def test_wrong_use_is_exit_code_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err


def test_what_a_user_can_mend_is_one_sentence_a_hint_and_exit_code_one(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--workspace", f"{tmp_path}/w", "--json", "samples", "list", "colour:red"])
    shown = capsys.readouterr()
    assert code == 1
    assert "Traceback" not in shown.err
    answer = json.loads(shown.out)
    assert "colour" in answer["error"]
    assert answer["hint"]


def test_the_command_line_imports_neither_qt_nor_torch() -> None:
    import subprocess

    script = (
        "import sys; from app.cli.root import main; main(['samples', '--help']); main(['jobs', '--help']);"
        "main(['train', '--help']); main(['doctor', '--help']);"
        "print([m for m in ('torch', 'PySide6', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
