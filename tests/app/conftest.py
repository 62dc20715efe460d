"""The window under test is the real one, on an offscreen screen, over a real workspace; whatever a test leaves behind fails it."""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import fonts
from app.context import AppContext
from app.samples.page import SamplesPage
from app.tasks import TaskRunner
from app.theme import Theme
from app.window import MainWindow
from core.samples import store
from core.samples.store import VerdictRecord
from core.settings import Settings
from core.workspace import Workspace, open_workspace


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the bundled samples, made once and copied for each test that wants one."""
    root = tmp_path_factory.mktemp("filled") / "workspace"
    workspace = open_workspace(root)
    with closing(workspace.connect()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Workspace:
    """A workspace of this test's own, with the bundled samples in it."""
    root = tmp_path / "workspace"
    shutil.copytree(filled, root)
    return Workspace(root)


@pytest.fixture(scope="session")
def _fonts(qapp: QApplication) -> None:
    fonts.load()


@pytest.fixture
def theme(qapp: QApplication, _fonts: None) -> Iterator[Theme]:
    """The light look, whatever the machine prefers."""
    made = Theme(qapp, "light")
    yield made
    shiboken6.delete(made)


@pytest.fixture
def context(workspace: Workspace, theme: Theme, leaks_nothing: None) -> Iterator[AppContext]:
    """What pages are given."""
    made = AppContext(workspace, TaskRunner(workspace), Settings(theme="light"), theme)
    yield made
    made.close()
    shiboken6.delete(made)


@pytest.fixture
def window(context: AppContext, qtbot: QtBot) -> Iterator[MainWindow]:
    """The main window, shown, with its rows in the table."""
    made = MainWindow(context)
    made.resize(1280, 800)
    made.show()
    for pause in (
        samples_page(made).search._timer,
        samples_page(made).results._timer,
        samples_page(made).front.uses._timer,
    ):
        pause.setInterval(1)  # these wait for people
    qtbot.waitUntil(lambda: samples_page(made).model.rowCount() > 0)
    settle(made)
    yield made
    shiboken6.delete(made)


@pytest.fixture
def page(window: MainWindow) -> SamplesPage:
    """The Samples page, with the keyboard in its table."""
    found = samples_page(window)
    found.table.setFocus()
    return found


@pytest.fixture
def calm(window: MainWindow, qtbot: QtBot) -> Callable[[], None]:
    """Wait until searches, counts and writes have come to rest."""
    return lambda: settle(window)


def samples_page(window: MainWindow) -> SamplesPage:
    found = window.pages["samples"]
    assert isinstance(found, SamplesPage)
    return found


def settle(window: MainWindow) -> None:
    """Run the event loop, as the application does, until no task and no short timer of the page is under way."""
    page = samples_page(window)
    timers = [page.search._timer, page.results._timer, page.front.uses._timer]
    loop, tick = QEventLoop(), QTimer()
    calm = 0

    def look() -> None:
        nonlocal calm
        busy = window.context.tasks.busy() or any(timer.isActive() for timer in timers)
        calm = 0 if busy else calm + 1
        if calm == 2:
            loop.quit()

    tick.timeout.connect(look)
    tick.start(5)
    loop.exec()


@pytest.fixture
def give_verdicts(workspace: Workspace) -> Callable[..., None]:
    """`give_verdicts(ids, states, *diagnostics)`: verdicts as a check job would bring them."""

    def give(ids: list[int], states: dict[str, str], *diagnostics: store.Diagnostic) -> None:
        with closing(workspace.connect()) as connection:
            versions = [store.sample(connection, one).version for one in ids]
            store.save_verdicts(connection, [VerdictRecord(one, states, tuple(diagnostics)) for one in versions])

    return give


@pytest.fixture
def statuses(workspace: Workspace) -> Callable[[list[int]], list[str]]:
    """What the database says of these samples, asked by a connection of the test's own."""

    def ask(ids: list[int]) -> list[str]:
        with closing(workspace.connect(readonly=True)) as connection:
            return [row.status for row in store.rows(connection, ids) if row is not None]

    return ask


@pytest.fixture
def leaks_nothing(qapp: QApplication) -> Iterator[None]:
    """Fails a test that leaves a visible window, a running timer or one of our threads behind."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    shown = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert not shown, f"windows left open: {[(type(w).__name__, w.objectName()) for w in shown]}"
    # by type, not by isinstance: asking some of torch's objects for their class is a warning
    timers = [one for one in gc.get_objects() if issubclass(type(one), QTimer)]
    timers = [one for one in timers if shiboken6.isValid(one) and one.isActive()]
    assert not timers, f"timers left running: {[(one.parent(), one.interval()) for one in timers]}"
    threads = [one.name for one in threading.enumerate() if one.name.startswith("gosmith-")]
    assert not threads, f"threads left running: {threads}"
