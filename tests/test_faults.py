"""Faults that are real: a disk that is full, files that are cut, bits that flip, servers and processes that are killed.

After each: a named error, no half file, and what was there before as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.data._stores import Chroma, Rows, check
from tests.hostile.examples import result_examples
from tests.hostile.readers import READERS, small_set
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, CannotWrite, FetchError
from workbench.core.files import atomic_folder, atomic_path, write_text
from workbench.core.result import Result
from workbench.data import _cached
from workbench.data.stores import open_store
from workbench.data.stores._pull import pull
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.probe._sae_fitter import SaeFitter
from workbench.probe.sparse_autoencoder import TopKAutoencoder
from workbench.report import Report


def digest(folder):
    """Of every name and byte below a folder."""
    found = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        found.update(str(path.relative_to(folder)).encode() + b"\0")
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()


@contextlib.contextmanager
def disk_of(size):
    """No file of this process grows over `size` bytes; what goes on is refused by the kernel, as on a full disk."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


# --- a full disk ----------------------------------------------------------------------------------------------------


def result(seed):
    value = result_examples()["Inversions"]
    return Result.from_json({**value, "texts": [f"{seed} " * 9000, "b"]})


def autoencoder(seed):
    weights = np.random.default_rng(seed).standard_normal((64, 64)).astype(np.float32)
    return TopKAutoencoder(weights, weights[0], weights, weights[1], 2, "toy", "1")


def training(seed):
    found = SaeFitter(small_set(16, 64).vectors, 64, 2, 100, seed)
    found.learn(small_set(16, 64).vectors, 0.01)
    return found


def save_array(path, seed):
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.save(file, np.full(20_000, seed))


SAVED = {
    "result.json": lambda path, seed: result(seed).save(path),
    "vectors.parquet": lambda path, seed: small_set(2000 + seed, 16).save(path),
    "report": lambda path, seed: Report(f"{seed}", (result(seed),)).save(path),
    "checkpoint": lambda path, seed: autoencoder(seed).save(path),
    "state": lambda path, seed: training(seed).save(path),
    "text.txt": lambda path, seed: write_text(path, f"{seed}" * 20_000),
    "array.npy": save_array,
}


@pytest.mark.parametrize("room", [0, 4096])
@pytest.mark.parametrize("name", SAVED)
def test_a_full_disk_leaves_what_was_there(tmp_path, name, room):
    save = SAVED[name]
    save(tmp_path / name, 1)
    before = digest(tmp_path)
    with disk_of(room), pytest.raises(CannotWrite, match=rf"cannot write .*{name}.*(too large|only a part)"):
        save(tmp_path / name, 2)
    assert digest(tmp_path) == before
    save(tmp_path / name, 2)
    assert digest(tmp_path) != before


def test_a_full_disk_leaves_nothing_where_nothing_was(tmp_path):
    for name, save in SAVED.items():
        with disk_of(0), pytest.raises(CannotWrite):
            save(tmp_path / "new" / name, 1)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_pull_to_a_full_disk_goes_on_once_there_is_room(tmp_path):
    small_set(3000, 16).save(tmp_path / "a.parquet")
    with disk_of(60_000), pytest.raises(CannotWrite):
        pull(f"{tmp_path}/a.parquet", tmp_path / "out.parquet", batch=200)  # parts have room, the whole has not
    assert not (tmp_path / "out.parquet").exists()
    done = pull(f"{tmp_path}/a.parquet", tmp_path / "out.parquet", batch=200)
    assert (done.rows, done.resumed) == (3000, 3000)
    assert EmbeddingSet.load(tmp_path / "out.parquet").vectors.tobytes() == small_set(3000, 16).vectors.tobytes()


def test_errors_that_are_not_the_disks_stay_what_they_are(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a"):
        raise ZeroDivisionError
    with pytest.raises(FetchError, match="elsewhere"), atomic_folder(tmp_path / "b"):
        raise FetchError("elsewhere")
    assert list(tmp_path.iterdir()) == []


# --- files that are cut or changed ----------------------------------------------------------------------------------

CUTS = (0, 1, 7, 8, 9, 0.5, 0.9, -2)


def cut(path, keep):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])


@pytest.mark.parametrize("reader", ["card", "text-model", "autoencoder", "eraser", "training-state", "vocabulary"])
def test_a_checkpoint_cut_short_is_refused_by_name(tmp_path, reader):
    kind, folder = READERS[reader], tmp_path / "folder"
    folder.mkdir()
    kind.write(folder)
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        whole = path.read_bytes()
        (tmp_path / "hit").write_text(str(path.relative_to(folder)))
        for keep in CUTS:
            cut(path, keep)
            if path.read_bytes() != whole:
                with pytest.raises(BadInput, match="folder"):
                    kind.read(folder)
            path.write_bytes(whole)
    kind.read(folder)


def test_a_changed_bit_of_a_checkpoint_is_seen(tmp_path):
    autoencoder(0).save(tmp_path / "c")
    weights = tmp_path / "c" / "sae.safetensors"
    (weights,) = (tmp_path / "c").glob("*.safetensors")
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1
    weights.write_bytes(data)
    with pytest.raises(BadInput, match="does not have the SHA-256 that its card states"):
        TopKAutoencoder.load(tmp_path / "c")
    assert isinstance(Card.load(tmp_path / "c"), Card)


TEXTS = [f"text number {i}" for i in range(5000)]


