"""What comes from elsewhere is data: no file, plan, card, report, model or store runs code or reads beside itself."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import tarfile
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

import workbench
from tests.hostile.case import Case
from tests.hostile.examples import result_examples
from tests.hostile.readers import READERS, small_set
from tests.tiny_lm import write_tiny_lm
from workbench.assets._archive import extract
from workbench.assets._card import Source
from workbench.assets._download import download
from workbench.assets._plain_folder import require_plain
from workbench.core import checkpoint
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, FetchError
from workbench.core.files import sha256_of
from workbench.core.result import Result
from workbench.data.stores import open_store
from workbench.data.tasks import load_task, task_card
from workbench.embed import load_embedder
from workbench.report import Report

PACKAGE = Path(workbench.__file__).parent
ROOT = PACKAGE.parent
MODULES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'

# --- what the code never calls -----------------------------------------------------------------------------------

UNPICKLERS = {
    "data/stores/_qdrant_folder.py": "a loader that makes points and nothing else",
    "jobs/_explain_batches.py": "bytes that its own worker processes made, never a file",
}
FORBIDDEN_MODULES = {
    "pickle",
    "shelve",
    "marshal",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
    "dbm",
    "telnetlib",
    "ftplib",
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "os.system", "os.popen", "tomllib.load", "torch.load", "torch.jit.load"}
LOADERS = {"from_pretrained", "SentenceTransformer"}


def name_of(node):
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{name_of(node.value)}.{node.attr}"
    return ""


def calls():
    for file, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield file, node, name_of(node.func), {each.arg: each.value for each in node.keywords}


def is_literal(node, value):
    return isinstance(node, ast.Constant) and node.value is value


def test_nothing_is_imported_that_runs_what_it_reads():
    found = set()
    for file, tree in MODULES.items():
        for node in ast.walk(tree):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(file, name) for name in names if name.partition(".")[0] in FORBIDDEN_MODULES}
    assert {file for file, _ in found} == set(UNPICKLERS)


def test_nothing_is_called_that_runs_what_it_is_given():
    wrong = []
    for file, node, name, words in calls():
        if name in FORBIDDEN_CALLS:
            wrong.append((file, node.lineno, name))
        if name in ("np.load", "numpy.load") and not is_literal(words.get("allow_pickle"), False):
            wrong.append((file, node.lineno, "np.load without allow_pickle=False"))
        if "shell" in words or name.endswith((".extractall", "unpack_archive")):
            wrong.append((file, node.lineno, name))
        if "trust_remote_code" in words and not is_literal(words["trust_remote_code"], False):
            wrong.append((file, node.lineno, "code from a hub"))
    assert wrong == []


def test_models_are_opened_without_their_code_and_from_safetensors_alone():
    seen = 0
    for file, node, name, words in calls():
        owner, _, last = name.rpartition(".")
        if last not in LOADERS or owner == "nn.Embedding":  # torch's makes a layer out of a tensor
            continue
        if any(key == "gguf_file" for key in words):  # read by the package gguf, out of a file that a card pins
            continue
        seen += 1
        assert is_literal(words.get("trust_remote_code"), False), f"{file}:{node.lineno} {name}"
        if "Tokenizer" not in name and last == "from_pretrained":
            assert is_literal(words.get("use_safetensors"), True), f"{file}:{node.lineno} {name}"
    assert seen >= 7


def test_markup_is_only_made_where_pages_are():
    users = {file for file, _, name, _ in calls() if name == "Markup"}
    assert users == {"report/report.py", "widgets/_page.py"}
    environments = [words for _, _, name, words in calls() if name == "Environment"]
    assert environments
    assert all(is_literal(words.get("autoescape"), True) for words in environments)


# --- models, checkpoints, tasks ------------------------------------------------------------------------------------


class Trap:
    """What a hostile pickle holds: it makes a file when it is loaded."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_model_whose_modules_are_its_own_code_is_refused(tmp_path):
    marker = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(
        f"import os\nos.mkdir({str(marker)!r})\nclass Module:\n    load = staticmethod(print)\n"
    )
    (tmp_path / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "evil.Module"}]))
    with pytest.raises(BadInput, match=r"names the code 'evil\.Module'"):
        load_embedder(f"sentence-transformers:{tmp_path}")
    assert not marker.exists()


