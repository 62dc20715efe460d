"""The dialog that starts an evaluation: of a model or of ready-made completions, on which suite, and how the answers are taken and judged.

Everything is checked while it is typed, by the rules of the command line. A sentence says what so many samples buy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation import words
from app.evaluation.evaluate_form import EvaluateForm
from app.evaluation.subject_picker import SubjectPicker
from app.evaluation.suite_picker import SuitePicker
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import hairline, label
from core.errors import UserError
from core.evaluation import asking
from core.evaluation.asking import MOST_SAMPLES, Asking
from core.evaluation.starting import completions_for, start_evaluation, start_model_evaluation
from core.jobs import JobFolder, JobInfo
from core.jobs.folder import read_job
from core.models import resolve
from core.samples import named_suites

CHECK_MS = 200


class EvaluateDialog(QDialog):
    """Asks for an evaluation. Attributes: subject, suites, form (its parts), start (its button).

    Signals: job_started(job id).
    """

    job_started = Signal(str)

    def __init__(self, context: AppContext, model: str, newest: JobInfo | None, parent: QWidget | None = None) -> None:
        """model: the one to begin with, "" for none. newest: the evaluation whose settings to begin with."""
        super().__init__(parent)
        self.setObjectName("evaluateDialog")
        self.setWindowTitle("Evaluate")
        self.resize(820, 580)
        if parent is not None:
            room = parent.window().size()
            self.resize(min(860, room.width() - 60), min(620, max(540, room.height() - 60)))
        self._context = context
        self._asking: Asking | None = None
        self._number = 0
        self._starting = False
        before = _begin_with(newest)
        self.banner = Banner(context.theme, name="evaluateBanner")
        self.subject = SubjectPicker(context, model or str(before.get("model", "")))
        self.suites = SuitePicker(context, str(before.get("suite", "")))
        self.form = EvaluateForm()
        self.form.set_values(before)
        self._mode = before.get("mode")
        self.worth = label(tone="dim", size=12, wrap=True, name="evaluateWorth")
        self._note = label(tone="dim", wrap=True, name="evaluateNote")
        self.start = Button("Evaluate", context.theme, icon="play", kind="primary", name="evaluateBegin")
        self.start.setEnabled(False)
        self.start.clicked.connect(self._on_start)
        self._build()
        self._timer = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._timer.timeout.connect(self._check_file)
        self.subject.edited.connect(self._check)
        self.suites.chosen.connect(self._on_suite_chosen)
        self.form.edited.connect(self._check)
        self._check()

    def _build(self) -> None:
        cancel = Button("Cancel", self._context.theme, name="evaluateCancel")
        inner = QWidget()
        inner.setProperty("kind", "page")
        body = QVBoxLayout(inner)
        body.setContentsMargins(20, 14, 20, 10)
        body.setSpacing(10)
        for part in (self.subject, self.suites, self.form, self.worth):
            body.addWidget(part)
        body.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("What is evaluated, and how")
        scroll.setWidget(inner)
        foot = dialog_foot(self, cancel, self.start, self._note)
        foot.setContentsMargins(20, 10, 20, 12)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addWidget(scroll, 1)
        whole.addWidget(hairline())
        whole.addLayout(foot)

    # --- checking ----------------------------------------------------------------------------------------------

    def _on_suite_chosen(self) -> None:
        suite = self.suites.suite
        self.form.set_modes(suite.modes if suite is not None else ())
        if self._mode is not None and suite is not None:
            self.form.set_values({"mode": self._mode if self._mode in suite.modes else suite.modes[0]})
            self._mode = None

    def _check(self) -> None:
        """What can be told at once; a file is read a little later, off this thread."""
        self._number += 1  # what a check of a file is about to say is out of date
        values = self.form.values()
        of_model = self.subject.of_model
        if not of_model:
            values = {"k": values["k"], "seconds": values["seconds"], "samples": MOST_SAMPLES}
        self._asking, errors = asking.wanted(values)
        self.form.set_asking(of_model)
        self.form.show_errors(errors)
        self.subject.show_error("")
        self.worth.setVisible(of_model and self._asking is not None)
        if self._asking is not None:
            self.worth.setText(" ".join([asking.worth(self._asking.samples), *asking.remarks(self._asking)]))
        missing = self.subject.missing or ("" if self.suites.suite is not None else "Choose a suite.")
        self._offer(self._asking is not None and not missing and of_model, missing or self._amount(errors))
        if not of_model and not missing and self._asking is not None:
            self._timer.start()

    def _amount(self, errors: Mapping[str, str]) -> str:
        suite = self.suites.suite
        if errors:
            return f"{words.counted(len(errors), 'value')} to mend."
        if suite is None or self._asking is None:
            return ""
        if not self.subject.of_model:
            return "Reading the file …"
        answers = suite.problems * self._asking.samples
        return f"{words.counted(suite.problems, 'problem')}, {words.counted(answers, 'answer')}."

    def _offer(self, ready: bool, note: str) -> None:
        self.start.setEnabled(ready and not self._starting)
        self._note.setText(note)

    def _check_file(self) -> None:
        suite, wanted, number = self.suites.suite, self._asking, self._number
        if suite is None or wanted is None or self.subject.of_model:
            return
        workspace, file = self._context.workspace, self.subject.file

        def read() -> tuple[int, int]:
            with closing(workspace.connect(readonly=True)) as connection:
                named = named_suites.open_suite(connection, suite.reference, workspace.suites)
            found = completions_for(named.suite, file, wanted.ks)
            return len(found.all), len({one.task for one in found.all})

        def say(found: tuple[int, int]) -> None:
            if number == self._number:
                left = suite.problems - found[1]
                rest = f"; {words.counted(left, 'problem')} without one" if left else ""
                self._offer(True, f"{words.counted(found[0], 'completion')} of {words.counted(found[1], 'problem')}{rest}.")  # fmt: skip

        def refuse(error: UserError) -> None:
            if number == self._number:
                about_k = error.message.startswith("pass@")
                self.form.show_errors({"k": error.message} if about_k else {})
                self.subject.show_error("" if about_k else str(error))
                self._offer(False, "")

        self._context.tasks.run(read, say, refuse, owner=self)

    # --- starting ----------------------------------------------------------------------------------------------

    def _on_start(self) -> None:
        suite, wanted = self.suites.suite, self._asking
        if suite is None or wanted is None or self._starting:
            return
        self._starting = True
        self.start.setEnabled(False)
        self.banner.clear()
        self._context.tasks.run(self._starter(suite.reference, wanted), self._on_started, self._on_refused, owner=self)

    def _starter(self, reference: str, wanted: Asking) -> Callable[[], JobFolder]:
        """What starts the job, on another thread: it holds plain values only."""
        workspace, mode = self._context.workspace, str(self.form.mode.currentData())
        of_model, file, model = self.subject.of_model, self.subject.file, self.subject.model
        chat, int8 = self.form.fields["asked"].read() == "chat", bool(self.form.fields["int8"].read())

        def begin() -> JobFolder:
            with closing(workspace.connect(readonly=True)) as connection:
                named = named_suites.open_suite(connection, reference, workspace.suites)
            if not of_model:
                return start_evaluation(workspace.jobs, named, file, mode=mode, ks=wanted.ks, seconds=wanted.seconds)
            found = resolve(model, workspace.models, workspace.jobs)
            return start_model_evaluation(
                workspace.jobs, named, found.name, found.path, mode=mode, ks=wanted.ks, samples=wanted.samples,
                sampling=wanted.sampling, chat=chat, int8=int8, seconds=wanted.seconds,
            )  # fmt: skip

        return begin

    def _on_started(self, folder: JobFolder) -> None:
        self.job_started.emit(folder.id)
        self.accept()

    def _on_refused(self, error: UserError) -> None:
        self._starting = False
        self.banner.problem(error)
        self._check()

    def done(self, result: int) -> None:
        """Leave nothing at work behind."""
        self._timer.stop()
        super().done(result)


def _begin_with(newest: JobInfo | None) -> dict[str, Any]:
    """The settings of the evaluation that was started last, but for its seed. Suites that were a file are found by their path."""
    if newest is None:
        return {}
    try:
        job = read_job(newest.folder)
    except UserError:
        return {}
    asked, settings = job.request, dict(job.request.get("settings", {}))
    reference = job.command[job.command.index("--problems") + 1] if "--problems" in job.command else asked["suite"]
    before = {
        "suite": reference, "mode": asked["mode"], "k": ",".join(map(str, asked["k"])), "seconds": asked["seconds"],
        "model": settings["path"] if Path(settings.get("path") or "-").is_dir() else "",
    }  # fmt: skip
    if sampling := settings.get("sampling"):
        kept = {key: sampling[key] for key in asking.SAMPLING if key != "seed" and key in sampling}
        before |= {"samples": settings["samples"], "asked": "chat" if settings["chat"] else "continue", **kept}
        before["int8"] = settings["int8"]
    else:
        before["k"] = "1"
    return before
