"""Bulk runs by several processes: what a killed worker had is done by another, and three kills give a part up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from _bulk import debris, embed, parts, rows, texts, write

from workbench.jobs.bulk import Hands, _supervise
from workbench.jobs.bulk._crew import RunStopped

TWO = Hands(workers=2)


def test_a_worker_that_is_killed_is_replaced_and_its_part_done_again(tmp_path, trap):
    held = texts(60)
    held[25] = "kill once"
    source = write(tmp_path / "in.parquet", held)
    done = embed(source, tmp_path / "out", 10, "trap", trap, hands=TWO)
    assert (Path(trap["marks"]) / "killed").exists()
    assert (done.rows, done.failed) == (60, ())
    undisturbed = embed(source, tmp_path / "whole", 25)
    assert done.sha256 == undisturbed.sha256
    assert not debris(tmp_path / "out")


def test_a_part_that_kills_three_workers_is_given_up_until_the_cause_is_mended(tmp_path, trap):
    held = texts(40)
    held[7] = "kill until mended"
    source = write(tmp_path / "in.parquet", held)
    done = embed(source, tmp_path / "out", 10, "trap", trap, hands=TWO)
    assert done.failed == ("part-00000.parquet: its worker was ended by SIGKILL (tried 3 times)",)
    assert (done.rows, done.sha256) == (30, "")
    assert json.loads((tmp_path / "out/manifest.json").read_text())["sealed"] is None
    (Path(trap["marks"]) / "mended").touch()
    mended = embed(source, tmp_path / "out", 10, "trap", trap)
    assert mended.rows_now == 10
    assert mended.sha256 == embed(source, tmp_path / "whole", 40).sha256


def test_a_straggler_is_done_by_another_worker(tmp_path, trap, monkeypatch):
    monkeypatch.setattr(_supervise, "_PATIENCE", 0.5)
    held = texts(30)
    held[15] = "sleep once"
    began = time.monotonic()
    done = embed(write(tmp_path / "in.parquet", held), tmp_path / "out", 10, "trap", trap, hands=TWO)
    assert time.monotonic() - began < 100  # it sleeps for 120
    assert [row["text"] for row in rows(tmp_path / "out")] == held
    assert done.rows_now == 30
    assert len((tmp_path / "out/ledger.jsonl").read_text().splitlines()) == 3


def test_workers_end_with_a_driver_that_is_killed(tmp_path):
    source, out = write(tmp_path / "in.parquet", texts(1500)), tmp_path / "out"
    command = [sys.executable, "-m", "workbench", "embed", source, "--embedder", "toy", "--out", out]
    driver = subprocess.Popen([*map(str, command), "--part-rows", "10", "--workers", "2"])
    ends = time.monotonic() + 60
    while not parts(out):
        assert time.monotonic() < ends
        time.sleep(0.005)
    family = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    again = embed(source, out, 10)
    assert again.rows_now < 1500
    assert again.sha256 == embed(source, tmp_path / "whole", 1000).sha256


def test_a_model_that_does_not_open_is_told_in_one_line(tmp_path, trap):
    recipe = {**trap, "embedder": "nothing-of-the-kind"}
    with pytest.raises(RunStopped, match="no embedder is called 'nothing-of-the-kind'"):
        embed(write(tmp_path / "in.parquet", texts(30)), tmp_path / "out", 10, recipe=recipe, hands=TWO)