@pytest.mark.parametrize("line", ["transformers:{}?pooling=mean", "llm:{}"])
def test_code_that_comes_with_a_model_is_not_run(tmp_path, line):
    marker, folder = tmp_path / "ran", tmp_path / "model"
    write_tiny_lm(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"import os\nos.mkdir({str(marker)!r})\n")
    with pytest.raises(BadInput, match="cannot load"):
        load_embedder(line.format(folder))
    assert not marker.exists()


def test_weights_in_a_pickle_are_not_opened(tmp_path):
    folder = tmp_path / "model"
    write_tiny_lm(folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(BadInput, match="holds its weights as a pickle"):
        load_embedder(f"transformers:{folder}?pooling=mean")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("shard", ["../secret.safetensors", "/etc/secret.safetensors", "a/../../b.safetensors"])
def test_an_index_of_shards_stays_in_its_folder(tmp_path, shard):
    write_tiny_lm(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": {"a": shard}}))
    with pytest.raises(BadInput, match="leads out of its folder"):
        load_embedder(f"transformers:{tmp_path}?pooling=mean")


@pytest.mark.parametrize("name", ["[" * 300, "\u00e9" * 150])
def test_a_module_whose_path_no_disk_can_hold_is_refused(tmp_path, name):
    module = {"idx": 0, "name": "0", "path": name, "type": "sentence_transformers.models.Pooling"}
    (tmp_path / "modules.json").write_text(json.dumps([module]))
    with pytest.raises(BadInput, match="300 bytes; expected at most 200"):
        require_plain(tmp_path)


def card(sha256):
    return Card("c", "inverter", "", "toy", "1", "MIT", {}, (), {}, sha256=sha256)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret", "\0"])
def test_a_card_names_files_of_its_folder_alone(tmp_path, name):
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "checkpoint"
    card({name: "0" * 64}).save(folder)
    with pytest.raises(BadInput, match=r"leads out of|no name of a file"):
        checkpoint.open_card(folder, "inverter")


def test_a_link_in_a_checkpoint_does_not_lead_out_of_it(tmp_path):
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "checkpoint"
    card({"weights": sha256_of(tmp_path / "secret")}).save(folder)
    (folder / "weights").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="'weights' leads out of"):
        checkpoint.open_card(folder, "inverter")


TASK = """
summary = "s"
family = "own"
rule = "table"
source = ["{source}"]
classes = ["no", "yes"]
chance = 0.5
group = "document"
licence = "none"
{more}
"""


@pytest.mark.parametrize("source", ["../texts.csv", "{absolute}", "link.csv"])
def test_a_task_reads_files_of_its_folder_alone(tmp_path, source):
    (tmp_path / "texts.csv").write_text("text,label\na secret,yes\n")
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "texts.csv")
    path = source.format(absolute=tmp_path / "texts.csv")
    (folder / "task.toml").write_text(TASK.format(source=path, more=""))
    with pytest.raises(BadInput, match="leads out of"):
        load_task(str(folder))


def test_a_task_is_not_called_by_a_path(tmp_path):
    (tmp_path / "task.toml").write_text(TASK.format(source="texts.csv", more='name = "../../x"'))
    with pytest.raises(BadInput, match="name"):
        task_card(str(tmp_path))


# --- stores ---------------------------------------------------------------------------------------------------------


def qdrant_folder(folder, point, name="docs"):
    """What an embedded Qdrant keeps, with one point's pickle chosen."""
    config = {"vectors": {"size": 4, "distance": "Cosine"}}
    folder.mkdir()
    (folder / "meta.json").write_text(json.dumps({"collections": {name: config}, "aliases": {}}))
    place = folder / "collection" / name
    place.mkdir(parents=True)
    with sqlite3.connect(place / "storage.sqlite") as base:
        base.execute("CREATE TABLE points (id TEXT PRIMARY KEY, point BLOB)")
        base.execute("INSERT INTO points VALUES ('a', ?)", (point,))


