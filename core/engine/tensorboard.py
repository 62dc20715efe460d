"""TensorBoard event files beside our own log: the same events, as scalars, for who watches many machines in one place.

A wrapper around a run's monitor; the run knows nothing of it and nothing reads these files again. The package tensorboard is no
dependency of Gosmith: who asks for it and has it not is told so before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from core.engine.prepare import Monitor
from core.errors import UserError

FOLDER = "tensorboard"
SCALARS = {
    "step": {
        "loss": "train/loss",
        "lr": "train/learning_rate",
        "grad_norm": "train/grad_norm",
        "tokens_per_second": "speed/tokens_per_second",
        "trained_per_second": "speed/trained_per_second",
        "memory": "machine/memory_bytes",
        "gpu": "machine/gpu_percent",
        "mfu": "machine/mfu",
    },
    "validation": {"loss": "validation/loss"},
    "answers": {"parsed": "answers/parsed", "compiled": "answers/compiled"},
    "evaluation": {"pass_at_1": "evaluation/pass_at_1", "compile_rate": "evaluation/compile_rate"},
}
"""Kind of event -> its field -> the scalar's tag."""


class Writer(Protocol):
    """The little of torch's SummaryWriter that is used here."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


WriterFactory = Callable[[Path, int], Writer]
"""(folder, step) -> a writer; what earlier files of the folder say of this step and later ones no longer counts."""


def summary_writer(folder: Path, step: int) -> Writer:
    """TensorBoard's own. Raises ModuleNotFoundError without the package."""
    from torch.utils.tensorboard import SummaryWriter

    writer: Writer = SummaryWriter(str(folder), purge_step=step)
    return writer


@contextmanager
def beside(
    monitor: Monitor, output: Path, *, wanted: bool, first: bool, writer: WriterFactory = summary_writer
) -> Iterator[Monitor]:
    """The monitor to train with: the same one, or one that writes scalars into output/tensorboard as well.

    wanted: the configuration asks for it. first: this process is the one that writes. Raises UserError, in every process, when
    the package is missing.
    """
    if not wanted:
        yield monitor
        return
    if writer is summary_writer:
        _require()
    if not first:
        yield monitor
        return
    scalars = ScalarMonitor(monitor, output / FOLDER, writer)
    try:
        yield scalars
    finally:
        scalars.close()


def _require() -> None:
    try:
        import torch.utils.tensorboard  # noqa: F401 - whether it can be
    except ImportError as error:
        raise UserError(
            "tensorboard = true needs the package tensorboard, which is not installed.",
            "Run `.venv/bin/pip install tensorboard`, or leave the key out: Gosmith's own charts need nothing.",
        ) from error


class ScalarMonitor:
    """A monitor that passes everything on and writes the numbers of events as scalars.

    A new file is begun at the first step, and where a run goes back to a checkpoint: the abandoned steps then vanish.
    """

    def __init__(self, monitor: Monitor, folder: Path, writer: WriterFactory) -> None:
        self._monitor = monitor
        self._folder = folder
        self._make = writer
        self._writer: Writer | None = None
        self._last = 0

    def event(self, kind: str, /, **fields: object) -> None:
        """Pass it on, then write what is a number of it."""
        self._monitor.event(kind, **fields)
        tags, step = SCALARS.get(kind), fields.get("step")
        if tags is None or not isinstance(step, int):
            return
        writer = self._writer_at(step, again=kind == "step" and step <= self._last)
        for name, tag in tags.items():
            value = fields.get(name)
            if isinstance(value, int | float):
                writer.add_scalar(tag, value, step)
        if kind == "step":
            self._last = step
        else:
            writer.flush()

    def _writer_at(self, step: int, *, again: bool) -> Writer:
        if self._writer is not None and again:
            self.close()
        if self._writer is None:
            self._writer = self._make(self._folder, step)
        return self._writer

    def close(self) -> None:
        """Write what is still held back."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def progress(self, done: int, total: int | None = None) -> None:
        self._monitor.progress(done, total)

    def should_stop(self) -> bool:
        return self._monitor.should_stop()

    def checkpoint_requested(self) -> bool:
        return self._monitor.checkpoint_requested()

    def stop_after_epoch(self) -> bool:
        return self._monitor.stop_after_epoch()

    def stopped_early(self) -> None:
        self._monitor.stopped_early()
