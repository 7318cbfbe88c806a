"""Text and vectors that come in: assets fetched by card, corpora with fixed splits, files of the user."""
