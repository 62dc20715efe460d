"""Takes the pictures of the README from the real window: every page, light and dark, at 1280 x 800.

    python packaging/screenshots.py FOLDER [--workspace DIR] [--size 1280x800]

The workspace is a temporary one unless named; two short training runs, two jobs of a teacher and one of a judge that answer by rule are done in it
first, so that the curves are real.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import evaluation_pictures
import playground_pictures
from PySide6.QtCore import QCoreApplication, QEventLoop
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QWidget

from app import fonts
from app.context import AppContext
from app.tasks import TaskRunner
from app.theme import Theme
from app.training.charts.charts_view import ChartsView
from app.window import MainWindow
from core.settings import Settings
from core.workspace import open_workspace

TEACHER = Path(__file__).parent.parent / "tests" / "core" / "teacher" / "teacher_job.py"
"""A teacher that needs no network."""

RUN = """
name = "errgroup-lora"
[model]
base = "starter"
[data]
snapshot = "gold-v1"
max_length = 512
[budget]
steps = 120
[batch]
micro = 2
accumulation = 1
[validation]
every = 10
answers = 4
"""


SLOW = RUN.replace('"errgroup-lora"', '"errgroup-lora-5e-5"') + "[optimizer]\nlearning_rate = 5e-5\n"


def settle(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Run the event loop until `done`, then until nothing is left to paint."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    for _ in range(5):
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


def prepare(root: Path) -> None:
    """Give the workspace verdicts, decisions, a snapshot and a finished run, through the command line."""

    def gosmith(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "app.cli", "--workspace", str(root), *words], check=True)

    gosmith("samples", "check")
    listing = subprocess.run(
        [sys.executable, "-m", "app.cli", "--workspace", str(root), "--json", "samples", "list", "verdict:pass", "--limit", "212"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    import json

    ids = [str(sample["id"]) for sample in json.loads(listing.stdout)["samples"]]
    gosmith("samples", "review", *ids[::2], "--status", "accepted")
    gosmith("samples", "review", *ids[1::6], "--status", "rejected", "--reason", "too easy")
    gosmith("snapshot", "create", "gold-v1", "status:accepted")
    for name, text in (("slow.toml", SLOW), ("run.toml", RUN)):
        config = root / name
        config.write_text(text, encoding="utf-8")
        gosmith("train", str(config))


def ask_teacher(root: Path) -> None:
    """Two jobs of a teacher that answers by rule, one of them out of quota."""
    from contextlib import closing

    from core.jobs.control import start, wait_for_end
    from core.teacher import starting
    from core.teacher.plan import plan_from

    workspace = open_workspace(root)
    for seed, samples, quota in ((3, 120, 0), (4, 40, 25)):
        plan = {"recipe": "topic-grid", "model": "gpt-4.1", "samples": samples, "seed": seed, "concurrency": 2}
        with closing(workspace.connect()) as connection:
            job = starting.launch(plan_from(plan), root, connection)
        if quota:
            (job.path / "quota").write_text(str(quota))
        start(job, main_file=TEACHER)
        wait_for_end(job, 600)


def ask_judge(root: Path) -> None:
    """A judge that likes some samples more than others, and those that pass most."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.core.teacher.asking.scripted_server import ScriptedServer
    from tests.core.teacher.scripted_judge import by_text, judge

    def points(question: str, criterion: str, best: int) -> int:
        liked = len(question) % 5 > 1
        return (
            max(1, by_text(question, criterion, best) - (not liked))
            if "fail" in question
            else min(best, by_text(question, criterion, best) + liked)
        )

    with ScriptedServer(judge(points, prompt=1400, completion=260)) as endpoint:
        plan = root / "judge.toml"
        plan.write_text(
            f'model = "gpt-4.1-mini"\nbase_url = "{endpoint.url}"\nquery = "-status:new"\n', encoding="utf-8"
        )
        words = [sys.executable, "-m", "app.cli", "--workspace", str(root), "teacher", "judge", str(plan)]
        subprocess.run(words, check=True)


