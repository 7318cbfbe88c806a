"""Vectors of large corpora on disk, in shards that survive a kill."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.files import atomic_path
from workbench.core.progress import progress
from workbench.core.resources import cache_folder
from workbench.embed._embedder import Embedder

SHARD = 2048
_HEADER = 1 << 12
"""Bytes that numpy's header and the digest may take."""


def cached_vectors(
    embedder: Embedder, texts: Sequence[str], what: str = "embed", folder: Path | None = None
) -> Float[np.ndarray, "n d"]:
    """Vectors of `texts`, float32; each shard of 2,048 texts is embedded once per embedder and `folder`, by default the
    machine's cache.

    A shard's file is named by the embedder's revision and the content of its texts, so a call that was killed goes on
    at the first shard that is missing, and a longer list that begins alike re-uses what it shares.
    """
    shards = []
    with progress(what, len(texts), "texts") as advance:
        for start in range(0, len(texts), SHARD):
            chunk = list(texts[start : start + SHARD])
            path = _path(folder or cache_folder() / "vectors", embedder, chunk)
            vectors = _read(path, (len(chunk), embedder.spec.dim))
            if vectors is None:
                vectors = embedder.embed(chunk, what=what)
                with atomic_path(path) as temporary, open(temporary, "wb") as file:
                    np.save(file, vectors)
                    file.write(_digest(vectors))
            shards.append(vectors)
            advance(len(chunk))
    return np.concatenate(shards) if shards else np.empty((0, embedder.spec.dim), np.float32)


def resumable_set(
    embedder: Embedder, ids: Sequence[str], texts: Sequence[str], parts: Path, seed: int | None = None
) -> EmbeddingSet:
    """`embedder.embed_set` with shards in the folder `parts`, so that a call that was killed goes on.

    The caller removes the folder when the set is saved: vectors give their texts away, and should not lie about.
    """
    return EmbeddingSet(
        ids=np.asarray(ids, dtype=object),
        vectors=cached_vectors(embedder, texts, folder=parts),
        texts=np.asarray(texts, dtype=object),
        provenance=embedder.provenance(seed, texts),
    )


def _path(folder: Path, embedder: Embedder, texts: list[str]) -> Path:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    name = re.sub(r"[^\w.=-]+", "_", f"{embedder.spec.name}-{embedder.spec.revision}")[:120]
    return folder / name / f"{digest.hexdigest()}.npy"


def _read(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """A shard, or None where it is missing or damaged (it is then made again).

    Behind the array stands its digest, for a flipped bit is still a number.
    """
    size = 4 * shape[0] * shape[1]
    try:
        if path.stat().st_size > size + _HEADER:  # before a header that lies is believed
            return None
        with open(path, "rb") as file:
            vectors = np.lib.format.read_array(file, allow_pickle=False, max_header_size=_HEADER)
            digest = file.read()
    except Exception:  # numpy's headers are Python literals, and fail in as many ways
        return None
    if vectors.shape != shape or vectors.dtype != np.float32 or digest not in (b"", _digest(vectors)):
        return None  # shards of earlier releases have no digest
    return vectors


def _digest(vectors: Float[np.ndarray, "n d"]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(vectors).tobytes(), digest_size=16).digest()
