"""Which command does what on the Samples page, and which of them its menus offer. Nothing here does anything itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from app.samples.page import SamplesPage

_MENU = (
    ("review.accept", "review.reject", "review.needs_work", "review.reset"),
    ("review.edit", "review.take", "review.note", "review.tag"),
    ("samples.select_all", "samples.check", "samples.judge", "samples.export"),
    ("review.delete",),
)
_LEVELS = ("check", "check_vet", "check_test", "check_race")
_MENDING = ("gofmt", "fix_imports", "near_copies")
_TOOLS = ("statistics", "clusters", "score", "judge", "add_suite", "contaminated", "export_reviews", "merge_reviews")


def bind_commands(page: SamplesPage) -> None:
    """Give every command of the page its work, and fill the menus of its buttons."""
    bind = page.context.commands.bind
    review, analysis, checks = page.review, page.analysis, page.checks
    for name, run in (
        ("samples.search", page.search.focus),
        ("samples.next", page.front.next),
        ("samples.previous", page.front.previous),
        ("samples.select_all", page.table.selectAll),
        ("samples.refresh", page.refresh),
        ("samples.import", page.import_files),
        ("samples.export", page.export),
        ("samples.export_reviews", lambda: page.transfer.export_reviews(page.chosen_query())),
        ("samples.merge_reviews", page.transfer.merge_reviews),
        ("samples.check", page.check),
        ("samples.check_vet", lambda: checks.check(page.chosen_query(), "vet")),
        ("samples.check_test", lambda: checks.check(page.chosen_query(), "test")),
        ("samples.check_race", lambda: checks.check(page.chosen_query(), "test", race=True)),
        ("samples.near_copies", page.find_near_copies),
        ("samples.gofmt", lambda: analysis.gofmt(page.chosen_query())),
        ("samples.fix_imports", lambda: analysis.fix_imports(page.chosen_query())),
        ("samples.clusters", page.tools.show_clusters),
        ("samples.statistics", page.tools.show_statistics),
        ("samples.add_suite", analysis.add_suite),
        ("samples.contaminated", analysis.find_contaminated),
        ("samples.score", analysis.ask_apprentice),
        ("samples.judge", page.judge),
        ("samples.save_view", page.views.ask_name),
        ("samples.train", page.train),
        ("review.accept", review.accept),
        ("review.reject", review.reject),
        ("review.needs_work", review.needs_work),
        ("review.reset", review.reset),
        ("review.edit", review.edit),
        ("review.take", review.take_proposal),
        ("review.note", page.detail.focus_note),
        ("review.tag", review.tag),
        ("review.delete", review.delete),
        ("review.next_mark", page.detail.next_mark),
        ("edit.save", review.save_edit),
    ):
        bind(name, page, run)
    bind("edit.cancel", page, review.cancel_edit, keys=False)
    for rating in range(1, 6):
        bind(f"review.rate{rating}", page, partial(review.rate, rating))
    action = page.context.commands.action
    page.toolbar.offer_checks(
        [action(f"samples.{name}") for name in _LEVELS], [action(f"samples.{name}") for name in _MENDING]
    )
    page.views.offer_tools([action(f"samples.{name}") for name in _TOOLS])


def sample_menu(page: SamplesPage) -> QMenu:
    """What can be done with the samples in scope; the menu deletes itself."""
    menu = QMenu(page)
    for group in _MENU:
        for name in group:
            menu.addAction(page.context.commands.action(name))
        menu.addSeparator()
    menu.aboutToHide.connect(menu.deleteLater)
    return menu
