"""A recipe while it is edited: its files as they stand in the editor and on the disk, rendered soon after each change.

Reading, rendering and writing happen off the GUI thread; only the newest rendering counts.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.tasks import Task
from app.teacher.forecaster import Pools, some
from core.errors import UserError
from core.golang.toolchain import find as find_toolchain
from core.teacher import recipe_files, recipes
from core.teacher.forecast import Example
from core.teacher.plan import TeacherPlan
from core.teacher.previewing import preview

if TYPE_CHECKING:
    from core.workspace import Workspace

RENDER_MS = 250
Opened = tuple[str, dict[str, str], bool]


class RecipeDraft(QObject):
    """Attributes: name, own (a copy in the workspace), files (as typed), kept (as saved), whole (they can be rendered).

    Signals: opened(), another recipe is here; rendered(examples); failed(UserError); saved(sentence), the workspace has changed.
    """

    opened = Signal()
    rendered = Signal(object)
    failed = Signal(object)
    saved = Signal(str)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.name = ""
        self.own = self.of_ours = self.whole = False
        self.files: dict[str, str] = {}
        self.kept: dict[str, str] = {}
        self._pools: Pools = {}
        self._task: Task | None = None
        self._timer = QTimer(self, singleShot=True, interval=RENDER_MS)
        self._timer.timeout.connect(self.render)

    @property
    def dirty(self) -> bool:
        """Is something typed that is not saved?"""
        return self.files != self.kept

    def open(self, name: str) -> None:
        """Read this recipe; `opened` or `failed` follows."""
        workspace = self._context.workspace
        self._context.tasks.run(lambda: _read(workspace, name), self._on_read, self.failed.emit, owner=self)

    def _on_read(self, found: Opened) -> None:
        self.name, self.kept, self.own = found
        self.of_ours = recipe_files.is_copy(self.name)
        self.files = dict(self.kept)
        self.whole = False
        self.opened.emit()
        self.render()

    def write(self, file: str, text: str) -> None:
        """This is what stands in a file now."""
        if file in self.files and self.files[file] != text:
            self.files[file] = text
            self.whole = False
            self._timer.start()

    def revert(self) -> None:
        """Forget what is not saved."""
        self.files = dict(self.kept)

    def render(self) -> None:
        """Render as it stands; `rendered` or `failed` follows."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
        name, files, workspace, pools = self.name, dict(self.files), self._context.workspace, self._pools
        self._task = self._context.tasks.run(
            lambda: _render(name, files, workspace, pools), self._on_rendered, self._on_failed, owner=self
        )

    def _on_rendered(self, examples: tuple[Example, ...]) -> None:
        self.whole = True
        self.rendered.emit(examples)

    def _on_failed(self, error: UserError) -> None:
        self.whole = False
        self.failed.emit(error)

    def copy(self) -> None:
        """Put a copy into the workspace; `saved` follows."""
        name, root = self.name, self._context.workspace.root
        self._context.tasks.run(
            lambda: recipes.copy(name, root), lambda _place: self.saved.emit("The copy is in the workspace; edit it here."),
            self.failed.emit, owner=self,
        )  # fmt: skip

    def save(self) -> None:
        """Write what differs; `saved` or `failed` follows."""
        if not (self.own and self.dirty and self.whole):
            return
        name, files, root = self.name, dict(self.files), self._context.workspace.root

        def done(_none: None) -> None:
            self.kept = files
            self.saved.emit("Saved. New plans use it; jobs that began before keep theirs.")

        self._context.tasks.run(lambda: recipe_files.save(name, files, root), done, self.failed.emit, owner=self)

    def back_to_ours(self) -> None:
        """Remove the workspace's copy; `saved` follows."""
        name, root = self.name, self._context.workspace.root
        self.revert()
        self._context.tasks.run(
            lambda: recipe_files.back_to_ours(name, root), lambda _recipe: self.saved.emit("This is ours again."),
            self.failed.emit, owner=self,
        )  # fmt: skip

    def close(self) -> None:
        """Want nothing any more."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()


def _read(workspace: Workspace, name: str) -> Opened:
    try:
        recipe = recipes.find(name, workspace.root)
    except UserError:  # a copy that somebody broke outside of this editor: to be read and mended here
        place = workspace.root / "recipes" / name
        return name, recipe_files.read_folder(place), True
    return name, recipe_files.texts(recipe), recipe.own


def _render(name: str, files: dict[str, str], workspace: Workspace, pools: Pools) -> tuple[Example, ...]:
    go = ".".join(find_toolchain().version.removeprefix("go").split(".")[:2])
    with recipe_files.tried(name, files) as recipe, closing(workspace.connect(readonly=True)) as connection:
        plan = TeacherPlan(recipe=name, model="none")
        return preview(recipe, go, some(recipe, plan, connection, pools))
