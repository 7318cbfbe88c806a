"""Every reader of files that the workbench has: how a valid file is made, and what is called with a hostile one."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.embedding_set import EmbeddingSet, Provenance

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reader:
    """`write` fills a folder; one file of it that a pattern of `forms` picks is then damaged, and `read` is called."""

    write: Callable[[Path], None]
    read: Callable[[Path], Any]
    forms: dict[str, str]
    share: int = 100
    """Hostile files of 10,000 that this reader gets in a whole run; those that start an engine each time get few."""
    fresh: bool = False
    """Whether every file needs a folder of its own: the reader writes into it, or holds it."""
    native: bool = False
    """Whether a damaged file may end the process, in a library's own native code."""
    quiet: bool = False
    """Whether None means that something damaged was found and left alone, as caches do."""


def small_set(n: int = 6, d: int = 4) -> EmbeddingSet:
    """Vectors with texts and labels of several kinds."""
    vectors = np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)
    labels = {"year": np.arange(n), "tag": np.array([f"t{i}" for i in range(n)]), "odd": np.arange(n) % 2 == 1}
    ids = np.array([f"id{i}" for i in range(n)], object)
    texts = np.array([f"text {i} \u00e9\U0001f600" for i in range(n)], object)
    return EmbeddingSet(ids, vectors, texts, labels, Provenance("toy", "1", True, 3, {"numpy": "2"}, ("a note",)))


def _text(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content, encoding="utf-8") and None


def _json(name: str, value: Any) -> Callable[[Path], None]:
    return _text(name, json.dumps(value, indent=1))


def _store(line: str) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        from workbench.data.stores import open_store

        store = open_store(line.format(folder=folder))
        return store.facts(), store.read(batch=4)

    return read


def _parquet(folder: Path) -> None:
    small_set().save(folder / "a.parquet")


