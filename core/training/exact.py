"""What the job kind "count" is asked, and what its answer means for a plan.

The job counts one process with the whole model. Activations and logits, where a closed form can be wrong, are the same on every process,
so the plan's total is moved by as much as the count differs from the closed form of that one process.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from core.errors import UserError
from core.files import read_json
from core.jobs import JobFolder
from core.models import Model, ModelShape, inspect
from core.training import memory
from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping
from core.training.planned import Plan

FILE: Final = "count.json"
TITLE: Final = "Count of a step's memory"


@dataclass(frozen=True, slots=True)
class Exact:
    """Bytes. counted, closed: peak of one process with the whole model, by the count and by the closed form, without allowances.
    total: of a process of the planned run, with the count's difference. seconds: what the counting took."""

    counted: int
    closed: int
    total: int
    seconds: float

    @property
    def sentence(self) -> str:
        """The count beside the closed form."""
        off = 100.0 * (self.closed / self.counted - 1.0)
        return (
            f"Counted operation by operation: {self.total / 2**30:.2f} GiB a process; the closed form is "
            f"{abs(off):.1f} % {'above' if off >= 0 else 'below'} the count."
        )


def question(config: RunConfig, base: Model, plan: Plan) -> dict[str, Any]:
    """The job's request."""
    return {"config": to_mapping(config), "base": str(base.base or base.path), "load": asdict(plan.load)}


def answer(folder: JobFolder, config: RunConfig, base: Model, plan: Plan) -> Exact:
    """What a finished job found. Raises UserError when it left no answer."""
    found = read_json(folder.output / FILE)
    if found is None:
        raise UserError("The count ended without an answer.", "Its log says why; the forecast stands without it.")
    return compare(int(found["peak"]), float(found["seconds"]), config, inspect(base.base or base.path), plan)


def compare(counted: int, seconds: float, config: RunConfig, shape: ModelShape, plan: Plan) -> Exact:
    """The count beside the closed form of the same process."""
    closed = single(config, shape, plan.load)
    holes = memory.GPU_HOLES if plan.load.gpu else memory.CPU_HOLES
    return Exact(counted, closed, round(plan.memory["total"] + (1 + holes) * (counted - closed)), seconds)


def single(config: RunConfig, shape: ModelShape, load: memory.Load) -> int:
    """Closed form of one process with the whole model, without the allowance for what no count sees."""
    values = to_mapping(config)
    kept = {key: values["parallel"][key] for key in ("activation_checkpointing", "compile")}
    parts = memory.parts(from_mapping({**values, "parallel": kept}), shape, load)
    return parts["total"] - parts["overhead"]
