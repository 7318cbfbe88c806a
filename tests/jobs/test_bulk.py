"""Bulk runs in one process: each row once whatever the parts, poison set aside, nothing half done."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _bulk import RECIPE, debris, embed, parts, rows, texts, write
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, MissingExtra
from workbench.embed import load_embedder
from workbench.jobs.bulk import Hands, run_bulk
from workbench.jobs.bulk._crew import RunStopped
from workbench.jobs.bulk._digest import rows_digest
from workbench.jobs.bulk._folder import FolderInUse, open_folder
from workbench.jobs.bulk._part import Record
from workbench.jobs.bulk._plan import parts_of, read_shards
from workbench.jobs.bulk._screen import LONGEST


def test_a_part_is_what_the_embedder_gives(tmp_path):
    source = write(tmp_path / "in.parquet", texts(30))
    done = embed(source, tmp_path / "out", part_rows=12)
    assert (done.rows, done.parts, done.quarantined, done.failed) == (30, 3, 0, ())
    second = EmbeddingSet.load(tmp_path / "out/part-00001.parquet")
    assert second.ids.tolist() == [f"r{i}" for i in range(12, 24)]
    assert second.provenance.embedder == "toy"
    np.testing.assert_array_equal(second.vectors, load_embedder("toy").embed(texts(30)[12:24]))
    assert not debris(tmp_path / "out")


@settings(max_examples=8)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["again", "\N{GRINNING FACE}"])), max_size=40),
    st.integers(1, 45),
    st.integers(1, 20),
)
def test_the_seal_does_not_depend_on_parts_and_row_groups(tmp_path_factory, texts, part_rows, group):
    folder = tmp_path_factory.mktemp("any")
    encodable = [text if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    ids = [str(i // 3) for i in range(len(encodable))]  # ids come three times, and all are kept
    one = embed(write(folder / "a/in.parquet", encodable, ids, 100), folder / "one", part_rows=1000)
    other = embed(write(folder / "b/in.parquet", encodable, ids, group), folder / "other", part_rows=part_rows)
    assert not one.failed
    assert not other.failed
    assert one.sha256 == other.sha256
    assert [row["id"] for row in rows(folder / "other")] == [
        id for id, text in zip(ids, encodable, strict=True) if text is not None
    ]
    assert rows(folder / "one", "quarantine") == rows(folder / "other", "quarantine")


def test_a_folder_of_files_has_the_seal_of_one_file_with_their_rows(tmp_path):
    for i, name in enumerate(("a", "b", "c")):
        write(tmp_path / f"many/{name}.parquet", texts(90)[30 * i : 30 * i + 30], [f"r{30 * i + j}" for j in range(30)])
    assert embed(tmp_path / "many", tmp_path / "1", 7).sha256 == embed(
        write(tmp_path / "one.parquet", texts(90)), tmp_path / "2", 50
    ).sha256  # fmt: skip


def test_equal_runs_are_equal_files(tmp_path):
    source = write(tmp_path / "in.parquet", texts(60))
    for name in "ab":
        embed(source, tmp_path / name, 25)
    assert [path.read_bytes() for path in parts(tmp_path / "a")] == [
        path.read_bytes() for path in parts(tmp_path / "b")
    ]
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_the_digest_sees_a_row_that_is_lost_doubled_moved_or_changed():
    table = pa.table({"id": ["a", "b", "c"], "text": ["x", "y", "z"], "n": [1, 2, 3]})
    whole = rows_digest(table, [0, 1, 2])
    assert whole != rows_digest(table.slice(0, 2), [0, 1])
    assert whole != rows_digest(pa.concat_tables([table, table.slice(2)]), [0, 1, 2, 2])
    assert whole != rows_digest(table, [0, 2, 1])
    assert whole != rows_digest(table.set_column(1, "text", pa.array(["x", "y", "Z"])), [0, 1, 2])
    assert rows_digest(pa.table({"a": ["xy"], "b": ["z"]}), [0]) != rows_digest(
        pa.table({"a": ["x"], "b": ["yz"]}), [0]
    )


def test_poison_texts_are_set_aside_with_their_reasons(tmp_path):
    column = pa.array([b"good", b"\xff\xfe", b"x" * (LONGEST + 1), None, b""], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": ["a", "b", "c", "d", None], "text": column}), tmp_path / "in.parquet")
    done = embed(tmp_path / "in.parquet", tmp_path / "out")
    assert (done.rows, done.quarantined) == (1, 4)
    assert rows(tmp_path / "out", "quarantine") == [
        {"row": 1, "id": "b", "reason": "a text that is not UTF-8"},
        {"row": 2, "id": "c", "reason": "a text of 1,000,001 bytes; at most 1,000,000 are read"},
        {"row": 3, "id": "d", "reason": "no text"},
        {"row": 4, "id": None, "reason": "no id; a blank text"},
    ]


def test_a_row_that_makes_the_model_raise_is_found_among_its_batch(tmp_path, trap):
    held = texts(40)
    held[9] = held[33] = "raise"
    done = embed(write(tmp_path / "in.parquet", held), tmp_path / "out", 20, "trap", trap)
    assert (done.rows, done.quarantined) == (38, 2)
    aside = rows(tmp_path / "out", "quarantine")
    assert [(row["row"], row["reason"]) for row in aside] == [(n, "ValueError: not this one") for n in (9, 33)]
    clean = [text for text in held if text != "raise"]
    np.testing.assert_array_equal([row["vector"] for row in rows(tmp_path / "out")], load_embedder("toy").embed(clean))


def test_where_all_rows_fail_it_is_not_the_rows(tmp_path, trap):
    source = write(tmp_path / "in.parquet", ["raise"] * 30 + texts(30))
    done = embed(source, tmp_path / "out", 30, "trap", trap)
    assert (done.rows, done.quarantined, done.sha256) == (30, 0, "")
    assert "part-00000.parquet: BadInput: all 30 rows fail, the first with: ValueError: not this one" in done.failed[0]


def test_an_endpoint_that_is_gone_is_no_poison(tmp_path, trap):
    done = embed(write(tmp_path / "in.parquet", ["unreachable", *texts(9)]), tmp_path / "out", 5, "trap", trap)
    assert done.failed == ("part-00000.parquet: ConnectionError: no answer (tried 3 times)",)
    assert done.rows == 5
    assert json.loads((tmp_path / "out/ledger.jsonl").read_text().splitlines()[1])["failed"].startswith("ConnectionEr")


def test_parts_that_fail_without_end_stop_the_run(tmp_path, trap):
    with pytest.raises(RunStopped, match="20 parts in a row cannot be done, the last: ConnectionError: no answer"):
        embed(write(tmp_path / "in.parquet", ["unreachable"] * 30), tmp_path / "out", 1, "trap", trap)


def test_an_empty_file_is_done_at_once(tmp_path):
    done = embed(write(tmp_path / "in.parquet", []), tmp_path / "out")
    assert (done.rows, done.parts) == (0, 0)
    assert done.sha256


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path / "none.parquet", "is not there"),
        (lambda path: path, "is a folder without Parquet files"),
        (lambda path: write(path / "x.parquet", texts(3)).rename(path / "out"), "is a file; expected a folder"),
        (lambda path: _other(path, {"words": ["a"]}), "has no column 'text'; it has: words"),
        (lambda path: _other(path, {"text": [1]}), "column 'text' is int64; expected texts"),
        (lambda path: _twice(path, "text"), "has 2 columns 'text'; it has: text, text"),
        (lambda path: _torn(write(path / "x.parquet", texts(3))), "x.parquet is not a whole Parquet file"),
    ],
)
def test_input_that_cannot_be_is_named(tmp_path, make, message):
    source = make(tmp_path)
    if source.name == "out":
        source = write(tmp_path / "in.parquet", texts(3))
    with pytest.raises(BadInput, match=message):
        embed(source, tmp_path / "out")


def test_another_run_in_the_folder_is_refused(tmp_path):
    source = write(tmp_path / "in.parquet", texts(20))
    embed(source, tmp_path / "out", 10)
    with pytest.raises(BadInput, match=r"another seed \(0, now 1\)"):
        embed(source, tmp_path / "out", 10, recipe={**RECIPE, "seed": 1})
    with pytest.raises(BadInput, match="another part_rows"):
        embed(source, tmp_path / "out", 5)
    write(source, [*texts(19), "changed"])
    with pytest.raises(BadInput, match="other inputs"):
        embed(source, tmp_path / "out", 10)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").touch()
    with pytest.raises(BadInput, match=r"holds letter.txt and no bulk run"):
        embed(source, tmp_path / "full")
    with pytest.raises(BadInput, match="is the input"):
        embed(tmp_path / "out", tmp_path / "out")


def test_two_runs_on_one_folder(tmp_path):
    source = write(tmp_path / "in.parquet", texts(20))
    with open_folder(tmp_path / "out", {"verb": "embed"}, ()), pytest.raises(FolderInUse, match="another run works in"):
        embed(source, tmp_path / "out")


def test_a_worker_with_other_weights_is_refused(tmp_path):
    with open_folder(tmp_path / "out", {"verb": "embed"}, ()) as folder:
        folder.admit({"revision": "1"})
        with pytest.raises(BadInput, match="is made with revision '1', but here it is '2'"):
            folder.admit({"revision": "2"})


def test_what_does_not_agree_is_done_again_and_nothing_else(tmp_path):
    source = write(tmp_path / "in.parquet", [None, *texts(59)])
    out = tmp_path / "out"
    whole = embed(source, out, 10)
    times = {path.name: path.stat().st_mtime_ns for path in parts(out)}
    _torn(out / "part-00001.parquet")
    (out / "part-00002.parquet").unlink()
    (out / "quarantine/part-00000.parquet").write_bytes(b"")
    lines = (out / "ledger.jsonl").read_text().splitlines(keepends=True)
    lines[4] = '{"part": [], "rows": 1}\n'  # no record, and the last one cut short
    (out / "ledger.jsonl").write_text("".join(lines)[:-30])
    again = embed(source, out, 10)
    assert again.sha256 == whole.sha256
    assert again.rows_now == 50  # parts 0, 1, 2, 4 and 5
    same = [path.name for path in parts(out) if path.stat().st_mtime_ns == times[path.name]]
    assert same == ["part-00003.parquet"]
    assert embed(source, out, 10).rows_now == 0


def test_a_corrupt_file_is_left_out_and_a_corrupt_page_set_aside(tmp_path):
    for name in "abc":
        write(tmp_path / f"in/{name}.parquet", texts(40), [f"{name}{i}" for i in range(40)], group=20)
    _torn(tmp_path / "in/b.parquet")
    column = pq.ParquetFile(tmp_path / "in/c.parquet").metadata.row_group(1).column(1)
    damaged = bytearray((tmp_path / "in/c.parquet").read_bytes())
    place = column.dictionary_page_offset or column.data_page_offset
    damaged[place : place + 16] = b"\xff" * 16
    (tmp_path / "in/c.parquet").write_bytes(damaged)
    done = embed(tmp_path / "in", tmp_path / "out", 10)
    assert done.unreadable[0].startswith("b.parquet is not a whole Parquet file")
    assert {row["id"] for row in rows(tmp_path / "out")} == {
        *(f"a{i}" for i in range(40)),
        *(f"c{i}" for i in range(20)),
    }
    aside = rows(tmp_path / "out", "quarantine")
    assert [row["row"] for row in aside] == list(range(60, 80))
    assert "c.parquet is not a whole Parquet file" in aside[0]["reason"]
    assert done.sha256 == embed(tmp_path / "in", tmp_path / "again", 10).sha256


def test_a_file_that_vanishes_is_no_poison_and_the_run_goes_on_when_it_is_back(tmp_path, trap):
    write(tmp_path / "in/a.parquet", texts(20))
    gone = write(tmp_path / "in/b.parquet", texts(20))
    plan = {"verb": "embed", "recipe": RECIPE, "part_rows": 10}
    shards = read_shards(tmp_path / "in")
    whole = embed(tmp_path / "in", tmp_path / "whole", 10)
    from workbench.jobs.bulk._part import Job, PartWorker

    worker = PartWorker(
        Job("embed", RECIPE, str(tmp_path / "in"), str(tmp_path / "out"), shards, ("id", "text"), "cpu")
    )
    kept = gone.read_bytes()
    gone.unlink()
    with open_folder(tmp_path / "out", plan, parts_of(shards, 10)) as folder:
        for part in parts_of(shards, 10):
            answer = worker.attempt(folder.task(part))
            assert isinstance(answer, Record) == (part.shard == "a.parquet")
            if not isinstance(answer, Record):
                assert "b.parquet is gone or was changed since the run began" in answer.reason
    gone.write_bytes(kept)
    assert embed(tmp_path / "in", tmp_path / "anew", 10).sha256 == whole.sha256


def test_a_driver_that_is_killed_goes_on_where_it_was(tmp_path):
    source = write(tmp_path / "in.parquet", texts(1200))
    whole = embed(source, tmp_path / "whole", 25)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "workbench", "embed", source, "--embedder", "toy", "--out", out]
    running = subprocess.Popen([*map(str, command), "--part-rows", "25"])
    _until(lambda: (out / "ledger.jsonl").exists() and (out / "ledger.jsonl").read_bytes().count(b"\n") > 5)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = parts(out)
    assert 5 < len(before) < 48
    again = embed(source, out, 25)
    assert 0 < again.rows_now < 1200
    assert again.sha256 == whole.sha256
    assert [path.read_bytes() for path in parts(out)] == [path.read_bytes() for path in parts(tmp_path / "whole")]
    assert not debris(out)


def test_a_full_disk_stops_the_run_and_leaves_nothing_half(tmp_path):
    noise = np.random.default_rng(0)
    long = ["".join(chr(code) for code in noise.integers(33, 0x3000, 3000)) for _ in range(50)]
    source = write(tmp_path / "in.parquet", [*texts(100), *long, *texts(50)])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "workbench", "embed", source, "--embedder", "toy", "--out", out]
    done = subprocess.run(
        [*map(str, command), "--part-rows", "50"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert "give the same command again" in done.stderr
    assert [path.name for path in parts(out)] == ["part-00000.parquet", "part-00001.parquet"]
    assert not debris(out)
    assert embed(source, out, 50).sha256 == embed(source, tmp_path / "whole", 50).sha256


def test_a_run_that_is_not_finished_is_no_input(tmp_path, trap):
    embed(write(tmp_path / "in.parquet", ["unreachable", *texts(9)]), tmp_path / "out", 5, "trap", trap)
    with pytest.raises(BadInput, match="a bulk run that is not finished"):
        embed(tmp_path / "out", tmp_path / "next")
    (tmp_path / "out/manifest.json").write_text("[1")  # of another program
    assert embed(tmp_path / "out", tmp_path / "next").rows == 5


def test_without_ray_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"ray is not installed; run: pip install 'embedding-workbench\[ray\]'"):
        embed(write(tmp_path / "in.parquet", texts(3)), tmp_path / "out", hands=Hands(ray="local"))


def test_nonsense_is_refused(tmp_path):
    with pytest.raises(BadInput, match="workers is -1"):
        Hands(-1)
    with pytest.raises(BadInput, match="part-rows is -4"):
        run_bulk("embed", write(tmp_path / "in.parquet", texts(3)), tmp_path / "out", RECIPE, part_rows=-4)


def _twice(path, name):
    columns = [pa.array(["a"]), pa.array(["b"])]
    pq.write_table(pa.Table.from_arrays(columns, [name, name]), path / "x.parquet")
    return path / "x.parquet"


def _other(path, columns):
    pq.write_table(pa.table(columns), path / "x.parquet")
    return path / "x.parquet"


def _torn(path):
    os.truncate(path, path.stat().st_size // 2)
    return path


def _until(true, seconds=60):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.002)
