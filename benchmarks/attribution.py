"""Exact attribution beside captum and the published full Jacobian: CPU-seconds, memory, difference, completeness.

    python benchmarks/attribution.py speed          # ours, captum's LayerIntegratedGradients, d backward passes a node
    python benchmarks/attribution.py complete       # |bordered sum - cosine| and nodes, at every layer
    python benchmarks/attribution.py static         # potion: nodes against the closed form
    python benchmarks/attribution.py directed --n 8 --rounds 5   # integrated gradients and captum called by hand
    python benchmarks/attribution.py growth --before FOLDER   # this build and another one's checkout, by length of text
    python benchmarks/attribution.py pairs --out pairs.jsonl && workbench attribute --evaluate pairs.jsonl

The full Jacobian is written as its authors run it (Moeller et al. 2023): all nodes in one batch, and one backward pass
for each of the d dimensions. Pairs are Tatoeba paraphrases and SQuAD questions with the first sentences of their
passages. One thread, one JSON row each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from workbench.attribute import open_attributor
from workbench.attribute._adaptive import adaptive
from workbench.attribute._jacobian import token_contributions
from workbench.attribute._path import Path as StatePath
from workbench.attribute._quadrature import Forecast, Rule, rule
from workbench.core.files import write_text
from workbench.core.memory import keep_freed_memory
from workbench.data import pairs as corpora
from workbench.embed import load_embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed._torch import plain_attention

NODES = 16


def text_pairs(n: int, longest: int, embedder: GradEmbedder) -> list[tuple[str, str]]:
    """`n` pairs of at most `longest` tokens each, half paraphrases, half questions with sentences."""
    said = corpora.paraphrases(20 * n)
    asked = corpora.retrieval(8 * n)
    firsts = first_sentences(asked)
    out: list[tuple[str, str]] = []
    for one, two in ((said.left, said.right), (asked.questions, firsts)):
        counts = zip(embedder.lengths(list(one)), embedder.lengths(list(two)), strict=True)
        fits = [9 <= a <= longest and 9 <= b <= longest for a, b in counts]
        out += [pair for pair, good in zip(zip(one, two, strict=True), fits, strict=True) if good][: n // 2]
    return out


def first_sentences(asked: corpora.Retrieval) -> list[str]:
    """The sentence that each passage begins with."""
    return [passage.split(". ")[0].rstrip(".") + "." for passage in asked.passages]


def sentences(n: int, tokens: int, embedder: GradEmbedder) -> list[str]:
    """The first `n` sentences of SQuAD's passages that have exactly so many tokens."""
    firsts = first_sentences(corpora.retrieval(100 * n))
    lengths = embedder.lengths(firsts)
    return [text for text, length in zip(firsts, lengths, strict=True) if length == tokens][:n]


def full_jacobian(path: StatePath, nodes: int) -> np.ndarray:
    """Contributions by one backward pass a dimension, all nodes in one batch."""
    taken = rule("midpoint", nodes)
    states = path.at(torch.from_numpy(taken.nodes)).requires_grad_()
    vectors = path.vectors(states)
    rows = []
    for dimension in range(vectors.shape[1]):
        (gradient,) = torch.autograd.grad(vectors[:, dimension].sum(), states, retain_graph=True)
        rows.append((gradient.mean(0) * path.step).sum(1))
    return torch.stack(rows, dim=1).double().numpy()


