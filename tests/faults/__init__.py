"""Proof of the guarantee: the whole line under kill -9, and what it wrote held against pure functions."""