def _plain_parquet(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": ["one", "two", "three"], "group": ["a", "a", "b"], "when": pa.array([1, 2, 3], "date32")})
    pq.write_table(table, folder / "a.parquet", compression="none", row_group_size=2)


def _npz(folder: Path) -> None:
    held = small_set()
    np.savez_compressed(folder / "a.npz", vectors=held.vectors, ids=held.ids.astype(str), year=np.arange(6))


def _npy(folder: Path) -> None:
    np.save(folder / "a.npy", small_set().vectors)


def _faiss(spec: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        import faiss

        vectors = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
        index = faiss.index_factory(8, spec)
        index.train(vectors)
        index.add_with_ids(vectors, np.arange(64) + 100) if spec.startswith(("IDMap", "IVF")) else index.add(vectors)
        faiss.write_index(index, str(folder / "a.faiss"))

    return write


def _duckdb(folder: Path) -> None:
    import duckdb

    with duckdb.connect(str(folder / "a.duckdb")) as base:
        base.register("given", small_set().to_arrow())
        base.sql('CREATE TABLE docs AS SELECT id, vector, text, "label.year" FROM given')


def _lancedb(folder: Path) -> None:
    import lancedb

    lancedb.connect(folder / "lance").create_table("docs", small_set().to_arrow().select(["id", "vector", "text"]))


def _qdrant(folder: Path) -> None:
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(folder / "qdrant"))
    client.create_collection("docs", models.VectorParams(size=4, distance=models.Distance.COSINE))
    held = small_set()
    client.upsert(
        "docs",
        [models.PointStruct(id=i, vector=v.tolist(), payload={"text": f"t{i}"}) for i, v in enumerate(held.vectors)],
    )
    client.close()


def _chroma(folder: Path) -> None:
    import chromadb

    client = chromadb.PersistentClient(str(folder / "chroma"), chromadb.Settings(anonymized_telemetry=False))
    held = small_set()
    made = client.create_collection("docs", embedding_function=None)
    made.add(
        ids=list(held.ids), embeddings=held.vectors, documents=list(held.texts), metadatas=[{"n": i} for i in range(6)]
    )


def _results(folder: Path) -> None:
    from tests.hostile.examples import result_examples

    for name, value in result_examples().items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    for path in sorted((ROOT / "docs").glob("*.json")):
        value = json.loads(path.read_text())
        if isinstance(value, dict) and "type" in value and path.stat().st_size < 30_000:
            (folder / path.name).write_text(json.dumps(value))


def _report(folder: Path) -> None:
    from tests.hostile.examples import result_examples
    from workbench.core.result import Result
    from workbench.report import Report

    results = tuple(map(Result.from_json, result_examples().values()))
    (folder / "report.json").write_text(json.dumps(Report("A report", results, "today").to_json()))


def _read_results(folder: Path) -> Any:
    from workbench.core.result import Result

    return [Result.load(path) for path in _hit(folder)]


def _hit(folder: Path) -> list[Path]:
    """The file that was damaged: its name stands beside it."""
    return [folder / (folder.parent / "hit").read_text()]


def _read_report(folder: Path) -> Any:
    from workbench.report import Report

    found = Report.load(folder / "report.json")
    return found.to_html(), found.to_markdown(), found.to_json()


def _card(folder: Path) -> None:
    from workbench.core.card import Card
    from workbench.core.files import sha256_of

    (folder / "weights.bin").write_bytes(b"weights")
    digests = {"weights.bin": sha256_of(folder / "weights.bin")}
    data = ({"name": "a", "licence": "MIT", "texts": 3},)
    Card("c", "inverter", "s", "toy", "1", "MIT", {"a": 1}, data, {"steps": 3}, {"m": 0.5}, ("one",), digests).save(
        folder
    )


def _read_card(folder: Path) -> Any:
    from workbench.core import checkpoint

    return checkpoint.open_card(checkpoint.locate(folder), "inverter")


def _text_model(folder: Path) -> None:
    import torch

    from workbench.lm import BagOfWords, ConditionedDecoder, DecoderConfig, Lexicon, TextModel, Vocabulary
    from workbench.lm.word_shifts import WordShifts

    torch.manual_seed(0)
    pieces = ["[PAD]", "[UNK]", "[SEP]", "a", "b", "##c"]
    try:
        vocabulary = Vocabulary(pieces, [-1, -1, -1, 5, 6, 7], {"lowercase": True})
    except ValueError:
        from workbench.lm.vocabulary import SPECIALS

        vocabulary = Vocabulary([*SPECIALS, "a", "b", "##c"], [-1, -1, -1, 5, 6, 7], {"lowercase": True})
    v, d = len(vocabulary), 4
    decoder = ConditionedDecoder(DecoderConfig(d, v, hidden=8, layers=1, heads=2, inner=8, max_tokens=5))
    zeros = lambda *shape: np.zeros(shape, np.float32)  # noqa: E731
    bag = BagOfWords(zeros(d, v), zeros(v), zeros(v), zeros(d + 1))
    decoder.set_bag_of_words(bag)
    lexicon = Lexicon(((3, 4), (4, 3, 3)), zeros(2, d))
    config = TextModel(decoder, bag, vocabulary, WordShifts(zeros(v, d), zeros(d)), lexicon).save(folder)
    (folder / "config.json").write_text(json.dumps(config))


def _read_text_model(folder: Path) -> Any:
    from workbench.core.errors import BadInput
    from workbench.core.files import read_json
    from workbench.lm import TextModel

    config = read_json(folder / "config.json")
    if not isinstance(config, dict):  # Card.load holds its config to be a mapping
        raise BadInput("config is no object")
    return TextModel.load(folder, config, "cpu")


def _eraser(folder: Path) -> None:
    from workbench.probe.erasure import Eraser

    held = small_set(40, 4)
    Eraser.fit(held.vectors, np.arange(40) % 2).save(folder / "e.safetensors")


def _read_eraser(folder: Path) -> Any:
    from workbench.probe.erasure import Eraser

    return Eraser.load(folder / "e.safetensors")


def _autoencoder(folder: Path) -> None:
    from workbench.core.files import atomic_folder  # noqa: F401
    from workbench.probe.sparse_autoencoder import TopKAutoencoder

    ones = np.eye(3, 4, dtype=np.float32)
    TopKAutoencoder(ones, np.zeros(3, np.float32), ones, np.zeros(4, np.float32), 2, "toy", "1").save(folder / "sae")


def _read_autoencoder(folder: Path) -> Any:
    from workbench.core.card import Card
    from workbench.core.files import sha256_of
    from workbench.probe.sparse_autoencoder import TopKAutoencoder

    card = folder / "sae" / "card.json"
    if _hit(folder)[0] != card:  # whoever writes a file can write its digest
        held = json.loads(card.read_text())
        held["sha256"] = {name: sha256_of(folder / "sae" / name) for name in held["sha256"]}
        card.write_text(json.dumps(held))
    assert Card.load(folder / "sae")
    return TopKAutoencoder.load(folder / "sae")


def _sae_state(folder: Path) -> None:
    _fitter().save(folder / "state")


def _fitter() -> Any:
    from workbench.probe._sae_fitter import SaeFitter

    found = SaeFitter(small_set(8, 4).vectors, 6, 2, 100, 0)
    found.learn(small_set(8, 4).vectors, 0.01)
    return found


def _gguf(folder: Path) -> None:
    from gguf import GGUFWriter

    writer = GGUFWriter(folder / "m.gguf", "llama")
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(300)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    from transformers.models.gpt2.tokenization_gpt2 import GPT2Tokenizer  # noqa: F401

    letters = [chr(n) for n in range(33, 33 + 298)]
    writer.add_token_list([*letters, "<s>", "</s>"])
    writer.add_token_types([1] * 298 + [3, 3])
    writer.add_token_merges([f"{letters[0]} {letters[1]}"])
    writer.add_bos_token_id(298)
    writer.add_eos_token_id(299)
    small = np.random.default_rng(0).standard_normal
    shapes = {"token_embd": (300, 8), "output_norm": (8,), "output": (300, 8)}
    block = {"attn_q": (8, 8), "attn_k": (8, 8), "attn_v": (8, 8), "attn_output": (8, 8), "attn_norm": (8,)}
    block |= {"ffn_gate": (16, 8), "ffn_up": (16, 8), "ffn_down": (8, 16), "ffn_norm": (8,)}
    for name, shape in {**shapes, **{f"blk.0.{key}": each for key, each in block.items()}}.items():
        writer.add_tensor(f"{name}.weight", small(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _read_gguf(folder: Path) -> Any:
    import tempfile

    from workbench.assets.converters.gguf import gguf

    with tempfile.TemporaryDirectory() as into:
        return gguf([folder / "m.gguf"], Path(into))


def _onnx(folder: Path) -> None:
    """A BERT of a few weights, as the optimiser leaves it: query, key and value in one, linear layers transposed."""
    import onnx
    from onnx import TensorProto, helper
    from transformers import BertConfig, BertModel

    sizes = {"vocab_size": 10, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = {**sizes, "intermediate_size": 4, "max_position_embeddings": 8}
    state = BertModel(BertConfig(**config), add_pooling_layer=False).state_dict()
    arrays = {name: value.numpy() for name, value in state.items()}
    weights = [key for key in arrays if key.endswith("dense.weight")]
    turned = {key: arrays.pop(key).T for key in weights}
    self_ = "encoder.layer.0.attention.self."
    parts = [
        (arrays.pop(f"{self_}{part}.weight"), arrays.pop(f"{self_}{part}.bias")) for part in ("query", "key", "value")
    ]
    arrays["fused"] = np.concatenate([weight.T for weight, _ in parts], axis=1)
    arrays["bias"] = np.concatenate([bias for _, bias in parts])
    nodes = [
        helper.make_node(
            "MatMul",
            ["x", key],
            [f"y{key}"],
            name="/" + key.removesuffix(".weight").replace(".", "/").replace("layer/", "layer.") + "/MatMul",
        )
        for key in turned
    ]
    nodes.append(helper.make_node("Attention", ["x", "fused", "bias"], ["z"], name="Attention_0"))
    tensors = [
        helper.make_tensor(name, TensorProto.FLOAT, value.shape, np.ascontiguousarray(value).ravel())
        for name, value in {**arrays, **turned}.items()
    ]
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, (4, 4)) for name in "xz")
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [given], [made], tensors)), folder / "m.onnx")
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_text("{}")


