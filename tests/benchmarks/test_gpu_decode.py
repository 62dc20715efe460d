"""The GPU benchmark of the decode loop: its arms run, and what a token must read is counted, not assumed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from core.engine.compute import Compute
from tests.benchmarks import gpu_decode


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def compute() -> Compute:
    return Compute(torch.device("cpu"), torch.float32)


@pytest.mark.filterwarnings("ignore::FutureWarning:transformers")
@pytest.mark.filterwarnings("ignore::UserWarning:transformers")
def test_every_arm_has_a_figure_or_a_reason_and_shares_are_of_what_is_read(compute: Compute) -> None:
    found = gpu_decode.measured("tiny", compute, 8, lambda: False, {"a copy": 1e9})
    speeds = {name: value for name, value in found.items() if name.endswith("tokens/s")}
    assert len(speeds) >= 5
    assert isinstance(found["tiny, ours, tokens/s"], float)
    assert isinstance(found["tiny, generate, tokens/s"], float)
    share = found["tiny, ours, tokens/s"] * found["tiny, bytes of weights a token"] / 1e9
    assert found["tiny, ours, share of a copy"] == pytest.approx(share, abs=1e-3)


def test_a_table_of_embeddings_counts_only_where_it_is_the_head(compute: Compute) -> None:
    causal = gpu_decode.chatter_of("tiny", compute).causal
    tied = sum(one.numel() for one in causal.parameters()) * 4
    assert gpu_decode.read_bytes(causal) == tied
    table = causal.get_input_embeddings().weight
    causal.set_output_embeddings(torch.nn.Linear(table.shape[1], table.shape[0], bias=False))
    assert gpu_decode.read_bytes(causal) == tied


def test_time_that_is_up_leaves_out_and_says_so(compute: Compute) -> None:
    found = gpu_decode.measured("tiny", compute, 8, lambda: True, {})
    assert found["tiny, ours, tokens/s"] == "left out: no time"


def test_devices_are_found_by_their_names() -> None:
    assert gpu_decode.sheet_bandwidth("NVIDIA H200") == 4.8e12
    assert gpu_decode.sheet_bandwidth("NVIDIA H100 PCIe") == 2.0e12
    assert gpu_decode.sheet_bandwidth("something else") is None
