"""LoRA on the starter beside `transformers.Trainer` with PEFT and `trl.SFTTrainer`: tokens a second and the loss after 50 steps.

python -m tests.benchmarks.bench_trainers

The same rows, adapter, rate, number format and threads; each arm in a process of its own, one after the other, in two rounds; of tokens/s
the best counts, of ratios the mean over the rounds, because a shared machine is not equally fast for ten minutes. Rows have the lengths of Alpaca's: a median of about 100 tokens with a long tail. tokens/s are real tokens of 45 steps,
the first 5 left out. "trainer" and "trl" get the rows in the order in which our loop takes them, so that losses can be compared;
"shuffled" is what they do by themselves, padded batches of random rows, and what our packed arm is compared with.
"""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.paths import resources
from tests.benchmarks.report import report

ARMS = ("trainer", "ours", "trl", "trainer, shuffled", "ours, packed", "trl, shuffled")
STEPS, ROWS, WARM = 50, 8, 5
ROUNDS = 2
LONGEST = 512
THREADS = "1"
RATE, RANK, ALPHA = 2e-4, 16, 32


def rows(count: int) -> list[dict[str, Any]]:
    """Chats whose answers are pieces of the bundled samples, cut to lengths drawn from a log-normal distribution."""
    from core.engine.corpus import bundled

    chance = random.Random(7)
    answers = [chat[-1]["content"] for chat in bundled(resources() / "samples")]
    made = []
    for number in range(count):
        characters = int(min(1200, math.exp(chance.gauss(math.log(180), 0.8))))
        question = {"role": "user", "content": f"Question {number}: go on with this code."}
        made.append([question, {"role": "assistant", "content": chance.choice(answers)[: max(20, characters)]}])
    return [{"sample": f"s{number}", "messages": chat} for number, chat in enumerate(made)]


def settings(folder: Path, *, packing: bool) -> Any:
    from core.training.config_file import from_mapping

    return from_mapping(
        {
            "model": {"base": "starter"},
            "data": {"snapshot": "bench", "max_length": LONGEST, "packing": packing},
            "method": {"rank": RANK, "alpha": ALPHA},
            "optimizer": {"learning_rate": RATE, "schedule": "constant", "warmup": 0, "clip": 1.0},
            "budget": {"steps": STEPS},
            "batch": {"micro": ROWS, "accumulation": 1} if not packing else {"micro": 2, "accumulation": 1},
            "checkpoints": {"every": 0, "keep": 1},
            "validation": {"every": 0},
        }
    )


