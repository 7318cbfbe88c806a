"""Rules: from corpora to texts with a label, one file each."""
