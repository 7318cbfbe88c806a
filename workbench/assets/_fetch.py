"""Bring what a card describes here: fetched without installing, verified, unpacked, converted, all once."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from workbench.assets._archive import extract
from workbench.assets._card import AssetCard, Hub, card
from workbench.assets._download import download
from workbench.assets._weights import ABOUT, weights_hash
from workbench.core.errors import BadInput, FetchError
from workbench.core.files import atomic_folder, write_json
from workbench.core.progress import progress
from workbench.core.registry import Registry
from workbench.core.resources import cache_folder

CONVERTERS = Registry("converter", "workbench.assets.converters")


def fetch(name: str, asked: bool = False) -> Path:
    """Folder that holds the asset, ready to open; downloads, verifies, unpacks and converts it on the first call.

    A download that was cut off goes on where it stopped. `asked` says that the user named this very asset: one whose
    licence asks for a decision is brought here in no other way. Raises FetchError when a file cannot be had or is not
    the one that the card names by its SHA-256.
    """
    from filelock import FileLock

    asset = card(name)
    if asset.mix or not (asset.sources or asset.hub):
        raise BadInput(f"{name} is made of {', '.join(asset.mix) or 'rules'}; it has no file of its own to fetch")
    folder = cache_folder() / "assets" / _folder_name(asset)
    if asset.licence.ask and not asked and not folder.is_dir():
        raise FetchError(
            f"{name} is under {asset.licence.id} ({asset.licence.basis}); "
            f"if you accept that, run: workbench fetch {name}"
        )
    if asset.hub and hub_is_reachable() and (from_hub := _from_hub(asset.hub)):
        return from_hub
    if not asset.sources:
        raise FetchError(f"{name} is on the Hugging Face hub only, and the hub cannot be reached")
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if folder.is_dir():
            return folder
        with atomic_folder(folder) as temporary:
            _unpack(asset, temporary)
            about = asset.model_dump(mode="json") | {"weights": weights_hash(temporary)}
            write_json(temporary / ABOUT, about)
    return folder


def pipeline_folder(name: str) -> Path:
    """Folder of a fetched sentence-transformers model: where its modules.json lies."""
    return next(fetch(name).rglob("modules.json")).parent


def _folder_name(asset: AssetCard) -> str:
    version = asset.sources[0].version if asset.sources else "hub"
    edition = f"-{asset.convert.edition}" if asset.convert and asset.convert.edition > 1 else ""
    return f"{asset.name}-{version}-{asset.digest}{edition}"


def _unpack(asset: AssetCard, into: Path) -> None:
    """The files of all sources, converted where the card says so, in the folder `into`."""
    archives = [(download(source), source.members) for source in asset.sources]
    if asset.convert is None:
        for archive, members in archives:
            extract(archive, members, into)
        return
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".raw.") as raw:
        paths = [path for archive, members in archives for path in extract(archive, members, Path(raw))]
        with progress(f"convert {asset.name}, once", 1, "models") as advance:
            CONVERTERS.load(asset.convert.how)(paths, into, **asset.convert.options)
            advance(1)


@cache
def hub_is_reachable() -> bool:
    """Whether the Hugging Face hub may be asked and answers; asked once, for its client's own retries take minutes."""
    import httpx

    if os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    try:
        httpx.head(os.environ.get("HF_ENDPOINT", "https://huggingface.co"), timeout=3, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return True


def _from_hub(hub: Hub) -> Path | None:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.safetensors", "*.model", "*.jinja"]
    try:
        return Path(snapshot_download(hub.id, revision=hub.revision, allow_patterns=patterns, etag_timeout=3))
    except Exception:  # whatever the hub's client raises: the registry is the other way
        return None
