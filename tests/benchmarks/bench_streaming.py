"""A frame of an answer that streams into the playground's transcript, beside the same text set anew a frame. `python -m tests.benchmarks.bench_streaming`

An answer of 20,000 characters, prose and Go, comes 40 characters a frame into a transcript of 900 by 700 that holds two earlier turns; a frame is what
inserting, colouring, layout and painting take until the widget has been repainted, in milliseconds. Budget: 4 at the 95th percentile of the last hundred frames. The peer
is what chats usually do: a text widget that is given the whole answer as Markdown at each frame; ten of those frames are timed. Offscreen, painted by the processor.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QTextBrowser

from app import fonts
from app.playground.transcript import Transcript, Turn
from app.theme import Theme
from tests.benchmarks.report import report

CHARACTERS = 20_000
PIECE = 40
LAST = 100

BLOCK = """Then wrap the error, so that whoever reads it knows where it came from, and keep the cause:

```go
// Load reads the settings in path; a file that is missing is no error.
func Load(path string) (Settings, error) {
\tvar found Settings
\ttext, err := os.ReadFile(path)
\tif errors.Is(err, fs.ErrNotExist) {
\t\treturn found, nil
\t}
\tif err != nil {
\t\treturn found, fmt.Errorf("read settings in %q: %w", path, err)
\t}
\treturn found, json.Unmarshal(text, &found)
}
```

"""


class Frames(QObject):
    """A widget that is shown, and what its frames take."""

    def __init__(self, widget: QAbstractScrollArea) -> None:
        super().__init__()
        self._painted = False
        widget.viewport().installEventFilter(self)
        widget.resize(900, 700)
        widget.show()
        QApplication.processEvents()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self._painted = self._painted or event.type() == QEvent.Type.Paint
        return False

    def frame(self, act: Callable[[], object]) -> float:
        """Milliseconds of an act and all that follows from it, the painting included."""
        self._painted = False
        start = time.perf_counter()
        act()
        while not self._painted:
            QApplication.processEvents()
        return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Measure and report."""
    app = QApplication([])
    fonts.load()
    theme = Theme(app)
    answer = (BLOCK * (CHARACTERS // len(BLOCK) + 1))[:CHARACTERS]
    pieces = [answer[at : at + PIECE] for at in range(0, CHARACTERS, PIECE)]
    transcript = Transcript(theme)
    frames = Frames(transcript)
    transcript.show_turns(
        [
            Turn("q1", "You", "Why wrap?"),
            Turn("a1", "starter", BLOCK * 5),
            Turn("q2", "You", "More."),
            Turn("a2", "starter", ""),
        ]
    )
    took = [frames.frame(lambda piece=piece: transcript.append(piece)) for piece in pieces]
    ours = sorted(took[-LAST:])
    peer = QTextBrowser()
    others = Frames(peer)
    theirs = [
        others.frame(lambda end=end: peer.setMarkdown(answer[: CHARACTERS - PIECE * end])) for end in range(9, -1, -1)
    ]
    report(
        "streaming",
        {
            "characters": CHARACTERS,
            "median of the first hundred frames, ms": statistics.median(took[:LAST]),
            "median of the last hundred frames, ms": statistics.median(ours),
            "95th percentile of the last hundred frames, ms": ours[int(0.95 * LAST) - 1],
            "worst frame, ms": max(took),
            "all Markdown anew a frame, median, ms": statistics.median(theirs),
            "ratio": statistics.median(theirs) / statistics.median(ours),
        },
    )


if __name__ == "__main__":
    main()
