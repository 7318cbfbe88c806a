"""Find members: embed candidate texts, or take them from an inverter's own corpus, and attack their membership."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.audit._candidates import Candidates
from workbench.audit.membership import inverter_membership, store_membership
from workbench.core import checkpoint
from workbench.core.access import KNOWN_ENCODER, ThreatModel
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import Attacker
from workbench.invert._stored_codes import decoded
from workbench.invert._writer import Writer, open_text_model
from workbench.lm import Vocabulary
from workbench.results.membership import Membership


def members_of_store(
    store: SetLike,
    members: Sequence[str],
    others: Sequence[str],
    embedder: str = "minilm",
    threat: ThreatModel = KNOWN_ENCODER,
    device: str = "auto",
) -> Membership:
    """How well the members' texts are told from the others by queries to the embedder and the stored vectors alone.

    Raises BadInput where the embedder has other dimensions, or there are fewer than 20 members or 200 others.
    """
    store = EmbeddingSet.of(store)
    candidates = Candidates.of(members, others)
    model = load_embedder(embedder, device)
    store = decoded(store, model)
    store.require_dim(model.spec.dim, embedder)
    return store_membership(store.vectors, candidates, model.embed(candidates.texts), threat)


def members_of_training(
    inverter: str = "",
    embedder: str = "minilm",
    texts: int = 1000,
    threat: ThreatModel = KNOWN_ENCODER,
    seed: int = 0,
    device: str = "auto",
) -> Membership:
    """How well an inverter's loss tells `texts` that it was trained on from as many of the same corpus' test split.

    `inverter` is a checkpoint's name or folder; empty means the one that ships for the embedder. Its card says which
    part of the corpus it saw, and how long texts may be.
    """
    folder = checkpoint.locate(inverter or checkpoint.for_embedder("inverter", embedder))
    card = checkpoint.open_card(folder, "inverter")
    model = load_embedder(embedder if card.embedder == "unknown" else card.embedder, device)
    decoder = open_text_model(Attacker(model, checkpoint=str(folder), device=device))
    sides = [_drawn(card, split, texts, model, decoder.vocabulary, seed) for split in ("train", "test")]
    candidates = Candidates.of(*sides)
    vectors = model.embed(candidates.texts)
    pieces = decoder.vocabulary.encode(candidates.texts)
    shift = int(np.random.default_rng(seed).integers(1, len(pieces)))
    writer, rows = Writer(decoder), [tuple(each) for each in pieces]
    return inverter_membership(
        candidates,
        -writer.fluency(vectors, rows),
        -writer.fluency(np.roll(vectors, shift, axis=0), rows),
        np.array([1 + len(row) for row in rows]),
        threat,
    )


def _drawn(card: Card, split: str, n: int, model: Embedder, vocabulary: Vocabulary, seed: int) -> list[str]:
    """n texts of a split of the inverter's corpus that are as short as those that it was trained on."""
    recipe: dict[str, Any] = dict(card.training.get("recipe", {}))
    if not {"corpus", "max_tokens", "texts"} <= set(recipe):
        raise BadInput(f"the card of {card.name} does not say which texts it was trained on")
    held = corpora.load(recipe["corpus"], split).texts
    if split == "train":
        held = held[recipe.get("skip", 0) :][: recipe["texts"]]
    order = np.random.default_rng(seed).permutation(len(held))[: 3 * n]
    drawn = [held[row] for row in order]
    pieces, most = vocabulary.encode(drawn), recipe["max_tokens"]
    lengths = model.lengths(drawn)
    fits = [text for text, row, t in zip(drawn, pieces, lengths, strict=True) if 0 < len(row) <= most and t <= most]
    if len(fits) < n:
        raise BadInput(f"the {split} split of {recipe['corpus']} gave {len(fits)} short texts; ask for fewer than {n}")
    return fits[:n]
