"""The apprentice: learning from 20,000 decisions and scoring 100,000 samples, in seconds.

The workspace is that of the samples benchmark; decisions follow the verdict, with one in ten turned round.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path

from core.database import migrate
from core.samples import apprentice, edits, query
from core.workspace import Workspace
from tests.benchmarks.bench_samples import fill
from tests.benchmarks.report import report


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        with closing(workspace.connect()) as connection:
            migrate(connection)
            fill(connection, options.samples)
            edits.review(connection, query.parse("-status:new"), status="new")
            rng = random.Random(7)
            for status, text in (("accepted", "verdict:pass"), ("rejected", "verdict:fail")):
                found = list(query.ids(connection, query.parse(text)))[: options.samples // 8]
                turned = set(rng.sample(found, len(found) // 10))
                edits.review(connection, [key for key in found if key not in turned], status=status)
                edits.review(connection, sorted(turned), status="rejected" if status == "accepted" else "accepted")
            start = time.perf_counter()
            learnt = apprentice.learn(connection)
            middle = time.perf_counter()
            apprentice.keep_scores(connection, apprentice.scores(connection, learnt))
            end = time.perf_counter()
    report(
        "apprentice",
        {
            "samples": options.samples,
            "decisions learnt from": learnt.report.accepted + learnt.report.rejected,
            "learning and cross-validating, seconds": middle - start,
            "scoring all, seconds": end - middle,
            "auc where one decision in ten is noise": learnt.report.auc,
            "accuracy": learnt.report.accuracy,
            "accuracy of always saying what is commoner": learnt.report.baseline,
        },
    )


if __name__ == "__main__":
    main()
