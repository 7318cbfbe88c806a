"""Every widget: state crosses whole, errors are words, data is never markup, a page is closed, nothing is blank."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from comm.base_comm import BaseComm
from hypothesis import given
from hypothesis import strategies as st

import workbench
from tests.widgets import samples
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.widgets import (
    AuditGrid,
    EmbeddingMap,
    GridCell,
    InversionPlayer,
    PairAttribution,
    Progress,
    Widget,
    _packing,
)
from workbench.widgets._project import project

ROOM = Path(workbench.__file__).parent / "widgets"
SCRIPTS = sorted(path for path in ROOM.glob("*.js") if not path.name.startswith("_"))


class Wire(BaseComm):
    """A comm that keeps what is sent to the browser."""

    def __init__(self, **kwargs):
        self.sent = []
        super().__init__(**kwargs)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        if msg_type == "comm_msg":
            self.sent.append((data, buffers or []))

    def heard(self, kinds=("done", "failed", "cancelled"), count=1, seconds=5.0):
        """Answers so far, once `count` questions have ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            messages = [data["content"] for data, _ in self.sent if data.get("method") == "custom"]
            messages = [message for message in messages if message["wb"] != "heard"]
            if sum(message["wb"] in kinds for message in messages) >= count:
                return messages
            time.sleep(0.005)
        raise AssertionError(f"no end after {seconds} s: {self.sent}")


def wired(widget):
    widget.comm = Wire()
    return widget.comm


def ask(widget, channel, payload, sequence="v.1"):
    widget._handle_custom_msg({"wb": "ask", "channel": channel, "sequence": sequence, "payload": payload}, [])


class Slow(Widget):
    """Handlers whose pace a test holds."""

    _script = "audit_grid.js"

    def __init__(self):
        super().__init__()
        self.go = threading.Event()
        self.answers(steps=self.steps, plain=self.plain, wrong=lambda _: 1 / 0, odd=lambda _: object(), shut=None)
        with self.filling() as content:
            content["title"] = "slow"

    def blocks(self):
        return ()

    def steps(self, payload):
        for place in range(200):
            yield f"{payload} {place}"
            self.go.wait(5)
            time.sleep(0.001)

    def plain(self, payload):
        self.go.wait(5)
        return {"payload": payload, "numbers": np.arange(3.0)}


@pytest.fixture(params=sorted(samples.ALL))
def widget(request):
    return samples.ALL[request.param]()


