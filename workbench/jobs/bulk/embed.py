"""Texts into vectors"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from workbench.core.errors import BadInput
from workbench.core.vectors import are_unit
from workbench.jobs.bulk._screen import Kind, matrix
from workbench.jobs.bulk._stage import Recipe, TextStage

__all__ = ["Embed"]


class Embed(TextStage):
    """`column` becomes `vector`, and `text` unless `without_texts`; a part is a file that `EmbeddingSet.load` reads.
    Columns that the recipe calls `labels` come through as `label.NAME`.

    A vector that is zero or not finite is no answer: its text is set aside.
    """

    part_rows: ClassVar[int] = 4096
    batch_rows: ClassVar[int] = 1024

    @classmethod
    def reads(cls, recipe: Recipe) -> dict[str, Kind]:
        """The texts."""
        return {recipe["column"]: "text"}

    @classmethod
    def carries(cls, recipe: Recipe) -> tuple[str, ...]:
        """The labels."""
        return tuple(recipe.get("labels", ()))

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        super().__init__(recipe, out, device)
        columns = [pa.field("vector", pa.list_(pa.float32(), self.embedder.spec.dim))]
        if not recipe["without_texts"]:
            columns.append(pa.field("text", pa.string()))
        self._made = self.embedder.provenance(recipe["seed"])
        self.schema = pa.schema(columns, self._made.metadata())

    def require(self, schema: pa.Schema, where: str) -> None:
        """The labels' types are those of the first file; what JSON has no word for becomes text."""
        for name in self.carries(self.recipe):
            if name in schema.names:
                kind = schema.field(name).type
                self.schema = self.schema.append(pa.field(f"label.{name}", kind if _is_plain(kind) else pa.string()))

    def described(self, table: pa.Table) -> pa.Table:
        """Whether the vectors are of length 1."""
        vectors = matrix(table["vector"], self.embedder.spec.dim)
        measured = are_unit(vectors) if len(vectors) else None
        return table.replace_schema_metadata(replace(self._made, normalised=measured).metadata())

    def run(self, table: pa.Table) -> pa.Table:
        """Vectors in the order of the texts."""
        texts = table[self.recipe["column"]].to_pylist()
        vectors = self.embedder.embed(texts)
        if not (np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)).all():
            raise BadInput("the embedder gave a vector that is zero or not finite")
        columns: list[pa.Array] = [pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])]
        if not self.recipe["without_texts"]:
            columns.append(pa.array(texts, pa.string()))
        for field in self.schema:
            if field.name.startswith("label."):
                name = field.name.removeprefix("label.")
                found = table[name].cast(field.type) if name in table.column_names else pa.nulls(len(table), field.type)
                columns.append(found)
        return pa.table(columns, schema=self.schema)


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_plain(kind.value_type)
    numbers = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return numbers or pa.types.is_string(kind)
