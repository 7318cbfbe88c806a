"""Keys: what a keyed defence draws its secret from, and what nobody prints."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput

Key = int | bytes
"""A whole number from 0 on, or bytes: at least 16 of them from a good source, if the key shall be a secret."""


class NeedsKey(BadInput):
    """A keyed defence without a key."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} needs a key that is kept secret: key=@FILE (any bytes), or key=NUMBER for trials")


def generator(key: Key, purpose: bytes, *content: bytes) -> np.random.Generator:
    """Chance that follows from a key, a purpose (so that one key serves two defences) and perhaps some content.

    blake2b of all of them seeds numpy's PCG64, which is no cipher: whoever sees many of its numbers may foretell more.
    """
    digest = hashlib.blake2b(key=hashlib.blake2b(_bytes(key)).digest(), person=purpose[:16], digest_size=32)
    for part in content:
        digest.update(part)
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))


def row_generators(key: Key, purpose: bytes, vectors: Float[np.ndarray, "n d"]) -> list[np.random.Generator]:
    """Chance of its own for each vector, the same whenever the same vector (in float32) comes."""
    return [generator(key, purpose, row.tobytes()) for row in np.ascontiguousarray(vectors, dtype=np.float32)]


def draw_key(random: np.random.Generator) -> bytes:
    """Sixteen bytes."""
    return random.bytes(16)


def read_key(text: str) -> Key:
    """`@FILE` for the bytes of a file, or a whole number. Raises BadInput, without showing the text."""
    if text.startswith("@"):
        try:
            found = Path(text[1:]).read_bytes()
        except OSError as error:
            raise BadInput(f"the key's file {text[1:]} cannot be read: {error.strerror}") from None
        return require_key(found)
    if not text.isdecimal():
        raise BadInput("the key is neither a whole number nor @FILE")
    return int(text)


def require_key(key: Key) -> Key:
    """`key` itself; raises BadInput for a negative number or no bytes."""
    if key == b"" or (isinstance(key, int) and key < 0):
        raise BadInput("the key is empty or negative; expected bytes, or a whole number from 0 on")
    return key


def _bytes(key: Key) -> bytes:
    """Numbers and bytes never meet: each has a prefix of its own."""
    return b"bytes" + key if isinstance(key, bytes) else b"number" + str(int(key)).encode()
