"""The container image, and what runs in it alone."""