class Counting:
    """How many texts an embedder was asked for."""

    def __init__(self, embedder):
        self.embedder, self.asked = embedder, 0

    def __enter__(self):
        whole, self.former = self, self.embedder.embed

        def embed(texts, **options):
            whole.asked += len(texts)
            return whole.former(texts, **options)

        self.embedder.embed = embed
        return self

    def __exit__(self, *_):
        del self.embedder.embed


def flip(data):
    data[len(data) // 2] ^= 4
    return data


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: data + b"more",
        lambda data: b"PK\3\4" + data,
        lambda data: data.replace(b"(2048, ", b"(2049, "),
        lambda data: data.replace(b"(2048, ", b"(999999999999, "),
    ],
)
def test_a_damaged_shard_of_the_vector_cache_is_made_again_and_no_other(tmp_path, damage):
    embedder = load_embedder("toy")
    whole = cached_vectors(embedder, TEXTS, folder=tmp_path)
    before = digest(tmp_path)
    shard = max(tmp_path.rglob("*.npy"), key=lambda path: (path.stat().st_size, path))
    shard.write_bytes(damage(bytearray(shard.read_bytes())))
    assert digest(tmp_path) != before
    with Counting(embedder) as count:
        again = cached_vectors(embedder, TEXTS, folder=tmp_path)
    assert count.asked == 2048
    assert again.tobytes() == whole.tobytes()
    assert digest(tmp_path) == before


def test_a_damaged_table_of_the_cache_is_made_again(tmp_path, monkeypatch, caplog):
    import pyarrow as pa

    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    table, made = pa.table({"text": [f"text {i}" for i in range(999)]}), []

    def make():
        made.append(1)
        return table

    for expected, keep in enumerate((1.0, 0.5, 0.0), start=1):
        assert _cached.made_once("a/b.parquet", make).equals(table)
        assert _cached.made_once("a/b.parquet", make).equals(table)
        assert len(made) == expected
        cut(tmp_path / "a" / "b.parquet", keep - 0.1 if keep == 1.0 else keep)
    assert "it is made anew" in caplog.text


@pytest.mark.parametrize("state", ["", "[]", '{"parts": 9999999}', '{"line": 1, "parts": "x", "cursor": {}}'])
def test_a_pull_whose_state_is_damaged_begins_again(tmp_path, state):
    small_set(30).save(tmp_path / "a.parquet")
    parts = tmp_path / ".out.parquet.parts"
    parts.mkdir()
    (parts / "state.json").write_text(state)
    assert pull(f"{tmp_path}/a.parquet", tmp_path / "out.parquet", batch=7).rows == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "out.parquet"]


def test_a_pull_whose_part_is_damaged_loses_no_row(tmp_path):
    small_set(30).save(tmp_path / "a.parquet")
    parts, line = tmp_path / ".out.parquet.parts", f"{tmp_path}/a.parquet"
    stopped = open_store(line)
    cursor = None
    for number, page in enumerate(stopped.scroll(10)):
        page.save(parts / f"{number:06}.parquet")
        cursor = stopped.cursor
    state = {"line": line, "parts": 3, "cursor": asdict(cursor)}
    (parts / "state.json").write_text(json.dumps(state))
    cut(parts / "000001.parquet", 0.7)
    done = pull(line, tmp_path / "out.parquet", batch=10)
    assert (done.rows, done.resumed) == (30, 0), "the parts could not be trusted"
    assert list(EmbeddingSet.load(tmp_path / "out.parquet").ids) == list(small_set(30).ids)


# --- what vanishes --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chroma():
    server = Chroma().start()
    yield server
    server.stop()


def test_a_store_that_vanishes_in_mid_pull(chroma, tmp_path):
    rows = Rows.make(900)
    chroma.create("docs", rows)
    line, out = f"chroma:{chroma.url}?collection=docs&retries=1", tmp_path / "out.parquet"
    store = open_store(line)
    with pytest.raises(FetchError, match="was lost and did not come back in 2 tries"):
        for number, _ in enumerate(store.scroll(100)):
            if number == 2:
                chroma.kill()
    with pytest.raises(BadInput, match="cannot be reached"):
        pull(line, out)
    assert list(tmp_path.iterdir()) == []
    chroma.start()
    assert pull(line, out, batch=100).rows == 900
    check(EmbeddingSet.load(out), rows)


@pytest.mark.parametrize("loss", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: cut(path, 0.5)])
def test_a_file_that_vanishes_between_two_calls(tmp_path, loss):
    path = tmp_path / "a.parquet"
    small_set(50).save(path)
    store = open_store(str(path))
    facts = store.facts()
    next(store.scroll(10, None, facts))
    loss(path)
    with pytest.raises(BadInput, match=r"a\.parquet"):
        list(store.scroll(10, store.cursor))


# --- a process that is killed ---------------------------------------------------------------------------------------

_SAVES = """
import sys
from pathlib import Path
from workbench.core.files import atomic_folder, write_text
folder = Path(sys.argv[1])
print("ready", flush=True)
for number in range(10**9):
    with atomic_folder(folder / "state") as made:
        for name in "abcdef":
            (made / name).write_text(f"{number} " * 2000)
    write_text(folder / "file", f"{number} " * 20000)
"""


def test_a_process_killed_while_it_saves_leaves_whole_files(tmp_path):
    for turn in range(6):
        process = subprocess.Popen([sys.executable, "-c", _SAVES, str(tmp_path)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.05 + 0.013 * turn)
        process.kill()
        process.wait()
        if turn == 0 and not (tmp_path / "file").exists():
            continue
        assert len({(tmp_path / "state" / name).read_text() for name in "abcdef"}) == 1, "all of one save"
        content = (tmp_path / "file").read_text().split()
        assert (len(content), len(set(content))) == (20_000, 1)
