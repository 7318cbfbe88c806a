"""Files of tensors that may be damaged: safetensors alone, for a pickle could run code."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from workbench.core.files import whole_file

NO_STATE = "is not a whole state of this training; remove it to begin again"


def whole_tensors(path: Path | str, fault: str = "is not a whole safetensors file") -> AbstractContextManager[None]:
    """Where what a reader raises of a file that is cut short, or of tensors that do not fit, is a BadInput.

    `fault` says what is wrong with `path` then.
    """
    from safetensors import SafetensorError

    errors = (OSError, SafetensorError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)
    return whole_file(path, fault, *errors)
