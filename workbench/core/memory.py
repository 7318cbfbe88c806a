"""Keep freed memory for the next step: for a process of our own, never for a host that imports the library."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Let glibc hold on to freed blocks; a no-op on other platforms.

    Each training or decoding step frees and takes again up to 100 MB of logits; giving them back to the kernel in
    between cost an eighth of the CPU time of training (page faults).
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
