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
from workbench.invert._edits import FLUENCY, foretold
from workbench.invert._inverter import Attacker
from workbench.invert._writer import open_text_model
from workbench.lm import TextModel
from workbench.lm.text_decoder import EOS
from workbench.lm.word_shifts import POWER

RATES = {"content": (0.001,), "in turn": FLUENCY, "grammar": (0.02,)}
"""What a nat of the decoder's log-probability is worth in foretold cosine."""
SHARES = {"closed form": (1.0, 0.0), "first order": (0.0, 1.0), "both": (0.7, 0.3)}


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


class Foreteller:
    """The change of the cosine for every replacement in a text, by closed form and by first order."""

    def __init__(self, embedder: GradEmbedder, model: TextModel) -> None:
        assert model.shifts is not None
        self.embedder, self.model = embedder, model
        self.shift, self.base = torch.from_numpy(model.shifts.shift), torch.from_numpy(model.vocabulary.base)
        self.size = self.shift.square().sum(1)
        self.table = self._table()

    @torch.inference_mode()
    def _table(self) -> Float[Tensor, "v h"]:
        """What each piece puts into the first layer, at the first place of a text."""
        one = self.embedder.tokenise(["a"])
        place = int(one.content[0].nonzero()[0])
        rows = []
        for ids in self.base.clamp(min=0).split(512):
            features = {k: v.expand(len(ids), -1).clone() for k, v in one.features.items() if torch.is_tensor(v)}
            features["input_ids"][:, place] = ids
            rows.append(self.embedder.states(features, 0)[:, place])
        return torch.cat(rows)

    def closed_form(self, text: Damaged, own: Float[Tensor, " d"]) -> Float[Tensor, "t v"]:
        """By word shifts."""
        k, ids = len(text.pieces) ** -POWER, text.pieces
        toward, along, old = self.shift @ text.truth, self.shift @ own, self.shift[ids]
        gain, side = toward - toward[ids][:, None], along - along[ids][:, None]
        square = self.size + old.square().sum(1)[:, None] - 2 * old @ self.shift.T
        return foretold(own @ text.truth, k, gain, side, square)

    def first_order(self, text: Damaged) -> Float[Tensor, "t v"] | None:
        """By gradients; None where the embedder cuts the text otherwise than the decoder."""
        batch = self.embedder.tokenise([self.model.vocabulary.decode(text.pieces)])
        inside = batch.content[0]
        if not torch.equal(batch.ids[0][inside], self.base[text.pieces]):
            return None
        states = self.embedder.states(batch.features, 0).detach().requires_grad_()
        vector = self.embedder.encode(batch.features, 0, states)
        cosine = torch.nn.functional.cosine_similarity(vector, text.truth[None])[0]
        (gradient,) = torch.autograd.grad(cosine, states)
        gradient = gradient[0][inside]
        return cosine.detach() + gradient @ self.table.T - (gradient * self.table[text.pieces]).sum(1)[:, None]


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
    random, foretell = np.random.default_rng(0), Foreteller(embedder, model)
    hits: dict[tuple[str, str], list[int]] = {}
    for text, vector in zip(model.vocabulary.encode(list(corpus.texts)), embedder.embed(corpus.texts), strict=True):
        if not 0 < len(text) <= model.decoder.max_tokens:
            continue
        with torch.no_grad():
            damaged = damage(model, text, torch.from_numpy(vector), random)
            own = torch.from_numpy(embedder.embed([model.vocabulary.decode(damaged.pieces)])[0])
            closed = foretell.closed_form(damaged, own)
            log_p = model.decoder(damaged.truth[None], torch.tensor([damaged.pieces]))[0, :-1].log_softmax(-1)
        first = foretell.first_order(damaged)
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
