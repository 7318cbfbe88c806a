"""Silver annotations: what spaCy's small English model says of sentences, once for all tasks. Never gold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from workbench import assets
from workbench.core.errors import MissingExtra
from workbench.core.progress import progress
from workbench.data import corpora
from workbench.data._cached import made_once

PARSER = "spacy-small"
_RECIPE = 1
_NUMBER = {"NN": "singular", "NNP": "singular", "NNS": "plural", "NNPS": "plural"}
_TENSE = {"VBD": "past", "VBP": "present", "VBZ": "present"}


def silver_digest() -> str:
    """Of the parser and of what is read off it."""
    return f"{assets.card(PARSER).digest}-{_RECIPE}"


def silver(name: str, limit: int) -> pa.Table:
    """The first `limit` sentences of a corpus: text, group, tense, subject, object, depth, clause, entity.

    An attribute that a sentence does not have is empty. Annotated once (about a minute for 30,000) and cached. Raises
    MissingExtra without spaCy.
    """
    place = f"silver/{name}-{limit}-{corpora.digest(name)}-{silver_digest()}.parquet"
    return made_once(place, lambda: _annotate(name, limit))


def _annotate(name: str, limit: int) -> pa.Table:
    try:
        import spacy
    except ImportError as error:
        raise MissingExtra("spacy", "silver") from error
    (config,) = assets.fetch(PARSER).rglob("config.cfg")
    parser = spacy.load(config.parent, exclude=["lemmatizer", "senter"])
    corpus = corpora.load(name).head(limit)
    rows = []
    with progress("parse", len(corpus), "sentences") as advance:
        for text, group, parsed in zip(
            corpus.texts, corpus.groups, parser.pipe(corpus.texts, batch_size=256), strict=True
        ):
            rows.append({"text": text, "group": group, **_attributes(parsed)})
            advance(1)
    return pa.Table.from_pylist(rows)


def _attributes(parsed: Any) -> dict[str, Any]:
    """Of the sentence's main verb and its subject and object; the depth of the whole tree; the first entity."""
    roots = [token for token in parsed if token.dep_ == "ROOT"]
    root = roots[0] if len(roots) == 1 else None  # two roots are two sentences
    verbs = [root, *(child for child in root.children if child.dep_ in ("aux", "auxpass"))] if root else []
    tenses = [_TENSE[verb.tag_] for verb in verbs if verb.tag_ in _TENSE]
    return {
        "tense": tenses[0] if len(set(tenses)) == 1 else "",
        "subject": _number(root, ("nsubj", "nsubjpass")),
        "object": _number(root, ("dobj", "obj")),
        "depth": _depth(root) if root else 0,
        "clause": (
            "yes" if any(token.dep_ in ("advcl", "ccomp", "acl", "relcl", "csubj") for token in parsed) else "no"
        ),
        "entity": next((entity.label_ for entity in parsed.ents if entity.label_ in ("PERSON", "ORG", "GPE")), ""),
    }


def _number(root: Any, roles: tuple[str, ...]) -> str:
    found = [child for child in root.children if child.dep_ in roles] if root else []
    return _NUMBER.get(found[0].tag_, "") if len(found) == 1 else ""


def _depth(token: Any) -> int:
    return 1 + max((_depth(child) for child in token.children), default=0)
