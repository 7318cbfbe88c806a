"""Membership: is this text in the store, and is it in an inverter's training set?

A text's vector lies at cosine 1 to its own in a store, and a little lower where the store is defended; whether that is
high depends on how near the next texts lie. So scores are calibrated by texts that are known to be no members.
"""

from __future__ import annotations

import time
import zlib

import numpy as np
from jaxtyping import Float, Int

from workbench.audit._calibration import Usual, member_log_ratio
from workbench.audit._candidates import Candidates, blind
from workbench.audit._linkage import nearest
from workbench.core.access import KNOWN_ENCODER, Access, ThreatModel
from workbench.core.errors import BadInput
from workbench.core.text import word_count
from workbench.core.vectors import require_finite, unit
from workbench.results.membership import STRICT, AttackRates, Membership

NEEDS = Access.QUERY
"""The candidates must be embedded."""
_NEIGHBOURS = 5
_BLOCK = 1024


def store_membership(
    store: Float[np.ndarray, "n d"],
    candidates: Candidates,
    vectors: Float[np.ndarray, "c e"],
    threat: ThreatModel = KNOWN_ENCODER,
) -> Membership:
    """Which of c candidate texts, embedded as `vectors`, are among the n texts whose vectors were stored.

    The store may have been quantised or disturbed: how near a member then lies is learnt from the candidates, without
    their labels. Raises AccessDenied where the threat model does not grant NEEDS, and BadInput for shapes and NaN.
    """
    threat.admit("membership", NEEDS)
    _require(store, candidates, vectors)
    began = time.monotonic()
    found = nearest(vectors, store)
    cosines, asked = 1 - np.square(found.far[:, 0]) / 2, unit(vectors)
    sizes = np.log([1 + word_count(text) for text in candidates.texts])

    def usual(known: Int[np.ndarray, " r"], rows: Int[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
        def features(some: np.ndarray) -> np.ndarray:
            return np.stack([sizes[some], _crowding(asked, some, known)], 1)

        return Usual.fit(cosines[known], features(known)).log_density(cosines[rows], features(rows))

    attacks = (
        candidates.rated("nearest cosine", cosines),
        # where members lie is learnt from both halves at once, so that their ratios have one scale
        candidates.rated(
            "likelihood ratio of the nearest cosine", member_log_ratio(cosines, candidates.cross_fitted(usual))
        ),
    )
    note = (
        f"Candidates were embedded ({len(vectors):,} queries) and compared with {len(store):,} stored vectors. The "
        "likelihood ratio sets a text's nearest cosine against what a text of its length and with as near neighbours "
        "among known non-members has, and against the cosine that members seem to have here."
    )
    return _result("Which of these texts are in the store?", candidates, attacks, note, began)


def inverter_membership(
    candidates: Candidates,
    own: Float[np.ndarray, " c"],
    prior: Float[np.ndarray, " c"],
    pieces: Int[np.ndarray, " c"],
    threat: ThreatModel = KNOWN_ENCODER,
) -> Membership:
    """Which of c texts an inverter was trained on, from its loss.

    `own` is the decoder's loss on each text given its vector, `prior` given another's, both in nats per piece with the
    end counted; `pieces` counts them. Raises AccessDenied where the threat model does not grant NEEDS.
    """
    threat.admit("membership", NEEDS)
    began = time.monotonic()
    bits = np.array([8.0 * len(zlib.compress(text.encode("utf-8", "surrogatepass"))) for text in candidates.texts])
    features = np.stack([prior, np.log(pieces), bits / pieces], 1)

    def excess(known: Int[np.ndarray, " r"], rows: Int[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
        return Usual.fit(-own[known], features[known]).excess(-own[rows], features[rows])

    attacks = (
        candidates.rated("loss", -own),
        candidates.rated("loss less that of the language prior", prior - own),
        candidates.rated("loss for each bit of zlib", -own * pieces / bits),
        candidates.rated("loss, calibrated", candidates.cross_fitted(excess)),
    )
    note = (
        "Loss is that of the decoder on the true text given its vector, in nats a piece; the language prior is the "
        "same decoder given another's. The calibrated loss is set against what non-members of the same prior, length "
        "and compressibility have; no shadow models were trained, so a stronger attack may find more."
    )
    return _result("Which texts did the inverter learn from?", candidates, attacks, note, began)


def _crowding(asked: np.ndarray, rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean cosine of some texts to the nearest texts that are known to be no members, themselves not counted."""
    out = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK]
        cosines = asked[some] @ asked[known].T
        cosines[some[:, None] == known] = -1.0
        out[start : start + len(some)] = np.partition(cosines, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS:].mean(1)
    return out


def _require(store: np.ndarray, candidates: Candidates, vectors: np.ndarray) -> None:
    if vectors.shape != (len(candidates.texts), store.shape[1]):
        raise BadInput(
            f"candidates have vectors of shape {vectors.shape}; expected ({len(candidates.texts)}, {store.shape[1]}), "
            "as the store: was another embedder used?"
        )
    require_finite(store, "the store")
    require_finite(vectors, "the candidates")


def _result(
    title: str, candidates: Candidates, attacks: tuple[AttackRates, ...], note: str, began: float
) -> Membership:
    return Membership(
        title,
        int(candidates.member.sum()),
        int((~candidates.member).sum()),
        candidates.left_out,
        attacks,
        blind(candidates),
        candidates.chance(0.01),
        candidates.chance(STRICT),
        note,
        time.monotonic() - began,
    )
