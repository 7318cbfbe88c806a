"""Hostile files out of valid ones: bytes flipped, cut, spliced and repeated, and values that no field expects."""

from __future__ import annotations

import copy
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

_DEEP, _RAW = "\u0001deep\u0001", "\u0001raw\u0001"
_NUMBERS = (0, -1, 1, 2, 255, 2**31, 2**32 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 5e-324, 0.5)
_TEXTS = (
    *("", " ", "\0", "a\0b", "../../../etc/passwd", "/etc/passwd", "..", ".", "C:\\x", "//x/y", "%s%n{}", "$(id)"),
    *(
        "<script>alert(1)</script>",
        "\ud800",
        "\udfff\ud800",
        "\ufeff",
        "\u202e",
        "\x1b[2J",
        "e\u0301" * 50,
        "x" * 20_000,
    ),
    *("NaN", "nan", "inf", "1e999", "true", "null", "0x10", "__class__", "self", "type", "card.json", "toy", "{0.a}"),
)
_RAWS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "9" * 5000,
    "null",
    "undefined",
    '"\\ud800"',
    "1" + "0" * 400,
)
_BYTES = (
    *(b"\0", b"\xff", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\n", b"\r", b'"', b"'", b",", b"\t", b"\x1a", b"\\"),
    *(b"\0" * 64, b"\xff" * 64, b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"NaN", b"-1", b"1e999", b"../", b"=" * 300),
)
_WIDTHS = (1, 2, 4, 8)


def mutated(content: bytes, form: str, random: Random) -> bytes:
    """One hostile file of a form (a key of FORMS): in its values, in its bytes, or in both."""
    if form in FORMS and random.random() < 0.6:
        content = FORMS[form](content, random)
        if random.random() < 0.8:
            return content
    return _in_bytes(content, random)


def _in_bytes(content: bytes, random: Random) -> bytes:
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        place = random.randrange(len(data) + 1)
        if random.random() < 0.3:  # headers and footers say the most
            place = min(len(data), random.choice((random.randrange(64), max(0, len(data) - random.randrange(1, 256)))))
        end = min(len(data), place + random.choice((1, 2, 4, 8, 32, 256)))
        match random.randrange(9):
            case 0 | 1 if place < len(data):
                data[place] ^= 1 << random.randrange(8)
            case 2:
                del data[place:]
            case 3:
                del data[place:end]
            case 4:
                start = random.randrange(len(data) + 1)
                data[place:end] = data[start : start + end - place]
            case 5:
                data[place:place] = data[place:end] * random.choice((1, 2, 50))
            case 6:
                width = random.choice(_WIDTHS)
                value = random.choice((0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**62, 2**63, 2**64 - 1)) % 256**width
                data[place : place + width] = value.to_bytes(width, random.choice(("little", "big")))
            case 7:
                data[place:place] = random.choice(_BYTES)
            case _:
                data[place:end] = random.randbytes(end - place)
    return bytes(data)


def value(random: Random, former: Any = None) -> Any:
    """A JSON value that is seldom expected; `former` may come back with another type, sign or length."""
    match random.randrange(9):
        case 0:
            return random.choice(_NUMBERS)
        case 1:
            return random.choice(_TEXTS)
        case 2:
            return _RAW + random.choice(_RAWS)
        case 3:
            return random.choice((None, True, False, [], {}, [[]], [None], {"": None}, [{}]))
        case 4:
            return _DEEP + random.choice("[{")
        case 5:
            return [copy.deepcopy(former)] * random.choice((1, 2, 100))
        case 6:
            return {random.choice(_TEXTS): copy.deepcopy(former)}
        case 7:
            return str(former)
        case _:
            return -former if isinstance(former, int | float) else random.choice(_NUMBERS)


def changed(root: Any, random: Random) -> Any:
    """A JSON value with one to three of its parts replaced, removed, renamed or doubled."""
    root = {"": copy.deepcopy(root)}
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        holders = _holders(root)
        holder = random.choice(holders[1:] or holders) if random.random() < 0.95 else root
        if not holder:
            continue
        key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[random.choice(_TEXTS)] = holder.pop(key)
            case 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 3 if isinstance(holder, dict):
                holder[random.choice(_TEXTS)] = value(random, holder[key])
            case _:
                holder[key] = value(random, holder[key])
    return root.get("", value(random))


def _holders(root: Any) -> list[Any]:
    found, left = [], [root]
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            found.append(each)
            left.extend(each.values() if isinstance(each, dict) else each)
    return found


def as_json(root: Any) -> bytes:
    """Text of a value, with the raw tokens and the deep nests that `value` put in."""
    text = json.dumps(root, default=str)
    for raw in _RAWS:
        text = text.replace(json.dumps(_RAW + raw), raw)
    text = text.replace(json.dumps(_DEEP + "["), "[" * 5000 + "]" * 5000)
    return text.replace(json.dumps(_DEEP + "{"), '{"a":' * 5000 + "1" + "}" * 5000).encode("utf-8", "surrogatepass")


def _json(content: bytes, random: Random) -> bytes:
    return as_json(changed(json.loads(content), random))


def _json_lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines()
    place = random.randrange(len(lines))
    lines[place] = _json(lines[place], random)
    return b"\n".join(lines)


def _toml(content: bytes, random: Random) -> bytes:
    import tomllib

    root = changed(tomllib.loads(content.decode()), random)
    if not isinstance(root, dict):
        return as_json(root)
    return b"".join(_key(key) + b" = " + _toml_value(each) + b"\n" for key, each in root.items())


def _toml_value(root: Any) -> bytes:
    if isinstance(root, dict):
        return b"{" + b", ".join(_key(key) + b" = " + _toml_value(each) for key, each in root.items()) + b"}"
    if isinstance(root, list):
        return b"[" + b", ".join(map(_toml_value, root)) + b"]"
    return as_json(root).replace(b"NaN", b"nan").replace(b"Infinity", b"inf")


def _key(text: Any) -> bytes:
    return json.dumps(str(text)).encode("utf-8", "surrogatepass")


def _tensors(content: bytes, random: Random) -> bytes:
    size = int.from_bytes(content[:8], "little")
    header = _json(content[8 : 8 + size], random)
    stated = len(header) if random.random() < 0.9 else random.choice((0, 1, 2**40, 2**63, 2**64 - 1))
    return stated.to_bytes(8, "little") + header + content[8 + size :]


def _parquet(content: bytes, random: Random) -> bytes:
    """A whole file whose columns or metadata are not what they should be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    meta = dict(table.schema.metadata or {})
    if meta and random.random() < 0.3:
        key = random.choice(list(meta))
        meta[key] = mutated(meta[key], "json", random)
    names, columns, n = list(table.column_names), list(table.columns), len(table)
    for _ in range(random.choice((1, 1, 2))):
        place = random.randrange(len(names))
        match random.randrange(4):
            case 0:
                names[place] = random.choice((*names, "vector", "id", "text", "label.", *_TEXTS)).replace("\ud800", "?")
            case 1:
                del names[place], columns[place]
                names, columns = names or ["x"], columns or [pa.nulls(n)]
            case _:
                columns[place] = random.choice(_columns(pa, n, random))
    try:
        made = pa.Table.from_arrays(columns, names=[name.encode("utf-8", "replace").decode() for name in names])
        out = io.BytesIO()
        style = {"compression": random.choice(("none", "zstd", "gzip")), "use_dictionary": random.random() < 0.5}
        pq.write_table(
            made.replace_schema_metadata(meta or None), out, row_group_size=random.choice((1, 3, 100)), **style
        )
    except (pa.ArrowException, OSError, ValueError):
        return _in_bytes(content, random)
    return out.getvalue()


def _columns(pa: Any, n: int, random: Random) -> list[Any]:
    """Columns of n values that no reader asks for."""
    odd = float("nan"), float("inf"), 1e300, -0.0, None
    numbers = [random.choice(odd) for _ in range(n)]
    return [
        pa.nulls(n),
        pa.array(numbers),
        pa.array(["x"] * n),
        pa.array([["x"]] * n),
        pa.array([{"a": 1}] * n),
        pa.array([b"\xff\xfe"] * n),
        pa.array([[number] for number in numbers], pa.list_(pa.float64())),
        pa.array([[]] * n, pa.list_(pa.float32())),
        pa.array([[1.0] * random.randrange(4) for _ in range(n)]),
        pa.array([[1]] * n, pa.large_list(pa.uint64())),
        pa.array([[0.0, 0.0]] * n, pa.list_(pa.float32(), 2)),
        pa.array([[True]] * n),
        pa.array([[[1.0]]] * n),
        pa.array([[1e300, 1.0]] * n),
        pa.array([2**62] * n, "timestamp[us]"),
        pa.array([2**31 - 1] * n, "date32"),
        pa.array([1] * n, "duration[s]"),
        pa.array(["a"] * n).dictionary_encode(),
        pa.array([10**30] * n, pa.decimal128(38, 0)),
        pa.Array.from_buffers(pa.string(), n, [None, *pa.array([b"\xff"] * n).buffers()[1:]]),
    ]


def _npy(content: bytes, random: Random) -> bytes:
    size = int.from_bytes(content[8:10], "little")
    header = content[10 : 10 + size].decode("latin-1")
    swaps = (
        ("False", "True"),
        ("<f4", random.choice(("|O", "<f8", "<U1000000000", "|V0", "<c16", "|b1", "<M8[ns]", "|S9999999999", "f4,i4"))),
        ("(", random.choice(("(-", "(0", "(99999999999", "(1e9", "(" * 500, "(__import__('os'),", "(None,"))),
        (",", random.choice(("", ",,", ", 9223372036854775807,", ", -1, -1,", ", 0, "))),
        ("'shape'", random.choice(("'shap'", "shape", "1", "'descr'"))),
    )
    old, new = random.choice(swaps)
    header = header.replace(old, new, 1)
    stated = len(header) if random.random() < 0.9 else random.randrange(65536)
    version = content[:8] if random.random() < 0.9 else content[:6] + random.choice((b"\2\0", b"\3\0", b"\x09\0"))
    return version + (stated % 65536).to_bytes(2, "little") + header.encode("latin-1") + content[10 + size :]


def _gzip(content: bytes, random: Random) -> bytes:
    inside = gzip.decompress(content)
    if random.random() < 0.1:
        inside += random.choice((b" ", b"a", b"\0")) * random.choice((10**6, 3 * 10**7))
    return gzip.compress(_in_bytes(inside, random), 1)


def _npz(content: bytes, random: Random) -> bytes:
    return _zip(content, random, lambda data: mutated(data, "npy", random))


def _archive(content: bytes, random: Random) -> bytes:
    return _zip(content, random, lambda data: data)


def _zip(content: bytes, random: Random, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = random.choice(old.namelist())
        for item in old.infolist():
            data = old.read(item)
            name = item.filename
            if name == chosen:
                data = change(data)
                if random.random() < 0.4:
                    name = random.choice(_TEXTS).encode("utf-8", "replace").decode() or "x"
                if random.random() < 0.05:
                    data = bytes(3 * 10**7)
            entry = zipfile.ZipInfo(name)
            entry.compress_type = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
            entry.external_attr = random.choice((item.external_attr, 0o120777 << 16, 0o060777 << 16))
            new.writestr(entry, data)
    return out.getvalue()


def _tar(content: bytes, random: Random) -> bytes:
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as old,
        tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as new,
    ):
        for entry in old:
            data = old.extractfile(entry).read()
            if random.random() < 0.5:
                entry.name = random.choice(_TEXTS)[:300] or "x"
            if random.random() < 0.3:
                entry.type = random.choice(
                    (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"S", b"x", b"g", b"L", b"K", b"Z")
                )
            if random.random() < 0.3:
                entry.linkname = random.choice(_TEXTS)[:90]
            if random.random() < 0.2:
                entry.size = random.choice((0, 1, 10**9, 10**11))
            entry.mtime = random.choice((0, -1, 2**40))
            try:
                new.addfile(entry, io.BytesIO(data.ljust(min(entry.size, 10**6), b"\0")))
            except (ValueError, OSError, UnicodeError):
                continue
    return out.getvalue()


FORMS: dict[str, Callable[[bytes, Random], bytes]] = {
    "json": _json,
    "jsonl": _json_lines,
    "toml": _toml,
    "tensors": _tensors,
    "parquet": _parquet,
    "npy": _npy,
    "npz": _npz,
    "gzip": _gzip,
    "zip": _archive,
    "tar": _tar,
}
"""Forms whose values can be changed one by one; any other name means bytes alone."""