def _read_onnx(folder: Path) -> Any:
    import tempfile

    from workbench.assets.converters.bert_onnx import bert_onnx

    with tempfile.TemporaryDirectory() as into:
        return bert_onnx(sorted(path for path in folder.iterdir()), Path(into), "cls")


def _plan(folder: Path) -> None:
    from workbench.audit.plan import AuditPlan

    import tomli_w  # isort: skip

    (folder / "plan.toml").write_text(tomli_w.dumps(AuditPlan().model_dump(mode="json", exclude_none=True)))


def _read_plan(folder: Path) -> Any:
    from workbench.audit.plan import AuditPlan

    plan = AuditPlan.read(folder / "plan.toml")
    plan.admit()
    return plan.cpu_seconds()


def _read_gate(folder: Path) -> Any:
    from workbench.audit.gate import Gate

    gate = Gate.read(folder / "gate.toml")
    return gate.broken(())


_GATE = '[[limit]]\nmost = 0.1\nthreat = "known-encoder"\nmeasure = "words"\nbound = "low"\n\n[[limit]]\nmost = 0.5\n'


def _task(folder: Path) -> None:
    from workbench.data.tasks import write_skeleton

    write_skeleton("mine", folder)


def _read_task(folder: Path) -> Any:
    from workbench.data.tasks import _digest, _items, _read_card

    place = folder / "mine"
    _read_card.cache_clear()
    card = _read_card(place, 0)
    _digest(card, place)
    return list(_items(card, place)) if card.rule == "table" else None


