"""Evaluating extraction against labelled rows: reading them, counting, and saying what was counted."""
