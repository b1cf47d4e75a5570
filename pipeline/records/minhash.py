"""MinHash signatures: how two texts are known to tell the same story, wherever they were printed."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any

import numpy as np
from datasketch import MinHash

PERMUTATIONS = 128
SHINGLE = 5
MAX_WORDS = 2000
"""Words of a text that are looked at: copies of a story share its beginning, and time stays bounded."""

_WORD = re.compile(r"\w+")
_SEED = 1
_SCHEME = "affine32"  # said outright: another default would make old and new signatures strangers


def shingles(text: str) -> list[bytes]:
    """Every run of five words of ``text``, case and punctuation dropped; empty for fewer than five words."""
    words = [match.group() for _, match in zip(range(MAX_WORDS), _WORD.finditer(text.casefold()), strict=False)]
    return [" ".join(words[at : at + SHINGLE]).encode() for at in range(len(words) - SHINGLE + 1)]


@lru_cache(maxsize=1)
def _permutations() -> Any:
    """The permutations, drawn once: that takes longer than all the rest of a signature."""
    return MinHash(num_perm=PERMUTATIONS, seed=_SEED, scheme=_SCHEME).permutations


def signature(text: str) -> str:
    """MinHash signature of ``text``: base64 of 128 little-endian uint32, or ``""`` for fewer than five words.

    It depends on the text alone, so copies fetched by different processes, now or years apart, compare.
    """
    parts = shingles(text)
    if not parts:
        return ""
    minhash = MinHash(num_perm=PERMUTATIONS, seed=_SEED, scheme=_SCHEME, permutations=_permutations())
    minhash.update_batch(parts)
    return base64.b64encode(np.asarray(minhash.hashvalues, dtype="<u4").tobytes()).decode()


def jaccard(one: str, other: str) -> float:
    """Estimated share of shingles that two signatures have in common, 0 to 1; 0 where either is empty."""
    if not one or not other:
        return 0.0
    left, right = (np.frombuffer(base64.b64decode(value), dtype="<u4") for value in (one, other))
    return float(np.mean(left == right))
