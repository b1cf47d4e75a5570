"""Loopback: where all that tests fetch is, and which is not asked unless it is allowed."""

from __future__ import annotations

from config.networks import networks

LOOPBACK = "127.0.0.0/8,::1"
NETWORKS = networks(LOOPBACK)
