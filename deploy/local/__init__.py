"""The local profile: an embedded broker, the runner, and their supervision, all on loopback."""
