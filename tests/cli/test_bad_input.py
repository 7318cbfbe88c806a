"""Hostile but ordinary input: every mistake is one line and exit code 3, never a traceback, never 1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run_here

from workbench.core.embedding_set import EmbeddingSet

HERE = "{}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bad")
    random = np.random.default_rng(0)

    def save(name, n, d):
        labels = {"two": np.array(["a", "b"] * n)[:n], "one": np.array(["a"] * n), "each": np.arange(n).astype(str)}
        ids, texts = [f"i{row}" for row in range(n)], [f"text {row} of the bank" for row in range(n)]
        vectors = random.standard_normal((n, d)).astype(np.float32)
        EmbeddingSet(np.array(ids, object), vectors, np.array(texts, object), labels).save(place / name)

    for name, n, d in (("ok.parquet", 60, 64), ("row1.parquet", 1, 64), ("row2.parquet", 2, 64), ("d5.parquet", 40, 5)):
        save(name, n, d)
    for name in ("empty.parquet", "empty.txt", "empty.json", "empty.toml", "empty.jsonl", "empty.csv"):
        (place / name).write_bytes(b"")
    (place / "cut.parquet").write_bytes((place / "ok.parquet").read_bytes()[:3000])
    (place / "text.parquet").write_text("hello")
    (place / "lines.txt").write_text("The bank closed my account.\nTom lives in Boston.\n")
    (place / "blank.txt").write_text("\n \n")
    (place / "bytes.txt").write_bytes(b"\xff\xfe\x00abc\x80")
    for name, text in (
        ("list", "[1]"),
        ("null", "null"),
        ("broken", "{"),
        ("kind", '{"type": "Nope"}'),
        ("deep", "[" * 5000),
    ):
        (place / f"{name}.json").write_text(text)
    for name, text in (
        ("broken", "a = = 1"),
        ("word", "sentences = 'many'"),
        ("nan", "severe = nan"),
        ("other", "x = 1"),
    ):
        (place / f"{name}.toml").write_text(text)
    (place / "rows.jsonl").write_text('{"a": 1}\n[1]\n')
    for name in ("dir", "model", "dir.parquet"):
        (place / name).mkdir()
    (place / "model" / "config.json").write_text("{}")
    for name, target in (("gone.parquet", "none"), ("gone.txt", "none"), ("loop.txt", "loop.txt")):
        (place / name).symlink_to(target)
    pq.write_table(pa.table({"id": ["a"]}), place / "bare.parquet")
    pq.write_table(pa.table({"vector": [["x"]]}), place / "words.parquet")
    pq.write_table(pa.table({"vector": [[1.0, float("inf")]]}), place / "inf.parquet")
    return place


VECTORS = {
    "none.parquet": "not there",
    "dir": "",
    "dir.parquet": "folder",
    "empty.parquet": "not a whole Parquet file",
    "cut.parquet": "not a whole Parquet file",
    "text.parquet": "not a whole Parquet file",
    "bare.parquet": "vector",
    "words.parquet": "vector",
    "inf.parquet": "NaN or infinity",
    "gone.parquet": "not there",
    "\udcff.parquet": "not there",
}
READ_VECTORS = (
    ("invert", HERE),
    ("explain", HERE),
    ("fingerprint", HERE),
    ("payload", HERE),
    ("payload", "ok.parquet", "--against", HERE),
    ("infer", HERE, "--label", "two"),
    ("defend", HERE, "--apply", "int8", "--out", "o.parquet"),
    ("membership", HERE, "--members", "lines.txt", "--others", "lines.txt"),
    ("attribute", "--query", "x", "--corpus", HERE),
    ("train", "sae", HERE),
    ("pull", HERE, "--out", "o.parquet"),
)
TEXTS = {
    "none.txt": "not there",
    "dir": "",
    "empty.txt": "holds no text",
    "blank.txt": "",
    "bytes.txt": "",
    "empty.csv": "",
    "rows.jsonl": "",
    "gone.txt": "not there",
    "loop.txt": "",
    "list.json": "expected one object for each text",
    "hf:": "",
}
DEFENCES = (
    *(f"truncation:{value}" for value in ("inf", "nan", "-1", "0", "9999", "x")),
    *(f"pca:{value}" for value in ("inf", "nan", "0", "65")),
    *(f"noise:{value}" for value in ("inf", "nan", "-1")),
)
OTHER = [
    (("report", "none.json"), "does not exist"),
    (("report", "dir"), "folder"),
    *((("report", f"{name}.json"), "") for name in ("empty", "list", "null", "broken", "kind", "deep")),
    (("report", "diff", "list.json", "list.json"), ""),
    *((("audit", f"{name}.toml"), "") for name in ("broken", "word", "nan", "other")),
    (("audit", "dir"), "folder"),
    (("audit", "--gate", "none.toml", "--embedder", "nope"), ""),
    (("audit", "--seed", "-1"), "Invalid value for '--seed'"),
    (("infer", "ok.parquet", "--label", "two", "--seed", "-1"), "Invalid value for '--seed'"),
    (("infer", "ok.parquet", "--label", "two", "--seed", str(2**32)), "Invalid value for '--seed'"),
    (("infer", "ok.parquet", "--label", "nope"), "nope"),
    (("infer", "ok.parquet", "--label", "one"), ""),
    (("infer", "ok.parquet", "--label", "each"), ""),
    (("infer", "row1.parquet", "--label", "two"), ""),
    (("infer", "row2.parquet", "--label", "two"), ""),
    (("probe", "row2.parquet", "--labels", "two"), ""),
    (("probe", "ok.parquet", "--labels", "one"), ""),
    (("defend", "row1.parquet", "--with", "int8", "--label", "two", "--texts", "0"), ""),
    (("payload", "ok.parquet", "--near", "nan"), "no finite number"),
    (("payload", "ok.parquet", "--near", "2"), "near is 2"),
    (("payload", "ok.parquet", "--near", "abc"), "Invalid value for '--near'"),
    (("payload", "ok.parquet", "--json", "dir"), "folder"),
    (("payload", "ok.parquet", "--json", "lines.txt/x"), "is a file, expected a folder"),
    (("payload", "ok.parquet", "--html", "/proc/x/y.html"), "cannot write"),
    *((("defend", "ok.parquet", "--apply", line, "--out", "o.parquet"), "") for line in DEFENCES),
    (("defend", "ok.parquet", "--apply", "leace:nope", "--out", "o.parquet"), "nope"),
    (("defend", "ok.parquet", "--apply", "rotation?key=@none", "--out", "o.parquet"), "none"),
    (("defend", "ok.parquet", "--apply", "int8", "--out", "dir"), "folder"),
    (("embed", "lines.txt", "--out", "o.parquet", "--embedder", "toy?x=1"), "option x"),
    (("embed", "lines.txt", "--out", "o.parquet", "--embedder", "transformers:model?pooling=mean"), ""),
    (("embed", "lines.txt", "--out", "o.parquet", "--embedder", "dir"), ""),
    (("embed", "lines.txt", "--out", "o.parquet", "--embedder", ""), "needs a model"),
    (("embed", "lines.txt", "--out", "dir", "--embedder", "toy"), ""),
    (("embed", "lines.txt", "--out", "lines.txt/x", "--embedder", "toy"), "is a file, expected a folder"),
    (("invert", "ok.parquet", "--out", "dir"), "cannot write dir: it is a folder"),
    (("invert", "ok.parquet", "--json", "dir"), "cannot write dir: it is a folder"),
    (("explain", "ok.parquet", "--out", "dir"), "cannot write dir: it is a folder"),
    (("invert", "d5.parquet", "--budget", "nan"), "no finite number"),
    (("invert", "d5.parquet", "--budget", "-1"), ""),
    (("invert", "d5.parquet", "--beams", "abc"), "Invalid value for '--beams'"),
    (("train", "inverter", "--out", "x", "--dropout", "nan"), "no finite number"),
    (("train", "sae", "ok.parquet", "--held-out", "inf"), "no finite number"),
    (("pull", "", "--out", "o.parquet"), "names no store"),
    (("pull", "qdrant:", "--out", "o.parquet"), ""),
    (("pull", "ok.parquet?vector=nope", "--out", "o.parquet"), "nope"),
    (("fetch", "../x"), ""),
    (("list", "nope"), "no family is called 'nope'"),
    (("probe", "--new", "../x"), ""),
]
CASES = [
    *(
        (tuple(name if word == HERE else word for word in verb), said)
        for verb in READ_VECTORS
        for name, said in VECTORS.items()
    ),
    *((("embed", name, "--out", "o.parquet", "--embedder", "toy"), said) for name, said in TEXTS.items()),
    *((("invert", "--texts", name), said) for name, said in TEXTS.items()),
    *OTHER,
]


@pytest.mark.parametrize(
    ("arguments", "said"), CASES, ids=[" ".join(each).encode("ascii", "replace").decode() for each, _ in CASES]
)
def test_it_is_one_line_and_exit_3(folder, monkeypatch, arguments, said):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = sorted(folder.rglob("*"))
    done = run_here(*arguments, cwd=folder)
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "a fault of the workbench" not in done.stderr
    assert said in done.stderr
    assert sorted(folder.rglob("*")) == before, "a failed command leaves nothing behind"


def test_a_fault_of_our_own_is_one_line_and_no_1(folder, monkeypatch, capsys):
    from workbench.data import stores

    def broken(source, on_bad_rows):
        raise IndexError("inside")

    monkeypatch.setattr(stores, "read_vectors", broken)
    done = run_here("payload", "ok.parquet", cwd=folder)
    assert done.returncode == 3
    assert done.stderr == "workbench: a fault of the workbench, please report it: IndexError: inside\n"
    monkeypatch.setenv("WORKBENCH_TRACEBACK", "1")
    assert "Traceback" in run_here("payload", "ok.parquet", cwd=folder).stderr


def test_a_plug_in_that_cannot_be_imported_is_named(monkeypatch, folder, tmp_path):
    info = tmp_path / "strange-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workbench.embed]\nstrange = no_such_module:Thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    done = run_here("embed", "lines.txt", "--out", "o.parquet", "--embedder", "strange", cwd=folder)
    assert done.returncode == 3
    assert "'strange' of another package (no_such_module:Thing) cannot be loaded: ModuleNotFoundError" in done.stderr


def test_ctrl_c_is_130(monkeypatch, folder):
    from workbench.data import stores

    def stopped(source, on_bad_rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(stores, "read_vectors", stopped)
    done = run_here("payload", "ok.parquet", cwd=folder)
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)


def start(*arguments, **options):
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


def test_an_output_that_nothing_reads_ends_quietly():
    read, write = os.pipe()
    os.close(read)
    process = start("list", "--json", "-", stdout=write)
    os.close(write)
    _, said = process.communicate(timeout=300)
    assert (process.returncode, said) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_is_an_error_in_words():
    with open("/dev/full", "w") as full:
        process = start("list", "--json", "-", stdout=full)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 3
    assert "No space left on device" in said
    assert len(said.strip().splitlines()) == 1


def test_a_signal_of_ctrl_c_to_the_process_leaves_no_traceback(folder):
    process = start("embed", "lines.txt", "--out", "o.parquet", "--embedder", "minilm", cwd=folder)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode in (0, 130, -signal.SIGINT)
    if process.returncode == 130:
        assert "Traceback" not in said
    (folder / "o.parquet").unlink(missing_ok=True)
