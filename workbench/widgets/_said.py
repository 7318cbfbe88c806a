"""What a callable that was handed over says of one vector, as a widget shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.results import Explanation, Explanations, Inversions
from workbench.widgets._answers import Progress

One = Callable[[EmbeddingSet], Any]
"""Takes one vector as a set of one row without a text."""


def told(function: One, one: EmbeddingSet) -> Any:
    """What the callable says of `one`; where it is a generator, every state of it, and its `Progress`."""
    answer = function(one)
    if isinstance(answer, Iterator):
        return (item if isinstance(item, Progress) else said(item) for item in answer)
    return said(answer)


def said(answer: Any) -> dict[str, Any]:
    """What a callable said of one vector: text, keywords, and a note on how far it can be trusted."""
    match answer:
        case str():
            return {"text": answer, "keywords": [], "note": ""}
        case Explanations() if answer.rows:
            return said(answer.rows[0])
        case Explanation():
            text = answer.description or answer.answer
            near = "" if answer.cosine is None else f"Embedded anew: cosine {answer.cosine:.2f}"
            blind = "" if answer.blind_cosine is None else f", blind {answer.blind_cosine:.2f}"
            note = f"{near}{blind}. " if near else ""
            note += f"Of another vector it says: {answer.blind}" if answer.blind else ""
            return {"text": text, "keywords": [word for word, _ in answer.keywords], "note": note.strip()}
        case Inversions() if len(answer):
            near = "" if answer.cosines is None else f", cosine {answer.cosines[0]:.2f}"
            return {"text": str(answer.texts[0]), "keywords": [], "note": f"By {answer.method}{near}."}
        case _:
            raise BadInput(
                f"the callable returned {type(answer).__name__}; expected text, Explanations, Explanation or Inversions"
            )
