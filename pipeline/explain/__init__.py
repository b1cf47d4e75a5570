"""Explaining extraction to a person: why a sentence gave what it gave, in the terminal and as a page."""
