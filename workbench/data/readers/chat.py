"""Conversations: a JSON object of lists of turns, each a list of messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.files import read_json
from workbench.data.readers._passage import Passage, of_form, text_of

__all__ = ["read_chat"]


def read_chat(paths: list[Path]) -> Iterator[Passage]:
    """One passage a message, grouped by conversation."""
    for path in paths:
        with of_form(path, "an object of conversations"):
            for key, conversation in read_json(path).items():
                for turn in conversation["messages"]:
                    for message in turn:
                        yield Passage(text_of(message["text"]), key)
