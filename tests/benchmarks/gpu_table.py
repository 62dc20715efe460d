"""Writes the README's table of GPU figures from the newest results of `make bench-gpu`, and "not measured" where there are none.

    python -m tests.benchmarks.gpu_table [README.md]

Between its two marks in the README nothing is written by hand: a test makes the table again and compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.report import RESULTS

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- gpu figures: tests/benchmarks/gpu_table.py -->", "<!-- end of gpu figures -->"
NONE = "not measured"
WHOLE_STEP = "7B, ours, 4 rows, {}: to the best peer"
LONG = ("8192 tokens", "32768 tokens")


def newest(folder: Path, name: str) -> dict[str, Any]:
    """The figures of the newest result of a benchmark; none if there is none."""
    found = sorted(folder.glob(f"*-{name}.json"))
    figures: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8")) if found else {}
    return figures


def table(folder: Path) -> str:
    """The table in Markdown, with a sentence about where it was measured."""
    kernels, training = newest(folder, "gpu_kernels"), newest(folder, "gpu_training")
    decoding = newest(folder, "gpu_decode")
    answers: Mapping[str, Any] = decoding.get("figures", {})
    single: Mapping[str, Any] = kernels.get("figures", {})
    steps: Mapping[str, Any] = training.get("figures", {})
    ours = {name: found["ours"] for name, found in single.items() if _dict(found, "ours")}
    trained = {name: found for name, found in ours.items() if "int8" not in name}
    shares = [found["share"] for name, found in trained.items() if "GB/s" in found and name.endswith(LONG)]
    ratios = [found["faster than the best other"] for name, found in single.items() if name in trained]
    hosts = [found["host_us"] for found in trained.values()]
    decode = [found["share"] for name, found in ours.items() if "int8" in name]
    adam = single.get("adamw, adapter of 7B", {})
    rows = [
        ("Operations that move memory, 8,192 tokens and more: least share of a copy's bandwidth", "0.90", _least(shares)),
        ("Every operation at every size: least speed beside the best of torch, torch.compile and Liger", "1.0", _least(ratios)),
        ("Processor time of a call, at the most", "20 µs", _of(max(hosts, default=None), "{:.0f} µs")),
        *(
            (
                f"LoRA step of a 7B, 4 rows of 2,048 tokens, activations {how}: tokens/s and peak memory, best peer = 1",
                "1.25, 0.8",
                _step(steps.get(WHOLE_STEP.format(how))),
            )
            for how in ("kept", "recomputed")
        ),
        *(
            (
                f"Answers of a {size}, one at a time: tokens/s, share of what the bandwidth in the data sheet allows",
                goal,
                _answers(answers, size),
            )
            for size, goal in (("0.5B", "0.60"), ("7B", "0.85"))
        ),
        ("Decode products of 8-bit weights: least share of a copy's bandwidth", "", _least(decode)),
        (
            "AdamW over a 7B's adapter: torch's own as it lies, and flat (what a program of ours could win)",
            "",
            f"{adam['as they lie']['ms']} ms, {adam['flat']['ms']} ms" if adam else NONE,
        ),
    ]  # fmt: skip
    lines = ["| On one GPU (`make bench-gpu`) | goal | measured |", "| --- | --- | --- |"]
    lines += [f"| {what} | {goal} | {measured} |" for what, goal, measured in rows]
    where = " ".join(f"{found['name']}: {found['figures'].get('machine') or found['figures'].get('device')}, {found['date'][:10]}."
                     for found in (kernels, training, decoding) if found)  # fmt: skip
    return "\n".join([*lines, *(["", where] if where else [])])


def _dict(found: Any, key: str) -> bool:
    return isinstance(found, dict) and isinstance(found.get(key), dict)


def _of(value: float | None, form: str) -> str:
    return NONE if value is None else form.format(value)


def _least(values: list[float]) -> str:
    return _of(min(values, default=None), "{:.2f}")


def _step(found: Mapping[str, float] | None) -> str:
    if not found:
        return NONE
    return f"{found['tokens_per_second']:.2f}, {_of(found.get('peak'), '{:.2f}')}"


def _answers(figures: Mapping[str, Any], size: str) -> str:
    speed, share = (figures.get(f"{size}, ours, {what}") for what in ("tokens/s", "share of the data sheet"))
    if not isinstance(speed, float):
        return NONE
    return f"{speed:,.0f}, {_of(share, '{:.2f}')}"


def with_table(text: str, made: str) -> str:
    """A README with the table between its marks. Raises ValueError where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> None:
    readme = Path(sys.argv[1]) if len(sys.argv) > 1 else README
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), table(RESULTS)), encoding="utf-8")


if __name__ == "__main__":
    main()
