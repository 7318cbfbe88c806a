"""Real servers: PostgreSQL with pgvector, `chroma run`; passwords, cut connections, rows that come while reading."""

from __future__ import annotations

import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from _stores import Chroma, Postgres, Rows, check, free_port

from workbench.core.bad_rows import BadRows
from workbench.core.errors import BadInput, FetchError
from workbench.data.stores import open_store

ROWS, LATE = Rows.make(3000), Rows.make(500, seed=1)
LATE = Rows([id + 3000 for id in LATE.ids], LATE.vectors, LATE.texts, LATE.years)


@pytest.fixture(scope="session")
def postgres():
    server = Postgres().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chroma():
    server = Chroma().start()
    yield server
    server.stop()


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", Postgres.password)
    return Postgres.password


@pytest.fixture
def docs(postgres, password):
    postgres.fill("docs", ROWS)
    return f"pgvector:{postgres.url}?table=docs"


def everything(error, caplog):
    return "".join(traceback.format_exception(error, chain=True)) + caplog.text


class TestPostgres:
    def test_all_rows(self, docs):
        store = open_store(docs)
        facts, found = store.facts(), store.read(batch=700)
        check(found, ROWS)
        assert (facts.count, facts.dim, facts.metric, facts.lost) == (3000, 16, "", ())
        assert [int(id) for id in found.ids] == sorted(ROWS.ids), "in the order of the ids as numbers"
        assert found.provenance.versions["pgvector extension"]

    def test_the_password_is_never_written(self, docs, password, caplog):
        with caplog.at_level(logging.DEBUG):
            store = open_store(docs)
            found = store.read(limit=10)
        assert password not in f"{found.provenance} {store.facts()} {store.name} {vars(store)} {caplog.text}"

    @pytest.mark.parametrize("wrong", ["", "not the password"])
    def test_a_wrong_password_is_told_at_once_and_without_it(self, docs, wrong, monkeypatch, caplog):
        monkeypatch.setenv("PGPASSWORD", wrong)
        with (
            caplog.at_level(logging.DEBUG),
            pytest.raises(BadInput, match="the password is read from PGPASSWORD") as told,
        ):
            open_store(docs).facts()
        assert "127.0.0.1" in str(told.value)
        assert not wrong or wrong not in everything(told.value, caplog)

    def test_a_password_from_a_file(self, docs, password, monkeypatch, tmp_path):
        monkeypatch.delenv("PGPASSWORD")
        (tmp_path / "mine").write_text(f"PGPASSWORD={password}\n")
        monkeypatch.setenv("WORKBENCH_CREDENTIALS", str(tmp_path / "mine"))
        assert open_store(docs).facts().count == 3000

    def test_connections_that_are_cut_lose_and_double_nothing(self, docs, postgres, password, caplog):
        found = []
        for number, page in enumerate(open_store(docs).scroll(500)):
            found.extend(page.ids)
            if number in (0, 2, 3):
                assert postgres.cut() == 1
            if number == 4:
                postgres.restart()
        assert sorted(found) == sorted(ROWS.by_id())
        assert len(found) == len(set(found))
        assert caplog.text.count("asking again") >= 4
        assert password not in caplog.text

    def test_a_server_that_does_not_come_back(self, docs, postgres):
        pages = open_store(f"{docs}&retries=1").scroll(500)
        next(pages)
        with postgres.admin() as base:
            base.execute("ALTER ROLE reader NOLOGIN")
            postgres.cut()
            try:
                with pytest.raises(FetchError, match=r"was lost and did not come back in 2 tries: .*not permitted"):
                    next(pages)
            finally:
                base.execute("ALTER ROLE reader LOGIN")

    def test_rows_that_come_and_go_while_reading(self, docs, postgres):
        found, gone = [], []
        for number, page in enumerate(open_store(docs).scroll(500)):
            found.extend(page.ids)
            if number == 1:
                gone = [id for id in map(str, ROWS.ids) if id not in set(found)][:50]
                with postgres.admin() as base:
                    postgres.add(base, "docs", LATE)
                    base.execute("DELETE FROM docs WHERE id = ANY(%s)", ([int(id) for id in [*found[-3:], *gone]],))
        assert len(found) == len(set(found))
        assert set(found) == ({*ROWS.by_id()} - {*gone}) | {*LATE.by_id()}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ("table=dosc", "has no table 'dosc'; tables of vectors: .*docs"),
            ("table=docs&vector=vec", r"has no column 'vec' \(vector\); it has: id, embedding, text, year"),
            ("table=docs&text=body", r"has no column 'body' \(text\)"),
            ("table=docs&vector=year", "column 'year' holds no vectors"),
            ("table=docs; DROP TABLE docs", "has no table|invalid name syntax"),
            ("table=docs&id=year", r"year is '\d+' in more than one row"),
        ],
    )
    def test_what_is_not_there(self, docs, options, message):
        with pytest.raises(BadInput, match=message):
            open_store(f"{docs.partition('?')[0]}?{options}").facts()

    def test_names_that_look_like_queries(self, docs, postgres):
        table, id, vector, label = 't"; DROP TABLE docs; --', "%s {x}", 'v"::text) --', "100%"
        quoted = ['"' + name.replace('"', '""') + '"' for name in (table, id, vector, label)]
        with postgres.admin() as base:
            base.execute("CREATE TABLE {} ({} int PRIMARY KEY, {} vector(2), {} text)".format(*quoted))
            base.execute(f"INSERT INTO {quoted[0]} VALUES (1, '[1,2]', 'a'), (2, '[3,4]', 'b')")
        found = open_store(f"{docs.partition('?')[0]}?table={quote(table)}&id={quote(id)}").read(batch=1)
        assert (found.ids.tolist(), found.labels["100%"].tolist()) == (["1", "2"], ["a", "b"])
        assert open_store(docs).facts().count == len(ROWS)
        with postgres.admin() as base:
            base.execute(f"DROP TABLE {quoted[0]}")

    def test_tables_of_other_forms(self, docs, postgres):
        with postgres.admin() as base:
            base.execute('CREATE SCHEMA "Other"; GRANT USAGE ON SCHEMA "Other" TO reader')
            base.execute(
                'CREATE TABLE "Other"."My Docs" ("Key" uuid PRIMARY KEY DEFAULT gen_random_uuid(), v halfvec(2))'
            )
            base.execute('GRANT SELECT ON "Other"."My Docs" TO reader')
            base.execute("""INSERT INTO "Other"."My Docs" (v) SELECT '[1,2]' FROM generate_series(1, 25)""")
            base.execute('CREATE INDEX ON "Other"."My Docs" USING hnsw (v halfvec_cosine_ops)')
            base.execute(
                "CREATE TABLE odd (id text, v vector, paid numeric, seen date, tags text[], more jsonb, raw bytea)"
            )
            base.execute("""INSERT INTO odd VALUES
                ('b', '[1,2]', 1.5, '2020-01-02', '{x,y}', '{"k": 1}', 'x')""")
            base.execute("INSERT INTO odd (id, v) VALUES ('a', '[1,2,3]'), ('n', NULL)")
            base.execute("CREATE TABLE bare (id int, v real[])")
            base.execute("INSERT INTO bare VALUES (2, '{1,2}'), (1, '{3,4}')")
            base.execute("CREATE TABLE empty (id int PRIMARY KEY, v vector(3))")
            base.execute("CREATE TABLE gaps (id int, v vector(1)); INSERT INTO gaps VALUES (NULL, '[1]'), (1, '[1]')")
        at = docs.partition("?")[0]
        store = open_store(f'{at}?table="Other"."My Docs"')
        assert len(set(store.read(batch=4).ids)) == 25
        assert store.facts().metric == "cosine"
        assert "halfvec: quantised to 16 bits" in store.facts().lost[0]
        odd = open_store(f"{at}?table=odd")
        assert odd.facts().missing == BadRows({"has no vector": 1}, ("n",))
        with pytest.raises(BadInput, match="1 x has no vector; ids: 'n'; leave them out with --on-bad-rows skip"):
            odd.read()
        with postgres.admin() as base:
            base.execute("DELETE FROM odd WHERE id = 'n'")
        with pytest.raises(BadInput, match=r"id '[ab]'. has [23] dimensions where others have [23]"):
            odd.read()
        with postgres.admin() as base:
            base.execute("DELETE FROM odd WHERE id = 'a'")
        labels = odd.read().labels
        assert [labels[name][0] for name in ("paid", "seen", "tags", "more")] == [
            1.5,
            "2020-01-02",
            '["x", "y"]',
            '{"k": 1}',
        ]
        assert "raw" not in labels
        assert open_store(f"{at}?table=bare").read().vectors.tolist() == [[3, 4], [1, 2]]
        with pytest.raises(BadInput, match="table empty, holds no vectors"):
            open_store(f"{at}?table=empty").facts()
        with pytest.raises(BadInput, match="1 rows have no id"):
            open_store(f"{at}?table=gaps").facts()
        with pytest.raises(BadInput, match=r"tables of vectors; name one with \?table=NAME; it has: .*docs"):
            open_store(at).facts()

    def test_bits_and_sparse_vectors(self, docs, postgres):
        bits = np.random.default_rng(0).integers(0, 2, (5, 384)).astype(np.uint8)
        with postgres.admin() as base:
            base.execute("CREATE TABLE signs (id int PRIMARY KEY, embedding bit(384), flag bit, small bit(3))")
            base.execute("CREATE TABLE both_kinds (id int PRIMARY KEY, v vector(2), quick bit(8))")
            base.execute("CREATE TABLE thin (id int PRIMARY KEY, v sparsevec(4))")
            base.execute("CREATE TABLE shorts (id int PRIMARY KEY, v smallint[])")
            for row, each in enumerate(bits):
                base.execute(
                    "INSERT INTO signs VALUES (%s, %s::bit(384), B'1', B'101')", (row, "".join(map(str, each)))
                )
            base.execute("INSERT INTO both_kinds VALUES (1, '[1,2]', B'10000001')")
            base.execute("INSERT INTO thin VALUES (1, '{1:3,4:-2}/4')")
            base.execute("INSERT INTO shorts VALUES (1, '{3,-7}')")
            base.execute("CREATE INDEX ON signs USING hnsw (embedding bit_hamming_ops)")
        at = docs.partition("?")[0]
        store = open_store(f"{at}?table=signs")
        assert np.array_equal(store.read().vectors, 2.0 * bits - 1)
        assert (store.facts().dim, store.facts().metric) == (384, "hamming")
        assert store.facts().lost[0].startswith("vectors are bits")
        assert open_store(f"{at}?table=both_kinds").read().vectors.tolist() == [[1, 2]]
        quick = open_store(f"{at}?table=both_kinds&vector=quick").read()
        assert quick.vectors.tolist() == [[1, -1, -1, -1, -1, -1, -1, 1]]
        assert open_store(f"{at}?table=thin").read().vectors.tolist() == [[3, 0, 0, -2]]
        assert open_store(f"{at}?table=shorts").read().vectors.tolist() == [[3, -7]]

    def test_nothing_can_be_written(self, docs):
        from workbench.data.stores._postgres import Server
        from workbench.data.stores._retry import Patience

        with Server(docs.partition("?")[0].removeprefix("pgvector:"), Patience("x", 0)) as server:
            table = server.table("docs", "x")
            with pytest.raises(BadInput, match="read-only transaction"):
                server.ask("DELETE FROM {t}", table)

    @pytest.mark.slow
    def test_fifty_thousand(self, postgres, password, caplog):
        rows = Rows.make(50_000, 64)
        postgres.fill("many", rows)
        found = []
        for number, page in enumerate(open_store(f"pgvector:{postgres.url}?table=many").scroll(1000)):
            found.append(page)
            if number % 7 == 3:
                assert postgres.cut() == 1
        assert caplog.text.count("asking again") == 7
        ids = [id for page in found for id in page.ids]
        assert len(ids) == 50_000
        order = np.argsort(rows.ids)
        assert ids == [str(rows.ids[row]) for row in order]
        np.testing.assert_array_equal(np.concatenate([page.vectors for page in found]), rows.vectors[order])