def test_the_pickles_of_a_qdrant_folder_can_only_be_points(tmp_path):
    qdrant_folder(tmp_path / "q", pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(BadInput, match=r"it names posix\.mkdir, which no point needs"):
        open_store(f"qdrant:{tmp_path}/q").read()
    assert not (tmp_path / "ran").exists()


def test_a_qdrant_collection_lies_in_its_folder(tmp_path):
    qdrant_folder(tmp_path / "q", b"", "../../outside")
    with pytest.raises(BadInput, match="leads out of"):
        open_store(f"qdrant:{tmp_path}/q").read()


def test_a_view_of_a_duckdb_file_reads_no_other_file(tmp_path):
    import duckdb

    (tmp_path / "secret.csv").write_text("id,a\n1,2\n")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as base:
        base.sql("CREATE TABLE docs AS SELECT 1 AS id, [1.0::FLOAT, 2.0] AS vector")
        base.sql(f"CREATE VIEW evil AS SELECT id, [a::FLOAT] AS vector FROM read_csv('{tmp_path}/secret.csv')")
    with pytest.raises(BadInput, match="disabled by configuration"):
        open_store(f"duckdb:{tmp_path}/a.duckdb?table=evil").read()
    assert open_store(f"duckdb:{tmp_path}/a.duckdb?table=docs").read().ids.tolist() == ["1"]


def test_arrays_of_pickled_objects_are_not_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Trap(tmp_path / "ran")], dtype=object))
    with pytest.raises(BadInput, match="pickled objects, which are not read"):
        open_store(f"{tmp_path}/a.npy").read()
    assert not (tmp_path / "ran").exists()


# --- pages -----------------------------------------------------------------------------------------------------------


def poisoned(value):
    """The same JSON with markup in every text that names nothing."""
    if isinstance(value, dict):
        return {key: each if key == "type" else poisoned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return EVIL if value in ("x", "a", "b") else value


@pytest.mark.parametrize("name", result_examples())
def test_no_text_of_a_saved_result_becomes_markup(name):
    try:
        report = Report.from_json(
            {"schema_version": 1, "title": EVIL, "made": EVIL, "results": [poisoned(result_examples()[name])]}
        )
    except BadInput:
        pytest.skip("its texts are names that it knows")
    page = report.to_html()
    assert "<script>alert" not in page
    assert "<img src" not in page
    assert "<img" not in report.to_markdown().replace("\\<img", "")


def test_the_mark_of_a_word_is_text_too():
    from workbench.core import render
    from workbench.core.blocks import Example, Examples, Segment

    page = render.to_html([Examples("c", (Example((Segment("word", EVIL),), (), ""),))])
    assert "<script>" not in page


def policy(page):
    (line,) = [line for line in page.splitlines() if "Content-Security-Policy" in line]
    content = line.partition('content="')[2].partition('">')[0]
    return dict(each.strip().partition(" ")[::2] for each in content.split(";"))


def test_a_page_may_load_run_and_send_nothing_but_its_own():
    found = policy(Report.from_json(result_examples()["ProbeScores"]).to_html())
    assert found["default-src"] == found["base-uri"] == found["form-action"] == "'none'"
    assert not any("unsafe" in found[each] for each in ("script-src", "style-src")), (
        "only style attributes may be inline"
    )
    assert not any("http" in each or "*" in each for each in found.values())
    assert "script-src 'none'" in Report("plain", ()).to_html(), "a page without charts has no script"


def test_an_exported_widget_may_not_either(tmp_path):
    from tests.widgets.samples import embedding_map

    embedding_map(20).export_html(tmp_path / "a.html", states=2)
    found = policy((tmp_path / "a.html").read_text("utf-8"))
    assert found["default-src"] == found["base-uri"] == found["form-action"] == "'none'"
    assert all("unsafe" not in found[each] for each in ("script-src", "style-src"))


# --- archives and downloads ------------------------------------------------------------------------------------------


def tar(path, *entries):
    with tarfile.open(path, "w:gz") as pack:
        for entry, data in entries:
            entry.size = len(data)
            pack.addfile(entry, io.BytesIO(data))
    return path


def test_what_an_archive_passes_over_is_bounded_too(tmp_path):
    path = tar(tmp_path / "a.tgz", (tarfile.TarInfo("huge"), bytes(20 << 20)), (tarfile.TarInfo("wanted"), b"x"))
    with pytest.raises(FetchError, match="unpacks to more than"):
        extract(path, ("wanted",), tmp_path / "out", max_bytes=1 << 20)


def test_a_name_of_megabytes_is_refused(tmp_path):
    entry = tarfile.TarInfo("a")
    entry.pax_headers = {"comment": "x" * (2 << 20)}
    with tarfile.open(tmp_path / "a.tgz", "w:gz", format=tarfile.PAX_FORMAT) as pack:
        pack.addfile(entry, io.BytesIO(b""))
    with pytest.raises(FetchError, match="bytes that are no file"):
        extract(tmp_path / "a.tgz", ("*",), tmp_path / "out")


class Index(BaseHTTPRequestHandler):
    """A package index that refuses everybody."""

    def do_GET(self):
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_args):
        pass


