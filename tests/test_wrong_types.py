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
    "a int is no table of vectors": lambda: near.invert(3),
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
    "ids is a str; expected a sequence": lambda: w.EmbeddingSet("ab", vectors),
    "ids is a int; expected a sequence": lambda: w.EmbeddingSet(3, vectors),
    "ids is a set; expected a sequence": lambda: w.EmbeddingSet({"a", "b"}, vectors),
    "labels is a list; expected columns by name": lambda: w.EmbeddingSet(ids, vectors, labels=["x", "y"]),
    "the label 'l' is a str; expected a sequence": lambda: w.EmbeddingSet(ids, vectors, labels={"l": "xy"}),
    "the label 'm' is a NoneType; expected a sequence": lambda: w.EmbeddingSet(ids, vectors, labels={"m": None}),
    "the label 'n' has shape (2, 2)": lambda: w.EmbeddingSet(ids, vectors, labels={"n": np.eye(2)}),
    "provenance is 'minilm'; expected a Provenance": lambda: w.EmbeddingSet(ids, vectors, provenance="minilm"),
    "texts is a str; expected a sequence": lambda: w.EmbeddingSet(ids, vectors, texts="ab"),
    "row 0 of 'text' is a int": lambda: w.EmbeddingSet(ids, vectors, texts=[1, 2]),
    "they are of the type complex64": lambda: w.EmbeddingSet(ids, vectors * np.complex64(1j)),
    "they are of the type datetime64": lambda: w.EmbeddingSet(ids, np.ones((2, 2), "datetime64[s]")),
    "[7] picks no rows of 2": lambda: held.select([7]),
    "[] picks no rows of 2": lambda: held.select([]),
    "None picks no rows of 2": lambda: held.select(None),
    "'a' picks no rows of 2": lambda: held.select("a"),
    "None is a NoneType; expected the path": lambda: w.EmbeddingSet.load(None),
    "3 is a int; expected the path": lambda: held.save(3),
    "the embedder has the type NoneType; expected Embedder": lambda: w.open_attributor(None),
    "options has the type dict": lambda: w.open_attributor(toy, "occlusion", {}),
    "is no table of vectors; expected an EmbeddingSet": lambda: w.open_attributor(toy, "occlusion").hits("bank", 3),
    "a NoneType is no table of vectors": lambda: w.open_attributor(toy, "occlusion").hits("bank", None),
    "text is None; expected a string": lambda: w.open_attributor(toy, "occlusion").hits(None, held),
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
