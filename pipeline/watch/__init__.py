"""Reading what the service tells: topics followed, and rendered for a terminal or as lines."""
