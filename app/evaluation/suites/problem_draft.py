"""The problem that is open in the editor: as it was typed, as it lies on the disk, checked and saved off the GUI thread.

What cannot be read as a problem is edited as the text of its file. Nothing that was typed is dropped here without somebody's word.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.evaluation.suites.standing import Item
from core.errors import UserError
from core.evaluation import private
from core.evaluation.drafting import Draft, normal
from core.evaluation.private import Kept
from core.evaluation.trying import Trial, try_draft
from core.golang.helper import prepare
from core.golang.toolchain import find as find_toolchain

_NEW = Draft(
    reference="package solution\n",
    test='package solution\n\nimport "testing"\n\nfunc Test(t *testing.T) {\n}\n',
)


class ProblemDraft(QObject):
    """Attributes: item (None for a new problem), draft (as typed), text (of a file that is no problem; None for a problem), editable,
    is_open, doing ("checking", "writing" or "").

    Signals: opened(), another problem is here; edited(), something was typed; told(sentence), what a check is at; tried(Trial); saved(Kept);
    removed(); failed(UserError); doing_changed().
    """

    opened = Signal()
    edited = Signal()
    told = Signal(str)
    tried = Signal(object)
    saved = Signal(object)
    removed = Signal()
    failed = Signal(object)
    doing_changed = Signal()

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.item: Item | None = None
        self.draft = Draft()
        self.text: str | None = None
        self.editable = self.is_open = False
        self.doing = ""
        self._before = Draft()
        self._folder = Path()
        self._stopped = threading.Event()
        self._turn = 0

    @property
    def dirty(self) -> bool:
        """Is something typed that is not saved?"""
        if self.text is not None and self.item is not None and self.item.kept is not None:
            return self.text != self.item.kept.text
        return self.draft != self._before

    @property
    def kept(self) -> Kept | None:
        """Its file, None for a new problem and for one of others."""
        return self.item.kept if self.item is not None else None

    # --- which problem -----------------------------------------------------------------------------------------

    def open(self, item: Item, folder: Path | None) -> None:
        """Take this problem. folder: of its suite, where it may be changed; None: to read."""
        self._take(item, item.draft, folder)
        if item.kept is not None and item.kept.complaint and folder is not None:
            self.text = item.kept.text
        self.opened.emit()

    def begin(self, folder: Path, topic: str) -> None:
        """Take a new problem for the suite in `folder`."""
        self._take(None, replace(_NEW, topic=topic), folder)
        self.opened.emit()

    def shut(self) -> None:
        """Have none open."""
        self._take(None, Draft(), None)
        self.is_open = False
        self.opened.emit()

    def _take(self, item: Item | None, draft: Draft, folder: Path | None) -> None:
        self._stopped.set()
        self._turn += 1
        self.item, self.draft, self._before, self.text = item, draft, draft, None
        self.editable = folder is not None
        self._folder = folder or Path()
        self.is_open = True

    def write(self, part: str, text: str) -> None:
        """This is what stands in a part now."""
        if self.editable and getattr(self.draft, part) != text:
            self.draft = replace(self.draft, **{part: text})
            self.edited.emit()

    def write_text(self, text: str) -> None:
        """This is the text of the file now."""
        if self.editable and self.text is not None and self.text != text:
            self.text = text
            self.edited.emit()

    def revert(self) -> None:
        """Forget what is not saved."""
        self.draft = self._before
        if self.text is not None and self.kept is not None:
            self.text = self.kept.text

    # --- check, save, remove -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Build and run it as it stands; `told` while Go is made ready, then `tried` or `failed`."""
        if self.doing or self.text is not None or not self.is_open:
            return
        draft, stopped = self.draft, threading.Event()
        self._stopped = stopped
        say = self._context.tasks.relay(self.told.emit, owner=self)

        def work() -> Trial | None:
            toolchain = find_toolchain()
            prepare(toolchain, say=say)
            return try_draft(draft, toolchain, cancel=stopped.is_set)

        def done(trial: Trial | None) -> None:
            if trial is not None and not stopped.is_set():
                self.tried.emit(trial)

        self._do("checking", work, done)

    def stop(self) -> None:
        """End the check."""
        self._stopped.set()

    def is_as_tried(self, trial: Trial) -> bool:
        """Is that what stands here now?"""
        return self.text is None and normal(self.draft) == trial.draft

    def save(self) -> None:
        """Keep it; `saved` or `failed` follows, and what was typed stays in either case."""
        if self.doing or not (self.editable and self.dirty):
            return
        folder, draft, text, kept, turn = self._folder, self.draft, self.text, self.kept, self._turn

        def work() -> Kept:
            if text is not None and kept is not None:
                return private.save_text(folder, kept.name, text, kept)
            return private.save(folder, draft, kept)

        def done(made: Kept) -> None:
            if turn == self._turn:  # else another problem is open by now
                self._before = draft
                self.item = Item(made.name, made.draft, made, "", None)
            self.saved.emit(made)

        self._do("writing", work, done)

    def remove(self) -> None:
        """Take it out of its suite; `removed` or `failed` follows."""
        folder, kept = self._folder, self.kept
        if not self.doing and kept is not None and self.editable:
            self._do("writing", lambda: private.remove(folder, kept), lambda _none: self.removed.emit())

    def close(self) -> None:
        """Want nothing any more."""
        self._stopped.set()

    def _do(self, doing: str, work: Callable[[], object], done: Callable[..., object]) -> None:
        def ended(result: object) -> None:
            self._set_doing("")
            done(result)

        def failed(error: UserError) -> None:
            self._set_doing("")
            self.failed.emit(error)

        self._set_doing(doing)
        self._context.tasks.run(work, ended, failed, owner=self)

    def _set_doing(self, doing: str) -> None:
        self.doing = doing
        self.doing_changed.emit()
