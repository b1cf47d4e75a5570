"""How the sentence model is made: its corpus, training, measuring and export. Never imported at run time."""
