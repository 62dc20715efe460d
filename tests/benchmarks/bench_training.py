"""LoRA on the starter: 60 steps with a checkpoint, from the command's start to its end, beside the steps alone.

python -m tests.benchmarks.bench_training
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.jobs.events import read_events
from tests.benchmarks.report import report

CONFIG = """
name = "bench"
[model]
base = "starter"
[data]
snapshot = "bench"
max_length = 512
[budget]
steps = 60
[batch]
micro = 2
accumulation = 2
[validation]
every = 30
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"

        def gosmith(*words: str) -> dict[str, object]:
            command = [sys.executable, "-m", "app.cli", "--workspace", str(workspace), "--json", *words]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            answer: dict[str, object] = json.loads(done.stdout)
            return answer

        gosmith("snapshot", "create", "bench", "tag:bundled")
        config = Path(folder) / "run.toml"
        config.write_text(CONFIG)
        start = time.perf_counter()
        run = gosmith("train", str(config))
        seconds = time.perf_counter() - start
        events = [e for e in read_events(workspace / "jobs" / str(run["job"]) / "events.jsonl") if e["kind"] == "step"]
        stepping = events[-1]["t"] - events[0]["t"]
        report(
            "training",
            {
                "steps": 60,
                "seconds_with_process_start_and_checkpoint": round(seconds, 2),
                "seconds_of_steps": round(stepping, 2),
                "tokens_per_second": round(sum(e["tokens"] for e in events[1:]) / stepping),
                "first_loss": events[0]["loss"],
                "last_loss": events[-1]["loss"],
            },
        )


if __name__ == "__main__":
    main()
