"""Everything a user can do with a key, in one table: shortcuts, menus, the command palette and the cheat sheet read it.

A page binds functions to the names here; a command that nobody bound, or whose action is disabled, is not offered. One letter keys
work while the page has focus outside a text field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Command:
    """name: "page.verb", unique. keys: shortcuts, the first is the one shown. section: heading in the cheat sheet."""

    name: str
    title: str
    section: str
    keys: tuple[str, ...] = ()


COMMANDS = (
    Command("app.palette", "Find a command", "Everywhere", ("Ctrl+K",)),
    Command("app.cheatsheet", "Show all keys", "Everywhere", ("?", "F1")),
    Command("app.undo", "Undo", "Everywhere", ("Ctrl+Z", "U")),
    Command("app.redo", "Redo", "Everywhere", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Command("app.theme", "Switch between light and dark", "Everywhere", ("Ctrl+Shift+L",)),
    Command("app.quit", "Close the window (jobs go on)", "Everywhere", ("Ctrl+Q",)),
    Command("go.samples", "Go to Samples", "Pages", ("Alt+1",)),
    Command("go.teacher", "Go to Teacher", "Pages", ("Alt+2",)),
    Command("go.training", "Go to Training", "Pages", ("Alt+3",)),
    Command("go.evaluation", "Go to Evaluation", "Pages", ("Alt+4",)),
    Command("go.playground", "Go to Playground", "Pages", ("Alt+5",)),
    Command("go.settings", "Go to Settings", "Pages", ("Alt+6",)),
    Command("samples.search", "Search", "Samples", ("Ctrl+F", "/")),
    Command("samples.next", "Next sample", "Samples", ("J",)),
    Command("samples.previous", "Previous sample", "Samples", ("K",)),
    Command("samples.select_all", "Select all matching samples", "Samples", ("Ctrl+A",)),
    Command("samples.refresh", "Search again", "Samples", ("F5",)),
    Command("samples.import", "Import samples…", "Samples", ("Ctrl+I",)),
    Command("samples.export", "Export samples…", "Samples", ("Ctrl+E",)),
    Command("samples.export_reviews", "Export my reviews…", "Samples"),
    Command("samples.merge_reviews", "Merge reviews of others…", "Samples"),
    Command("samples.check", "Check Go: syntax, format and types", "Samples", ("Ctrl+G",)),
    Command("samples.check_vet", "Check Go: and go vet", "Samples", ("Ctrl+Shift+G",)),
    Command("samples.check_test", "Check Go: and run the tests", "Samples", ("Ctrl+Alt+G",)),
    Command("samples.check_race", "Check Go: and run the tests under the race detector", "Samples"),
    Command("samples.gofmt", "gofmt all that the search finds", "Samples"),
    Command("samples.fix_imports", "Fix imports of all that the search finds", "Samples"),
    Command("samples.near_copies", "Find near copies", "Samples", ("Ctrl+D",)),
    Command("samples.clusters", "Compare near copies", "Samples", ("Ctrl+Shift+D",)),
    Command("samples.statistics", "Statistics", "Samples", ("S",)),
    Command("samples.add_suite", "Add a suite of problems to keep out…", "Samples"),
    Command("samples.contaminated", "Find samples that give problems away", "Samples"),
    Command("samples.score", "Ask the apprentice for scores", "Samples", ("Ctrl+Shift+A",)),
    Command("samples.judge", "Have these judged…", "Samples", ("Ctrl+J",)),
    Command("samples.save_view", "Save this search as a view…", "Samples", ("Ctrl+S",)),
    Command("samples.train", "Train on these samples…", "Samples", ("Ctrl+T",)),
    Command("teacher.new", "New plan for the teacher…", "Teacher", ("Ctrl+N",)),
    Command("teacher.recipes", "Recipes…", "Teacher"),
    Command("teacher.judge", "Judge samples…", "Teacher", ("Ctrl+Shift+J",)),
    Command("teacher.samples", "Show the samples of this job", "Teacher"),
    Command("teacher.stop", "Stop asking", "Teacher"),
    Command("teacher.resume", "Resume the job…", "Teacher"),
    Command("teacher.delete", "Delete the job…", "Teacher"),
    Command("runs.resume", "Resume the run", "Training"),
    Command("runs.checkpoint", "Save a checkpoint now", "Training"),
    Command("runs.stop_after_epoch", "Stop after this epoch", "Training"),
    Command("runs.stop", "Pause: save a checkpoint and stop", "Training"),
    Command("runs.start_now", "Start the run now", "Training"),
    Command("runs.move_first", "First in the queue", "Training", ("Alt+Home",)),
    Command("runs.move_up", "Earlier in the queue", "Training", ("Alt+Up",)),
    Command("runs.move_down", "Later in the queue", "Training", ("Alt+Down",)),
    Command("runs.clone", "Clone the run…", "Training"),
    Command("runs.delete", "Delete the run…", "Training"),
    Command("evaluation.new", "Evaluate…", "Evaluation", ("Ctrl+Alt+E",)),
    Command("evaluation.filter", "Filter the problems", "Evaluation", ("Ctrl+Alt+F",)),
    Command("evaluation.failed", "Failed problems only", "Evaluation", ("Ctrl+Shift+F",)),
    Command("evaluation.compare", "Compare with another evaluation", "Evaluation", ("C",)),
    Command("evaluation.leaderboard", "Leaderboard of this suite", "Evaluation", ("L",)),
    Command("evaluation.copy_path", "Copy the path of the result", "Evaluation", ("Ctrl+Alt+C",)),
    Command("evaluation.open_folder", "Open the folder of the result", "Evaluation"),
    Command("evaluation.save", "Save the result as…", "Evaluation"),
    Command("evaluation.stop", "Stop the evaluation", "Evaluation"),
    Command("evaluation.resume", "Resume the evaluation", "Evaluation"),
    Command("evaluation.delete", "Delete the evaluation…", "Evaluation"),
    Command("evaluation.suites", "Suites of problems…", "Evaluation", ("Ctrl+Alt+S",)),
    Command("review.accept", "Accept", "Review", ("A",)),
    Command("review.reject", "Reject…", "Review", ("R",)),
    Command("review.needs_work", "Needs work", "Review", ("N",)),
    Command("review.reset", "Back to new", "Review", ("Shift+N",)),
    Command("review.edit", "Edit", "Review", ("E",)),
    Command("review.take", "Take what gofmt proposes", "Review", ("F",)),
    Command("review.note", "Write a note", "Review", ("M",)),
    Command("review.rate1", "Rate 1 of 5", "Review", ("1",)),
    Command("review.rate2", "Rate 2 of 5", "Review", ("2",)),
    Command("review.rate3", "Rate 3 of 5", "Review", ("3",)),
    Command("review.rate4", "Rate 4 of 5", "Review", ("4",)),
    Command("review.rate5", "Rate 5 of 5", "Review", ("5",)),
    Command("review.tag", "Add a tag…", "Review", ("T",)),
    Command("review.delete", "Delete", "Review", ("Del",)),
    Command("review.next_mark", "Next complaint in the code", "Review", ("F8",)),
    Command("playground.new", "New conversation", "Playground", ("Ctrl+Shift+N",)),
    Command("playground.again", "Answer again", "Playground", ("Ctrl+R",)),
    Command("playground.earlier", "Earlier branch of the turn", "Playground", ("Alt+Left",)),
    Command("playground.later", "Later branch of the turn", "Playground", ("Alt+Right",)),
    Command("playground.previous", "Previous turn", "Playground", ("Ctrl+Up",)),
    Command("playground.next", "Next turn", "Playground", ("Ctrl+Down",)),
    Command("playground.copy", "Copy the turn", "Playground", ("Ctrl+Shift+C",)),
    Command("playground.check", "Check the answer's Go", "Playground", ("Ctrl+Shift+K",)),
    Command("playground.save", "Save the answer as a sample…", "Playground", ("Ctrl+Shift+S",)),
    Command("playground.rename", "Rename the conversation…", "Playground", ("F2",)),
    Command("playground.delete", "Delete the conversation", "Playground"),
    Command("playground.export", "Export the conversation…", "Playground", ("Ctrl+Shift+E",)),
    Command("edit.save", "Save the edit", "Edit", ("Ctrl+Return", "Ctrl+Enter")),
    Command("edit.cancel", "Leave the edit", "Edit", ("Esc",)),
)
"""The order is the order of the cheat sheet."""

_BY_NAME = {command.name: command for command in COMMANDS}


class Commands(QObject):
    """The table brought to life: one QAction a bound command."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[str, QAction] = {}

    def bind(
        self, name: str, scope: QWidget, run: Callable[[], object], *, whole_window: bool = False, keys: bool = True
    ) -> QAction:
        """Give a command its function, which takes no argument. Its keys work inside `scope`, or in the whole window.

        keys: False where a widget handles the keys itself. A name that is not in the table is a KeyError.
        """
        command = _BY_NAME[name]
        action = QAction(command.title, scope)
        action.setObjectName(name)
        if keys:
            action.setShortcuts([QKeySequence(key) for key in command.keys])
        context = Qt.ShortcutContext
        action.setShortcutContext(context.WindowShortcut if whole_window else context.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda: run())
        scope.addAction(action)
        self._actions[name] = action
        return action

    def action(self, name: str) -> QAction:
        """The action of a bound command, for menus and buttons."""
        return self._actions[name]

    def bound(self) -> Iterable[Command]:
        """Commands that can be run now, in the order of the table."""
        return [c for c in COMMANDS if c.name in self._actions and self._actions[c.name].isEnabled()]

    def run(self, name: str) -> None:
        """Run a command as its key would."""
        self._actions[name].trigger()


def shown_keys(command: Command) -> str:
    """The keys as people read them: "Ctrl+Z, U"; Return and the keypad's Enter are one key to a reader."""
    return ", ".join(dict.fromkeys(_shown(key) for key in command.keys))


def key_of(name: str) -> str:
    """The first key of a command, for hints and tool tips."""
    return _shown(_BY_NAME[name].keys[0])


def _shown(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
