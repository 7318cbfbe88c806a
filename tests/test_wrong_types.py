"""Public functions that are handed the wrong thing say so, as BadInput, and not from the inside."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import numpy as np
import workbench as w
from workbench.core.errors import BadInput
from workbench.results import Inversions

toy = w.load_embedder("toy")
ids, texts = ["a", "b"], ["the bank", "a river"]
vectors = np.random.default_rng(0).standard_normal((2, toy.spec.dim)).astype("f4")
held = w.EmbeddingSet(ids, vectors)
from workbench.invert.nearest import Nearest
near = Nearest(toy, texts, toy.embed(texts))
found = Inversions("m", held.ids, np.array(texts, object), np.ones(2), np.zeros(2, int), 0, 0.1)
calls = {
    "the embedder has the type NoneType; expected str": lambda: w.load_embedder(None),
    "the embedder has the type bytes": lambda: w.load_embedder(b"toy"),
    "texts has the type str; expected a list of strings": lambda: toy.embed("one text"),
    "texts has the type NoneType": lambda: toy.embed(None),
    "text 0 is 1; expected a string": lambda: toy.embed([1]),
    "attacker has the type NoneType; expected Attacker": lambda: w.open_inverter("nearest", None),
    "the attacker's embedder has the type str": lambda: w.open_inverter("nearest", w.Attacker("minilm")),
    "the attacker's threat has the type str": lambda: w.open_inverter("nearest", w.Attacker(toy, threat="known")),
    "beams is -1": lambda: w.Attacker(toy, beams=-1),
    "seed is -1": lambda: w.Attacker(toy, seed=-1),
    "limits has the type int": lambda: w.Attacker(toy, limits=3),
    "the vectors to invert has the type ndarray; expected EmbeddingSet": lambda: near.invert(vectors),
    "the corpus has the type NoneType": lambda: w.load_corpus(None),
    "limit has the type str": lambda: w.load_corpus("tatoeba", "test", "3"),
    "inversions has the type NoneType": lambda: w.score(None, texts, toy),
    "truth has the type NoneType": lambda: w.score(found, None, toy),
    "1 groups but 2 true texts": lambda: w.score(found, texts, toy, ["g"]),
    "embedder has the type str; expected Embedder": lambda: w.score(found, texts, "toy"),
    "results has the type str": lambda: w.Report("t", "x"),
    "results has the type Inversions": lambda: w.Report("t", found),
    "result 0 has the type str; expected Result": lambda: w.Report("t", ("x",)),
    "the plan has the type dict; expected AuditPlan": lambda: w.run_audit({}),
    "plan: sentences is 'x'": lambda: w.AuditPlan(sentences="x"),
    "plan: nonsense is 1": lambda: w.AuditPlan(nonsense=1),
    "plan: seed is -1": lambda: w.AuditPlan(seed=-1),
    "plan has the type int": lambda: w.AuditPlan.of(3),
}
for said, call in calls.items():
    try:
        call()
    except BadInput as error:
        if said not in str(error):
            print("other words:", said, "|", error)
    except Exception as error:
        print("from the inside:", said, "|", type(error).__name__, error)
    else:
        print("nothing raised:", said)
"""


def test_the_wrong_thing_is_named():
    """In a process of its own: the tests' own type checks would answer first."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
