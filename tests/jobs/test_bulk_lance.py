"""Lance beside Parquet in bulk runs: the same rows in and out, each once, whole or absent."""

from __future__ import annotations

import os
from types import SimpleNamespace

import lancedb
import numpy as np
import pyarrow.parquet as pq
import pytest
from _bulk import RECIPE, debris, embed, rows, texts, write

from workbench.core.errors import BadInput, CannotWrite
from workbench.data.stores import open_store
from workbench.jobs.bulk import Hands, _folder, _lance, maker_of
from workbench.jobs.bulk._folder import OutFolder, open_folder
from workbench.jobs.bulk._part import Job, PartWorker, Trouble
from workbench.jobs.bulk._plan import parts_of, read_shards


def _dataset(folder, table, cuts=(37, 90)):
    """The rows as a dataset that was written in more than one go."""
    base = lancedb.connect(folder)
    made = base.create_table("in", table.slice(0, cuts[0]))
    for start, stop in zip(cuts, (*cuts[1:], len(table)), strict=True):
        made.add(table.slice(start, stop - start))
    return folder / "in.lance"


@pytest.fixture
def both(tmp_path):
    """The same texts, some of them poison, as Parquet and as Lance."""
    held = [None if i in (5, 77) else text for i, text in enumerate(texts(120))]
    parquet = write(tmp_path / "in.parquet", held)
    return parquet, _dataset(tmp_path, pq.read_table(parquet))


def test_lance_in_has_the_seal_of_parquet_in_whatever_the_parts(both, tmp_path):
    parquet, lance = both
    whole = embed(parquet, tmp_path / "1", 50)
    for number, part_rows in enumerate((50, 7, 1000)):
        done = embed(lance, tmp_path / f"l{number}", part_rows)
        assert (done.rows, done.quarantined, done.failed) == (118, 2, ())
        assert done.sha256 == whole.sha256
    assert rows(tmp_path / "l1", "quarantine") == rows(tmp_path / "1", "quarantine")


@pytest.mark.slow
def test_two_workers_read_one_dataset(both, tmp_path):
    assert embed(both[1], tmp_path / "2", 20, hands=Hands(2)).sha256 == embed(both[0], tmp_path / "1", 50).sha256


def test_lance_out_is_all_rows_in_their_order_with_their_maker(both, tmp_path):
    done = embed(both[0], tmp_path / "out", 25, lance=True)
    assert done.lance == str(tmp_path / "out/rows.lance")
    assert _all(tmp_path / "out") == rows(tmp_path / "out")
    assert len(lancedb.connect(tmp_path / "out").open_table("rows").list_versions()) == 1, "one commit"
    assert maker_of(tmp_path / "out/rows.lance") == "toy"
    read = open_store(done.lance).read()
    np.testing.assert_array_equal(read.vectors, [row["vector"] for row in rows(tmp_path / "out")])
    assert embed(tmp_path / "out/rows.lance", tmp_path / "next", 30).rows == 118


def test_a_dataset_is_made_anew_only_if_it_is_not_the_one_of_the_seal(both, tmp_path):
    out = tmp_path / "out"
    plain = embed(both[0], out, 25)
    assert plain.lance == "" and not (out / "rows.lance").exists()

    def files():
        return sorted(path.name for path in (out / "rows.lance/data").iterdir())

    assert embed(both[0], out, 25, lance=True).rows_now == 0
    made = files()
    embed(both[0], out, 25, lance=True)
    assert files() == made
    os.truncate(out / "rows.lance/data" / made[0], 100)
    assert embed(both[0], out, 25, lance=True).sha256 == plain.sha256
    assert files() != made
    assert lancedb.connect(out).open_table("rows").count_rows() == 118
    assert not debris(out)


class Killed(BaseException):
    """Stands for the end of the process."""


def _die(*_):
    raise Killed


def _behind(real):
    def die_behind(*given):
        real(*given)
        raise Killed

    return die_behind


@pytest.mark.parametrize("place", ["behind a part", "before the dataset", "before its move", "before it is told"])
def test_a_kill_anywhere_loses_no_row_and_doubles_none(both, tmp_path, monkeypatch, place):
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(OutFolder, "_end", lambda folder: None)  # the dead do not tidy
        if place == "behind a part":
            patched.setattr(OutFolder, "publish", _behind(OutFolder.publish))
        elif place == "before the dataset":
            patched.setattr(_folder, "write_dataset", _die)
        elif place == "before its move":
            patched.setattr(_lance, "os", SimpleNamespace(replace=_die))
        else:
            patched.setattr(_folder, "write_dataset", _behind(_folder.write_dataset))
        with pytest.raises(Killed):
            embed(both[1], out, 25, lance=True)
    assert (out / "rows.lance").exists() == (place == "before it is told")
    done = embed(both[1], out, 25, lance=True)
    assert done.sha256 == embed(both[0], tmp_path / "whole", 25).sha256
    assert _all(out) == rows(tmp_path / "whole")
    assert not debris(out)


def test_a_full_disk_leaves_no_half_dataset(both, tmp_path, monkeypatch):
    def full(paths):
        yield next(batches(paths))
        raise OSError(28, "No space left on device")

    batches = _lance._batches

    with monkeypatch.context() as patched:
        patched.setattr(_lance, "_batches", full)
        with pytest.raises(CannotWrite, match="No space left"):
            embed(both[0], tmp_path / "out", 25, lance=True)
    assert not debris(tmp_path / "out") and not (tmp_path / "out/rows.lance").exists()
    assert embed(both[0], tmp_path / "out", 25, lance=True).rows_now == 0


def test_a_dataset_that_grows_while_a_run_reads_it_is_told(both, tmp_path):
    shards = read_shards(both[1])
    worker = PartWorker(Job("embed", RECIPE, str(both[1]), str(tmp_path / "out"), shards, ("id", "text"), "cpu"))
    lancedb.connect(tmp_path).open_table("in").add(pq.read_table(both[0]).slice(0, 3))
    with open_folder(tmp_path / "out", {"verb": "embed"}, parts_of(shards, 50)) as folder:
        trouble = worker.attempt(folder.task(parts_of(shards, 50)[0]))
    assert isinstance(trouble, Trouble) and "in.lance is gone or was changed since the run began" in trouble.reason


def test_damaged_rows_are_set_aside_and_a_folder_that_is_none_is_named(both, tmp_path):
    data = sorted((both[1] / "data").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    data[1].write_bytes(bytes(data[1].stat().st_size))  # rows 37 to 90
    done = embed(both[1], tmp_path / "out", 10)
    aside = [row["row"] for row in rows(tmp_path / "out", "quarantine")]
    assert aside == [5, *range(30, 90)]
    assert done.rows == 120 - len(aside)
    assert "is not a whole Lance dataset" in rows(tmp_path / "out", "quarantine")[-1]["reason"]
    (tmp_path / "none.lance").mkdir()
    with pytest.raises(BadInput, match=r"none.lance"):
        embed(tmp_path / "none.lance", tmp_path / "next")


def _all(out):
    return lancedb.connect(out).open_table("rows").search().limit(10_000).to_arrow().to_pylist()