class Watch:
    """Remembers when each step ended, its loss and its real tokens."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.losses: list[float] = []
        self.tokens: list[int] = []

    def event(self, kind: str, /, **fields: Any) -> None:
        if kind == "step":
            self.times.append(time.perf_counter())
            self.losses.append(fields["loss"])
            self.tokens.append(fields["tokens"])

    def progress(self, done: int, total: int | None = None) -> None: ...

    def should_stop(self) -> bool:
        return False

    def checkpoint_requested(self) -> bool:
        return False

    def stop_after_epoch(self) -> bool:
        return False

    def stopped_early(self) -> None: ...

    def figures(self) -> dict[str, Any]:
        seconds = self.times[-1] - self.times[WARM - 1]
        return {
            "tokens_per_second": sum(self.tokens[WARM:]) / seconds,
            "loss": sum(self.losses[-10:]) / 10,
            "first_loss": self.losses[0],
        }


def ours(folder: Path, *, packing: bool) -> dict[str, Any]:
    from core.engine import loop
    from core.engine.parallel import Group

    watch = Watch()
    loop.train(
        settings(folder, packing=packing),
        resources() / "starter",
        folder,
        folder / "ours",
        run="bench",
        monitor=watch,
        group=Group(),
    )
    return watch.figures()


def peer(folder: Path, *, trl: bool, shuffled: bool) -> dict[str, Any]:
    """The rows already tokenized and masked, in the order in which our loop takes them or in any."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from torch.utils.data import SequentialSampler
    from transformers import AutoModelForCausalLM, Trainer, TrainerCallback

    from core.engine import data, model, token_cache
    from core.engine.compute import choose
    from core.engine.documents import split_refusals

    base = resources() / "starter"
    config = settings(folder, packing=False)
    tokenizer = model.load_tokenizer(base)
    documents, _ = split_refusals(token_cache.load(folder / "train.jsonl", base, tokenizer, config.data))
    order = data.sequences(documents, packing=False, max_length=LONGEST, seed=config.seed)
    chosen = [documents[order.members[sequence][0]] for step in range(STEPS) for sequence in order.at(step, ROWS)]
    if shuffled:
        random.Random(1).shuffle(chosen)
    labels = [[int(i) if t else -100 for i, t in zip(d.ids, d.trained, strict=True)] for d in chosen]
    table = {"input_ids": [d.ids.tolist() for d in chosen], "labels": labels}
    watch = Watch()
    watch.tokens = [sum(len(d.ids) for d in chosen[step * ROWS : (step + 1) * ROWS]) for step in range(STEPS)]

    class Listen(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_args: Any, **_options: Any) -> None:
            watch.times.append(time.perf_counter())

        def on_log(self, _args: Any, _state: Any, _control: Any, logs: Any = None, **_options: Any) -> None:
            if "loss" in logs:
                watch.losses.append(float(logs["loss"]))

    causal = AutoModelForCausalLM.from_pretrained(base, dtype=choose("bf16").dtype)
    lora = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    common: dict[str, Any] = {
        "output_dir": str(folder / "peer"), "per_device_train_batch_size": ROWS, "max_steps": STEPS,
        "learning_rate": RATE, "lr_scheduler_type": "constant", "max_grad_norm": 1.0, "logging_steps": 1,
        "save_strategy": "no", "report_to": [], "use_cpu": not torch.cuda.is_available(),
        "bf16": choose("bf16").dtype == torch.bfloat16, "optim": "adamw_torch_fused", "weight_decay": 0.0,
        "disable_tqdm": True, "gradient_checkpointing": False, "remove_unused_columns": False, "seed": 7,
    }  # fmt: skip

    def collate(items: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        width = max(len(item["input_ids"]) for item in items)
        pad = int(tokenizer.pad_token_id or 0)

        def fill(name: str, value: int) -> torch.Tensor:
            return torch.tensor([item[name] + [value] * (width - len(item[name])) for item in items])

        mask = [[1] * len(item["input_ids"]) + [0] * (width - len(item["input_ids"])) for item in items]
        return {
            "input_ids": fill("input_ids", pad),
            "labels": fill("labels", -100),
            "attention_mask": torch.tensor(mask),
        }

    if trl:
        from trl import SFTConfig, SFTTrainer

        class InOrder(SFTTrainer):  # type: ignore[misc]
            def _get_train_sampler(self, *_args: Any, **_options: Any) -> Any:
                return SequentialSampler(self.train_dataset)

        trainer: Any = InOrder(
            model=causal, args=SFTConfig(**common, max_length=LONGEST, packing=False), peft_config=lora,
            train_dataset=Dataset.from_dict(table), processing_class=tokenizer, data_collator=collate,
            callbacks=[Listen()],
        )  # fmt: skip
    else:
        from peft import get_peft_model
        from transformers import TrainingArguments

        class Ordered(Trainer):  # type: ignore[misc]
            def _get_train_sampler(self, *_args: Any, **_options: Any) -> Any:
                return SequentialSampler(self.train_dataset)

        trainer = Ordered(
            model=get_peft_model(causal, lora), args=TrainingArguments(**common), train_dataset=Dataset.from_dict(table),
            data_collator=collate, callbacks=[Listen()],
        )  # fmt: skip
    trainer.train()
    return watch.figures()


def arm(name: str, folder: Path) -> dict[str, Any]:
    """One arm, in this process."""
    if name.startswith("ours"):
        return ours(folder, packing="packed" in name)
    return peer(folder, trl=name.startswith("trl"), shuffled="shuffled" in name)


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(arm(sys.argv[1], Path(sys.argv[2]))))
        return
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ARMS}
    environment = {**os.environ, "OMP_NUM_THREADS": THREADS, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    for _ in range(ROUNDS):
        for name in ARMS:
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(STEPS * ROWS)))
                command = [sys.executable, "-m", "tests.benchmarks.bench_trainers", name, folder]
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
                if done.returncode:
                    raise SystemExit(done.stderr)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    best = {name: max(runs, key=lambda run: float(run["tokens_per_second"])) for name, runs in found.items()}
    figures: dict[str, object] = {}
    for name, run in best.items():
        figures[f"tokens_per_second, {name}"] = round(run["tokens_per_second"])
        figures[f"loss after {STEPS} steps, {name}"] = round(run["loss"], 4)
    for other in ("trainer", "trl"):
        for mine, theirs in (("ours", other), ("ours, packed", f"{other}, shuffled")):
            ratios = [
                a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(found[mine], found[theirs], strict=True)
            ]
            figures[f"{mine} to {theirs}"] = round(statistics.mean(ratios), 2)
    report("trainers", figures)


if __name__ == "__main__":
    main()
