"""How often the positive control of inversion doubts vectors that are the embedder's own, and others.

    python benchmarks/positive_control.py

The shipped inverter of MiniLM reads held-out texts of six corpora, long texts, single words, code, and sentences of
five languages; then MiniLM's vectors as defences and stores change them; then vectors of other embedders, rotated
vectors, vectors with shuffled dimensions, and noise. For stores of n vectors, drawn from each of these kinds, it
prints how often they read as far as strangers do, and how often as near as the embedder's own: one JSON row a kind
and n, with a Wilson interval, after one row with the levels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from workbench.core.estimate import proportion
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert import open_inverter
from workbench.invert._control import Nearness
from workbench.invert._inverter import Attacker

DOMAINS = ("tatoeba", "wikitext-2", "chitchat", "cfpb", "gutenberg", "squad")
FOREIGN = {
    "Russian": (
        "Где находится ближайшая станция метро?",
        "Мой брат живёт в Москве уже десять лет.",
        "Вчера вечером мы ходили в театр.",
        "Я не понимаю, почему банк закрыл мой счёт.",
        "Кошка спит на диване.",
        "Завтра будет сильный дождь.",
        "Он купил новую машину.",
        "Сколько стоит этот хлеб?",
    ),
    "Chinese": (
        "我昨天去了北京。",
        "请问最近的地铁站在哪里?",
        "银行关闭了我的账户。",
        "猫在沙发上睡觉。",
        "明天会下大雨。",
        "他买了一辆新车。",
        "这个面包多少钱?",
        "我们晚上去看电影吧。",
    ),
    "German": (
        "Wo ist der nächste Bahnhof?",
        "Mein Bruder wohnt seit zehn Jahren in Berlin.",
        "Die Bank hat mein Konto ohne Grund geschlossen.",
        "Morgen wird es stark regnen.",
        "Die Katze schläft auf dem Sofa.",
        "Er hat ein neues Auto gekauft.",
        "Was kostet dieses Brot?",
        "Wir gehen heute Abend ins Kino.",
    ),
    "Hindi": (
        "मेरा भाई दिल्ली में रहता है।",
        "कल बहुत बारिश होगी।",
        "बैंक ने मेरा खाता बंद कर दिया।",
        "बिल्ली सोफे पर सो रही है।",
        "यह रोटी कितने की है?",
        "हम शाम को फिल्म देखने जाएंगे।",
    ),
    "Arabic": (
        "أين أقرب محطة مترو؟",
        "أغلق البنك حسابي بدون سبب.",
        "القطة نائمة على الأريكة.",
        "سيهطل المطر غدا.",
        "اشترى سيارة جديدة.",
        "كم ثمن هذا الخبز؟",
    ),
    "words": ("bank", "cat", "river", "happiness", "running", "Berlin", "seven", "quantum"),
    "code": (
        "def f(x): return x + 1",
        "SELECT * FROM users WHERE id = 3;",
        "for (int i = 0; i < n; i++) { sum += a[i]; }",
        "import numpy as np",
        "git commit -m 'fix the build'",
        "#include <stdio.h>",
    ),
    "numbers": ("12345", "3.14159", "2024-01-05 12:00:00 ERROR 500", "+49 30 1234567", "#4432-A", "99 90 80"),
}
OTHERS = ("bge-small", "mpnet")
CHANGES = ("noise:0.5", "noise:1", "int8", "binary", "truncation:128")


def kinds(embedder: Embedder, texts: int, random: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray]]:
    """Each kind of vectors: whose they are, a name, and the vectors."""
    own, held = [], []
    for name in DOMAINS:
        found = corpora.load(name, "validation", texts).texts
        held += found
        own.append(embedder.embed(list(found)))
        yield "own", name, own[-1]
    prose = corpora.load("gutenberg", "validation", 12 * texts).texts
    yield "own", "long", embedder.embed([" ".join(prose[12 * i : 12 * i + 12]) for i in range(len(prose) // 12)])
    for name, some in FOREIGN.items():
        yield "own", name, embedder.embed(list(some))
    mixed = np.concatenate(own)
    for change in CHANGES:
        changed = open_defence(change).apply(mixed, random)
        yield "changed", change, np.pad(changed, ((0, 0), (0, mixed.shape[1] - changed.shape[1])))
    low, high = mixed.min(0), mixed.max(0)
    yield "changed", "int8 by dimension", np.rint((mixed - low) / np.maximum(high - low, 1e-9) * 255) - 128
    yield "changed", "rounded to 2 decimals", np.round(mixed, 2)
    yield "changed", "less their mean", mixed - mixed.mean(0)
    yield "strangers", "rotated", mixed @ np.linalg.qr(random.standard_normal((mixed.shape[1],) * 2))[0]
    yield "strangers", "shuffled dimensions", mixed[:, random.permutation(mixed.shape[1])]
    yield "strangers", "noise", random.standard_normal(mixed.shape)
    falling = np.arange(1, mixed.shape[1] + 1) ** -0.5
    yield "strangers", "noise, falling spectrum", random.standard_normal(mixed.shape) * falling
    for other in OTHERS:
        vectors = load_embedder(other, "cpu").embed(held)[:, : mixed.shape[1]]
        yield "strangers", other, vectors
        yield "strangers", f"{other} less its mean", vectors - vectors.mean(0)


def main() -> None:
    """All kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--texts", type=int, default=48, help="texts of each corpus")
    parser.add_argument("--draws", type=int, default=200, help="stores of each kind and size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 3, 10, 32])
    options = parser.parse_args()
    random = np.random.default_rng(0)
    embedder = load_embedder(options.embedder, "cpu")
    inverter = open_inverter("search", Attacker(embedder))
    levels = inverter.levels
    print(json.dumps({"levels": asdict(levels)}), flush=True)
    for whose, name, made in kinds(embedder, options.texts, random):
        vectors = unit(np.asarray(made, np.float32))
        cosines = (vectors * unit(inverter.embedder.embed(list(inverter.quick(vectors))))).sum(1)
        for n in options.sizes:
            drawn: Sequence[Nearness] = [
                Nearness(n, float(random.choice(cosines, n).mean()), levels) for _ in range(options.draws)
            ]
            row = {"vectors": whose, "kind": name, "n": n, "mean cosine": round(float(cosines.mean()), 3)}
            for said in ("far", "near"):
                share = proportion(sum(getattr(each, said) for each in drawn), len(drawn))
                row[said] = [round(each, 3) for each in (share.value, share.low, share.high)]
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