def page_pictures(window: MainWindow, context: AppContext, folder: Path, look: str) -> None:
    """One picture a page."""
    for name in ("samples", "training"):
        window.show_page(name)
        page = window.current_page()
        if name == "samples":
            counted = page.findChild(QWidget, "samplesTrain")
            settle(lambda counted=counted: "…" not in counted.accessibleName() and counted.accessibleName() != "Train")
        settle(lambda: not context.tasks.busy())
        _save(window, folder / f"{name}_{look}.png")
    window.show_page("samples")
    page = window.current_page()
    page.search_for("check:format verdict:fail")
    settle(lambda: page.detail.proposal.isVisible())
    _save(window, folder / f"diff_{look}.png")
    page.clear_search()
    settle(lambda: not context.tasks.busy())
    page.tools.show_statistics()
    settle(lambda: "samples" in page.findChild(QWidget, "statisticsSummary").text() and not context.tasks.busy())
    _save(window, folder / f"statistics_{look}.png")
    page.tools.close()
    page.find_near_copies()
    settle(lambda: not context.tasks.busy())
    page.tools.show_clusters()
    settle(lambda: not context.tasks.busy())
    page.banner.clear()
    settle(lambda: False, 1.0)  # numbers follow the rows after a moment
    _save(window, folder / f"clusters_{look}.png")
    page.tools.close()
    _teacher_pictures(window, context, folder, look)
    _run_pictures(window, context, folder, look)
    window.current_page().findChild(QPushButton, "newRun").click()
    settle(lambda: dialog() is not None)
    preview = dialog().findChild(QPlainTextEdit, "batchPreview")
    settle(lambda: bool(preview.toPlainText()), 60.0)
    _save(dialog(), folder / f"run_dialog_{look}.png")
    dialog().close()
    for name, pictures in (("evaluation", evaluation_pictures.pictures), ("playground", playground_pictures.pictures)):
        window.show_page(name)
        save = partial(_save_as, window, folder, look)
        pictures(window.current_page(), context, save, settle)


def _teacher_pictures(window: MainWindow, context: AppContext, folder: Path, look: str) -> None:
    """A teacher's job, what failed of it, the dialog before it, the editor of recipes."""
    window.show_page("teacher")
    page = window.current_page()
    settle(lambda: page.view.course is not None and not context.tasks.busy())
    page.jobs.select(next(job.id for job in context.jobs.jobs if job.kind == "teacher" and job.state == "done"))
    for tab in ("Progress", "Troubles"):
        page.findChild(QPushButton, f"teacher{tab}").click()
        settle(lambda: False, 1.0)
        _save(window, folder / f"teacher_{tab.lower()}_{look}.png")
    page.open_dialog()
    settle(lambda: bool(page.dialog.now.side.examples.text.toPlainText()))
    _save(page.dialog.now, folder / f"plan_dialog_{look}.png")
    page.dialog.now.reject()
    page.jobs.select(next(job.id for job in context.jobs.jobs if job.kind == "judge"))
    settle(lambda: page.judge_view.frame.state is not None and not context.tasks.busy())
    settle(lambda: False, 1.0)
    _save(window, folder / f"judge_{look}.png")
    page.open_judge_dialog("status:new")
    settle(lambda: bool(page.judge_dialog.now.side.examples.text.toPlainText()))
    _save(page.judge_dialog.now, folder / f"judge_dialog_{look}.png")
    page.judge_dialog.now.reject()
    page.open_editor("bug-fix")
    settle(lambda: page.editor.now.draft.whole)
    _save(page.editor.now, folder / f"recipe_editor_{look}.png")
    page.editor.now.reject()


def _run_pictures(window: MainWindow, context: AppContext, folder: Path, look: str) -> None:
    """The newest run beside the one before it, its answers and its settings."""
    window.show_page("training")
    page = window.current_page()
    newest, before = (job for job in context.jobs.jobs if job.kind == "train")
    charts = page.findChild(ChartsView)
    charts.overlay.choose(newest.folder.path.parent, (before.id,))
    settle(lambda: not context.tasks.busy())
    settle(lambda: False, 1.0)  # curves are drawn after a moment
    _save(window, folder / f"compared_{look}.png")
    for tab in ("Answers", "Differences", "Settings"):
        page.findChild(QPushButton, f"run{tab}").click()
        settle(lambda: not context.tasks.busy())
        _save(window, folder / f"{tab.lower()}_{look}.png")
    charts.overlay.choose(newest.folder.path.parent, ())
    page.findChild(QPushButton, "runCharts").click()


def dialog() -> QWidget | None:
    """The run dialog, once it is there."""
    return next((w for w in QApplication.topLevelWidgets() if w.objectName() == "runDialog"), None)


def _save_as(widget: QWidget, folder: Path, look: str, name: str) -> None:
    _save(widget, folder / f"{name}_{look}.png")


def _save(widget: QWidget, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    widget.grab().save(str(path))
    print(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--size", default="1280x800")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    root = options.workspace or Path(tempfile.mkdtemp(prefix="gosmith-")) / "gosmith"
    if not (root / "run.toml").exists():
        open_workspace(root)
        prepare(root)
        ask_teacher(root)
        ask_judge(root)
        evaluation_pictures.prepare(root)
    app = QApplication([])
    fonts.load()
    for look in ("light", "dark"):
        theme = Theme(app, look)
        workspace = open_workspace(root)
        context = AppContext(workspace, TaskRunner(workspace), Settings(), theme)
        window = MainWindow(context)
        window.resize(width, height)
        window.show()
        context.jobs.start()
        settle(lambda context=context: bool(context.jobs.jobs) and not context.tasks.busy())
        page_pictures(window, context, options.folder, look)
        window.close()
        context.close()
        window.deleteLater()
        settle(lambda: True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
