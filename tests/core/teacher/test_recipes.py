"""Recipes as data: ours are whole, a workspace's copy wins, and a broken one is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher import recipes
from core.teacher.drawing import Seed, draws
from core.teacher.flow import conversation, rendered
from core.teacher.recipes import PROMPT

OURS = [
    "bug-fix", "code-review", "evol-instruct", "explain", "oss-instruct", "repair", "self-consistency", "test-writing", "topic-grid",
]  # fmt: skip
TOPICS = {
    "algorithms", "concurrency", "context", "data_structures", "encoding", "errors", "generics", "http", "io", "strings", "testing", "time",
}  # fmt: skip
SEED = Seed("function", "add.go:3", "package a\n\nfunc Add(a, b int) int { return a + b }\n", "Add", "a", "algorithms")


def test_nine_recipes_ship() -> None:
    assert recipes.names() == OURS


@pytest.mark.parametrize("name", OURS)
def test_every_recipe_renders_every_question_for_every_choice(name: str) -> None:
    recipe = recipes.find(name)
    drawn = list(draws(recipe.file, 1, 60, {}, [SEED]))
    assert len(drawn) == 60
    assert {draw.topic for draw in drawn} <= TOPICS
    seen = set()
    for draw in drawn:
        prompt = rendered(recipe, draw, "1.27", PROMPT, task="A task.", code="func A() {}", test="t", words="w")
        assert prompt
        if recipe.file.instruction is not None:
            seen.add(conversation(recipe, draw, "1.27", recipe.file.instruction.template)[1]["content"])
        _, asked = conversation(
            recipe, draw, "1.27", recipe.file.solution.template, task=prompt, code="c", test="t", words="w"
        )
        assert prompt in asked["content"]
        assert "## Test" in asked["content"]
        assert "Go 1.27" in asked["content"] or recipe.file.given
        assert "{{" not in asked["content"]
        for weak in (True, False):
            assert rendered(
                recipe, draw, "1.27", recipes.REPAIR, weak=weak, words="undefined: x", task="t", code="c", test="t"
            )
    assert recipe.file.instruction is None or len(seen) > 3


def test_every_choice_of_an_axis_is_said_to_the_teacher() -> None:
    recipe = recipes.find("topic-grid")
    (draw,) = draws(recipe.file, 5, 1, {})
    asked = conversation(recipe, draw, "1.27", "instruction.j2")[1]["content"]
    for choice in draw.axes.values():
        assert choice.value in asked
        assert choice.about in asked


def test_evol_instruct_has_its_five_methods() -> None:
    assert [one.value for one in recipes.find("evol-instruct").file.axes["method"]] == [
        "constraint", "rarer", "reasoning", "misleading", "complexity",
    ]  # fmt: skip


def test_a_copy_in_the_workspace_takes_the_place_of_ours(tmp_path: Path) -> None:
    ours = recipes.find("explain", tmp_path)
    place = recipes.copy("explain", tmp_path)
    copied = recipes.find("explain", tmp_path)
    assert (ours.own, copied.own) == (False, True)
    assert copied.digest == ours.digest
    (place / "instruction.j2").write_text("Ask about {{ matter.value }} in {{ go }}.\n")
    edited = recipes.find("explain", tmp_path)
    assert edited.digest != ours.digest
    (draw,) = draws(edited.file, 5, 1, {})
    assert conversation(edited, draw, "1.27", "instruction.j2")[1]["content"].startswith("Ask about ")
    with pytest.raises(UserError, match="has a recipe “explain” already"):
        recipes.copy("explain", tmp_path)


def make(tmp_path: Path, toml: str = "", **templates: str) -> Path:
    folder = tmp_path / "recipes" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    given = (
        toml
        or 'version = 1\ntitle = "Mine"\nabout = "Mine."\n[solution]\ntemplate = "solution.j2"\n[axes]\nx = ["a", "b"]\n'
    )
    (folder / "recipe.toml").write_text(given)
    for name, text in templates.items():
        (folder / f"{name}.j2").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('version = 1\ntitle = "M"\nabot = "M"\n[solution]\ntemplate = "solution.j2"\n', "mine/recipe.toml, line 3: There is no key “abot”"),
        ('version = 1\ntitle = "M"\nabout = "M"\n', "mine/recipe.toml: solution is missing."),
        ('version = 1\ntitle = "M"\nabout = "M"\n[solution]\ntemplate = "none.j2"\n', "names none.j2, which is not there"),
        ('version = 1\ntitle = "M"\nabout = "M"\n[solution]\ntemplate = "solution.j2"\n[axes]\nx = []\n', "axes.x has no choice"),
        ('version = 1\ntitle = "M"\nabout = "M"\n[solution]\ntemplate = "solution.j2"\n[axes]\ntask = ["a"]\n', "axes.task has a name"),
        ('version = 1\ntitle = "M"\nabout = "M"\n[solution]\ntemplate = "solution.j2"\n[axes]\nx = [{ valu = "a" }]\n', "no key “valu”"),
        ('version = 1\ntitle = "M"\nabout = "M"\nbroken = "checked"\n[solution]\ntemplate = "solution.j2"\n', "needs an instruction"),
    ],
)  # fmt: skip
def test_a_broken_recipe_file_is_named_with_its_line(tmp_path: Path, toml: str, message: str) -> None:
    make(tmp_path, toml)
    with pytest.raises(UserError) as caught:
        recipes.find("mine", tmp_path)
    assert message in str(caught.value)


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    make(tmp_path, solution="A user asks:\n{% if x %}\n")
    with pytest.raises(UserError, match=r"mine/solution\.j2, line 2: Unexpected end of template"):
        recipes.find("mine", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("One\n\n{{ taks }}\n", r"mine/solution\.j2, line 3: 'taks' is undefined"),
        ("One\n{{ x.valeu }}\n", r"mine/solution\.j2, line 2: .*no attribute 'valeu'"),
        ('{% include "no.j2" %}', r"mine/.*no\.j2"),
        ("{{ ''.__class__.__mro__ }}", r"mine/solution\.j2, line 1: .*unsafe"),
        ("{{ 1 / 0 }}", r"mine/solution\.j2, line 1: .*zero"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    make(tmp_path, solution=text)
    recipe = recipes.find("mine", tmp_path)
    (draw,) = draws(recipe.file, 5, 1, {})
    with pytest.raises(UserError, match=message):
        conversation(recipe, draw, "1.27", "solution.j2", task="t")


def test_no_name_leads_out_of_the_folders(tmp_path: Path) -> None:
    for name in ("nothing", "../explain", "common", ""):
        with pytest.raises(UserError, match="There is no recipe"):
            recipes.find(name, tmp_path)


def test_a_frozen_recipe_is_the_same_recipe(tmp_path: Path) -> None:
    recipe = recipes.find("bug-fix")
    recipes.freeze(recipe, tmp_path / "frozen")
    frozen = recipes.load(tmp_path / "frozen", name="bug-fix")
    assert (frozen.name, frozen.digest, frozen.file) == (recipe.name, recipe.digest, recipe.file)
