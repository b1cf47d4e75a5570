"""MinHash signatures: by them near copies of one story are known."""

from __future__ import annotations

import base64
import re
from functools import lru_cache

import numpy as np
from datasketch import MinHash

PERMUTATIONS = 128
SHINGLE_WORDS = 5
SEED = 1
MAX_CHARS = 20_000
_WORD = re.compile(r"\w+")


def signature(text: str) -> str:
    """Base64 of 128 little-endian uint32 over the 5-word shingles of ``text``; empty for fewer than 5 words.

    Only the first 20,000 characters count: a story is known by its beginning.
    """
    words = _WORD.findall(text[:MAX_CHARS].lower())
    if len(words) < SHINGLE_WORDS:
        return ""
    minhash = _empty().copy()
    minhash.update_batch(
        [" ".join(words[i : i + SHINGLE_WORDS]).encode() for i in range(len(words) - SHINGLE_WORDS + 1)]
    )
    return base64.b64encode(minhash.hashvalues.astype("<u4").tobytes()).decode()


def unpack(encoded: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """The signature's 128 values.

    Raises:
        ValueError: No base64, or not of 128 values.
    """
    values = np.frombuffer(base64.b64decode(encoded, validate=True), dtype="<u4")
    if len(values) != PERMUTATIONS:
        raise ValueError(f"MinHash signature: {len(values)} values, expected {PERMUTATIONS}")
    return values


def similarity(one: str, other: str) -> float:
    """Estimated Jaccard similarity of two signatures, 0 to 1; 0 where either is empty."""
    if not one or not other:
        return 0.0
    return float(np.mean(unpack(one) == unpack(other)))


@lru_cache(maxsize=1)
def _empty() -> MinHash:
    return MinHash(num_perm=PERMUTATIONS, seed=SEED)
