"""Take named files out of an archive that is not trusted."""

from __future__ import annotations

import errno
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from workbench.core.errors import FetchError, first_line

MAX_BYTES = 2 << 30
"""Most that one asset may unpack to."""
_BLOCK = 1 << 20
_UNSAFE, _LONGEST = set("\\:\0"), 1000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Errors of the disk, not of the archive."""


def extract(archive: Path, members: tuple[str, ...], into: Path, max_bytes: int = MAX_BYTES) -> list[Path]:
    """Copy the files of `archive` (zip, wheel, tar.gz) that match `members` (shell patterns) under the folder `into`.

    Only regular files are copied, each under its own relative path. Raises FetchError for a path that leaves `into`,
    for a link, for a pattern that matches nothing, for more than `max_bytes` in all (counted as they are unpacked,
    whatever the headers say, and in a tar with what is passed over), and for a damaged archive.
    """
    written: list[Path] = []
    unmatched = set(members)
    budget = max_bytes
    try:
        for name, stream in _files(archive, max_bytes):
            matches = {pattern for pattern in members if fnmatchcase(name, pattern)}
            if not matches:
                continue
            unmatched -= matches
            path = into / _safe(name, archive)
            path.parent.mkdir(parents=True, exist_ok=True)
            with stream as source, open(path, "xb") as target:
                while block := source.read(_BLOCK):
                    budget -= len(block)
                    if budget < 0:
                        raise FetchError(f"{archive.name} unpacks to more than {max_bytes:,} bytes; refused")
                    target.write(block)
            written.append(path)
    except FetchError:
        raise
    except Exception as error:  # of the archive, or a name that the file system will not have
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        raise FetchError(f"{archive.name} is damaged or not an archive: {first_line(error)}") from error
    if unmatched:
        raise FetchError(f"{archive.name} holds no file {', '.join(sorted(unmatched))}")
    return written


class _Entry(tarfile.TarInfo):
    """An entry of a tar; one that lengthens a name is read whole into memory, and so may not be long."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Entry:
        """An entry from its header."""
        found = super().frombuf(buf, encoding, errors)
        if found.size > _BLOCK and found.type not in (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE):
            raise ValueError(f"it holds {found.size:,} bytes that are no file")
        return found


def _safe(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or _UNSAFE & set(name) or len(name) > _LONGEST:
        raise FetchError(f"{archive.name} holds the unsafe path {name[:200]!r}; refused")
    return path


def _files(archive: Path, max_bytes: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and open streams of the regular files; links and devices are passed over."""
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive, tarinfo=_Entry) as tar:
            for entry in tar:
                if entry.offset_data + entry.size > 2 * max_bytes + _BLOCK:  # what is passed over is unpacked too
                    raise FetchError(f"{archive.name} unpacks to more than {max_bytes:,} bytes; refused")
                if entry.isfile() and (stream := tar.extractfile(entry)):
                    yield entry.name, stream
    else:
        with zipfile.ZipFile(archive) as pack:
            for item in pack.infolist():
                is_link = (item.external_attr >> 16) & 0o170000 == 0o120000
                if not item.is_dir() and not is_link:
                    yield item.filename, pack.open(item)
