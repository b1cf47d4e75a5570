"""Proof of the guarantee: the whole line under kill -9, and what it wrote held against pure functions."""

import sys
from pathlib import Path

# As pytest has it, for ``python -m tests.faults.run`` and its children.
SUPPORT = str(Path(__file__).parents[1] / "support")
if SUPPORT not in sys.path:
    sys.path.insert(0, SUPPORT)
