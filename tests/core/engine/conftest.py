"""A tokenizer, a model and a snapshot so small that a whole training run takes a second."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import starter
from core.training.config import RunConfig
from core.training.config_file import from_mapping

TEXTS = [
    f"// Sum{i} adds what it is given.\nfunc Sum{i}(a, b int) int {{\n\treturn a + b*{i}\n}}\n" for i in range(40)
] + ["größer, naïve, 日本語, 🙂 — func main() {}"]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return starter.make_tokenizer(TEXTS, 512)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A model folder: Llama, vocabulary 512, width 64, 2 layers."""
    return write_base(tmp_path_factory.mktemp("base"), tokenizer)


def write_base(folder: Path, tokenizer: Any, layers: int = 2) -> Path:
    plan = starter.Plan(width=64, layers=layers, heads=4, kv_heads=2, intermediate=128, positions=256)
    starter.make_model(tokenizer, plan).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def conversation(i: int) -> list[dict[str, str]]:
    answer = f"```go\n{TEXTS[i % 40]}```"
    return [{"role": "user", "content": f"Write Sum{i}."}, {"role": "assistant", "content": answer}]


def write_snapshot(folder: Path, train: list[dict[str, Any]], validation: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("validation", validation)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 conversations of one turn, some of two, and 4 for validation."""
    return write_conversations(tmp_path_factory.mktemp("snapshot"))


def write_conversations(folder: Path) -> Path:
    rows = [{"sample": f"s{i}", "messages": conversation(i) * (1 + i % 3 // 2)} for i in range(28)]
    return write_snapshot(folder, rows[4:], rows[:4])


def config(**sections: Mapping[str, Any] | Any) -> RunConfig:
    """A run of 6 small steps in fp32, changed by `sections`."""
    plain: dict[str, Any] = {
        "model": {"base": "base"},
        "data": {"snapshot": "snapshot", "max_length": 256},
        "method": {"rank": 4, "alpha": 8},
        "optimizer": {"learning_rate": 5e-3},
        "budget": {"steps": 6},
        "batch": {"micro": 2, "accumulation": 1},
        "precision": {"dtype": "fp32"},
        "checkpoints": {"every": 3, "keep": 2},
        "validation": {"every": 3},
    }
    for name, value in sections.items():
        plain[name] = {**plain.get(name, {}), **value} if isinstance(value, Mapping) else value
    return from_mapping(plain)


@dataclass
class Notes:
    """A monitor that remembers. stop_after: the step while which it asks to stop."""

    stop_after: int | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    at: int = 0

    def event(self, kind: str, /, **fields: object) -> None:
        self.events.append({"kind": kind, **fields})
        if kind == "step":
            self.at = int(str(fields["step"]))

    def progress(self, done: int, total: int | None = None) -> None:
        self.events.append({"kind": "progress", "done": done, "total": total})

    def should_stop(self) -> bool:
        return self.stop_after is not None and self.at + 1 >= self.stop_after

    def checkpoint_requested(self) -> bool:
        return False

    def stop_after_epoch(self) -> bool:
        return False

    def stopped_early(self) -> None:
        self.events.append({"kind": "stopped early"})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    def losses(self) -> list[float]:
        return [event["loss"] for event in self.of("step")]


@pytest.fixture
def make_config() -> Callable[..., RunConfig]:
    return config


@pytest.fixture
def notes() -> Notes:
    return Notes()
