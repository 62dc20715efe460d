"""`go vet` and the samples' own tests over many samples at once, beside one go command a sample.

The candidates are the bundled samples that have a test, each many times over with another comment, so that nothing is answered from a cache.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from core.golang.batch import arrange, arranging, go, lay
from core.golang.checker import CheckItem
from core.golang.helper import prepare
from core.golang.sandbox import probe
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import Toolchain, find
from core.golang.vet import vet
from core.paths import resources
from core.samples import bundle
from core.samples.conversation import text_of
from tests.benchmarks.report import report


def candidates(count: int) -> list[TestItem]:
    """So many samples with tests, no two alike."""
    texts = [text_of(sample.messages) for sample in bundle.read_bundle(resources() / "samples") if not sample.planted]
    tested = [text for text in texts if text.code and text.test]
    made = []
    for key, text in zip(range(count), itertools.cycle(tested), strict=False):
        made.append(TestItem(key, f"{text.code.rstrip()}\n\n// candidate {key} of {time.time_ns()}\n", text.test))
    return made


def alone(items: list[TestItem], toolchain: Toolchain, *words: str) -> float:
    """Seconds for one go command a sample."""
    seconds = 0.0
    with arranging(toolchain) as pipeline:
        arranged = arrange(pipeline, ((item.key, item.code, item.test) for item in items))
    for sample in arranged:
        with tempfile.TemporaryDirectory() as folder:
            lay(Path(folder), [sample], toolchain)
            start = time.perf_counter()
            go(toolchain, [*words, f"./{sample.folder}"], Path(folder), seconds=120, cancel=None)
            seconds += time.perf_counter() - start
    return seconds


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1640)
    parser.add_argument("--vetted", type=int, default=600)
    parser.add_argument("--alone", type=int, default=15, help="so many one by one, for the ratio")
    options = parser.parse_args()
    toolchain = find()
    prepare(toolchain)
    cores = len(os.sched_getaffinity(0))
    warm = candidates(30)
    list(vet((CheckItem(item.key, item.code) for item in warm), toolchain))
    list(run_tests(warm, toolchain, parallel=cores))
    vetted = candidates(options.vetted)
    start = time.perf_counter()
    vet_states = Counter(r.states["vet"] for r in vet((CheckItem(i.key, i.code) for i in vetted), toolchain))
    vet_seconds = time.perf_counter() - start
    tested = candidates(options.candidates)
    start = time.perf_counter()
    test_states = Counter(result.states["test"] for result in run_tests(tested, toolchain, parallel=cores))
    test_seconds = time.perf_counter() - start
    few = candidates(options.alone)
    vet_alone, test_alone = alone(few, toolchain, "vet"), alone(few, toolchain, "test")
    report(
        "vet_and_tests",
        {
            "sandbox": probe(toolchain).level.name,
            "vetted": len(vetted),
            "vet, a second": len(vetted) / vet_seconds,
            "vet, a second, one command a sample": len(few) / vet_alone,
            "vet, ratio": len(vetted) / vet_seconds * vet_alone / len(few),
            "vet states": dict(vet_states),
            "candidates": len(tested),
            "candidates with tests, seconds": test_seconds,
            "tests, a second": len(tested) / test_seconds,
            "tests, a second, one command a sample, without walls": len(few) / test_alone,
            "tests, ratio": len(tested) / test_seconds * test_alone / len(few),
            "test states": dict(test_states),
        },
    )


if __name__ == "__main__":
    main()
