"""`gosmith views …`: searches worth keeping."""

from __future__ import annotations

import click

from app.cli.output import Session, table
from app.cli.search import database, query_of
from core.samples import query
from core.samples import views as saved


@click.group()
def views() -> None:
    """Saved searches: list, save, delete."""


@views.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the saved views with the number of samples each finds."""
    with database(session, readonly=True) as connection:
        found = [(view, query.count(connection, query.parse(view.query))) for view in saved.list_views(connection)]
    data = {"views": [{"name": view.name, "query": view.query, "count": count} for view, count in found]}
    rows = [(view.name, f"{count:,}", view.query) for view, count in found]
    session.answer(data, table(rows, ("name", "samples", "query")))


@views.command()
@click.argument("name")
@click.argument("words", nargs=-1)
@click.pass_obj
def save(session: Session, name: str, words: tuple[str, ...]) -> None:
    """Save QUERY as view NAME; an older view of that name is replaced."""
    with database(session) as connection:
        view = saved.save(connection, name, query.render(query_of(words)))
    session.answer({"name": view.name, "query": view.query}, f"Saved “{view.name}”: {view.query or '(everything)'}")


@views.command()
@click.argument("name")
@click.pass_obj
def delete(session: Session, name: str) -> None:
    """Forget view NAME; its samples stay."""
    with database(session) as connection:
        saved.delete(connection, name)
    session.answer({"deleted": name}, f"Deleted view “{name}”.")