def test_the_password_of_an_index_stands_in_no_error(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:s3cret@127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    source = Source(registry="pypi", package="a", version="1", file="a.whl", sha256="0" * 64, bytes=1, members=())
    try:
        with pytest.raises(FetchError, match="401") as caught:
            download(source)
    finally:
        server.shutdown()
    assert "s3cret" not in str(caught.value)


# --- dependencies -------------------------------------------------------------------------------------------------

ADVISORIES = tomllib.loads((ROOT / "docs" / "security" / "advisories.toml").read_text("utf-8"))["advisory"]


@pytest.mark.parametrize("advisory", ADVISORIES, ids=lambda each: f"{each['package']} {each['id']}")
def test_no_known_advisory_concerns_what_is_installed_or_allowed(advisory):
    """One that no release mends yet must say why it is not reached."""
    try:
        installed = Version(version(advisory["package"]))
    except PackageNotFoundError:
        installed = None
    if "until" in advisory:
        assert advisory["unreached"]
        assert installed is None or installed <= Version(advisory["until"]), "a newer release is out: is it mended?"
        return
    assert installed is None or installed >= Version(advisory["below"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stated = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    for requirement in map(Requirement, stated):
        if requirement.name == advisory["package"]:
            assert not requirement.specifier.contains(_just_below(advisory["below"])), f"{requirement} allows it"


def _just_below(stated):
    """The version before, at the last place that is not 0."""
    parts = [int(part) for part in stated.split(".")]
    place = max(place for place, part in enumerate(parts) if part)
    return ".".join(map(str, [*parts[:place], parts[place] - 1, *[999] * (3 - place - 1)]))


@pytest.mark.slow
def test_the_list_of_what_the_environment_holds_can_be_written(tmp_path):
    out = tmp_path / "sbom.cdx.json"
    command = [Path(sys.executable).parent / "cyclonedx-py", "environment", "--pyproject", ROOT / "pyproject.toml"]
    subprocess.run([*command, "--output-file", out, sys.executable], check=True, capture_output=True)
    found = json.loads(out.read_text())
    assert found["bomFormat"] == "CycloneDX"
    assert found["metadata"]["component"]["name"] == "embedding-workbench"
    assert {"torch", "numpy", "safetensors"} <= {each["name"] for each in found["components"]}


# --- hostile files -----------------------------------------------------------------------------------------------

QUICK = [name for name, reader in READERS.items() if not (reader.native or reader.fresh)]


@pytest.fixture(scope="module")
def case(request, tmp_path_factory):
    found = Case(request.param, 1, tmp_path_factory.mktemp(request.param) / "room")
    kind, why = found.judge()
    assert kind in ("accepted", "quiet"), f"the valid file is refused: {why}"
    return found


@pytest.mark.parametrize("case", QUICK, indirect=True)
@settings(max_examples=8)
@given(number=st.integers(0, 2**40))
def test_a_damaged_file_is_refused_by_name_or_read(case, number):
    path = case.place(number)
    kind, why = case.judge()
    case.mend(path)
    assert kind != "failed", why


@pytest.mark.parametrize("case", QUICK, indirect=True)
@settings(max_examples=4)
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
)
def test_bytes_of_any_kind_are_refused_by_name_or_read(case, content):
    path = case.put(case.files[0][0], content)
    kind, why = case.judge()
    case.mend(path)
    assert kind != "failed", why


@pytest.mark.slow
@pytest.mark.parametrize("case", [name for name in READERS if name not in QUICK], indirect=True)
def test_engines_refuse_damaged_files_by_name(case):
    for number in range(20):
        path = case.place(number)
        kind, why = case.judge()
        case.mend(path)
        assert kind != "failed", f"{number}: {why}"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "1e999", "NaN", '{"type": []}'])
def test_json_without_end_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    for load in (Result.load, Report.load):
        with pytest.raises(BadInput):
            load(tmp_path / "a.json")


def test_a_text_column_of_numbers_is_refused(tmp_path):
    import pyarrow.parquet as pq

    table = small_set().to_arrow()
    pq.write_table(table.set_column(table.column_names.index("text"), "text", [list(range(6))]), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="row 0 of 'text' is a int"):
        EmbeddingSet.load(tmp_path / "a.parquet")
