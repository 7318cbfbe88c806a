"""Stage: holds a model, and turns good rows of an Arrow table into columns of another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from workbench.core.bad_rows import matrix_of
from workbench.core.errors import BadInput
from workbench.core.vectors import finite_rows
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._stored_codes import codes_in_words
from workbench.jobs.bulk._screen import Kind, matrix, poison_texts, poison_vectors

Recipe = Mapping[str, Any]
"""All that decides what a stage gives, as JSON; a stage's own defaults stand in it too."""


class Stage(ABC):
    """A verb of bulk runs. A member gives its numbers, `reads`, `schema` and `run`.

    The same rows in the same batch must give the same bytes in every process: what one part leaves behind in a memo
    must not change the next, so `begin_part` empties it.
    """

    part_rows: ClassVar[int]
    """Rows of a part where the user names no number: some seconds to a minute of work."""
    batch_rows: ClassVar[int]
    """Rows that `run` is given at once."""
    facts: dict[str, Any]
    """What the output depends on and a worker alone knows (the weights); must be alike in all workers of a run."""
    schema: pa.Schema
    """Columns that `run` gives; `id` is put before them."""

    @classmethod
    @abstractmethod
    def reads(cls, recipe: Recipe) -> dict[str, Kind]:
        """The columns that are needed, and what must be in them."""

    @classmethod
    def carries(cls, recipe: Recipe) -> tuple[str, ...]:
        """Further columns of the input that come through as they are; a file may lack them. Here none."""
        return ()

    @classmethod
    def prepare(cls, recipe: Recipe, out: Path, device: str) -> None:
        """Make once, before any worker begins, what all workers then open from the run's folder; here nothing."""
        return

    @classmethod
    def verify(cls, recipe: Recipe, out: Path, device: str, table: pa.Table, claimed: str, unverified: bool) -> None:
        """Look at the first rows before any work begins; `claimed` made them, by their file. Here nothing.

        Raises BadInput where what would come of them says nothing, unless `unverified`.
        """
        return

    @abstractmethod
    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        """Open the model."""

    @abstractmethod
    def poison(self, table: pa.Table) -> list[str]:
        """A reason for each row that must not reach the model, "" for the others."""

    @abstractmethod
    def run(self, table: pa.Table) -> pa.Table:
        """A row of `schema` for each row. An exception means that some row is poison: which one, is then searched."""

    def begin_part(self) -> None:
        """Forget what former parts left; here nothing."""
        return

    def described(self, table: pa.Table) -> pa.Table:
        """A part's whole output with what is measured on it as metadata; here nothing is."""
        return table

    def require(self, schema: pa.Schema, where: str) -> None:
        """Raise BadInput for an input of which no row could be done."""
        return


def id_of(recipe: Recipe) -> str:
    """The column that holds the rows' ids."""
    return recipe.get("id", "id")


class TextStage(Stage):
    """A stage that reads columns of texts with an embedder."""

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        self.recipe = recipe
        self.embedder = load_embedder(recipe["embedder"], device)
        self.facts = facts_of(self.embedder)

    def poison(self, table: pa.Table) -> list[str]:
        """Texts that are missing, blank, too long, or not UTF-8."""
        columns = [poison_texts(table[name]) for name in self.reads(self.recipe)]
        return ["; ".join(filter(None, reasons)) for reasons in zip(*columns, strict=True)]

    def begin_part(self) -> None:
        """Batches are of what the memo lacks, and the last digits depend on the batch."""
        self.embedder.forget()


class VectorStage(Stage):
    """A stage that reads the column `vector`, of `dim` numbers a row."""

    dim: int

    @classmethod
    def reads(cls, recipe: Recipe) -> dict[str, Kind]:
        """The vectors."""
        return {"vector": "vector"}

    @classmethod
    def verify(cls, recipe: Recipe, out: Path, device: str, table: pa.Table, claimed: str, unverified: bool) -> None:
        """Refuse quantised codes: each part would estimate scales of its own, and none would say so."""
        vectors, faults = matrix_of(table["vector"])
        good = finite_rows(vectors)
        good[list(faults)] = False
        if good.any() and (codes := codes_in_words(vectors[good])):
            raise BadInput(
                f"the vectors are {codes}; expected the embedder's own numbers, for no codes are decoded in bulk: give "
                "the vectors from before they were quantised, or invert them in one run, without --workers, --ray, "
                "--part-rows and --lance, which decodes them"
            )

    def poison(self, table: pa.Table) -> list[str]:
        """Vectors that are missing, of another dimension, not finite, or zero."""
        return poison_vectors(table["vector"], self.dim)

    def described(self, table: pa.Table) -> pa.Table:
        """A part's whole output with what is measured on it as metadata; here nothing is."""
        return table

    def require(self, schema: pa.Schema, where: str) -> None:
        """Vectors that all have another dimension were made by another embedder."""
        kind = schema.field("vector").type
        if pa.types.is_fixed_size_list(kind) and kind.list_size != self.dim:
            raise BadInput(
                f"vectors of {where} have {kind.list_size} dimensions, expected {self.dim}: was another embedder used?"
            )

    def vectors(self, table: pa.Table) -> Float[np.ndarray, "n d"]:
        """All of them, float32."""
        return matrix(table["vector"], self.dim)


def facts_of(embedder: Embedder) -> dict[str, Any]:
    """What tells one embedder from another."""
    spec = embedder.spec
    return {"embedder": spec.name, "revision": spec.revision, "dim": spec.dim}
