"""Near copies among 100,000 Go functions: ours beside datasketch with the same 5-grams, bands and rows.

The functions are mined from the toolchain's own source; every tenth is a copy of an earlier one with a word changed. Both must find
the same clusters: datasketch proposes, and its pairs are verified by the same exact count.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Sequence

from core.golang import mining
from core.golang.toolchain import find
from core.samples import minhash
from tests.benchmarks.report import report

THRESHOLD = 0.7


def functions(count: int) -> list[str]:
    """So many functions, a tenth of them near copies."""
    rng = random.Random(7)
    mined = mining.mine(find().goroot / "src", tests=True, documented=False)
    texts = [found.source() for found in mined]
    rng.shuffle(texts)
    originals = len(texts)
    while len(texts) < count:
        words = texts[rng.randrange(originals)].split(" ")
        words[rng.randrange(len(words))] = f"changed{len(texts)}"
        texts.append(" ".join(words))
    return texts[:count]


def ours(texts: Sequence[str]) -> list[list[int]]:
    """Clusters as Gosmith finds them."""
    groups = minhash.group(range(len(texts)), lambda keys: [(key, texts[key]) for key in keys], THRESHOLD)
    return sorted(sorted(members) for members, _ in groups)


def theirs(texts: Sequence[str]) -> list[list[int]]:
    """The same with datasketch proposing."""
    from datasketch import MinHash, MinHashLSH

    bands, rows = minhash.banding(THRESHOLD)
    index = MinHashLSH(num_perm=minhash.PERMUTATIONS, params=(bands, rows))
    grams = [minhash.shingles(text) for text in texts]
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for place, shingled in enumerate(grams):
        made = MinHash(num_perm=minhash.PERMUTATIONS, seed=1)
        made.update_batch([gram.tobytes() for gram in shingled])
        for other in index.query(made):
            if root(other) != root(place) and minhash.jaccard(grams[other], shingled) >= THRESHOLD:
                parent[root(place)] = root(other)
        index.insert(place, made)
    clusters: dict[int, list[int]] = {}
    for place in range(len(texts)):
        clusters.setdefault(root(place), []).append(place)
    return sorted(members for members in clusters.values() if len(members) > 1)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--peer", type=int, default=20_000, help="so many of them for datasketch as well")
    options = parser.parse_args()
    texts = functions(options.count)

    def timed(work: object, part: Sequence[str]) -> tuple[float, list[list[int]]]:
        start = time.perf_counter()
        found = work(part)  # type: ignore[operator]
        return time.perf_counter() - start, found

    seconds, clusters = timed(ours, texts)
    part = texts[-options.peer :]
    mine, found = timed(ours, part)
    peer, expected = timed(theirs, part)
    pairs = {pair for members in found for pair in itertools.pairwise(members)}
    wanted = {pair for members in expected for pair in itertools.pairwise(members)}
    report(
        "duplicates",
        {
            "samples": len(texts),
            "seconds": seconds,
            "clusters": len(clusters),
            "compared with datasketch": len(part),
            "ours, seconds": mine,
            "datasketch, seconds": peer,
            "ratio": peer / mine,
            "pairs of ours that datasketch has too": len(pairs & wanted) / max(1, len(pairs)),
            "pairs of datasketch's that ours has too": len(pairs & wanted) / max(1, len(wanted)),
        },
    )


if __name__ == "__main__":
    main()