def test_every_script_is_a_widget_and_is_small():
    assert [path.stem for path in SCRIPTS] == sorted(samples.ALL)
    for path in SCRIPTS:
        source = path.read_text(encoding="utf-8")
        assert path.stat().st_size < 30_000
        assert path.with_suffix(".py").exists()
        assert source.rstrip().endswith("export default { render };")
    assert (ROOM / "_shared.js").stat().st_size < 15_000


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_markup_or_asks_the_network(path):
    source = path.read_text(encoding="utf-8")
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|fetch\(|XMLHttp|import\(|//cdn"
    )
    assert not re.search(forbidden, source)
    assert set(re.findall(r"https?://[^\s\"'`]+", source)) <= {"http://www.w3.org/2000/svg"}


def test_the_state_of_every_widget_crosses_whole(widget):
    """What the browser would get, as buffers and as base64, is what was packed."""
    assert widget.problem == ""
    assert widget.content["title"]
    plain, buffers = _packing.to_buffers(widget.content)
    sent = json.loads(json.dumps(plain, allow_nan=False))
    again = _packing.lift(sent, lambda content: content)

    def back(value, read):
        if isinstance(value, dict):
            if len(value) == 1 and (known := read(value)) is not None:
                return known
            return {key: back(item, read) for key, item in value.items()}
        return [back(item, read) for item in value] if isinstance(value, list) else value

    assert back(again, lambda v: buffers[v["buffer"]] if "buffer" in v else None) == widget.content
    paged = json.loads(json.dumps(_packing.to_base64(widget.content)))
    assert back(paged, lambda v: base64.b64decode(v["base64"]) if "base64" in v else None) == widget.content


def test_coordinates_cross_as_float32():
    found = samples.embedding_map()
    places = found.content["places"]
    assert places["kind"] == "float32"
    assert len(places["bytes"]) == 400 * 2 * 4
    numbers = np.frombuffer(places["bytes"], np.float32)
    assert np.abs(numbers).max() == pytest.approx(1)
    assert found.content["texts"]["bytes"].decode().split("\0") == list(found._set.texts)


def test_traits_that_the_browser_writes_are_read_in_python():
    found = samples.embedding_map()
    wired(found)
    rows = np.array([3, 1, 399], np.uint32)
    found.set_state({"point": 7, "colour": "length", "selection": memoryview(rows.tobytes())})
    assert (found.point, found.colour, found.selected.tolist()) == (7, "length", [3, 1, 399])
    grid, player, pair = samples.audit_grid(), samples.inversion_player(), samples.pair_attribution()
    grid.set_state({"selected": "weights | nearest"})
    player.set_state({"row": 1, "round": 2})
    pair.set_state({"view": "grid", "word": "b3"})
    assert (grid.selected, player.row, player.round, pair.view, pair.word) == ("weights | nearest", 1, 2, "grid", "b3")


def test_the_page_is_closed_and_shows_data_as_data(widget, tmp_path):
    widget.export_html(tmp_path / "a.html", states=6)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script>document.title" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy

    class Reader(HTMLParser):
        found, inside = [], ""

        def handle_starttag(self, tag, attrs):
            self.inside = tag if tag in ("script", "style") and "application/json" not in dict(attrs).values() else ""
            for name, value in attrs:
                assert not (name in ("src", "href", "action") and value != "data:,"), (tag, name, value)
                assert not name.startswith("on"), (tag, name)

        def handle_endtag(self, tag):
            self.inside = ""

        def handle_data(self, data):
            if self.inside:
                self.found.append((self.inside, base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()))

    reader = Reader()
    reader.found = []
    reader.feed(page)
    assert [(f"{kind}-src", f"'sha256-{digest}'") for kind, digest in reader.found] == [
        ("style-src", parts["style-src"]),
        ("script-src", parts["script-src"]),
    ]


def test_what_is_shown_without_a_script_is_not_blank_and_is_escaped(widget):
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    words = re.sub(r"<[^>]*>", " ", data["text/html"])
    assert widget.content["title"] in words or len(words.split()) > 20
    assert "<script" not in data["text/html"]
    assert "<img" not in data["text/html"]
    assert len(data["text/plain"].split()) > 20


_WRONG = """
import html, json, sys
import numpy as np
from workbench.widgets import AuditGrid, EmbeddingMap, GridCell, InversionPlayer, PairAttribution
from workbench.widgets import DefenceSlider, MixPad, ProbeDashboard, VectorChat
wrong = [AuditGrid("cells"), AuditGrid([1]), EmbeddingMap(np.zeros((3, 4))), InversionPlayer([]), PairAttribution(None)]
wrong += [DefenceSlider("rows"), DefenceSlider([1]), MixPad("a", np.ones(3)), MixPad(np.ones(3), np.ones(3), 4)]
wrong += [ProbeDashboard(None), VectorChat("ask"), VectorChat(print, blind=3), VectorChat(print, questions="What?")]
for widget in wrong:
    try:
        widget.export_html(sys.argv[1])
        refused = False
    except ValueError:
        refused = True
    data, _ = widget._repr_mimebundle_()
    shown = html.escape(widget.problem) in data["text/html"]
    print(json.dumps([type(widget).__name__, widget.problem, refused, shown]))
"""


def test_a_wrong_type_is_said_in_words(tmp_path):
    """In a process without the checks of the test suite, as a user has it."""
    command = [sys.executable, "-c", _WRONG, str(tmp_path / "a.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 13
    for name, problem, refused, shown in rows:
        assert "is of type" in problem, name
        assert "; expected " in problem
        assert refused
        assert shown
    assert not (tmp_path / "a.html").exists()


def estimate(value):
    return Estimate(value, value / 2, (1 + value) / 2, 40, "Wilson")


SHAPES = {
    "coordinates": lambda: EmbeddingMap(samples.embedding_set(5), np.zeros((5, 3))),
    "coordinates (4, 2)": lambda: EmbeddingMap(samples.embedding_set(5), np.zeros((4, 2))),
    "not a finite number": lambda: EmbeddingMap(samples.embedding_set(5), np.full((5, 2), np.nan)),
    "no label is called 'x'": lambda: EmbeddingMap(samples.embedding_set(5), colour="x"),
    "truths has 1": lambda: InversionPlayer(samples.inversions(), ["one"]),
    "spans were given without": lambda: InversionPlayer(samples.inversions(), None, [[], []]),
    "('name', 5, 500)": lambda: InversionPlayer(samples.inversions(), ["one", "two"], [[("name", 5, 500)], []]),
    "cells is empty": lambda: AuditGrid([]),
    "is there twice": lambda: AuditGrid([GridCell("a", "b", "not run")] * 2),
    "its headline is None": lambda: AuditGrid([GridCell("a", "b", "run")]),
    "is 'not run'": lambda: AuditGrid([GridCell("a", "b", "not run", estimate(0.5))]),
}


@pytest.mark.parametrize("words", SHAPES)
def test_a_bad_shape_is_said_in_words(words):
    found = SHAPES[words]()
    assert words.split(" (")[0] in found.problem
    assert found.content == {}
    assert html.escape(found.problem) in found._repr_mimebundle_()[0]["text/html"]
    with pytest.raises(BadInput, match="nothing to export"):
        found.export_html("never.html")


def test_a_grid_shows_what_nobody_ran():
    grid = AuditGrid([GridCell("a", "x", "run", estimate(0.2)), GridCell("b", "y", "not applicable")])
    states = {(cell["row"], cell["column"]): cell["state"] for cell in grid.content["cells"]}
    assert states == {("a", "x"): "run", ("a", "y"): "not run", ("b", "x"): "not run", ("b", "y"): "not applicable"}
    assert grid._static_text().count("NOT RUN") == 2


# ---- questions and answers ----


def test_a_click_is_answered_with_neighbours_that_are_the_nearest():
    found = samples.embedding_map()
    wire = wired(found)
    ask(found, "near", 5)
    part, done = wire.heard()
    assert (part["wb"], done["wb"]) == ("part", "done")
    data, buffers = next((d, b) for d, b in wire.sent if d.get("content", {}).get("wb") == "part")
    rows = np.frombuffer(buffers[data["content"]["value"]["rows"]["bytes"]["buffer"]], np.int32)
    unit = found._set.vectors / np.linalg.norm(found._set.vectors, axis=1, keepdims=True)
    expected = [row for row in np.argsort(-(unit @ unit[5]), kind="stable") if row != 5][:12]
    assert rows.tolist() == expected
    topic = str(found._set.labels["topic"][5])
    assert topic in part["value"]["keywords"]


def test_an_explanation_streams_and_an_inversion_shows_its_text():
    found = samples.embedding_map()
    wire = wired(found)
    ask(found, "explain", 3)
    messages = wire.heard()
    parts = [message["value"]["text"] for message in messages if message["wb"] == "part"]
    assert len(parts) > 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(parts))
    assert any(message["wb"] == "progress" for message in messages)
    ask(found, "invert", 3, "v.2")
    assert wire.heard(count=2)[-2]["value"] == {
        "text": "The weather report came late.",
        "keywords": [],
        "note": "By search, cosine 0.87.",
    }


@pytest.mark.parametrize("payload", [-1, 400, "3", None, 2.5, [1]])
def test_a_row_that_is_not_there_is_refused_in_words(payload):
    found = samples.embedding_map()
    wire = wired(found)
    ask(found, "near", payload)
    assert "is not of this map" in wire.heard()[-1]["value"]


def test_neighbours_that_are_handed_over_are_used():
    found = EmbeddingMap(samples.embedding_set(50), neighbours=lambda one: ["t7", "t9"])
    assert found._near(3)["rows"].tolist() == [7, 9]
    strange = EmbeddingMap(samples.embedding_set(50), neighbours=lambda one: ["nobody"])
    wire = wired(strange)
    ask(strange, "near", 3)
    assert "nobody" in wire.heard()[-1]["value"]


def test_a_newer_question_cancels_the_older_one():
    widget = Slow()
    wire = wired(widget)
    ask(widget, "steps", "first", "v.1")
    while len(wire.sent) < 2:
        time.sleep(0.001)
    ask(widget, "steps", "second", "v.2")
    ask(widget, "steps", "third", "v.3")
    widget.go.set()
    messages = wire.heard(count=3, seconds=20)
    ends = {m["sequence"]: m["wb"] for m in messages if m["wb"] in ("done", "failed", "cancelled")}
    assert ends == {"v.1": "cancelled", "v.2": "cancelled", "v.3": "done"}
    assert {m["value"].split()[0] for m in messages if m["wb"] == "part"} <= {"first", "third"}
    assert sum(m["sequence"] == "v.1" for m in messages) <= 3


def test_a_question_that_is_given_up_ends_at_once():
    widget = Slow()
    wire = wired(widget)
    ask(widget, "steps", "x")
    widget._handle_custom_msg({"wb": "cancel", "channel": "steps"}, [])
    widget.go.set()
    assert wire.heard()[-1]["wb"] == "cancelled"


def test_asking_never_waits_for_the_handler():
    widget = Slow()
    wire = wired(widget)
    began = time.perf_counter()
    ask(widget, "plain", "a")
    ask(widget, "steps", "b")
    assert time.perf_counter() - began < 0.5
    widget.go.set()
    value = next(m["value"] for m in wire.heard(count=1) if m["wb"] == "part" and m["channel"] == "plain")
    assert value["payload"] == "a"
    assert value["numbers"]["bytes"] == {"buffer": 0}
    widget.close()


def test_faults_of_handlers_are_words_and_keep_their_exception():
    widget = Slow()
    wire = wired(widget)
    for place, channel in enumerate(("wrong", "odd", "shut", "nobody")):
        ask(widget, channel, 1, f"v.{place}")
    ends = {m["channel"]: m["value"] for m in wire.heard(count=4) if m["wb"] == "failed"}
    assert ends["wrong"] == "ZeroDivisionError: division by zero"
    assert "cannot be shown" in ends["odd"]
    assert "nobody answers 'shut'" in ends["shut"]
    assert isinstance(widget.errors["wrong"], ZeroDivisionError)
    assert widget.content["open"] == ["odd", "plain", "steps", "wrong"]


@pytest.mark.parametrize("message", [None, [], "ask", {}, {"wb": 1}, {"wb": "ask"}, {"wb": "ask", "channel": []}])
def test_messages_that_are_no_questions_do_no_harm(message):
    widget = samples.audit_grid()
    wired(widget)
    widget._handle_custom_msg(message, [])


def test_a_deleted_word_is_embedded_anew():
    found = samples.pair_attribution()
    seen = []
    assert found._rescored(lambda a, b: seen.append((a, b)) or 0.5, "a2") == 0.5
    assert seen == [("The bank my account without any notice.", "Without warning, they shut down my bank account.")]
    for word in ("a99", "c0", "a", "", None, "a-1"):
        with pytest.raises(BadInput, match="no word is called"):
            found._rescored(samples.rescore, word)
    with pytest.raises(BadInput, match="expected the cosine"):
        found._rescored(lambda a, b: "high", "a0")


def test_what_a_page_was_asked_beforehand_is_in_it(tmp_path):
    found = samples.pair_attribution()
    found.export_html(tmp_path / "a.html", states=3)
    page = (tmp_path / "a.html").read_text()
    state = json.loads(re.search(r'id="state">(.*?)</script>', page, re.S).group(1))
    assert set(state["replies"]) == {'["delete","a0"]', '["delete","a1"]', '["delete","a2"]'}
    assert state["replies"]['["delete","a0"]']["kind"] == "part"


def test_a_page_says_in_words_what_a_handler_could_not(tmp_path):
    widget = Slow()
    widget.requests = lambda: [("shut", 0), ("wrong", 1), ("odd", 2), ("wrong", 3)]
    widget.export_html(tmp_path / "a.html", states=2)
    state = json.loads(re.search(r'id="state">(.*?)</script>', (tmp_path / "a.html").read_text(), re.S).group(1))
    assert {key: reply["kind"] for key, reply in state["replies"].items()} == {
        '["wrong",1]': "failed",
        '["odd",2]': "failed",
    }


# ---- limbs ----

_TEXT = st.text(st.characters(blacklist_categories=[]), max_size=30)


@given(st.lists(_TEXT, max_size=8))
def test_texts_come_back(given_texts):
    packed = _packing.pack_texts(given_texts)
    again = packed["bytes"].decode().split("\0") if packed["shape"][0] else []
    assert again == [text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for text in given_texts]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | _TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=12,
    )
)
def test_whatever_is_packed_is_json(value):
    plain, buffers = _packing.to_buffers(_packing.pack(value))
    json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()
    assert buffers == []


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((2, 3)), "float32"),
        (np.zeros(2, np.int64), "int32"),
        (np.zeros(2, bool), "uint8"),
        (np.zeros(0, np.uint32), "uint32"),
    ],
)
def test_arrays_are_buffers(array, kind):
    packed = _packing.pack(array)
    assert (packed["kind"], packed["shape"]) == (kind, list(array.shape))
    assert len(packed["bytes"]) == array.size * np.dtype(kind).itemsize