class TestChroma:
    def test_all_rows(self, chroma):
        chroma.create("docs", ROWS, {"hnsw": {"space": "cosine"}})
        store = open_store(f"chroma:{chroma.url}?collection=docs")
        facts, found = store.facts(), store.read(batch=700)
        check(found, ROWS)
        assert (facts.count, facts.dim, facts.metric) == (3000, 16, "cosine")
        assert list(found.ids) == list(map(str, ROWS.ids)), "in the order in which they were added"
        assert found.provenance.normalised is False, "this Chroma keeps norms, under cosine too"

    def test_a_server_that_is_killed_in_mid_scroll(self, chroma, caplog):
        chroma.create("killed", ROWS)
        found = []
        for number, page in enumerate(open_store(f"chroma:{chroma.url}?collection=killed").scroll(500)):
            found.extend(page.ids)
            if number == 1:
                chroma.kill()
                threading.Timer(0.7, chroma.start).start()
        assert found == list(map(str, ROWS.ids))
        assert "asking again" in caplog.text

    def test_rows_that_come_and_go_while_reading(self, chroma):
        at = chroma.create("moving", ROWS)
        found, gone = [], []
        for number, page in enumerate(open_store(f"chroma:{chroma.url}?collection=moving").scroll(500)):
            found.extend(page.ids)
            if number == 1:
                gone = [id for id in map(str, ROWS.ids) if id not in set(found)][-50:]
                chroma.add(at, LATE)
                chroma.delete(at, [*found[:300], *found[-3:], *gone])
        assert len(found) == len(set(found))
        assert set(found) == ({*ROWS.by_id()} - {*gone}) | {*LATE.by_id()}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ("collection=dosc", "has no collection 'dosc'; it has: .*docs"),
            ("collection=bare", "collection bare, holds no vectors"),
            ("collection=docs&text=body", "has no 'body'.*they have: year"),
            ("collection=docs&tenant=nobody", "chroma:http://.* answers 4|has no collection"),
        ],
    )
    def test_what_is_not_there(self, chroma, options, message):
        for name, rows in {"docs": ROWS, "bare": None}.items():
            if name not in {each["name"] for each in httpx.get(chroma.base).json()}:
                chroma.create(name, rows)
        with pytest.raises(BadInput, match=message):
            open_store(f"chroma:{chroma.url}?{options}").read(limit=5)

    def test_a_token_is_sent_and_never_written(self, chroma, guard, monkeypatch, caplog):
        if "tokens" not in {each["name"] for each in httpx.get(chroma.base).json()}:
            chroma.create("tokens", ROWS)
        line = f"chroma:{guard}?collection=tokens&retries=2"
        for wrong in ("", "wr0ng-token"):
            monkeypatch.setenv("CHROMA_TOKEN", wrong)
            with (
                caplog.at_level(logging.DEBUG),
                pytest.raises(BadInput, match="the token is read from CHROMA_TOKEN") as told,
            ):
                open_store(line).facts()
            assert not wrong or wrong not in everything(told.value, caplog)
        monkeypatch.setenv("CHROMA_TOKEN", Guard.token)
        with caplog.at_level(logging.DEBUG):
            found = open_store(line).read(batch=1000)
        check(found, ROWS)
        assert Guard.dropped == ["refused", "cut"], "a 503 and an answer that was cut off were asked for again"
        assert Guard.token not in f"{found.provenance} {caplog.text}"

    @pytest.mark.slow
    def test_fifty_thousand(self, chroma, caplog):
        rows = Rows.make(50_000, 64)
        chroma.create("many", rows)
        found = []
        for number, page in enumerate(open_store(f"chroma:{chroma.url}?collection=many").scroll(1000)):
            found.append(page)
            if number in (10, 30):
                chroma.kill()
                threading.Timer(1.0, chroma.start).start()
        assert caplog.text.count("asking again") >= 2
        assert [id for page in found for id in page.ids] == list(map(str, rows.ids))
        np.testing.assert_array_equal(np.concatenate([page.vectors for page in found]), rows.vectors)


