"""How noise is released: drawn anew at every reading, or once for each vector."""

from __future__ import annotations

from workbench.core.errors import BadInput
from workbench.defend._key import Key, NeedsKey, require_key

_FACTS = {
    "fresh": "drawn anew at every reading, so the mean of m readings has 1 / sqrt(m) of the noise",
    "stored": "drawn once for each vector by a secret key, so further readings tell nothing new",
}


def require_release(name: str, release: str, key: Key | None) -> None:
    """Raise BadInput for another word than fresh or stored, a key that fresh noise would not use, or a missing one."""
    if release not in _FACTS:
        raise BadInput(f"release is {release!r}; expected fresh or stored")
    if release == "fresh" and key is not None:
        raise BadInput(f"{name} has a key, but fresh noise has none; expected release=stored")
    if release == "stored":
        if key is None:
            raise NeedsKey(f"{name} with release=stored")
        require_key(key)


def release_fact(release: str) -> str:
    """In words."""
    return _FACTS[release]
