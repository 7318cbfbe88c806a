"""Files of tensors that may be damaged: safetensors alone, for a pickle could run code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.errors import BadInput, WorkbenchError, first_line

NO_STATE = "is not a whole state of this training; remove it to begin again"


@contextmanager
def whole_tensors(path: Path | str, fault: str = "is not a whole safetensors file") -> Iterator[None]:
    """Where what a reader raises of a file that is cut short, or of tensors that do not fit, is a BadInput.

    `fault` says what is wrong with `path` then.
    """
    from safetensors import SafetensorError

    try:
        yield
    except WorkbenchError:
        raise
    except MemoryError as error:
        raise BadInput(f"{path} asks for more memory than there is; if it is no larger, it is damaged") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} {fault}: {first_line(error)}") from error
