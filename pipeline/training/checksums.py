"""Checksums of the model's files, which the engine verifies before it runs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

SHIPPED = ("judge.onnx", "tokenizer.json", "fusion.json", "card.md")


def write_checksums(folder: Path) -> None:
    """SHA-256 of what ships and is there, as ``sha256sum --check`` reads it."""
    there = [folder / name for name in SHIPPED if (folder / name).exists()]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in there]
    (folder / "checksums.txt").write_text("".join(lines), encoding="utf-8")
