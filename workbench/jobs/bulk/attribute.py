"""Pairs of texts into the shares that their pieces have in the cosine"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from workbench.attribute import open_attributor
from workbench.attribute._attributor import Options
from workbench.jobs.bulk._screen import Kind
from workbench.jobs.bulk._stage import Recipe, TextStage

__all__ = ["Attribute"]

_SIDE = {"tokens": pa.list_(pa.string()), "shares": pa.list_(pa.float64())}


class Attribute(TextStage):
    """`text_a` and `text_b` become `score` (their cosine), `completeness_error`, and for each text its tokens and what
    each of them gives over the whole other text, the reference included."""

    part_rows: ClassVar[int] = 128
    batch_rows: ClassVar[int] = 16

    @classmethod
    def reads(cls, recipe: Recipe) -> dict[str, Kind]:
        """Both texts."""
        return {"text_a": "text", "text_b": "text"}

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        super().__init__(recipe, out, device)
        options = Options(recipe["layer"], recipe["reference"], recipe["tolerance"], recipe["nodes"])
        self._attributor = open_attributor(self.embedder, recipe["method"], options)
        sides = {f"{name}_{side}": kind for side in "ab" for name, kind in _SIDE.items()}
        self.schema = pa.schema({"score": pa.float64(), "completeness_error": pa.float64(), **sides})

    def run(self, table: pa.Table) -> pa.Table:
        """One pair after the other."""
        rows = []
        for a, b in zip(table["text_a"].to_pylist(), table["text_b"].to_pylist(), strict=True):
            found = self._attributor.pair(a, b, self.recipe["level"])
            rows.append(
                {
                    "score": found.score,
                    "completeness_error": found.completeness_error,
                    "tokens_a": list(found.tokens_a),
                    "shares_a": found.matrix[:-1].sum(1).tolist(),
                    "tokens_b": list(found.tokens_b),
                    "shares_b": found.matrix[:, :-1].sum(0).tolist(),
                }
            )
        return pa.Table.from_pylist(rows, schema=self.schema)
