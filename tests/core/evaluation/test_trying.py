"""A draft is held against the toolchain before it is saved: what is said of it names the part and the line where it is to be mended."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.evaluation import ours
from core.evaluation.drafting import draft_of
from core.evaluation.trying import Trial, try_draft
from core.golang.toolchain import Toolchain
from tests.core.evaluation import problems

GOOD = draft_of(ours.parse("set", "total-weight", problems.our_text(problems.TASKS[0])))
R, T = GOOD.reference, GOOD.test


def tried(toolchain: Toolchain, **change: str) -> tuple[str, list[tuple[str, int, str]]]:
    trial = try_draft(replace(GOOD, **change), toolchain)
    assert trial is not None
    return trial.sentence, [(one.part, one.line, one.text) for one in trial.complaints]


def test_a_sound_draft_is_told_so(toolchain: Toolchain) -> None:
    trial = try_draft(GOOD, toolchain)
    assert isinstance(trial, Trial)
    assert trial.soundness is not None
    assert trial.complaints == ()
    assert re.fullmatch(r"The reference passes \(1 test, .*\d s\)\. The stub fails, as it should\.", trial.sentence)
    assert (trial.soundness.reference, trial.soundness.stub) == ("pass", "wrong_answer")


@pytest.mark.parametrize(
    ("change", "sentence", "part", "line", "what"),
    [
        ({"reference": R.replace("total := 0", "total := (")}, "The reference does not parse.", "reference", 5, "expected operand"),
        ({"reference": R.replace("return total", "return totl")}, "The reference does not compile.", "reference", 10, "undefined: totl"),
        (
            {"reference": R.replace("package solution\n", 'package solution\n\nimport "os"\n').replace("return total", "return totl")},
            "The reference does not compile.", "reference", 12, "undefined: totl",
        ),
        ({"test": T.replace('\t"reflect"\n', "")}, "The test does not compile, so nothing was run.", "test", 8, "undefined: reflect"),
        ({"test": T.replace("{\n\tif", "{\n\tif if", 1)}, "The test does not compile, so nothing was run.", "test", 9, "expected operand"),
        (
            {"test": T.replace('\t"reflect"\n', '\t"reflect"\n\t_ "example.org/x"\n')},
            "Nothing was run, because the test imports example.org/x, which is outside the standard library.", "test", 0, "imports example.org/x",
        ),
        ({"reference": R.replace("solution\n", 'solution\n\nimport "unsafe"\n\nvar _ = unsafe.Pointer(nil)\n', 1)},
         "The reference does what could change its judge, so it was not run: the answer imports unsafe.", "reference", 0, "imports unsafe"),
        ({"prompt": "a\n## b"}, "Nothing was run, because this is no problem yet.", "prompt", 2, "## is the heading"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named_where_it_was_written(
    toolchain: Toolchain, change: dict[str, str], sentence: str, part: str, line: int, what: str
) -> None:
    said, found = tried(toolchain, **change)
    assert said == sentence
    assert found[0][:2] == (part, line)
    assert what in found[0][2]


@pytest.mark.parametrize(
    ("change", "sentence", "part", "line", "what"),
    [
        ({"reference": R.replace("+=", "-=")}, "The reference does not pass.", "test", 10, "got -6"),
        ({"reference": R.replace("total := 0", "total := []int{}[limit]")},
         "The reference does not pass: it panics, or ends before its tests are over.", "reference", 4, "index out of range"),
        ({"test": T.replace("!reflect.DeepEqual(got, 6)", "!reflect.DeepEqual(1, 1) && got > 0")},
         "A stub that returns zero values passes the test.", "test", 0, "a stub that returns zero"),
    ],
)  # fmt: skip
def test_what_runs_and_is_not_sound_is_named(
    toolchain: Toolchain, change: dict[str, str], sentence: str, part: str, line: int, what: str
) -> None:
    said, found = tried(toolchain, **change)
    assert said.endswith(sentence)
    assert found[0][:2] == (part, line)
    assert what in found[0][2]


def test_a_test_that_tests_nothing_is_named(toolchain: Toolchain) -> None:
    skips = 'package solution\n\nimport "testing"\n\nfunc TestX(t *testing.T) {\n\tt.Skip("not today")\n}\n'
    said, found = tried(toolchain, test=skips)
    assert said == "The reference could not be tried: every test skips itself: not today."
    assert found == [("test", 0, "every test skips itself: not today")]


def test_a_check_that_is_cancelled_says_nothing(toolchain: Toolchain) -> None:
    assert try_draft(GOOD, toolchain, cancel=lambda: True) is None
