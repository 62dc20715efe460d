"""A judge's plan as people write it: what is left out has a default, what is wrong is a sentence with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher.judging.plan import load_plan, plan_from, problems
from core.teacher.terms import save_plan, to_mapping


def test_only_the_model_has_no_default(tmp_path: Path) -> None:
    path = tmp_path / "judge.toml"
    path.write_text('model = "gpt-4.1"\n')
    plan = load_plan(path)
    assert (plan.rubric, plan.query, plan.most, plan.again) == ("go-sample", "status:new", None, False)
    assert plan.parameters == {"max_tokens": 4096}
    save_plan(plan, path)
    assert load_plan(path) == plan == plan_from(to_mapping(plan))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('rubric = "go-sample"\n', "judge.toml: model is missing."),
        ('model = "m"\nmost = 0\n', "judge.toml, line 2: most is 0 but must be at least 1."),
        ('model = "m"\nagain = "yes"\n', "line 2: again is “yes” but must be true or false."),
        ('model = "m"\nrecipe = "explain"\n', "line 2: There is no key “recipe”."),
        ('model = "m"\n[parameters]\nresponse_format = "text"\n', "sets “response_format”, which follows from the rubric"),
        ('model = "m"\n[parameters]\nmessages = []\n', "sets “messages”, which Gosmith sets itself"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "judge.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_plan(path)
    assert message in str(caught.value)


def test_a_form_hears_of_everything_that_is_wrong() -> None:
    assert problems({"model": "m"}) == {}
    assert set(problems({"model": "", "most": 0, "parameters": {"response_format": {}}})) == {
        "model",
        "most",
        "parameters",
    }
