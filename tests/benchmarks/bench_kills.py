"""A hundred kills: runs of two processes, copied and sharded, are killed at random moments and resumed until they are done.

After each kill no process may be left and every checkpoint must load; at the end every loss, gradient norm and learning rate, and
every bit of the last checkpoint, must be those of a run that nobody killed. Fails otherwise. About a quarter of an hour.
`python -m tests.benchmarks.bench_kills [KILLS]`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from core.engine import starter
from tests.benchmarks.report import report
from tests.core.engine.conftest import TEXTS, config, write_base, write_conversations
from tests.core.engine.killing import Killed, curve, make, under_fire, undisturbed

SETTINGS = {"checkpoints": {"every": 3, "keep": 2}, "validation": {"every": 6}, "budget": {"steps": 240}}


def main(kills: int) -> None:
    os.environ.update({"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"})
    began = time.monotonic()
    runs: list[Killed] = []
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "base").mkdir()
        base = write_base(place / "base", starter.make_tokenizer(TEXTS, 512))
        snapshot = write_conversations(place / "snapshot")
        for mode in ("ddp", "fsdp"):
            settings = config(**SETTINGS, parallel={"mode": mode, "processes": 2})
            wanted = undisturbed(make(place / "jobs", settings, base, snapshot))
            left = kills // 2
            while left > 0:
                folder = make(place / "jobs", settings, base, snapshot)
                run = under_fire(folder, left, seed=len(runs))
                if (found := curve(folder)) != wanted:
                    differ = sorted(key for key in wanted.keys() | found.keys() if found.get(key) != wanted.get(key))
                    raise SystemExit(f"{mode}: not the run that nobody killed at {differ[:5]}")
                runs.append(run)
                left -= run.kills.total()
                print(f"{mode}: {run.kills.total()} kills, {run.kills}", flush=True)
    total = sum((run.kills for run in runs), Counter[tuple[str, str]]())
    cleared = [seconds for run in runs for seconds in run.cleared]
    lost = [steps for run in runs for steps in run.lost_steps]
    figures["kills"] = total.total()
    figures["runs"] = len(runs)
    figures |= {
        f"kills, {name}": sum(count for key, count in total.items() if name in key)
        for name in dict.fromkeys(name for key in sorted(total) for name in key)
    }
    figures["kills that left half a checkpoint unseen"] = sum(run.cut for run in runs)
    figures["runs that ended with other digits"] = 0
    figures["processes left behind"] = 0
    figures["checkpoints lost or damaged"] = 0
    figures["seconds until nothing was left, median"] = median(cleared)
    figures["seconds until nothing was left, most"] = max(cleared)
    figures["steps to be done again, median"] = median(lost)
    figures["steps to be done again, most"] = max(lost)
    figures["minutes"] = (time.monotonic() - began) / 60
    report("kills", figures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100)
