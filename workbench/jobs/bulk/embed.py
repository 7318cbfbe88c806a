"""Texts into vectors"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from workbench.core.errors import BadInput
from workbench.jobs.bulk._screen import Kind
from workbench.jobs.bulk._stage import Recipe, TextStage

__all__ = ["Embed"]


class Embed(TextStage):
    """`column` becomes `vector`, and `text` unless `without_texts`; a part is a file that `EmbeddingSet.load` reads.

    A vector that is zero or not finite is no answer: its text is set aside.
    """

    part_rows: ClassVar[int] = 4096
    batch_rows: ClassVar[int] = 1024

    @classmethod
    def reads(cls, recipe: Recipe) -> dict[str, Kind]:
        """The texts."""
        return {recipe["column"]: "text"}

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        super().__init__(recipe, out, device)
        columns = [pa.field("vector", pa.list_(pa.float32(), self.embedder.spec.dim))]
        if not recipe["without_texts"]:
            columns.append(pa.field("text", pa.string()))
        made = self.embedder.provenance(recipe["seed"])
        self.schema = pa.schema(columns, {b"workbench.provenance": json.dumps(asdict(made)).encode()})

    def run(self, table: pa.Table) -> pa.Table:
        """Vectors in the order of the texts."""
        texts = table[self.recipe["column"]].to_pylist()
        vectors = self.embedder.embed(texts)
        if not (np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)).all():
            raise BadInput("the embedder gave a vector that is zero or not finite")
        columns: list[pa.Array] = [pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])]
        if not self.recipe["without_texts"]:
            columns.append(pa.array(texts, pa.string()))
        return pa.table(columns, schema=self.schema)
