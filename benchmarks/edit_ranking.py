"""Which edits should be tried? Recall of the edit that mends a text among the first 8, 32 and 128 that are proposed.

    python benchmarks/edit_ranking.py

Held-out (validation) sentences are damaged by one to three likely edits of the decoder's own; each way of ranking all
possible edits is judged by whether the mending ones stand at its head, before the embedder is asked. The first-order
surrogate (gradients of the cosine at the token embeddings, HotFlip: Ebrahimi et al. 2018) needs the embedder's weights,
the closed-form word shifts need text and vectors alone. Prints one JSON row for each way; replacements alone.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.invert._edits import FLUENCY, SLOPES, foretold
from workbench.invert._inverter import Attacker
from workbench.invert._slopes import Slopes
from workbench.invert._writer import open_text_model
from workbench.lm import TextModel
from workbench.lm.text_decoder import EOS
from workbench.lm.word_shifts import POWER

RATES = {"content": (0.001,), "in turn": FLUENCY, "grammar": (0.02,)}
"""What a nat of the decoder's log-probability is worth in foretold cosine."""
SHARES = {"closed form": (1.0, 0.0), "first order": (0.0, 1.0), "both": (1 - SLOPES, SLOPES)}


@dataclass(frozen=True)
class Damaged:
    """A text with some pieces replaced: `places` and the pieces that stood there."""

    pieces: list[int]
    places: dict[int, int]
    truth: Float[Tensor, " d"]


def damage(model: TextModel, text: list[int], vector: Tensor, random: np.random.Generator) -> Damaged:
    """Replace one to three pieces by others that the decoder finds likely there."""
    log_p = model.decoder(vector[None], torch.tensor([text]))[0].log_softmax(-1)
    log_p[:, : EOS + 1] = -torch.inf
    pieces, places = list(text), {}
    for place in random.choice(len(text), min(int(random.integers(1, 4)), len(text)), replace=False).tolist():
        log_p[place, text[place]] = -torch.inf
        best = log_p[place].topk(20)
        chances = best.values.softmax(0).double().numpy()
        pieces[place] = int(best.indices[random.choice(20, p=chances / chances.sum())])
        places[place] = text[place]
    return Damaged(pieces, places, vector)


def closed_form(model: TextModel, text: Damaged, own: Float[Tensor, " d"]) -> Float[Tensor, "t v"]:
    """The cosine after every replacement in a text, by word shifts."""
    assert model.shifts is not None
    shift, ids, k = torch.from_numpy(model.shifts.shift), text.pieces, len(text.pieces) ** -POWER
    toward, along, old = shift @ text.truth, shift @ own, shift[ids]
    gain, side = toward - toward[ids][:, None], along - along[ids][:, None]
    square = shift.square().sum(1) + old.square().sum(1)[:, None] - 2 * old @ shift.T
    return foretold(own @ text.truth, k, gain, side, square)


def main() -> None:
    """One row for each surrogate and rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="minilm-inverter")
    parser.add_argument("--n", type=int, default=300, help="sentences")
    options = parser.parse_args()
    torch.set_num_threads(1)
    embedder = load_embedder("minilm", "cpu")
    assert isinstance(embedder, GradEmbedder)
    model = open_text_model(Attacker(embedder, checkpoint=options.checkpoint, device="cpu"))
    corpus = corpora.load("conservative", "validation").head(4 * options.n)
    corpus = corpus.where(embedder.lengths(corpus.texts) <= model.decoder.max_tokens).head(options.n)
    random, slopes = np.random.default_rng(0), Slopes(embedder, model.vocabulary)
    hits: dict[tuple[str, str], list[int]] = {}
    for text, vector in zip(model.vocabulary.encode(list(corpus.texts)), embedder.embed(corpus.texts), strict=True):
        if not 0 < len(text) <= model.decoder.max_tokens:
            continue
        with torch.no_grad():
            damaged = damage(model, text, torch.from_numpy(vector), random)
            own = torch.from_numpy(embedder.embed([model.vocabulary.decode(damaged.pieces)])[0])
            closed = closed_form(model, damaged, own)
            log_p = model.decoder(damaged.truth[None], torch.tensor([damaged.pieces]))[0, :-1].log_softmax(-1)
        (first,) = slopes.foretell([tuple(damaged.pieces)], damaged.truth[None])
        if first is None:
            continue
        log_p[:, : EOS + 1] = -torch.inf
        likelier = log_p - log_p[range(len(text)), damaged.pieces][:, None]
        for surrogate, (a, b) in SHARES.items():
            for name, rates in RATES.items():
                lists = ((a * closed + b * first + r * likelier).flatten().topk(128).indices.tolist() for r in rates)
                order = list(dict.fromkeys(edit for turn in zip(*lists, strict=True) for edit in turn))
                mending = [place * len(model.vocabulary) + piece for place, piece in damaged.places.items()]
                ranks = [order.index(edit) if edit in order else 10**6 for edit in mending]
                hits.setdefault((surrogate, name), []).extend(ranks)
    for (surrogate, name), ranks in hits.items():
        recall = {f"recall@{k}": round(float(np.mean(np.array(ranks) < k)), 3) for k in (8, 32, 128)}
        print(json.dumps({"surrogate": surrogate, "rates": name, "edits": len(ranks), **recall}), flush=True)


if __name__ == "__main__":
    main()
