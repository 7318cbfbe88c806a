"""Nouns and habits that all rooms share: no model library is needed here."""
