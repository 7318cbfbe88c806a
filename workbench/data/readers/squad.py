"""SQuAD's JSON: passages, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.core.files import read_json
from workbench.data.readers._passage import Passage, of_form, text_of

__all__ = ["read_squad"]


def read_squad(paths: list[Path]) -> Iterator[Passage]:
    """Each passage, then each of its questions, grouped by article."""
    for path in paths:
        with of_form(path, "SQuAD's JSON"):
            for article in read_json(path)["data"]:
                title = text_of(article["title"])
                for paragraph in article["paragraphs"]:
                    yield Passage(text_of(paragraph["context"]), title, "passage")
                    for question in paragraph["qas"]:
                        yield Passage(text_of(question["question"]), title, "question")
