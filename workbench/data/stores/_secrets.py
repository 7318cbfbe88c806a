"""Passwords and keys: taken from the environment or a file, refused in a line, struck out of every message."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from workbench.core.errors import BadInput, first_line

_LOG = logging.getLogger(__name__)
_FILE = "WORKBENCH_CREDENTIALS"
_NAMES = ("PGPASSWORD", "CHROMA_TOKEN", "QDRANT_API_KEY")
_FIX = f"leave it out and set {', '.join(_NAMES[:-1])} or {_NAMES[-1]}, or name a file of NAME=value lines in {_FILE}"
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key|auth|credential", re.IGNORECASE)


def secret(name: str) -> str:
    """The value of a variable, from the environment or from the file that WORKBENCH_CREDENTIALS names; "" if unset."""
    if value := os.environ.get(name, ""):
        return value
    file = os.environ.get(_FILE, "")
    return _read(Path(file)).get(name, "") if file else ""


def refuse_secrets(line: str) -> None:
    """Raise BadInput for a line that holds a password, or whose address cannot be read; nothing of it is repeated.

    Lines are written down in plans, provenance and logs, so a password must not stand in one.
    """
    whole, _, query = line.partition("?")
    kind = re.match(r"[\w-]*", line)
    who = f"the line of {kind[0]!r}" if kind else "the line"
    for key, _value in parse_qsl(query, keep_blank_values=True):
        if not re.fullmatch(r"[\w-]+", key):
            raise BadInput(f"{who} has an option that is not of the form name=value; if that is a password, {_FIX}")
        if _SECRET_OPTION.search(key):
            raise BadInput(f"{who} holds a secret in its option {key}; {_FIX}")
    if re.search(r"\bpassword\s*=", whole, re.IGNORECASE):
        raise BadInput(f"{who} holds a password; {_FIX}")
    if "://" not in whole:
        return
    try:
        address = urlsplit(whole[whole.index(":") + 1 :] if whole.index(":") != whole.index("://") else whole)
        held = address.password is not None or (address.scheme.startswith("http") and "@" in address.netloc)
        _ = address.port
    except ValueError:
        raise BadInput(
            f"{who} has no address of the form scheme://host:port/name; if it holds a password, {_FIX}"
        ) from None
    if held:
        raise BadInput(f"{who} holds a password in its address; {_FIX}")
    if "@" in address.path + address.fragment + query:  # what follows an unquoted /, # or ? in a password
        raise BadInput(f"{who} has an @ behind its host (write %40 in a name); if that is a password, {_FIX}")


def scrub(text: str) -> str:
    """The text with every known password and key replaced."""
    for name in _NAMES:
        if value := secret(name):
            for form in {value, quote(value, safe="")}:
                text = text.replace(form, "***")
    return text


def said(error: BaseException) -> str:
    """The first line of what a library says, without passwords, and its class where it says nothing."""
    return scrub(first_line(Exception(str(error)))) or type(error).__name__


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if path.stat().st_mode & 0o004:
            _LOG.warning("%s can be read by every user of this machine; chmod 600 would keep it to you", path)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{_FILE} names {path}, which cannot be read: {type(error).__name__}") from None
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines if line.strip()[:1] not in ("", "#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}
