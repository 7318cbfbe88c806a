"""Vectors back into texts"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from workbench.core import checkpoint
from workbench.core.access import Access, granting
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.files import sha256_of
from workbench.embed import load_embedder
from workbench.invert import INVERTERS, open_inverter
from workbench.invert._inverter import Attacker
from workbench.invert._pool import Limits
from workbench.jobs.bulk._stage import Recipe, VectorStage, facts_of
from workbench.jobs.verify_store import verify_store

__all__ = ["Invert"]

log = logging.getLogger(__name__)


class Invert(VectorStage):
    """`vector` becomes `text`, the `cosine` of that text's own vector, and the `rounds` that changed it.

    Seconds are no limit here, since what they allow is not the same twice; `queries` for a vector are.
    """

    part_rows: ClassVar[int] = 128
    batch_rows: ClassVar[int] = 64

    def __init__(self, recipe: Recipe, out: Path, device: str) -> None:
        member = INVERTERS.load(recipe["inverter"])
        attacker = Attacker(
            load_embedder(recipe["embedder"], device),
            granting(Access.WEIGHTS if recipe["weights"] else member.needs),
            corpus=recipe["corpus"],
            corpus_texts=recipe["corpus_texts"],
            checkpoint=recipe["checkpoint"],
            beams=recipe["beams"],
            preset=recipe["preset"],
            limits=Limits(queries=recipe["queries"]),
            device=device,
            language_model=recipe["language_model"],
            through=recipe["through"],
            seed=recipe["seed"],
        )
        self._inverter = open_inverter(recipe["inverter"], attacker)
        self.dim = self._inverter.dim
        self.facts = facts_of(attacker.embedder)
        if recipe["checkpoint"]:  # a folder may be trained anew; its card holds the digests of its files
            self.facts["checkpoint"] = sha256_of(checkpoint.locate(recipe["checkpoint"]) / "card.json")
        self.schema = pa.schema({"text": pa.string(), "cosine": pa.float64(), "rounds": pa.int64()})

    @classmethod
    def verify(cls, recipe: Recipe, out: Path, device: str, table: pa.Table, claimed: str, unverified: bool) -> None:
        """The positive control: are these vectors those of the embedder?"""
        super().verify(recipe, out, device, table, claimed, unverified)
        stage = cls(recipe, out, device)
        good = [row for row, reason in enumerate(stage.poison(table)) if not reason]
        if not good:
            return
        ids, made = np.array([str(row) for row in good], dtype=object), Provenance(embedder=claimed or "unknown")
        held = EmbeddingSet(ids, stage.vectors(table.take(good)), provenance=made)
        verified = verify_store(held, stage._inverter.embedder, stage._inverter, device)
        if doubt := verified.settle(unverified, "these vectors"):
            log.warning("doubtful: %s", doubt)

    def run(self, table: pa.Table) -> pa.Table:
        """The inverter's texts; ids are row numbers, for those of the input may come twice."""
        ids = np.array([str(row) for row in range(len(table))], dtype=object)
        found = self._inverter.invert(EmbeddingSet(ids, self.vectors(table)))
        columns = [pa.array(list(found.texts), pa.string()), pa.array(found.cosines), pa.array(found.rounds)]
        return pa.table(columns, schema=self.schema)

    def begin_part(self) -> None:
        """Texts that were embedded for former parts would change which are embedded together now."""
        self._inverter.embedder.forget()
