"""Beam: the unbounded source, the extract and score jobs, and the runner they are given to."""
