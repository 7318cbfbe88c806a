"""Whether a held-out text of the shipped checkpoints can have entered their training: one JSON row a source of texts.

The checkpoints were trained when the split followed from a form that this script states for itself (`former_key`). It
is compared with today's on every text of the corpora that their cards name, on every sentence in which persons are
planted, and with `--tasks` on every group of the probing tasks that the explainer learnt from.

    python benchmarks/splits.py --tasks
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable

from workbench.core import checkpoint
from workbench.core.text import split_of
from workbench.data import corpora, personal
from workbench.data._task_items import split_of_group
from workbench.data.tasks import load_task

CHECKPOINTS = {"minilm-inverter": "inverter", "minilm-explainer": "explainer"}


def former_key(text: str) -> int:
    """The hash that decided splits when the checkpoints were trained: of the casefolded words by `\\w` alone."""
    form = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return int.from_bytes(hashlib.blake2b(form.encode(), digest_size=8).digest(), "big")


def of_corpora(text: str) -> str:
    """The former split of a text of a corpus."""
    part = former_key(text) % 100
    return "train" if part < 96 else "validation" if part < 98 else "test"


def of_templates(text: str) -> str:
    """The former split of a template with planted persons."""
    return ("train", "train", "train", "validation", "test", "test")[former_key(text) % 6]


def of_tasks(group: str) -> str:
    """The former split of a group of a probing task."""
    part = former_key(group) // 100 % 20
    return "train" if part < 14 else "validation" if part < 17 else "test"


def compare(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Of pairs (split now, split then): how many, how many moved, and how many held-out ones were trained on."""
    count = moved = leaked = 0
    for now, then in pairs:
        count, moved, leaked = count + 1, moved + (now != then), leaked + (now != "train" and then == "train")
    return {"texts": count, "moved": moved, "held_out_now_trained_then": leaked}


def rows(tasks: bool) -> Iterable[dict[str, object]]:
    """A row for each source of training texts that the cards of the shipped checkpoints name."""
    cards = [checkpoint.open_card(checkpoint.locate(name), kind) for name, kind in CHECKPOINTS.items()]
    for name in sorted({part["name"] for card in cards for part in card.data} - {"personal"}):
        texts = corpora.load(name).texts
        yield {"source": name, **compare((split_of(text), of_corpora(text)) for text in texts)}
    for name, frames, former in (
        ("personal: sentences", personal._complaints(), of_corpora),
        ("personal: templates", personal._templates(), of_templates),
    ):
        pairs = ((personal._split_of_frame(frame), former(" ".join(frame.pieces))) for frame in frames)
        yield {"source": name, **compare(pairs)}
    attributes = cards[1].training["mixture"]["attributes"] if tasks else ()
    for name in sorted({each["task"] for each in attributes}):
        task = load_task(name)
        if task.card.split == "hash":
            groups = dict.fromkeys(task.groups)
            yield {"source": f"task {name}", **compare((split_of_group(group), of_tasks(group)) for group in groups)}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", action="store_true", help="the groups of probing tasks too, which takes minutes")
    for row in rows(parser.parse_args().tasks):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