def test_what_cannot_be_shown_is_named():
    for value in (object(), {1, 2}, np.zeros(2, complex)):
        with pytest.raises(BadInput, match="cannot be shown"):
            _packing.pack(value)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2), (300, 8), (4, 1)])
def test_the_plane_holds_what_variance_there_is(shape):
    vectors = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    plane = project(vectors)
    assert plane.shape == (shape[0], 2)
    variances = np.linalg.svd(vectors - vectors.mean(0), compute_uv=False)[:2] ** 2
    assert np.allclose((plane**2).sum(0)[: len(variances)], variances, rtol=1e-3, atol=1e-4)
    assert np.allclose(plane, project(vectors.copy()))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_map_of_few_points_or_equal_ones(n):
    vectors = np.ones((n, 3), np.float32)
    found = EmbeddingMap(EmbeddingSet(np.arange(n).astype(object), vectors))
    assert found.problem == ""
    near = found._near(0)
    assert len(near["rows"]) == n - 1
    assert near["keywords"] == []
    assert "<circle" in found._static_html()


def test_progress_is_a_plain_report():
    assert _packing.pack(Progress(1, 2, "x")) == {"done": 1, "total": 2, "note": "x"}


def test_the_public_names_are_there():
    from workbench import widgets

    for name in widgets.__all__:
        assert getattr(widgets, name).__doc__
    assert PairAttribution is widgets.PairAttribution
