"""Watches the losses of a run for a step that would spoil it, and remembers what has been given up so far.

    not finite     loss or gradient norm is no number
    spike          the loss lies six standard deviations (at the least a tenth) above the moving mean of the last fifty or so

It judges and counts; what is then done, the loop does. Its memory is part of every checkpoint, so that a resumed run judges as
an uninterrupted one would. Going back and leaving out the rows that led to a spike is what PaLM did (Chowdhery et al. 2022, 5.1).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from core.errors import UserError
from core.training.sections import GuardSection

KEEP: Final = 0.98
"""What the moving mean keeps of itself a step."""
WARM: Final = 20
"""Steps before a spike can be told from the fall at the start."""
DEVIATIONS: Final = 6.0
LEAST: Final = 0.1
"""Share of the mean below which no jump counts."""
MOST_IN_A_ROW: Final = 10
MOST_REWINDS: Final = 3


@dataclass(slots=True)
class Guard:
    """skipped: steps in a row that were left out. rewinds: how often the run went back. offset: steps' worth of rows passed over."""

    mean: float = 0.0
    square: float = 0.0
    seen: int = 0
    skipped: int = 0
    rewinds: int = 0
    offset: int = 0

    def judge(self, loss: float, norm: float, section: GuardSection) -> tuple[str, str]:
        """What to do with this step ("go", "note", "skip", "rewind", "stop") and what is wrong with it, to end a sentence with."""
        if not math.isfinite(loss) or not math.isfinite(norm):
            what = f"the loss became {loss}" if not math.isfinite(loss) else f"the gradient norm became {norm}"
            return section.not_finite, what
        limit = self.limit()
        if loss > limit:
            return section.spike, f"the loss jumped to {loss:.3f} from about {self.mean_loss():.3f}"
        return "go", ""

    def went_well(self, loss: float) -> None:
        """Take a good step into the mean."""
        self.mean = KEEP * self.mean + (1 - KEEP) * loss
        self.square = KEEP * self.square + (1 - KEEP) * loss * loss
        self.seen += 1
        self.skipped = 0

    def mean_loss(self) -> float:
        """The moving mean, corrected for its start."""
        return self.mean / (1 - KEEP**self.seen) if self.seen else math.nan

    def limit(self) -> float:
        """The largest loss that is no spike."""
        if self.seen < WARM:
            return math.inf
        mean = self.mean_loss()
        variance = self.square / (1 - KEEP**self.seen) - mean * mean
        return mean + max(DEVIATIONS * math.sqrt(max(0.0, variance)), LEAST * abs(mean))

    def skip(self, step: int, what: str) -> None:
        """Count a step that is left out. Raises UserError when nothing else happens any more."""
        self.skipped += 1
        if self.skipped >= MOST_IN_A_ROW:
            raise UserError(
                f"{MOST_IN_A_ROW} steps in a row were left out, the last because {what} at step {step:,}.",
                "Lower optimizer.learning_rate, then resume from a checkpoint before the trouble or start anew.",
            )

    def rewind(self, step: int, back_to: int, what: str) -> None:
        """Count a return from `step` to `back_to`, whose rows are passed over. Raises UserError when it was tried often enough."""
        self.rewinds += 1
        if self.rewinds > MOST_REWINDS:
            raise UserError(
                f"The run went back {MOST_REWINDS} times, and again {what} at step {step:,}.",
                "Lower optimizer.learning_rate (a third of it), or look for odd samples in the rows of these steps.",
            )
        self.offset += step - back_to

    def note(self) -> dict[str, Any]:
        """Plain data for a checkpoint."""
        return asdict(self)

    @classmethod
    def of(cls, note: dict[str, Any]) -> Guard:
        """The guard of a checkpoint; a new one where it has none."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in note.items() if key in known})
