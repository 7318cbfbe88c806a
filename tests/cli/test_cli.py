"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run, run_here, run_new

from workbench.core.embedding_set import EmbeddingSet
from workbench.embed import load_embedder

VERBS = (
    "embed",
    "augment",
    "invert",
    "explain",
    "attribute",
    "audit",
    "defend",
    "fingerprint",
    "infer",
    "membership",
    "payload",
    "pull",
    "report page",
    "report diff",
    "report interpret",
    "report schema",
    "probe",
    "train",
    "train inverter",
    "train explainer",
    "train sae",
    "fetch",
    "list",
    "report",
)


@pytest.mark.parametrize("verb", VERBS)
def test_help_teaches(verb):
    done = run(*verb.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    if verb not in ("train", "report"):
        for option in ("--json", "--seed", "--device", "--quiet"):
            assert option in done.stdout
    if verb not in ("train", "list", "report"):
        assert "Example" in done.stdout


def test_help_is_quick():
    """In CPU time of the new process, which a busy machine changes little."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run_new("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command"),
        (["invert", "--nonsense"], "No such option"),
        (["embed"], "give texts and --out FILE, or --compare EMBEDDER"),
        (["invert"], "give either a Parquet file of vectors or --texts FILE"),
        (["invert", "none.parquet", "--window", "9"], "--window goes with --texts"),
        (["attribute"], "give two texts, or --query with --corpus, or --evaluate FILE"),
        (["attribute", "one text"], "two texts are needed"),
        (["attribute", "a", "b", "--query", "c"], "give two texts, or --query with --corpus"),
        (["attribute", "--query", "c"], "--query and --corpus go together"),
        (["attribute", "a", "b", "--method", "gradients"], "Did you mean 'gradient'"),
        (["attribute", "a", "b", "--level", "words"], "Did you mean 'word'"),
        (["attribute", "a", "b", "--reference", "zero"], "a zero reference is no input"),
        (["attribute", "a", "b", "--embedder", "toy"], "needs gradients, which toy does not give; use occlusion"),
        (["attribute", "a", "b", "--layer", "9"], "layer is 9; minilm has 0 to 6"),
        (["attribute", "--evaluate", "none.jsonl"], "none.jsonl is not there"),
        (["train", "inverter", "--out", "x", "--correction", "0.9"], "at least half the batches are plain"),
        (["train", "inverter", "--out", "x", "--disturb", "nois"], "Did you mean 'noise'"),
        (["invert", "none.parquet", "--quiet"], "none.parquet is not there; expected a Parquet file"),
        (["invert", "--texts", "none.txt"], "none.txt is not there; expected a file of texts"),
        (["embed", "none.txt", "--out", "x.parquet"], "none.txt is not there"),
        (["embed", "x.txt", "--compare", "toy"], "--compare brings its own texts; leave x.txt out"),
        (["embed", "--compare", "nonsense", "--limit", "20"], "no embedder is called 'nonsense'"),
        (["embed", "cfpb", "--out", "x", "--embedder", "api:m?url=http://127.0.0.1:9&retries=0"], "failed 1 times"),
        (["augment", "none.txt", "--out", "x.parquet"], "none.txt is not there"),
        (["augment", "x.txt", "--out", "x", "--kind", "poem"], "no kind is called 'poem'"),
        (["augment", "x.txt", "--out", "x", "--only-labels"], "nothing to make: give a kind or a label"),
        (["fetch", "gemma"], "Did you mean 'gemma-270m'"),
        (["fetch", "tatoba"], "Did you mean 'tatoeba'?"),
        (["list", "everything"], "no family is called 'everything'"),
        (["audit", "none.toml"], "cannot read the plan none.toml"),
        (["audit", "--sentences", "3"], "sentences is 3"),
        (["audit", "--embedder", "toy"], "workbench train inverter --embedder toy"),
        (["report", "none.json"], "cannot read none.json: it does not exist"),
        (["embed", "x.txt", "--out", "x", "--device", "abacus"], "device 'abacus' cannot be used here"),
        (["train", "inverter", "--out", "x", "--steps", "0"], "Invalid value for '--steps'"),
    ],
)
def test_every_mistake_is_one_clear_line_and_exit_3(tmp_path, arguments, message):
    done = run_here(*arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "a failed command leaves nothing behind"


def test_list_names_every_member():
    listed = json.loads(run("list", "--json", "-").stdout)
    assert set(listed) == {
        "embedders",
        "corpora",
        "stores",
        "models",
        "inverters",
        "defences",
        "attributors",
        "directions",
        "tasks",
        "checkpoints",
    }
    assert {"toy", "minilm"} <= set(listed["embedders"])
    assert {"tatoeba", "personal", "conservative"} <= set(listed["corpora"])
    assert set(listed["inverters"]) == {
        "nearest",
        "bag-of-words",
        "hypothesis",
        "correction",
        "search",
        "zero-shot",
        "few-shot",
        "unpaired",
        "white-box",
    }
    assert listed["checkpoints"]
    assert "\u2026" not in run("list").stdout


LINES = ["The bank closed my account without any reason.", "Tom is going to marry a Canadian.", "\U0001f600", "Hello."]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    (folder / "lines.txt").write_text("\n".join(LINES), encoding="utf-8")
    done = run("embed", "lines.txt", "--out", "vectors.parquet", "--json", "-", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["texts"] == 4
    assert "texts/s" in done.stderr
    return folder


def test_embed_writes_vectors_with_provenance(embedded):
    vectors = EmbeddingSet.load(embedded / "vectors.parquet")
    assert list(vectors.texts) == LINES
    assert vectors.dim == 384
    assert vectors.provenance.embedder == "minilm"
    assert vectors.provenance.normalised is True
    assert vectors.provenance.versions["torch"]


def test_embed_goes_on_where_it_was_and_leaves_nothing_behind(embedded, tmp_path):
    (tmp_path / "many.txt").write_text("\n".join(f"Line {n} of many." for n in range(6000)))
    arguments = [sys.executable, "-m", "workbench", "embed", "many.txt", "--out", "many.parquet", "-q"]
    first = subprocess.Popen(arguments, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("*.npy")) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert list(tmp_path.rglob("*.npy"))
    assert not (tmp_path / "many.parquet").exists()
    shards = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    done = run("embed", "many.txt", "--out", "many.parquet", "--limit", "2048", cwd=tmp_path)
    assert "2,048 texts x 384 dimensions, 0 texts/s" in done.stderr, f"{len(shards)} shards were there"
    assert len(EmbeddingSet.load(tmp_path / "many.parquet")) == 2048
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.parquet", "many.txt"]


def test_embedders_side_by_side(tmp_path):
    arguments = ("embed", "--compare", "toy", "--compare", "potion", "--limit", "20", "--out", "c.json", "--json", "-")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row["embedder"] for row in json.loads(done.stdout)["rows"]] == ["toy", "potion"]
    assert json.loads((tmp_path / "c.json").read_text())["rows"] == json.loads(done.stdout)["rows"]


def test_augment_makes_a_corpus_that_can_be_embedded(embedded, tmp_path):
    out = tmp_path / "more.parquet"
    options = ("--kind", "paraphrase", "--label", "Is this about money?", "--json", tmp_path / "account.json")
    done = run("augment", embedded / "lines.txt", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert "What was kept" in done.stdout
    account = json.loads((tmp_path / "account.json").read_text())
    rows = pq.read_table(out).to_pylist()
    assert len(rows) == account["sources"] + sum(count for _, count in account["kept"])
    assert "is_this_about_money" in rows[0]
    assert run("embed", out, "--out", tmp_path / "v.parquet", "--embedder", "toy", "-q").returncode == 0
    assert len(EmbeddingSet.load(tmp_path / "v.parquet")) == len(rows)


def test_invert_vectors(embedded):
    done = run("invert", "vectors.parquet", "--out", "out.jsonl", "--beams", "2", "--quiet", cwd=embedded)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    rows = [json.loads(line) for line in (embedded / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]
    assert set(rows[0]) == {"id", "reconstruction", "cosine", "rounds"}
    assert rows[1]["cosine"] > 0.5


def test_invert_texts_hides_inverts_and_scores(embedded):
    options = ("--corpus", "cfpb", "--corpus-texts", "500", "--beams", "2", "--json", "scores.json")
    done = run("invert", "--texts", "lines.txt", "--out", "t.jsonl", *options, cwd=embedded)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (embedded / "t.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == LINES
    assert set(rows[0]) == {"id", "text", "reconstruction", "cosine", "rounds"}
    scores = json.loads((embedded / "scores.json").read_text())
    assert [score["method"] for score in scores["scores"]] == [
        "search",
        "nearest",
        "bag-of-words",
        "search, shuffled vectors",
    ]
    for word in ("BLEU", "token F1", "exact match", "cosine", "nrefs:1"):
        assert word in done.stdout


def test_invert_tells_its_path_and_keeps_to_its_budget(embedded):
    arguments = ("invert", "vectors.parquet", "--out", "p.jsonl", "--path", "--queries", "40", "--json", "p.json", "-q")
    assert run(*arguments, cwd=embedded).returncode == 0
    rows = [json.loads(line) for line in (embedded / "p.jsonl").read_text().splitlines()]
    for row in rows:
        assert row["path"][0]["stage"] == "hypothesis"
        assert row["path"][-1]["text"] == row["reconstruction"]
    whole = json.loads((embedded / "p.json").read_text())
    assert whole["queries"] <= 40 * len(rows)


def test_long_texts_are_inverted_in_windows(embedded):
    (embedded / "long.txt").write_text(" ".join(LINES[:2] * 4))
    options = ("--window", "24", "--preset", "fast", "--no-floors", "-q")
    assert run("invert", "--texts", "long.txt", "--out", "w.jsonl", *options, cwd=embedded).returncode == 0
    (row,) = [json.loads(line) for line in (embedded / "w.jsonl").read_text().splitlines()]
    assert len(row["reconstruction"].split()) > 30


def test_the_same_seed_gives_the_same_file(embedded):
    for name in ("a", "b"):
        run("invert", "vectors.parquet", "--out", f"{name}.jsonl", "--beams", "2", "--quiet", cwd=embedded)
    assert (embedded / "a.jsonl").read_bytes() == (embedded / "b.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0] * 384, [float("nan")] * 384], "row 1 (id '1') holds NaN or infinity"),
        ([[1.0] * 384, [0.0] * 384], "row 1 (id '1') is a zero vector"),
        ([[1.0] * 384, [1.0] * 5], "row 1 (id '1') has 5 dimensions where others have 384"),
        ([[1.0] * 5], "vectors have 5 dimensions; the search inverter expects 384"),
    ],
)
def test_bad_vectors_are_refused_by_file_and_row(tmp_path, vectors, message):
    pq.write_table(pa.table({"vector": vectors}), tmp_path / "v.parquet")
    done = run_here("invert", "v.parquet", "--out", "o.jsonl", cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--inverter", "few-shot"], "few-shot needs pairs: some texts with the victim's vectors of them"),
        (["--inverter", "unpaired"], "unpaired needs a store of at least 200 stolen vectors, better thousands; got 4"),
        (["--inverter", "few-sot"], "Did you mean 'few-shot'?"),
        (["--pairs", "vectors.parquet"], "--pairs and --pair-texts go with few-shot and unpaired"),
        (["--inverter", "few-shot", "--pair-texts", "9"], "--pair-texts goes with --texts, and not with --pairs"),
        (["--inverter", "few-shot", "--weights"], "--weights goes with search; few-shot needs no more than PAIRS"),
    ],
)
def test_what_maps_vectors_says_what_it_needs(embedded, arguments, message):
    done = run_here("invert", "vectors.parquet", "--out", "never.jsonl", *arguments, cwd=embedded)
    assert done.returncode == 3
    assert message in done.stderr
    assert not (embedded / "never.jsonl").exists()


def test_few_pairs_are_enough_for_vectors_of_another_embedder(embedded):
    """The victim, potion, is named nowhere: its vectors and pairs are all there is."""
    words = [
        "bank",
        "account",
        "money",
        "letter",
        "river",
        "house",
        "Tom",
        "Canadian",
        "reason",
        "closed",
        "married",
        "without",
    ]
    many, potion = [f"The {a} and the {b}." for a in words for b in words], load_embedder("potion")
    potion.embed_set([str(i) for i in range(len(many))], many).save(embedded / "potion-pairs.parquet")
    potion.embed_set(["0", "1", "2", "3"], LINES).without_texts().save(embedded / "potion-lines.parquet")
    options = ("--inverter", "few-shot", "--pairs", "potion-pairs.parquet", "--beams", "2", "--json", "f.json", "-q")
    done = run("invert", "potion-lines.parquet", "--out", "f.jsonl", *options, cwd=embedded)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (embedded / "f.jsonl").read_text().splitlines()]
    assert json.loads((embedded / "f.json").read_text())["method"] == "few-shot"
    assert "account" in rows[0]["reconstruction"]


def test_texts_are_inverted_through_pairs_beside_mapped_floors(embedded):
    options = ("--embedder", "potion", "--inverter", "few-shot", "--pair-texts", "60", "--corpus", "cfpb")
    more = ("--corpus-texts", "300", "--beams", "2", "--json", "fs.json", "-q")
    done = run("invert", "--texts", "lines.txt", "--out", "fs.jsonl", *options, *more, cwd=embedded)
    assert done.returncode == 0, done.stderr
    scores = json.loads((embedded / "fs.json").read_text())["scores"]
    assert [(score["method"], score["role"]) for score in scores] == [
        ("few-shot", "attack"),
        ("nearest, mapped", "floor"),
        ("bag-of-words, mapped", "floor"),
        ("few-shot, shuffled vectors", "prior"),
    ]


def test_a_cut_file_is_refused(embedded, tmp_path):
    whole = (embedded / "vectors.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    done = run("invert", "cut.parquet", cwd=tmp_path)
    assert done.returncode == 3
    assert "cut.parquet is not a whole Parquet file" in done.stderr


def test_print_plan_shows_every_default():
    plan = json.loads(run("audit", "--print-plan", "--sentences", "50").stdout)
    assert plan["sentences"] == 50
    assert plan["records"] == 200
    assert plan["threat"] == "known-encoder"


PLAN = 'corpus = "cfpb"\nsentences = 40\nrecords = 30\nattacker_texts = 500\nbeams = 2\nmax_words = 15\n'


def test_audit_and_report(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    done = run("audit", "plan.toml", "--main-only", "--out", "a", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "round trip" in done.stdout
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"report.html", "report.md", "report.json"}
    again = run("report", "a/report.json", "--out", "b", "--quiet", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "b/report.html").read_bytes() == (tmp_path / "a/report.html").read_bytes()


def test_a_broken_limit_is_exit_1(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "limits.toml").write_text('[[limit]]\nmeasure = "words of a sentence"\nmost = 0.05\n')
    done = run("audit", "plan.toml", "--main-only", "--gate", "limits.toml", "--out", "a", "--quiet", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "over the limit: words of a sentence: at most 0.05 (value), but known-encoder, hypothesis" in done.stderr
    assert (tmp_path / "a/report.json").exists()


def test_a_failed_control_is_exit_2(tmp_path, monkeypatch):
    """A store whose vectors are not those of the known encoder: the positive control must fail."""
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "sitecustomize.py").write_text(
        "import workbench.audit._attacking as attacking\n"
        "import numpy as np\n"
        "from workbench.core.embedding_set import EmbeddingSet\n"
        "of = attacking.Case.of.__func__\n"
        "def spoilt(cls, corpus, stolen, seed):\n"
        "    noise = np.random.default_rng(0).standard_normal(stolen.vectors.shape) * 0.05\n"
        "    moved = EmbeddingSet(stolen.ids, stolen.vectors + noise, provenance=stolen.provenance)\n"
        "    return of(cls, corpus, moved, seed)\n"
        "attacking.Case.of = classmethod(spoilt)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = run_new("audit", "plan.toml", "--main-only", "--out", "a", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Inconclusive: a control failed (round trip)" in done.stdout
    assert (tmp_path / "a/report.html").exists()


def test_vectors_without_texts(embedded):
    run("embed", "lines.txt", "--out", "bare.parquet", "--without-texts", "--embedder", "toy", "--quiet", cwd=embedded)
    bare = EmbeddingSet.load(embedded / "bare.parquet")
    assert bare.texts is None
    assert np.linalg.norm(bare.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_attribute_a_pair(tmp_path):
    texts = ("The bank closed my account.", "My account was shut.")
    done = run("attribute", *texts, "--contrast", "A river bank", "--html", "pair.html", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"score", "tokens_a", "tokens_b", "matrix", "completeness_error", "rule", "nodes", "seconds"} <= set(found)
    matrix = np.array(found["matrix"])
    assert matrix.shape == (len(found["tokens_a"]) + 1, len(found["tokens_b"]) + 1)
    assert abs(matrix.sum() - found["score"]) <= 1e-2
    page = (tmp_path / "pair.html").read_text(encoding="utf-8")
    assert "Interior + borders + corner = cosine" in page
    assert "<script" not in page
    shown = run("attribute", *texts, "--level", "word", "--method", "occlusion", "--embedder", "toy")
    assert "cosine" in shown.stdout
    assert "account" in shown.stdout


def test_attribute_explains_search_hits(embedded):
    done = run(
        "attribute", "--query", "my bank", "--corpus", "vectors.parquet", "--top", "2", "--json", "-", cwd=embedded
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["ids"]) == 2
    assert found["texts"][0] == LINES[0]
    assert found["items"][0]["tokens"] == ["my", "bank"]
