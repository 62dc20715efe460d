"""A recipe's files while a person edits them: nothing broken is kept, nothing of ours is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher import recipe_files, recipes
from core.teacher.drawing import Seed
from core.teacher.previewing import preview

POOL = [Seed("function", "strings/reader.go:12", "func F() int {\n\treturn 1\n}\n", "F", "strings")]


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_of_ours_can_be_read_and_previewed_to_its_last_template(name: str) -> None:
    recipe = recipes.find(name)
    assert next(iter(recipe_files.texts(recipe))) == "recipe.toml"
    for example in preview(recipe, "1.27", POOL):
        roles = [role for role, _ in example.messages]
        assert any(role.startswith("solution") for role in roles)
        assert any(role.startswith("repair") for role in roles)
        assert all(content.strip() for _, content in example.messages)


def test_a_copy_is_saved_whole_and_goes_back_to_ours(tmp_path: Path) -> None:
    recipes.copy("bug-fix", tmp_path)
    files = recipe_files.texts(recipes.find("bug-fix", tmp_path))
    files["instruction.j2"] += "One more line.\n"
    recipe_files.save("bug-fix", files, tmp_path)
    mine = recipes.find("bug-fix", tmp_path)
    assert mine.own
    assert "One more line." in preview(mine, "1.27")[0].messages[1][1]
    ours = recipe_files.back_to_ours("bug-fix", tmp_path)
    assert not ours.own
    assert not (tmp_path / "recipes" / "bug-fix").exists()


def test_a_broken_recipe_is_not_saved_and_the_sentence_names_file_and_line(tmp_path: Path) -> None:
    place = recipes.copy("bug-fix", tmp_path)
    files = recipe_files.texts(recipes.find("bug-fix", tmp_path))
    before = (place / "instruction.j2").read_text()
    with pytest.raises(UserError, match=r"bug-fix/instruction\.j2, line 2"):
        recipe_files.save("bug-fix", {**files, "instruction.j2": "One\n{% if %}\n"}, tmp_path)
    with pytest.raises(UserError, match=r"bug-fix/recipe\.toml, line 3.*verion"):
        recipe_files.save("bug-fix", {**files, "recipe.toml": "version = 1\n\nverion = 2\n"}, tmp_path)
    assert (place / "instruction.j2").read_text() == before


def test_a_name_that_nobody_gives_is_found_in_every_template(tmp_path: Path) -> None:
    files = recipe_files.texts(recipes.find("bug-fix"))
    for template in ("solution.j2", "repair.j2", "fix.j2"):
        broken = {**files, template: files[template] + "\n{{ nobody.value }}\n"}
        with (
            recipe_files.tried("bug-fix", broken) as recipe,
            pytest.raises(UserError, match=f"bug-fix/{template}, line"),
        ):
            preview(recipe, "1.27")


def test_what_is_no_copy_of_ours_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "recipes" / "mine").mkdir(parents=True)
    with pytest.raises(UserError, match="recipe of your own"):
        recipe_files.back_to_ours("mine", tmp_path)
    assert (tmp_path / "recipes" / "mine").is_dir()
