"""What an attacker holds, and what a method needs: the two must agree, or the method is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from workbench.core.errors import AccessDenied


class Access(IntEnum):
    """What is needed beyond the leaked vectors themselves; each level includes those below it."""

    SAMPLES = 0
    """Vectors alone, and public text of the attacker's own."""
    PAIRS = 1
    """Some texts with their vectors, from the same embedder."""
    QUERY = 2
    """The embedder as a black box: any text in, its vector out."""
    WEIGHTS = 3
    """The embedder's weights, and so its gradients."""


@dataclass(frozen=True)
class ThreatModel:
    """A named attacker: what access is granted, in words that a report can print."""

    id: str
    name: str
    grants: Access
    description: str
    vectors: bool = True
    """Whether this attacker holds the stored vectors at all."""

    def admit(self, method: str, needs: Access) -> None:
        """Return quietly if `method` may run under this threat model; raise AccessDenied if it may not."""
        if needs > self.grants:
            raise AccessDenied(f"{method} needs {needs.name}; threat model {self.name!r} grants {self.grants.name}")
        if not self.vectors:
            raise AccessDenied(f"{method} needs the vectors; threat model {self.name!r} holds none")


SEARCH_SCORES = ThreatModel(
    "T0",
    "search-scores",
    Access.QUERY,
    "can ask the application that searches the store and sees the scores of what it finds; holds no vectors",
    vectors=False,
)
SEARCH_ANSWERS = ThreatModel(
    "T1",
    "search-answers",
    Access.QUERY,
    "can ask the application that searches the store and sees what it finds, without scores; holds no vectors",
    vectors=False,
)
KNOWN_ENCODER = ThreatModel(
    "T2",
    "known-encoder",
    Access.QUERY,
    "holds the vectors and knows the encoder, which it can query without limit; it has no texts of the store",
)
OPEN_WEIGHTS = ThreatModel(
    "T3",
    "open-weights",
    Access.WEIGHTS,
    "holds the vectors and the encoder's weights, so it can follow gradients; it has no texts of the store",
)
LEAKED_PAIRS = ThreatModel(
    "T4",
    "leaked-pairs",
    Access.PAIRS,
    "holds the vectors and the texts of some others from the same encoder; it can neither query nor name the encoder",
)
PUBLIC_TEXT = ThreatModel(
    "T5",
    "public-text",
    Access.SAMPLES,
    "holds the stored vectors of an encoder that it does not know, and public text of the same kind",
)
STOLEN_STORE = ThreatModel("T6", "stolen-store", Access.SAMPLES, "holds the stored vectors and nothing else")
INSIDER = ThreatModel(
    "T7", "insider", Access.QUERY, "holds the vectors, knows the encoder, and has labels of some of the rows"
)
TRANSFORMED_STORE = ThreatModel(
    "T8",
    "transformed-store",
    Access.QUERY,
    "holds vectors that a defence has changed, and knows which defence, but not its key; it has some pairs or labels",
)
THREATS: dict[str, ThreatModel] = {
    each.name: each
    for each in (
        SEARCH_SCORES,
        SEARCH_ANSWERS,
        KNOWN_ENCODER,
        OPEN_WEIGHTS,
        LEAKED_PAIRS,
        PUBLIC_TEXT,
        STOLEN_STORE,
        INSIDER,
        TRANSFORMED_STORE,
    )
}
"""The ladder of threat models, T0 to T8."""


def granting(access: Access) -> ThreatModel:
    """The threat model that grants just `access`."""
    return next(
        threat for threat in (STOLEN_STORE, LEAKED_PAIRS, KNOWN_ENCODER, OPEN_WEIGHTS) if threat.grants == access
    )
