"""Dead letters as something to work on: read, counted, shown, and sent again."""
