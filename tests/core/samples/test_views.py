"""Saved views: kept by name, in the language of the search field."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.samples import views
from core.samples.language import parse
from core.samples.views import View


def test_a_view_is_kept_found_replaced_and_forgotten(connection: sqlite3.Connection) -> None:
    views.save(connection, "  Failing   tests ", "check:test  verdict:fail sort:-tokens")
    views.save(connection, "gold", "status:accepted rating:>=4")
    assert [view.name for view in views.list_views(connection)] == ["Failing tests", "gold"]
    assert views.find(connection, "FAILING tests").query == "check:test verdict:fail sort:-tokens"
    views.save(connection, "Gold", "tag:gold")
    assert views.find(connection, "gold") == View("Gold", "tag:gold")
    views.delete(connection, "gold")
    assert [view.name for view in views.list_views(connection)] == ["Failing tests"]
    with pytest.raises(UserError, match="no view “gold”") as caught:
        views.delete(connection, "gold")
    assert "Failing tests" in caught.value.hint


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_name_that_is_none_is_refused(connection: sqlite3.Connection, name: str) -> None:
    with pytest.raises(UserError, match="cannot be the name of a view"):
        views.save(connection, name, "")


def test_a_search_that_is_none_is_refused_and_the_old_view_stays(connection: sqlite3.Connection) -> None:
    views.save(connection, "gold", "tag:gold")
    with pytest.raises(UserError, match="colour"):
        views.save(connection, "gold", "colour:red")
    assert views.find(connection, "gold").query == "tag:gold"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["status:new", "tag:a", '"b c"', "-d", "tokens:>3", "sort:-id"]), max_size=5))
def test_a_view_means_what_was_typed(connection: sqlite3.Connection, words: list[str]) -> None:
    text = " ".join(words)
    assert parse(views.save(connection, "v", text).query) == parse(text)
