"""Judge defences: each meets a static and an adaptive attacker, and what it leaks stands beside what it spoils."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Shaped

from workbench.audit._defence_attacks import RELEASES, Attacked, Attackers, mean_of, pairs_of
from workbench.audit._utility import Useful, Utility, UtilityScores
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput, UnknownName
from workbench.core.estimate import mean
from workbench.core.progress import progress
from workbench.core.vectors import require_finite
from workbench.defend import open_fitter
from workbench.defend._defence import Fitter, Map
from workbench.defend._line import Ready, without_key
from workbench.embed import load_embedder
from workbench.invert._stored_codes import decoded
from workbench.probe import labelled_by
from workbench.probe._labelled import Labelled
from workbench.probe._scoring import Resampler
from workbench.results.defences import NONE, Attack, DefenceRow, DefenceScores

__all__ = ["judge_defences", "judge_store"]

SEEDS = (0, 1, 2)


def judge_store(
    store: SetLike,
    label: str,
    defences: Sequence[str],
    *,
    groups: str = "",
    embedder: str = "",
    texts: int = 300,
    limit: int = 0,
    seeds: Sequence[int] = SEEDS,
    device: str = "auto",
) -> DefenceScores:
    """Judge defences of a store by how well its label `label` is read; `groups` is a label whose rows stay together.

    Utility is measured on `texts` public questions and pairs by the store's embedder (or `embedder`); for 0, or where
    it is not known, by the store's own neighbours alone. At most `limit` training rows (a quarter as many to validate
    and to test; 0: all). Raises UnknownName for a label that is not there, BadInput as `judge_defences` does.
    """
    store = EmbeddingSet.of(store)
    for name in (label, *([groups] if groups else ())):
        if name not in store.labels:
            raise UnknownName("label", name, tuple(store.labels))
    held = None if store.texts is None else [str(text) for text in store.texts]
    data = labelled_by(label, store.labels[label], store.labels[groups] if groups else None, held)
    rows = data.kept(limit)
    said = embedder or (store.provenance.embedder if store.provenance.embedder != "unknown" else "")
    utility = None
    if said and texts:
        model = load_embedder(said, device)
        store = decoded(store, model)
        store.require_dim(model.spec.dim, said)
        utility = Utility.of(model, texts)
    labels = {name: np.asarray(column)[rows] for name, column in store.labels.items()}
    return judge_defences(
        data.select(rows),
        store.vectors[rows],
        defences,
        utility=utility,
        labels=labels,
        embedder=said or "unknown",
        seeds=seeds,
    )


def judge_defences(
    data: Labelled,
    vectors: Float[np.ndarray, "n d"],
    defences: Sequence[str],
    *,
    utility: Utility | None = None,
    labels: Mapping[str, Shaped[np.ndarray, " n"]] | None = None,
    embedder: str = "unknown",
    seeds: Sequence[int] = SEEDS,
) -> DefenceScores:
    """Defend n vectors in every way that `defences` names (`workbench.defend.open_fitter`), and attack them.

    The attribute is that of `data`. A defence is fitted on the rows that attackers learn from, with further `labels` if
    it is to erase others; keys and noise are drawn anew for each seed. Undefended vectors are judged too, first.

    Raises BadInput for no defence or seed, NaN, or an attribute that is graded.
    """
    began = time.monotonic()
    if not defences or not seeds:
        raise BadInput(f"{len(defences)} defences and {len(seeds)} seeds; expected at least one of each")
    if vectors.ndim != 2 or len(vectors) != len(data.labels):
        raise BadInput(f"vectors has shape {vectors.shape} but {data.name} has {len(data.labels)} labels")
    require_finite(vectors)
    labelled = data.kept(0)
    labels = {name: np.asarray(column)[labelled] for name, column in (labels or {}).items()}
    data, vectors = data.select(labelled), vectors[labelled]
    shown = [without_key(line) for line in defences]
    if twice := {line for line in shown if shown.count(line) > 1}:
        raise BadInput(f"{min(twice)} is named twice; expected each defence once (keys do not count)")
    fitters = {without_key(line): open_fitter(line) for line in defences}
    fitters = {NONE: Ready(_Undefended()), **fitters}
    known = {data.name: data.labels, **labels}
    bench = _Bench(data, vectors, known, Attackers(data, vectors), utility, seeds)
    with progress("judge", len(fitters) * len(seeds), "trials") as advance:
        rows = tuple(bench.row(line, fitter, advance) for line, fitter in fitters.items())
    return DefenceScores(
        attribute=data.name,
        embedder=embedder,
        classes=data.classes,
        learnt=len(data.learnt),
        test=len(data.test),
        groups=bench.resampler.count,
        prior=bench.resampler.share(bench.attackers.prior().astype(np.float64)),
        recovered_prior=mean(bench.attackers.recovered_prior(), bench.resampler.names),
        rows=rows,
        pairs=tuple(pairs_of(len(data.learnt))),
        releases=(1, *RELEASES),
        questions=0 if utility is None else len(utility.questions),
        seeds=tuple(seeds),
        seconds=time.monotonic() - began,
        left_out=data.left_out,
    )


class _Undefended(Map):
    """What all else is compared with."""

    def map(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return vectors.astype(np.float32)

    def facts(self) -> dict[str, str]:
        return {"mechanism": "vectors as they are", "guarantee": "none"}


class _Bench:
    """Vectors, attackers and uses that all defences share."""

    def __init__(
        self,
        data: Labelled,
        vectors: Float[np.ndarray, "n d"],
        labels: Mapping[str, Shaped[np.ndarray, " n"]],
        attackers: Attackers,
        utility: Utility | None,
        seeds: Sequence[int],
    ) -> None:
        self.attackers = attackers
        self.resampler = Resampler(data.groups_of(data.test))
        self._seen = vectors[data.learnt]
        self._labels = {name: np.asarray(column)[data.learnt] for name, column in labels.items()}
        self._utility, self._seeds = utility, seeds

    def row(self, line: str, fitter: Fitter, advance: Callable[[int], None]) -> DefenceRow:
        """One defence with every seed. Its chance does not depend on which others are judged."""
        attacked: list[Attacked] = []
        useful: list[Useful] = []
        facts: tuple[tuple[str, str], ...] = ()
        for seed in self._seeds:
            random = np.random.default_rng([seed, zlib.crc32(line.encode())])
            defence = fitter.fit(self._seen, random, self._labels)
            attacked.append(self.attackers.attack(defence, random, seed))
            if self._utility is not None:
                useful.append(self._utility.measure(defence, random))
            facts = tuple(defence.facts().items())
            advance(1)
        return self._scored(line, facts, attacked, useful)

    def _scored(
        self, line: str, facts: tuple[tuple[str, str], ...], attacked: list[Attacked], useful: list[Useful]
    ) -> DefenceRow:
        names, share = self.resampler.names, self.resampler.share
        scores = None if self._utility is None else UtilityScores.of(self._utility, useful)
        averaged = [each.averaged for each in attacked if each.averaged is not None]
        return DefenceRow(
            defence=line,
            facts=facts,
            dim=attacked[0].dim,
            attacks=tuple(self._attack(name, [each.right[name] for each in attacked]) for name in attacked[0].right),
            recovered=mean(mean_of([each.recovered for each in attacked]), names),
            averaged=mean(mean_of(averaged), names) if averaged else None,
            neighbours=share(mean_of([each.neighbours for each in attacked])),
            ndcg=scores.ndcg if scores else None,
            recall=scores.recall if scores else None,
            paraphrase_auc=scores.paraphrase_auc if scores else None,
        )

    def _attack(self, name: str, right: list[np.ndarray]) -> Attack:
        shares = [float(each.mean()) for each in right]
        return Attack(name, self.resampler.share(mean_of(right)), min(shares), max(shares))
