"""Which of many texts resemble one another: proposed by MinHash, verified by counting, grouped.

Two texts are near copies when the Jaccard similarity of their token 5-grams reaches the threshold. MinHash with
locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998) only proposes pairs; each is verified by counting its
5-grams (as 64-bit hashes), so that no pair below the threshold is ever reported. Memory is some 200 bytes a text: texts
are read a second time where a pair was proposed. Knows nothing of samples.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Grams = np.ndarray[tuple[int], np.dtype[np.uint64]]

GRAM = 5
PERMUTATIONS = 128
_WORD = re.compile(r"\w+|[^\w\s]")
_GO = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"?|`[^`]*`?|'(?:\\.|[^'\\\n])*'?)"
    r"|(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)|(?P<name>[^\W\d]\w*)|(?P<sign>[^\w\s])",
    re.DOTALL,
)
_KEYWORDS = frozenset(
    [
        "break",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "fallthrough",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "return",
        "select",
        "struct",
        "switch",
        "type",
        "var",
    ]
)
_SEED = 1
_CHUNK = 2_000
_ALL_PAIRS = 32
"""Proposed together, so many are all compared with each other; of more, each with the next and with the first."""

Reader = Callable[[Sequence[int]], Iterable[tuple[int, str]]]
"""The texts of these keys, as (key, text) in any order."""
Tokens = Callable[[str], Iterable[str]]


def words(text: str) -> list[str]:
    """Words and single signs; white space does not count."""
    return _WORD.findall(text)


def go_shape(text: str) -> list[str]:
    """Go without what a copyist would change first: comments dropped, every name an I, every literal an S or N."""
    found = []
    for match in _GO.finditer(text):
        kind = match.lastgroup
        if kind == "name":
            found.append(match[0] if match[0] in _KEYWORDS else "I")
        elif kind is not None and kind != "comment":
            found.append({"text": "S", "number": "N"}.get(kind, match[0]))
    return found


def group(
    keys: Sequence[int],
    read: Reader,
    threshold: float,
    progress: Callable[[int, int], None] | None = None,
    *,
    tokens: Tokens = words,
) -> list[tuple[list[int], float]]:
    """Groups of two or more keys whose texts are near copies, each with the lowest similarity that joined it.

    The same texts give the same groups in every process. Texts of under five tokens are compared as a whole. tokens: what of a
    text counts, such as `words` or `go_shape`. A key whose text has no tokens is in no group.
    """
    ordered: list[int] = []
    bands: list[np.ndarray[tuple[int, int], np.dtype[np.uint64]]] = []
    for start in range(0, len(keys), _CHUNK):
        texts = [(key, text) for key, text in read(keys[start : start + _CHUNK]) if text and not text.isspace()]
        ordered += [key for key, _ in texts]
        if texts:
            bands.append(_band_hashes([shingles(text, tokens) for _, text in texts], threshold))
        if progress is not None:
            progress(min(start + _CHUNK, len(keys)), len(keys))
    if not ordered:
        return []
    proposed = _proposed(bands)
    candidates = sorted({place for places in proposed for place in places})
    place_of = {ordered[place]: place for place in candidates}
    grams: dict[int, Grams] = {}
    for start in range(0, len(candidates), _CHUNK):
        chunk = [ordered[place] for place in candidates[start : start + _CHUNK]]
        grams.update((place_of[key], shingles(text, tokens)) for key, text in read(chunk))
    return [
        ([ordered[place] for place in members], loosest) for members, loosest in _joined(proposed, grams, threshold)
    ]


def shingles(text: str, tokens: Tokens = words) -> Grams:
    """The distinct token 5-grams of a text as sorted 64-bit hashes."""
    import numpy as np

    hashes = np.fromiter(map(_token_hash, tokens(text)), dtype=np.uint64)
    width = min(GRAM, max(len(hashes), 1))
    mixed = np.full(max(len(hashes) - width + 1, 1), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for offset in range(width if len(hashes) else 0):
        mixed = (mixed ^ hashes[offset : offset + len(mixed)]) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
    return np.unique(mixed)


@lru_cache(maxsize=1 << 18)
def _token_hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def similarity(one: str, other: str, tokens: Tokens = words) -> float:
    """Jaccard similarity of two texts' 5-grams, 0 to 1."""
    return jaccard(shingles(one, tokens), shingles(other, tokens))


def jaccard(one: Grams, other: Grams) -> float:
    import numpy as np

    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def signatures(sets: Sequence[Grams], permutations: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    """(texts, permutations): MinHash signatures. The share of places where two agree estimates their Jaccard similarity."""
    import numpy as np
    from rensa import RMinHash

    offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).tolist()
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(sets), offsets, permutations, _SEED)
    return np.array(matrix.to_rows(), dtype=np.uint32)


def _band_hashes(sets: Sequence[Grams], threshold: float) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    """(texts, bands): texts that agree in a band are proposed as a pair."""
    import numpy as np

    bands, rows = banding(threshold)
    digests = signatures(sets, PERMUTATIONS).astype(np.uint64)[:, : bands * rows].reshape(len(sets), bands, rows)
    mixed = np.zeros(digests.shape[:2], dtype=np.uint64)
    for row in range(rows):
        mixed = (mixed ^ digests[:, :, row]) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _proposed(bands: Sequence[np.ndarray[tuple[int, int], np.dtype[np.uint64]]]) -> list[list[int]]:
    """Places of texts that agree in a band, two or more together."""
    import numpy as np

    found: set[tuple[int, ...]] = set()
    for band in range(bands[0].shape[1]):
        column = np.concatenate([part[:, band] for part in bands])
        order = np.argsort(column, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(column[order])) + 1):
            if len(places) > 1:
                found.add(tuple(places.tolist()))
    return [list(places) for places in sorted(found)]


def banding(threshold: float) -> tuple[int, int]:
    """Bands and rows for which a pair at the threshold is proposed with a probability of at least 99 %."""
    for rows in range(16, 0, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            return bands, rows
    return PERMUTATIONS, 1


def _joined(
    proposed: Sequence[Sequence[int]], grams: dict[int, Grams], threshold: float
) -> Iterator[tuple[list[int], float]]:
    """Union-find over verified pairs. No pair is counted twice, and pairs that are joined already not at all."""
    parent = {place: place for place in grams}
    loosest: dict[int, float] = {}
    apart: set[tuple[int, int]] = set()

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(one: int, other: int) -> None:
        top, lower = root(one), root(other)
        if top == lower or (one, other) in apart:
            return
        measured = jaccard(grams[one], grams[other])
        if measured >= threshold:
            parent[lower] = top
            loosest[top] = min(measured, loosest.get(top, 1.0), loosest.pop(lower, 1.0))
        else:
            apart.add((one, other))

    for places in proposed:
        if len(places) <= _ALL_PAIRS:
            pairs: Iterable[tuple[int, int]] = combinations(places, 2)
        else:
            pairs = (*pairwise(places), *((places[0], other) for other in places[2:]))
        for one, other in pairs:
            join(one, other)
    members: dict[int, list[int]] = defaultdict(list)
    for place in sorted(grams):
        members[root(place)].append(place)
    for top, group_members in members.items():
        if len(group_members) > 1:
            yield group_members, loosest[top]