class Guard(BaseHTTPRequestHandler):
    """What stands before a Chroma that asks for a token, since `chroma run` itself asks for none."""

    token = "t0ken-of-the-audit"
    upstream = ""
    dropped: list[str]

    def log_message(self, *_args):
        pass

    def do_GET(self):
        self._pass_on("GET", None)

    def do_POST(self):
        self._pass_on("POST", self.rfile.read(int(self.headers["Content-Length"])))

    def _pass_on(self, method, body):
        cls = type(self)
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return self._answer(401, b'{"error": "Unauthorized"}')
        if self.path.endswith("/get") and len(cls.dropped) < 2:
            fault = ("refused", "cut")[len(cls.dropped)]
            if fault == "refused" and b'"offset":0' not in body.replace(b" ", b""):
                cls.dropped.append(fault)
                return self._answer(503, b"busy")
            if fault == "cut" and cls.dropped:
                cls.dropped.append(fault)
                return self._answer(200, b'{"ids": ["1', length=5000)
        found = httpx.request(method, cls.upstream + self.path, content=body, timeout=60)
        return self._answer(found.status_code, found.content)

    def _answer(self, status, body, length=0):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = bool(length)


@pytest.fixture
def guard(chroma):
    Guard.upstream, Guard.dropped = chroma.url, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "line",
    ["pgvector:postgresql://127.0.0.1:{}/db?table=a", "chroma:http://127.0.0.1:{}", "qdrant:http://127.0.0.1:{}"],
)
def test_a_server_that_is_not_there_is_told_at_once(line):
    with pytest.raises(BadInput, match=r"//127\.0\.0\.1:\d+.* cannot be reached"):
        open_store(line.format(free_port())).facts()