def _mixture(folder: Path) -> None:
    content = (ROOT / "workbench" / "jobs" / "explain_mixture.toml").read_text(encoding="utf-8")
    held = tomllib.loads(content)
    import tomli_w  # isort: skip

    (folder / "m.toml").write_text(tomli_w.dumps({**held, "attributes": held["attributes"][:3]}))


def _read_mixture(folder: Path) -> Any:
    from workbench.jobs._explain_mixture import load_mixture

    return load_mixture(folder / "m.toml")


def _corpus(name: str, column: str = "text") -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        from workbench.data import corpora

        return corpora.read(folder / name, column)

    return read


def _passages(reader: str, name: str, **options: Any) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        from workbench.data.corpora import READERS

        return list(READERS.load(reader)([folder / name], **options))

    return read


def _table(delimiter: str) -> str:
    out = io.StringIO()
    rows = [
        ("text", "label", "group"),
        ('a "quoted", text', "yes", "d1"),
        ("two\nlines", "no", "d2"),
        ("\u00e9", "no", ""),
    ]
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


_LINES = "".join(
    json.dumps({"text": f"line {i} \u00e9", "a": f"one {i}", "b": f"two {i}", "n": i}) + "\n" for i in range(5)
)
_SQUAD = {
    "version": "1.1",
    "data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [{"question": "q?", "id": "1", "answers": []}]}]}],
}
_WORDNET = '00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is; "it was full of rackets"; "balls"\n' * 3
_WIKITEXT = ' = Title = \n\n The role @-@ playing game , " the best " , cost 1 @,@ 000 ( net ) . \n <unk> here . \n'


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as pack:
        for name in ("a/x.txt", "b.bin", "c/d/e.txt"):
            pack.writestr(name, f"content of {name}" * 20)


def _tar(folder: Path) -> None:
    with tarfile.open(folder / "a.tgz", "w:gz") as pack:
        for name in ("a/x.txt", "b.bin", "c/d/e.txt"):
            entry, data = tarfile.TarInfo(name), f"content of {name}".encode() * 20
            entry.size = len(data)
            pack.addfile(entry, io.BytesIO(data))


