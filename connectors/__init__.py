"""News in: fetching, feed formats, scheduling, and the article producer. Shares only the records with pipeline."""
