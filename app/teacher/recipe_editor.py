"""The editor of recipes: ours to read, copies of them in the workspace to edit, and what they send, rendered while one types.

A recipe is saved only as a whole and only when all of its templates can be rendered, so that no job ever meets a broken one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.teacher.examples_view import ExamplesView, drawn
from app.teacher.recipe_draft import RecipeDraft
from app.teacher.recipe_picker import RecipeEntry, listed
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.code_view import CodeView, Mark
from app.widgets.labels import ElidedLabel, label
from app.widgets.plain_syntax import plain_runs
from app.widgets.question import question
from core.errors import UserError
from core.teacher.forecast import Example

_PLACE = re.compile(r"[^/]+/(?P<file>[\w.-]+)(?:, line (?P<line>\d+))?:")


class RecipeEditor(QDialog):
    """Signals: saved(recipe), when a copy was made, changed or removed."""

    saved = Signal(str)

    def __init__(self, context: AppContext, recipe: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("recipeEditor")
        self.setWindowTitle("Recipes")
        room = parent.window().size()
        self.resize(min(1240, max(960, room.width() - 40)), min(780, max(590, room.height() - 40)))
        self._context = context
        self._wanted = recipe
        self._filling = False
        self.draft = RecipeDraft(context, self)
        self.draft.opened.connect(self._on_opened)
        self.draft.rendered.connect(self._on_rendered)
        self.draft.failed.connect(self._on_failed)
        self.draft.saved.connect(self._on_saved)
        self._build()
        self._reload()

    def _build(self) -> None:
        theme = self._context.theme
        self.banner = Banner(theme, name="recipeBanner")
        self.list = QListWidget()
        self.list.setObjectName("recipeList")
        self.list.setAccessibleName("Recipes")
        self.list.setMinimumWidth(150)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.file = CalmCombo()
        self.file.setObjectName("recipeFile")
        self.file.setAccessibleName("File of the recipe")
        self.file.activated.connect(lambda _place: self._show_file())
        self._whose = ElidedLabel(tone="dim")
        self.text = CodeView(theme, name="recipeText", accessible_name="Text of the file", lexer=plain_runs)
        self.text.setLineWrapMode(CodeView.LineWrapMode.WidgetWidth)  # templates are prose
        self.text.textChanged.connect(self._on_typed)
        self.examples = ExamplesView(theme)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(12, 12, 12, 8)
        column.setSpacing(6)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.file, 1)
        line.addWidget(self._whose, 1)
        column.addLayout(line)
        column.addWidget(self.text, 1)
        right = QWidget()
        shown = QVBoxLayout(right)
        shown.setContentsMargins(12, 12, 20, 8)
        shown.addWidget(self.examples)
        body = QSplitter()
        for widget in (self.list, middle, right):
            body.addWidget(widget)
        body.setSizes([190, 520, 460])
        body.setHandleWidth(1)
        body.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addWidget(body, 1)
        whole.addLayout(self._build_foot())

    def _build_foot(self) -> QHBoxLayout:
        theme = self._context.theme
        self._foot = label(tone="dim", wrap=True, name="recipeNote")
        self.copy = Button("Edit a copy", theme, icon="note-pencil", name="recipeCopy", tip="Puts a copy into the workspace, which takes the place of ours")  # fmt: skip
        self.copy.clicked.connect(self.draft.copy)
        self.ours = Button("Back to ours…", theme, name="recipeOurs", tip="Removes the copy from the workspace")
        self.ours.clicked.connect(self._ask_back)
        self.save = Button("Save", theme, kind="primary", name="recipeSave", tip="Ctrl+S")
        self.save.clicked.connect(self.draft.save)
        close = Button("Close", theme, name="recipeClose")
        close.clicked.connect(self.reject)
        QShortcut(QKeySequence("Ctrl+S"), self, activated=self.save.click)
        for button in (self.copy, self.ours, self.save, close):
            button.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self._foot, 1)
        for button in (self.ours, self.copy, close, self.save):
            foot.addWidget(button)
        return foot

    # --- which recipe ------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        root = self._context.workspace.root
        self._context.tasks.run(lambda: listed(root), self._on_listed, self.banner.problem, owner=self)

    def _on_listed(self, entries: Sequence[RecipeEntry]) -> None:
        wanted = self._wanted or (self.draft.name or entries[0].name)
        self._filling = True
        self.list.clear()
        for entry in entries:
            item = QListWidgetItem(f"{entry.title} (yours)" if entry.own else entry.title)
            item.setData(Qt.ItemDataRole.UserRole, entry.name)
            item.setToolTip(entry.problem or entry.about)
            self.list.addItem(item)
            if entry.name == wanted:
                self.list.setCurrentItem(item)
        self._filling = False
        self._wanted = ""
        self._on_chosen(self.list.currentItem(), None)

    def _on_chosen(self, item: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if self._filling or item is None:
            return
        name = str(item.data(Qt.ItemDataRole.UserRole))
        if self.draft.dirty and name != self.draft.name:
            self._filling = True
            self.list.setCurrentItem(before, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self._filling = False
            self._ask_discard(lambda: self._choose(name))
            return
        self.draft.open(name)

    def _choose(self, name: str) -> None:
        self.draft.revert()
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.list.setCurrentRow(row)

    # --- its files ---------------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        kept = self.file.currentText()
        self.file.clear()
        self.file.addItems(list(self.draft.files))
        self.file.setCurrentIndex(max(0, self.file.findText(kept)))
        self.banner.clear()
        self._whose.setText("Your copy, in the workspace" if self.draft.own else "Ours, to read")
        self.text.set_editable(self.draft.own)
        self._show_file()
        self._offer()

    def _show_file(self) -> None:
        self._filling = True
        self.text.set_code(self.draft.files.get(self.file.currentText(), ""))
        self._filling = False

    def _on_typed(self) -> None:
        if not self._filling and self.draft.own:
            self.draft.write(self.file.currentText(), self.text.toPlainText())
            self._offer()

    def _on_rendered(self, examples: Sequence[Example]) -> None:
        self.examples.show_prompts(drawn(examples))
        self.text.set_marks([])
        self.banner.clear()
        self._offer()

    def _on_failed(self, error: UserError) -> None:
        """Say it; where file and line are named, mark the line and offer to go there."""
        place = _PLACE.match(str(error))
        go: list[tuple[str, Callable[[], object]]] = []
        self.text.set_marks([])
        if place is not None and place["file"] in self.draft.files:
            mark = Mark(int(place["line"] or 1), 0, error.message[place.end() :].strip())
            if place["file"] == self.file.currentText():
                self.text.set_marks([mark])
            else:
                go = [(f"Show {place['file']}", lambda: self._go_to(place["file"], mark))]
        self.banner.problem(error, go)
        self._offer()

    def _go_to(self, file: str, mark: Mark) -> None:
        self.file.setCurrentIndex(self.file.findText(file))
        self._show_file()
        self.text.set_marks([mark])
        self.text.go_to(mark)

    def _offer(self) -> None:
        draft = self.draft
        self.copy.setVisible(not draft.own)
        self.ours.setVisible(draft.own and draft.of_ours)
        self.save.setEnabled(draft.dirty and draft.whole)
        changed = [name for name in draft.files if draft.files[name] != draft.kept.get(name)]
        words = f"Changed: {', '.join(changed)}." if changed else ""
        self._foot.setText(words or ("" if draft.own else "A copy in the workspace takes the place of ours; jobs keep the recipe they began with."))  # fmt: skip

    def _on_saved(self, words: str) -> None:
        self.saved.emit(self.draft.name)
        self._wanted = self.draft.name
        self._reload()
        self._offer()
        self._foot.setText(words)

    # --- questions ---------------------------------------------------------------------------------------------

    def _ask_back(self) -> None:
        text, more = (
            f"Remove your copy of “{self.draft.name}”?",
            "Ours takes its place again. What you changed is gone.",
        )
        question(self, "recipeBack", "Recipes", text, more, "Remove", self.draft.back_to_ours).open()

    def _ask_discard(self, then: Callable[[], object]) -> None:
        text, more = "Leave without saving?", "What you changed since the last save is gone."
        question(self, "recipeDiscard", "Recipes", text, more, "Leave", then).open()

    def reject(self) -> None:
        """Close, after a question when something is not saved."""
        if self.draft.dirty:
            self._ask_discard(lambda: self.done(0))
        else:
            super().reject()

    def done(self, result: int) -> None:
        """Leave nothing at work behind."""
        self.draft.close()
        super().done(result)
