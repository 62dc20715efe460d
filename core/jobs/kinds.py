"""The table of job kinds. A kind is a module with `main(context: WorkerContext) -> None`, named here as a string only.

Named, not imported: this package lies below the parts that do the work, and a supervisor must never import them.
"""

from __future__ import annotations

from typing import Final

KINDS: Final[dict[str, str]] = {
    "train": "core.engine.train_job",
    "preview": "core.engine.preview_job",
    "find": "core.engine.find_job",
    "count": "core.engine.count_job",
    "serve": "core.engine.serve_job",
    "starter": "core.engine.starter_job",
    "check": "core.golang.job",
    "evaluate": "core.evaluation.job",
    "check_suite": "core.evaluation.check_job",
    "teacher": "core.teacher.job",
    "judge": "core.teacher.judging.job",
    "evaluate_model": "core.engine.evaluate_job",
    "warm": "core.golang.warm_job",
}