def captum_toward(embedder: GradEmbedder, text: str, direction: np.ndarray, nodes: int) -> np.ndarray:
    """One-sided integrated gradients at the output of the embeddings, by captum's midpoint rule."""
    from captum.attr import LayerIntegratedGradients

    batch = embedder.tokenise([text])
    aim = torch.from_numpy(direction).float()

    def score(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        found = embedder.encode({**batch.features, "input_ids": ids, "attention_mask": mask})
        return found @ aim / found.norm(dim=1)

    layer = embedder.model[0].auto_model.embeddings  # type: ignore[attr-defined]
    found = LayerIntegratedGradients(score, layer).attribute(
        batch.ids,
        embedder.reference(batch).ids,
        additional_forward_args=(batch.mask.expand(1, -1),),
        n_steps=nodes,
        method="riemann_middle",
    )
    return found[0].sum(1).detach().double().numpy()


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """CPU-seconds of some work, and the peak of resident memory over what was held before it, in MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the former peak
    before = _memory("VmRSS")
    began = time.process_time()
    work()
    return time.process_time() - began, _memory("VmHWM") - before


def _memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def speed(embedder: GradEmbedder, n: int, tokens: int | None) -> None:
    """Same pairs and nodes, first layer; the peers' numbers against ours."""
    if tokens:
        said = sentences(2 * n, tokens, embedder)
        pairs = list(zip(said[::2], said[1::2], strict=True))
    else:
        pairs = text_pairs(n, 30, embedder)
    paths = [StatePath(embedder, text) for pair in pairs for text in pair]
    vectors = embedder.embed([b for _, b in pairs]).astype(np.float64)
    found: dict[str, list[np.ndarray]] = {"ours": [], "full jacobian": [], "captum": []}

    def captum() -> None:
        for (text, _), vector in zip(pairs, vectors, strict=True):
            found["captum"].append(captum_toward(embedder, text, vector, NODES))

    def ours() -> None:
        found["ours"] += [token_contributions(path, rule("midpoint", NODES)) for path in paths]

    def full() -> None:
        with plain_attention():
            found["full jacobian"] += [full_jacobian(path, NODES) for path in paths]

    token_contributions(paths[0], rule("midpoint", 2))
    spent = {name: measured(work) for name, work in (("ours", ours), ("captum", captum), ("full jacobian", full))}
    exact = max(np.abs(a - b).max() for a, b in zip(found["ours"], found["full jacobian"], strict=True))
    sided = [own @ vector for own, vector in zip(found["ours"][::2], vectors, strict=True)]
    one = max(np.abs(a - b).max() for a, b in zip(sided, found["captum"], strict=True))
    for name, (seconds, memory) in spent.items():
        texts = len(found[name])
        row = {
            "benchmark": "attribution speed",
            "method": name,
            "texts": texts,
            "mean_tokens": round(float(np.mean([path.length for path in paths])), 1),
            "nodes": NODES,
            "cpu_seconds_per_text": round(seconds / texts, 4),
            "times_ours": round(seconds / texts / (spent["ours"][0] / len(paths)), 1),
            "extra_mb": round(memory),
            "max_difference": float(f"{ {'ours': 0.0, 'captum': one, 'full jacobian': exact}[name]:.2g}"),
        }
        print(json.dumps(row), flush=True)


def directed(embedder: GradEmbedder, n: int, rounds: int) -> None:
    """The method `integrated-gradients` next to captum called by hand, one direction and 32 nodes; they take turns."""
    pairs = text_pairs(n, 30, embedder)
    vectors = embedder.embed([b for _, b in pairs]).astype(np.float64)
    attributor = open_attributor(embedder, "integrated-gradients")
    ratios, spent = [], {"ours": 0.0, "captum": 0.0}
    for turn in range(rounds):
        taken = {"ours": 0.0, "captum": 0.0}
        for (text, _), vector in zip(pairs, vectors, strict=True):
            works: dict[str, Callable[[], object]] = {
                "ours": lambda text=text, vector=vector: attributor.directed(text, vector, "token"),
                "captum": lambda text=text, vector=vector: captum_toward(embedder, text, vector, 32),
            }
            for name in sorted(works, reverse=bool(turn % 2)):
                taken[name] += measured(works[name])[0]
        ratios.append(taken["ours"] / taken["captum"])
        spent = {name: spent[name] + taken[name] for name in spent}
    each = {name: round(total / rounds / len(pairs), 4) for name, total in spent.items()}
    row = {
        "ratio": round(float(np.median(ratios)), 3),
        "lowest": round(min(ratios), 3),
        "highest": round(max(ratios), 3),
    }
    print(json.dumps({"benchmark": "one direction", "texts": len(pairs), "cpu_seconds_per_text": each, **row}))


def total(path: StatePath, taken: Rule) -> np.ndarray:
    """The sum of all contributions and the reference: one Jacobian-vector product a node, along the whole step."""
    weights = torch.from_numpy(taken.weights).to(path.step)
    states = path.at(torch.from_numpy(taken.nodes))
    with torch.no_grad(), plain_attention():
        moved = path.slopes(states, path.step)
    return (weights @ moved + path.ends[0]).double().numpy()


def complete(embedder: GradEmbedder, n: int) -> None:
    """Every layer, two tolerances: what is missing, and how many nodes it took, chosen as the attributor chooses."""
    pairs = text_pairs(n, 34, embedder)
    for layer in range(embedder.layers + 1):
        paths = [[StatePath(embedder, text, layer) for text in pair] for pair in pairs]
        forecasts = [[Forecast(path) for path in both] for both in paths]
        for tolerance in (1e-2, 1e-3):
            off, nodes, names = [], [], set()
            for both, foretold in zip(paths, forecasts, strict=True):
                taken = [
                    forecast.choose(tolerance / 2) or adaptive(path, tolerance / 2)
                    for path, forecast in zip(both, foretold, strict=True)
                ]
                one, two = (total(path, each) for path, each in zip(both, taken, strict=True))
                off.append(abs(float(one @ two - both[0].ends[1].double() @ both[1].ends[1].double())))
                nodes.append(max(len(each.nodes) for each in taken))
                names |= {each.name for each in taken}
            row = {
                "benchmark": "attribution completeness",
                "pairs": len(pairs),
                "layer": layer,
                "tolerance": tolerance,
                "worst": float(f"{max(off):.2g}"),
                "mean_nodes": round(float(np.mean(nodes)), 1),
                "most_nodes": max(nodes),
                "rules": sorted(names),
            }
            print(json.dumps(row), flush=True)


def static(n: int) -> None:
    """A static embedder: how near nodes come to the formula."""
    embedder = load_embedder("potion", "cpu")
    exact = open_attributor(embedder, "closed-form")
    said = corpora.paraphrases(n).left
    for nodes in (4, 8, 16, 32, 64):
        off = 0.0
        for text in said:
            found = token_contributions(StatePath(embedder, text), rule("gauss-legendre", nodes))  # type: ignore[arg-type]
            kept = np.abs(exact.contribute(text, "token").matrix - found)
            off = max(off, float(kept.max()))
        print(json.dumps({"benchmark": "static", "texts": n, "nodes": nodes, "max_difference": float(f"{off:.2g}")}))


def passages(tokens: int, embedder: GradEmbedder) -> tuple[str, str]:
    """Two texts of at most so many tokens, and nearly as many: sentences of SQuAD's passages, one after another."""
    firsts = iter(first_sentences(corpora.retrieval(400)))
    out = []
    for _ in range(2):
        text = ""
        while True:
            longer = f"{text} {next(firsts)}".strip()
            words = longer.split()
            while int(embedder.lengths([" ".join(words)])[0]) > tokens:
                words.pop()
            text = " ".join(words)
            if text != longer:
                break
        out.append(text)
    return out[0], out[1]


def pair_cost(embedder: GradEmbedder, tokens: int) -> None:
    """One pair by the default attributor at its defaults, in a process of its own."""
    a, b = passages(tokens, embedder)
    attributor, found = open_attributor(embedder, "integrated-jacobian"), []
    spent, memory = measured(lambda: found.append(attributor.pair(a, b, *(["auto"] if _has_auto() else []))))
    row = {"nodes": found[0].nodes, "pieces": list(found[0].matrix.shape), "error": found[0].completeness_error}
    print(json.dumps({"cpu_seconds": round(spent, 2), "memory_mb": round(memory), **row}))


def _has_auto() -> bool:
    """Builds before levels were chosen by length have no `auto`."""
    from workbench.attribute._contributions import LEVELS

    return "auto" in LEVELS


def growth(before: Path, lengths: list[int], minutes: float, rounds: int) -> None:
    """CPU-seconds and memory of a pair by its length, with the build of another checkout: they take turns."""
    here = Path(__file__).resolve()
    for tokens in lengths:
        for _ in range(rounds):
            for build, root in (("before", before.resolve()), ("now", here.parents[1])):
                command = [sys.executable, str(here), "pair", "--tokens", str(tokens)]
                environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
                try:
                    done = subprocess.run(
                        command,
                        cwd=root,
                        env=environment,
                        capture_output=True,
                        text=True,
                        timeout=60 * minutes,
                        check=False,
                    )
                    row = json.loads(done.stdout) if not done.returncode else {"failed": done.stderr.strip()[-200:]}
                except subprocess.TimeoutExpired:
                    row = {"failed": f"stopped after {minutes:g} minutes"}
                print(json.dumps({"benchmark": "growth", "build": build, "tokens": tokens, **row}), flush=True)


def main() -> None:
    """One stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("speed", "directed", "complete", "static", "growth", "pair", "pairs"))
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--n", type=int, default=100, help="pairs")
    parser.add_argument("--tokens", type=int, help="speed: sentences of exactly so many tokens, paired as they come")
    parser.add_argument("--out", type=Path, default=Path("pairs.jsonl"))
    parser.add_argument("--before", type=Path, help="growth: a checkout of the build to compare with")
    parser.add_argument("--lengths", type=int, nargs="+", default=[15, 30, 75], help="growth: tokens a text")
    parser.add_argument("--minutes", type=float, default=10.0, help="growth: most time of one pair")
    parser.add_argument("--rounds", type=int, default=1, help="growth, directed: how often each is taken")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    if options.stage == "growth":
        growth(options.before, options.lengths, options.minutes, options.rounds)
        return
    embedder = load_embedder(options.embedder, "cpu")
    assert isinstance(embedder, GradEmbedder)
    match options.stage:
        case "speed":
            speed(embedder, options.n, options.tokens)
        case "directed":
            directed(embedder, options.n, options.rounds)
        case "complete":
            complete(embedder, options.n)
        case "static":
            static(options.n)
        case "pair":
            pair_cost(embedder, options.tokens)
        case "pairs":
            lines = [json.dumps({"a": a, "b": b}) for a, b in text_pairs(options.n, 34, embedder)]
            write_text(options.out, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