def _extract(name: str) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        import tempfile

        from workbench.assets._archive import extract

        with tempfile.TemporaryDirectory() as room:
            into = Path(room) / "in"
            into.mkdir()
            try:
                return [path.relative_to(into.resolve()) for path in extract(folder / name, ("*",), into, 1 << 24)]
            finally:
                left = {path.name for path in Path(room).iterdir()}
                if left != {"in"} or any(path.is_symlink() for path in into.rglob("*")):
                    raise AssertionError(f"the archive got out: {left}")

    return read


_SHARD = ["one text", "another", "a third"]


def _shard(folder: Path) -> None:
    from workbench.embed import load_embedder
    from workbench.embed._vector_cache import cached_vectors

    cached_vectors(load_embedder("toy"), _SHARD, folder=folder)
    next(folder.rglob("*.npy")).rename(folder / "s.npy")


def _read_shard(folder: Path) -> Any:
    from workbench.embed import load_embedder
    from workbench.embed._vector_cache import _read

    whole = load_embedder("toy").embed(_SHARD)
    found = _read(folder / "s.npy", whole.shape)
    if found is not None and not np.array_equal(found, whole):
        raise AssertionError("a damaged shard was taken for a whole one")
    return found


def _read_cached(folder: Path) -> Any:
    from workbench.data._cached import _read

    return _read(folder / "a.parquet")


def _pull(folder: Path) -> None:
    _parquet(folder)
    state = {"line": str(folder / "a.parquet"), "parts": 1, "cursor": {"id": "id5", "row": 6, "snapshot": ""}}
    parts = folder / ".out.parquet.parts"
    parts.mkdir()
    (parts / "state.json").write_text(json.dumps(state))
    small_set().save(parts / "000000.parquet")


def _read_pull(folder: Path) -> Any:
    from workbench.data.stores._pull import pull

    return pull(str(folder / "a.parquet"), folder / "out.parquet", batch=3)


def _ledger(folder: Path) -> None:
    from tests.hostile.examples import result_examples
    from workbench.audit._ledger import Ledger
    from workbench.core.result import Result

    Ledger(folder, {"a": 1}).step("one", lambda: Result.from_json(result_examples()["Inversions"]))


def _read_ledger(folder: Path) -> Any:
    from tests.hostile.examples import result_examples
    from workbench.audit._ledger import Ledger
    from workbench.core.result import Result

    return Ledger(folder, {"a": 1}).step("one", lambda: Result.from_json(result_examples()["Inversions"]))


_BULK = {"embedder": "toy", "column": "text", "without_texts": False, "seed": 0}


def _bulk(folder: Path) -> None:
    _parquet(folder)
    _read_bulk(folder)


def _read_bulk(folder: Path) -> Any:
    from workbench.jobs.bulk import run_bulk

    return run_bulk("embed", folder / "a.parquet", folder / "out", _BULK, part_rows=3, device="cpu")


def _bulk_lance(folder: Path) -> None:
    _lancedb(folder)
    _read_bulk_lance(folder)


def _read_bulk_lance(folder: Path) -> Any:
    from workbench.jobs.bulk import run_bulk

    source = folder / "lance" / "docs.lance"
    return run_bulk("embed", source, folder / "out", _BULK, part_rows=3, device="cpu", lance=True)


def _read_credentials(folder: Path) -> Any:
    import os

    from workbench.data.stores._secrets import secret

    os.environ["WORKBENCH_CREDENTIALS"] = str(folder / "c.env")
    try:
        return secret("CHROMA_TOKEN")
    finally:
        del os.environ["WORKBENCH_CREDENTIALS"]


