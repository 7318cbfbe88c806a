"""Hostile files of one reader by number, and the judgement of what the reader did with one."""

from __future__ import annotations

import shutil
import signal
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import Any

from tests.hostile.mutate import mutated
from tests.hostile.readers import READERS, Reader
from workbench.core.errors import WorkbenchError

SECONDS = 10
"""That a file may take."""
_STEP = 200
"""Files after which the folder is made anew."""


class Hang(BaseException):
    """A file took too long; no `except Exception` may hold it up."""


class Case:
    """A file follows from the seed, the reader and its number alone."""

    def __init__(self, name: str, seed: int, room: Path) -> None:
        self.name, self.seed, self.room = name, seed, room
        self.reader: Reader = READERS[name]
        self.whole, self.folder = room / "whole", room / "damaged"
        self.whole.mkdir(parents=True)
        self.reader.write(self.whole)
        found = {path: form for pattern, form in self.reader.forms.items() for path in sorted(self.whole.glob(pattern))}
        self.files = [(path.relative_to(self.whole), form) for path, form in found.items() if path.is_file()]
        assert self.files, f"{name} has no file to damage"
        (room / "hit").write_text(str(self.files[0][0]))
        self.renew()

    def place(self, number: int) -> Path:
        """Put hostile file `number` in its place and give its path."""
        random = Random(f"{self.seed} {self.name} {number}")
        path, form = random.choice(self.files)
        return self.put(path, mutated((self.whole / path).read_bytes(), form, random), number)

    def put(self, path: Path, content: bytes, number: int = 0) -> Path:
        """Write one file of the folder."""
        (self.room / "hit").write_text(str(path))
        if self.reader.fresh or number % _STEP == 0:
            self.renew()
        (self.folder / path).write_bytes(content)
        return self.folder / path

    def mend(self, path: Path) -> None:
        """Put the valid file back."""
        if not self.reader.fresh and path.parent.exists():
            shutil.copyfile(self.whole / path.relative_to(self.folder), path)

    def renew(self) -> None:
        """A whole folder under a new name, for engines remember folders by their names."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = self.room / f"damaged-{time.monotonic_ns()}"
        shutil.copytree(self.whole, self.folder)

    def judge(self) -> tuple[str, str]:
        """`accepted`, `quiet`, `named` or `failed`, and what was said."""
        former = signal.signal(signal.SIGALRM, _late)
        signal.alarm(SECONDS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self.reader.read(self.folder)
            return ("quiet" if found is None and self.reader.quiet else "accepted"), ""
        except WorkbenchError as error:
            return "named", f"{type(error).__name__}: {error}"
        except Hang:
            return "failed", f"no end within {SECONDS} s"
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # pyo3's panics are no Exception
            frames = [each for each in traceback.extract_tb(error.__traceback__) if "/workbench/" in each.filename]
            at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
            return "failed", f"{at} {type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, former)


def _late(number: int, frame: Any) -> None:
    raise Hang
