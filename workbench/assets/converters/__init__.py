"""Converters, one file each: called with the unpacked files and a folder, they leave an asset that can be opened."""
