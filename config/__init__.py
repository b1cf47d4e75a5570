"""What an operator edits, and the typed loaders that check it. Imports neither connectors nor pipeline."""