def _pipeline(folder: Path) -> None:
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling")]
    base = "sentence_transformers.models."
    listing = [{"idx": i, "name": str(i), "path": path, "type": base + kind} for i, (path, kind) in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(listing))
    index = {"metadata": {"total_size": 3}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _read_pipeline(folder: Path) -> Any:
    from workbench.assets import require_plain

    return require_plain(folder)


def _vocabulary(folder: Path) -> None:
    from workbench.lm.vocabulary import SPECIALS, Vocabulary

    Vocabulary([*SPECIALS, "a", "##b"], [-1] * len(SPECIALS) + [5, 6], {"lowercase": True}).save(folder / "v.json")


def _read_vocabulary(folder: Path) -> Any:
    from workbench.lm.vocabulary import Vocabulary

    return Vocabulary.load(folder / "v.json").encode(["a ab \u00e9"])


READERS: dict[str, Reader] = {
    "embedding-set": Reader(_parquet, lambda f: EmbeddingSet.load(f / "a.parquet"), {"*.parquet": "parquet"}, 900),
    "embedding-set-mapped": Reader(
        lambda f: small_set().save(f / "a.arrow"), lambda f: EmbeddingSet.load(f / "a.arrow"), {"*.arrow": "arrow"}, 300
    ),
    "bulk": Reader(
        _bulk,
        _read_bulk,
        {"out/*.json": "json", "out/*.jsonl": "jsonl", "out/*.parquet": "parquet", "a.parquet": "parquet"},
        60,
        fresh=True,
    ),
    "bulk-lance": Reader(
        _bulk_lance,
        _read_bulk_lance,
        {"lance/**/*.*": "lance", "out/rows.lance/**/*.*": "lance"},
        20,
        fresh=True,
        native=True,
    ),
    "store-parquet": Reader(_parquet, _store("{folder}/a.parquet"), {"*.parquet": "parquet"}, 400),
    "store-npz": Reader(_npz, _store("{folder}/a.npz"), {"*.npz": "npz"}, 500),
    "store-npy": Reader(_npy, _store("{folder}/a.npy"), {"*.npy": "npy"}, 500),
    "store-faiss-flat": Reader(
        _faiss("IDMap,Flat"), _store("{folder}/a.faiss"), {"*.faiss": "faiss"}, 200, native=True
    ),
    "store-faiss-ivf": Reader(_faiss("IVF4,SQ8"), _store("{folder}/a.faiss"), {"*.faiss": "faiss"}, 200, native=True),
    "store-faiss-hnsw": Reader(
        _faiss("HNSW8,Flat"), _store("{folder}/a.faiss"), {"*.faiss": "faiss"}, 100, native=True
    ),
    "store-duckdb": Reader(_duckdb, _store("duckdb:{folder}/a.duckdb"), {"*.duckdb": "duckdb"}, 100, native=True),
    "store-lancedb": Reader(
        _lancedb, _store("lancedb:{folder}/lance"), {"lance/**/*.*": "lance"}, 20, fresh=True, native=True
    ),
    "store-lance": Reader(
        _lancedb, _store("{folder}/lance/docs.lance"), {"lance/**/*.*": "lance"}, 20, fresh=True, native=True
    ),
    "store-qdrant": Reader(
        _qdrant,
        _store("qdrant:{folder}/qdrant"),
        {"qdrant/*.json": "json", "qdrant/**/*.sqlite": "sqlite"},
        50,
        fresh=True,
    ),
    "store-chroma": Reader(
        _chroma, _store("chroma:{folder}/chroma"), {"chroma/**/*.*": "sqlite"}, 10, fresh=True, native=True
    ),
    "result": Reader(_results, _read_results, {"*.json": "json"}, 1500),
    "report": Reader(_report, _read_report, {"*.json": "json"}, 150),
    "card": Reader(_card, _read_card, {"card.json": "json"}, 500),
    "text-model": Reader(_text_model, _read_text_model, {"*.safetensors": "tensors", "*.json": "json"}, 200),
    "eraser": Reader(_eraser, _read_eraser, {"*.safetensors": "tensors"}, 300),
    "autoencoder": Reader(_autoencoder, _read_autoencoder, {"sae/*.safetensors": "tensors", "sae/*.json": "json"}, 200),
    "training-state": Reader(
        _sae_state,
        lambda f: _fitter().restore(f / "state"),
        {"state/*.safetensors": "tensors", "state/*.json": "json"},
        100,
    ),
    "vocabulary": Reader(_vocabulary, _read_vocabulary, {"*.json": "json"}, 250),
    "gguf": Reader(_gguf, _read_gguf, {"*.gguf": "gguf"}, 4, fresh=True),
    "onnx": Reader(_onnx, _read_onnx, {"*.onnx": "onnx", "*.json": "json"}, 100),
    "model-folder": Reader(_pipeline, _read_pipeline, {"*.json": "json"}, 300),
    "plan": Reader(_plan, _read_plan, {"*.toml": "toml"}, 400),
    "gate": Reader(_text("gate.toml", _GATE), _read_gate, {"*.toml": "toml"}, 400),
    "task": Reader(_task, _read_task, {"mine/task.toml": "toml", "mine/texts.csv": "csv"}, 400),
    "mixture": Reader(_mixture, _read_mixture, {"*.toml": "toml"}, 150),
    "texts": Reader(_text("a.txt", "one line\n\u00e9 two\n\nthree\n"), _corpus("a.txt", ""), {"*.txt": "txt"}, 150),
    "jsonl": Reader(_text("a.jsonl", _LINES), _corpus("a.jsonl"), {"*.jsonl": "jsonl"}, 300),
    "pairs": Reader(
        _text("a.jsonl", _LINES),
        lambda f: __import__("workbench.attribute._faithfulness", fromlist=["x"]).read_pairs(f / "a.jsonl"),
        {"*.jsonl": "jsonl"},
        150,
    ),
    "csv": Reader(_text("a.csv", _table(",")), _corpus("a.csv"), {"*.csv": "csv"}, 150),
    "tsv": Reader(_text("a.tsv", _table("\t")), _corpus("a.tsv"), {"*.tsv": "tsv"}, 150),
    "labelled-csv": Reader(
        _text("a.csv", _table(",")),
        _passages("delimited", "a.csv", column="text", label="label"),
        {"*.csv": "csv"},
        100,
    ),
    "corpus-parquet": Reader(_plain_parquet, _corpus("a.parquet"), {"*.parquet": "parquet"}, 400),
    "chat": Reader(
        _json("a.json", {"c1": {"messages": [[{"text": "hi"}, {"text": "ho"}]]}}),
        _passages("chat", "a.json"),
        {"*": "json"},
        200,
    ),
    "records": Reader(
        _json("a.json", {"1": {"text": "a"}, "2": {"text": "b"}}), _passages("records", "a.json"), {"*": "json"}
    ),
    "squad": Reader(_json("a.json", _SQUAD), _passages("squad", "a.json"), {"*": "json"}, 200),
    "coded": Reader(
        _text("a.txt", "NUM:date When was it?\nDESC:def What is it?\n"), _passages("coded", "a.txt"), {"*": "txt"}
    ),
    "prose": Reader(
        _text("a.txt", "1:1 In the\nbeginning\n\n1:2 And the\n"), _passages("prose", "a.txt"), {"*": "txt"}
    ),
    "wordnet": Reader(_text("data.noun", _WORDNET), _passages("wordnet", "data.noun"), {"*": "txt"}),
    "wikitext": Reader(
        lambda f: (f / "a.gz").write_bytes(gzip.compress(_WIKITEXT.encode())) and None,
        _passages("wikitext", "a.gz"),
        {"*": "gzip"},
        200,
    ),
    "zip": Reader(_zip, _extract("a.zip"), {"*": "zip"}, 300),
    "tar": Reader(_tar, _extract("a.tgz"), {"*": "tar"}, 300),
    "vector-cache": Reader(_shard, _read_shard, {"*.npy": "npy"}, 300, quiet=True),
    "table-cache": Reader(_plain_parquet, _read_cached, {"*.parquet": "parquet"}, 200, quiet=True),
    "pull": Reader(
        _pull, _read_pull, {".out.parquet.parts/*.json": "json", ".out.parquet.parts/*.parquet": "parquet"}, 60, True
    ),
    "ledger": Reader(_ledger, _read_ledger, {"*/*.json": "json"}, 150),
    "credentials": Reader(
        _text("c.env", "export CHROMA_TOKEN='abc'\n# x\nPGPASSWORD=x\n"), _read_credentials, {"*": "env"}
    ),
}
"""By name."""
