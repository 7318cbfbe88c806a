"""Bulk runs on a Ray cluster of two nodes, one of which dies in the middle."""

from __future__ import annotations

import os
import sys
import threading
import time

import psutil
import pytest
from _bulk import debris, embed, texts, write

from workbench.core.errors import BadInput
from workbench.jobs.bulk import Hands
from workbench.jobs.bulk._ray import require_cluster

CLUSTER = Hands(ray="auto")


@pytest.fixture
def cluster(trap, monkeypatch):  # the trap first, so that workers find it where this process does
    """Two nodes of one CPU; this process is connected to the first."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # where it is used: it takes seconds to import
    from ray.cluster_utils import Cluster

    nodes = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100_000_000},
    )
    second = nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
    yield nodes, second
    ray.shutdown()
    nodes.shutdown()


@pytest.mark.slow  # beginning two nodes takes most of a minute
def test_a_node_that_dies_costs_no_row(cluster, tmp_path, trap, caplog):
    nodes, second = cluster
    held = texts(20_000)
    held[111] = "kill once"
    source, out = write(tmp_path / "in.parquet", held, group=5000), tmp_path / "out"
    died = []

    def die():
        ends = time.monotonic() + 120
        while time.monotonic() < ends and not died:
            done = (out / "ledger.jsonl").read_bytes().count(b"\n") if (out / "ledger.jsonl").exists() else 0
            if done > 20 and _has_a_part(second):
                nodes.remove_node(second, allow_graceful=False)
                died.append(done)
            time.sleep(0.01)

    killer = threading.Thread(target=die)
    killer.start()
    done = embed(source, out, 100, "trap", trap, hands=CLUSTER)
    killer.join()
    assert 20 < died[0] < 200
    assert (done.rows, done.failed) == (20_000, ())
    assert done.sha256 == embed(source, tmp_path / "whole", 400).sha256
    assert any("is done again: its Ray worker was lost" in record.message for record in caplog.records)
    assert not debris(out)


def _has_a_part(node):
    """Whether a worker of this node does a part right now: Ray writes that into its title."""
    (raylet,) = node.all_processes["raylet"]
    family = psutil.Process(raylet.process.pid).children(recursive=True)
    return any("_Hand.attempt" in " ".join(process.cmdline()) for process in family)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", r"no Ray cluster answers at '127\.0\.0\.1:1': .*refused"),
        ("here", "expected auto, local, or HOST"),
    ],
)
def test_where_no_cluster_is_that_is_said(address, message):
    with pytest.raises(BadInput, match=message):
        require_cluster(address)
