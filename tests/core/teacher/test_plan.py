"""Plans as people write them: what is wrong is a sentence with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher import plan, starting
from core.teacher.plan import load_plan, parse_plan, plan_from
from core.teacher.terms import save_plan, to_mapping, with_budget

WHOLE = """
recipe = "topic-grid"
samples = 200
model = "gpt-4.1"
base_url = "https://api.openai.com/v1/"
budget_usd = 5
budget_tokens = 1000000
concurrency = 16
seed = 3
transport = "batch"

[parameters]
temperature = 1.0
max_tokens = 2048
stop = ["END"]

[quotas]
concurrency = 10

[seeds]
folder = "/src"
"""


def test_a_whole_plan_is_read_and_written_and_read_the_same(tmp_path: Path) -> None:
    plan = parse_plan(WHOLE)
    assert (plan.recipe, plan.samples, plan.budget_usd, plan.transport) == ("topic-grid", 200, 5.0, "batch")
    assert plan.base_url == "https://api.openai.com/v1"
    assert plan.parameters["temperature"] == 1.0
    assert plan.quotas == {"concurrency": 10}
    save_plan(plan, tmp_path / "plan.toml")
    assert load_plan(tmp_path / "plan.toml") == plan
    assert plan_from(to_mapping(plan)) == plan


def test_two_keys_are_enough() -> None:
    plan = parse_plan('recipe = "explain"\nmodel = "gpt-4.1"\n')
    assert (plan.samples, plan.concurrency, plan.budget_usd, plan.seed, plan.transport) == (200, 16, None, None, "live")


def test_five_dollars_are_the_budget_of_a_plan_that_names_none_where_there_is_a_price() -> None:
    plan = parse_plan('recipe = "explain"\nmodel = "gpt-4.1"\n')
    assert with_budget(plan, priced=True).budget_usd == 5.0
    assert with_budget(plan, priced=False).budget_usd is None
    limited = parse_plan('recipe = "explain"\nmodel = "gpt-4.1"\nbudget_tokens = 1000\n')
    assert with_budget(limited, priced=True).budget_usd is None


def test_every_answer_has_an_end() -> None:
    assert parse_plan('recipe = "x"\nmodel = "m"\n').parameters == {"max_tokens": 4096}
    assert parse_plan('recipe = "x"\nmodel = "m"\n[parameters]\nmax_completion_tokens = 9000\n').parameters == {
        "max_completion_tokens": 9000
    }


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('recipe = "x"\n', "plan.toml: model is missing.", "Add it at the top."),
        ('recipe = "x"\nmodel = "m"\nsample = 3\n', "plan.toml, line 3: There is no key “sample”.", "Did you mean “samples”?"),
        ('recipe = "x"\nmodel = "m"\n[seeds]\nfold = "x"\n', "plan.toml, line 4: There is no key “fold” in [seeds].", "Did you mean “folder”?"),
        ('recipe = "x"\nmodel = "m"\nsamples = 0\n', "plan.toml, line 3: samples is 0 but must be at least 1.", ""),
        ('recipe = "x"\nmodel = "m"\nsamples = "many"\n', "plan.toml, line 3: samples is “many” but must be a whole number.", ""),
        ('recipe = "x"\nmodel = "m"\nbudget_usd = 0\n', "plan.toml, line 3: budget_usd is 0 but must be above 0.", ""),
        ('recipe = "x"\nmodel = "m"\ntransport = "post"\n', "line 3: transport is “post”, which is not one of: 'live', 'batch'.", ""),
        ('recipe = "x"\nmodel = "m"\nbase_url = "api.openai.com"\n', "which is no address such as https://", ""),
        ('recipe = "x"\nmodel = "m"\nbase_url = "https://me:secret@host/v1"\n', "base_url holds a key or a password", ""),
        ('recipe = "x"\nmodel = "m"\n[parameters]\nmessages = 1\n', "parameters sets “messages”, which Gosmith sets itself", ""),
        ('recipe = "x"\nmodel = "m"\n[parameters]\napi_key = "sk"\n', "parameters holds a key", ""),
        ('recipe = "x"\nmodel = "m"\n[quotas]\ntime = -1\n', "line 4: quotas.time is -1 but must be at least 0.", ""),
        ('recipe = "x"\nmodel = "m"\nquotas = 3\n', "line 3: quotas is 3 but must be a section.", ""),
        ("recipe = x\n", "plan.toml is no valid TOML", "Texts need quotes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, message: str, hint: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_plan(path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_plan(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'recipe = "\xe4"')
    with pytest.raises(UserError, match="is not UTF-8"):
        load_plan(tmp_path / "latin.toml")


def test_all_that_is_wrong_is_told_a_key() -> None:
    wrong = plan.problems({"recipe": "x", "model": "", "samples": "many", "seeds": {"folder": 3}, "quotas": {"io": -1}})
    assert wrong == {
        "model": "model is “” but must be at least one letter long.",
        "samples": "samples is “many” but must be a whole number.",
        "seeds.folder": "seeds.folder is 3 but must be a text in quotes.",
        "quotas.io": "quotas.io is -1 but must be at least 0.",
    }
    assert plan.problems({"recipe": "x", "model": "m"}) == {}


def test_shares_are_weights_and_one_of_them_is_above_nothing() -> None:
    wrong = plan.problems({"recipe": "x", "model": "m", "shares": {"difficulty": {"easy": -1}}})
    assert wrong == {"shares.difficulty.easy": "shares.difficulty.easy is -1 but must be at least 0."}
    (text,) = plan.problems({"recipe": "x", "model": "m", "shares": {"difficulty": {"easy": 0.0}}}).values()
    assert "gives no value of “difficulty” a share above 0" in text
    made = parse_plan('recipe = "topic-grid"\nmodel = "m"\n[shares.difficulty]\neasy = 1\nhard = 2.5\n')
    assert made.shares == {"difficulty": {"easy": 1.0, "hard": 2.5}}
    assert starting.checked(made, None).name == "topic-grid"


@pytest.mark.parametrize(
    ("shares", "message", "hint"),
    [
        ({"mood": {"good": 1.0}}, "no such axis", "It has: package, work, difficulty, style."),
        ({"difficulty": {"heroic": 1.0}}, "shares.difficulty names “heroic”", "It knows: easy, medium, hard."),
    ],
)
def test_shares_that_the_recipe_does_not_know_are_refused(
    shares: dict[str, dict[str, float]], message: str, hint: str
) -> None:
    made = plan.plan_from({"recipe": "topic-grid", "model": "m", "shares": shares})
    with pytest.raises(UserError) as caught:
        starting.checked(made, None)
    assert message in caught.value.message
    assert hint in caught.value.hint
