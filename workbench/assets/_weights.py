"""Which weights a model's folder holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

ABOUT = "asset.json"
"""In the folder of an asset: its card, and the hash of its weights."""


def weights_revision(model: str | Path) -> str:
    """Short hash of a local model's weights; for a hub id the id itself, for the hub keeps the revision."""
    folder = Path(model)
    if (folder / ABOUT).is_file() and (known := json.loads((folder / ABOUT).read_text("utf-8")).get("weights")):
        return known  # a second for each 2.5 GB is saved
    return weights_hash(folder) or str(model)


def weights_hash(folder: Path) -> str:
    """Twelve hex digits that stand for all safetensors files below a folder; empty if there are none."""
    digest = hashlib.sha256()
    weights = sorted(folder.rglob("*.safetensors")) if folder.is_dir() else []
    for path in weights:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12] if weights else ""
