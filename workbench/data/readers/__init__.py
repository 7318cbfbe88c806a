"""Readers: one file each, from the files of an asset or of the user to passages of text."""
