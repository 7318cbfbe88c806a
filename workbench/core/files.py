"""Files that are whole or absent: write to a temporary neighbour, then rename."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.core.errors import BadInput, CannotWrite, WorkbenchError, first_line

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_NUMBERED = re.compile(r"(?:os error|errno) (\d+)", re.IGNORECASE)


def as_path(path: Any) -> Path:
    """A path that a user gave. Raises BadInput for what is none, None and bytes among it."""
    try:
        return Path(path)
    except TypeError:
        raise BadInput(f"{path!r} is a {type(path).__name__}; expected the path of a file or folder") from None


@contextmanager
def atomic_path(path: Path | str, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path`, on any error it is removed.

    Everybody may read the file, or, where it is `private`, its owner alone, from its first byte on.

    Raises CannotWrite where the disk is full or the place may not be written to, whichever library found out.
    """
    path = as_path(path)
    _make_parent(path)
    if path.is_dir():
        raise BadInput(f"cannot write {path}: it is a folder, expected a file name")
    with _telling(path, every=True):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
        os.close(handle)
    temporary = Path(name)
    try:
        with _telling(path):
            yield temporary
            os.chmod(temporary, 0o600 if private else 0o644)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield a temporary folder; on success it takes the place of `path`, on any error it is removed.

    An older folder at `path` is there until the new one is: where the system can, they change places in one step.
    Raises CannotWrite as `atomic_path` does.
    """
    path = as_path(path)
    _make_parent(path)
    with _telling(path, every=True):
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}."))
    try:
        with _telling(path):
            yield temporary
            os.chmod(temporary, 0o755)
            if not path.exists():
                os.replace(temporary, path)
            elif not _exchange(temporary, path):
                former = temporary.with_name(f"{temporary.name}.former")
                os.replace(path, former)
                os.replace(temporary, path)
                shutil.rmtree(former)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def require_place(path: Path | str) -> None:
    """Raise BadInput where no file can be written to `path`, before anything long is done for it; nothing is made."""
    path = as_path(path)
    if path.is_dir():
        raise BadInput(f"cannot write {path}: it is a folder, expected a file name")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise BadInput(f"cannot write {path}: {above} is a file, expected a folder")


def write_text(path: Path | str, text: str, private: bool = False) -> None:
    """Write UTF-8 text atomically; half a surrogate pair, which is no text, becomes a replacement character."""
    with atomic_path(path, private) as temporary:
        temporary.write_text(_encodable(text), encoding="utf-8")


def write_json(path: Path | str, value: Any, private: bool = False) -> None:
    """Write JSON atomically; NaN and infinity are refused, because they are not JSON."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", private)


def write_json_lines(path: Path | str, records: Iterable[Any]) -> None:
    """One JSON value a line, whole or not at all."""
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def read_text(path: Path | str, what: str = "") -> str:
    """UTF-8 text of a file. Raises BadInput naming what is missing, or the first byte that is no text.

    `what` stands before the path in errors: `the plan `.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"cannot read {what}{path}: it does not exist") from None
    except IsADirectoryError:
        raise BadInput(f"cannot read {what}{path}: it is a folder, expected a file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}") from error
    except OSError as error:
        raise BadInput(f"cannot read {what}{path}: {error.strerror}") from error
    except ValueError as error:  # a null character in the name
        raise BadInput(f"cannot read {str(path)!r}: {error}") from error


def parse_json(text: str, what: str) -> Any:
    """The value of JSON text. Raises BadInput, which calls the text `what`, for all that is not: also nesting without
    end, and numbers of thousands of digits."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{what} is not JSON: {first_line(error)}") from error


def read_json(path: Path | str) -> Any:
    """Read a JSON file, or say which file is missing or damaged and where."""
    return parse_json(read_text(path), str(path))


def read_toml(path: Path | str, what: str = "") -> dict[str, Any]:
    """Read a TOML file, or say which file is missing or damaged and where."""
    text = read_text(path, what)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not TOML: {first_line(error)}") from error


@contextmanager
def whole_file(path: Path | str, fault: str, *raised: type[Exception]) -> Iterator[None]:
    """Where what a library raises of a file that is cut short or damaged, one of `raised`, is a BadInput.

    `fault` says what is wrong with `path` then.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except MemoryError as error:
        raise BadInput(f"{path} asks for more memory than there is; if it is no larger, it is damaged") from error
    except raised as error:
        raise BadInput(f"{path} {fault}: {first_line(error)}") from error


def inside(folder: Path, name: str) -> Path:
    """`folder / name`. Raises BadInput for a name that leads out of the folder, as `../x`, `/x` and some links do."""
    try:
        path = folder / name
        path.exists()  # says what is too long, or loops
        if path.resolve().is_relative_to(folder.resolve()):
            return path
    except (OSError, ValueError, RuntimeError) as error:  # a null character, a loop of links
        raise BadInput(f"{name!r} is no name of a file in {folder}: {first_line(error)}") from error
    raise BadInput(f"{name!r} leads out of {folder}; expected the name of a file in it")


def sha256_of(path: Path | str) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadInput(f"cannot write {path}: {error.filename or path.parent} is a file, expected a folder") from error
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def _telling(path: Path, every: bool = False) -> Iterator[None]:
    """Turn what the writers of all libraries raise on a full disk into one error; `every` turns each OSError."""
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        why = _why_unwritten(error) or (error.strerror if every and isinstance(error, OSError) else "")
        if not why:
            raise
        raise CannotWrite(f"cannot write {path}: {why}; what was there before is untouched") from error


def _why_unwritten(error: Exception) -> str:
    """What a failed disk says: as a number, as one within a message (safetensors), or in numpy's own words."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (said := _NUMBERED.search(str(error))):
        number = int(said[1])
    if number in _UNWRITABLE:
        return os.strerror(number)
    return "the disk took only a part" if "requested and" in str(error) and "written" in str(error) else ""


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def _encodable(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() else text
