"""Widgets in a real JupyterLab and a real Notebook 7: browser to Python and back, both themes, no other network."""

from __future__ import annotations

import time

import pytest

from tests.widgets import browser, samples

pytestmark = pytest.mark.browser
_CELL = """
from tests.widgets import samples
from workbench.widgets import AuditGrid, EmbeddingMap, Progress
from ipywidgets import Label
import time

def forever(one):
    for place in range(3000):
        yield Progress(place, 3000, "thinking")
        time.sleep(0.02)

points = EmbeddingMap(samples.embedding_set(), explain=forever, invert=samples.invert)
grid, player, pair = samples.audit_grid(), samples.inversion_player(), samples.pair_attribution()
broken = AuditGrid([])
grid.observe(lambda change: setattr(player, "round", 1), "selected")
points.observe(lambda change: setattr(player, "row", 1), "point")
player.observe(lambda change: setattr(pair, "view", "grid"), "row")
chosen = Label("")
points.observe(lambda change: setattr(chosen, "value", f"chosen: {len(points.selected)}"), "selection")
for widget in (points, player, pair, grid, broken, chosen):
    display(widget)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for both front ends."""
    with browser.jupyter(_CELL, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


@pytest.mark.parametrize("place", ["lab/tree", "notebooks"])
def test_browser_to_python_and_back(server, chromium, place):
    name = place.partition("/")[0]
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    watched = browser.Watched(context.new_page())
    page = watched.page
    page.set_default_timeout(15_000)
    page.goto(server.notebook(place))
    browser.run_all(page)
    page.wait_for_selector(".wb.audit-grid .wb-problem", state="attached", timeout=60_000)
    grid, player, pair = (
        page.locator(f".wb.{kind}") for kind in ("audit-grid", "inversion-player", "pair-attribution")
    )
    points = page.locator(".wb.embedding-map")

    # what is wrong is said
    assert "expected at least one GridCell" in grid.last.locator(".wb-problem").text_content()

    # browser -> Python -> browser: a cell of one widget moves another
    player.get_by_text("round 4 of 4").first.wait_for()
    began = time.perf_counter()
    grid.first.get_by_role("button", name="weights, nearest").click()
    player.get_by_text("round 2 of 4").first.wait_for()
    crossed = time.perf_counter() - began

    # keys reach the widget, not the notebook; Python answers, streams, and is cancelled
    page.keyboard.press("Escape")
    canvas = points.locator("canvas").nth(1)
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    points.locator(".near li").first.wait_for()
    points.get_by_text("thinking").wait_for()
    browser.shoot(page, f"{name}_light")
    assert points.get_by_text("The weather report came late.").count() <= points.locator(".near li").count() + 2
    points.get_by_role("button", name="cancel: What the vector says").click()
    points.get_by_text("By search, cosine 0.87.").wait_for()

    # Python -> browser: opening a point changed the row of the player, and that the view of the pair
    player.get_by_text("record 2").wait_for(state="attached")
    pair.locator("table.grid").wait_for()
    pair.locator("button.word", has_text="closed").first.click()
    pair.get_by_role("button", name="Delete this word").click()
    truth = f"{samples.rescore('The bank my account without any notice.', samples.pair().text_b):.3f}"
    pair.get_by_text(truth).wait_for()

    # a selection crosses as bytes
    points.get_by_role("searchbox").fill("chess")
    page.get_by_text("chosen: 55").wait_for(state="attached")

    # the theme of the notebook, not of the system
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    page.wait_for_selector(".wb.embedding-map[data-theme=dark]", timeout=15_000)
    points.locator("canvas").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    browser.shoot(page, f"{name}_dark")
    for part, locator in (("grid", grid.first), ("player", player), ("pair", pair), ("problem", grid.last)):
        locator.scroll_into_view_if_needed()
        browser.shoot(locator, f"{name}_dark_{part}")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })")
    page.wait_for_selector(".wb.embedding-map[data-theme=light]", timeout=15_000)

    assert crossed < 1.5
    assert [each for each in watched.requests if not each.startswith((server.url, "data:", "blob:"))] == []
    assert [each for each in watched.errors if "blob:" in each] == []  # the front ends have faults of their own
    context.close()


def test_a_notebook_without_widgets_is_not_blank(tmp_path):
    """nbconvert takes the HTML where the notebook holds no widget state, as GitHub does."""
    import nbformat
    from nbconvert import HTMLExporter

    data, _ = samples.audit_grid()._repr_mimebundle_()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("grid", outputs=[nbformat.v4.new_output("display_data", data)])]
    )
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    assert "stolen store" in page
    assert "NOT RUN" in page
