"""How fast EmbeddingMap answers in a real browser: first paint, frames while it is dragged, hover, search, click.

    PYTHONPATH=. python benchmarks/widgets.py --points 10000 100000

Points are drawn from nine heaps in 384 dimensions, with texts. Chromium runs without a GPU. `first paint` is an
exported page from the moment its bytes are there (parsing included); all else is JupyterLab with a live kernel.
Times run from the input event's own time stamp to the frame that shows the answer. `click, Python` ends when the
neighbours, which the kernel finds among all vectors, are painted. Prints one JSON row for each.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.widgets import browser, samples
from workbench.widgets import EmbeddingMap

_CELL = """
from tests.widgets import samples
from workbench.widgets import EmbeddingMap
display(EmbeddingMap(samples.embedding_set({n}, 384)))
"""
_HEAR = """() => {
  const found = (window.times ??= {});
  const painted = (from, kind) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => (found[kind] ??= []).push(performance.now() - from);
    after.port2.postMessage(0);
  });
  const canvas = document.querySelector('.embedding-map canvas + canvas');
  const panel = document.querySelector('.embedding-map .panel');
  const search = document.querySelector('.embedding-map input[type=search]');
  const count = document.querySelector('.embedding-map .wb-bar small[role=status]');
  let clicked = 0, typed = 0, frame = 0;
  canvas.addEventListener('pointermove', (event) => painted(event.timeStamp, event.buttons ? 'drag' : 'hover'));
  canvas.addEventListener('wheel', (event) => painted(event.timeStamp, 'zoom'));
  canvas.addEventListener('pointerup', (event) => { clicked = event.timeStamp; painted(clicked, 'click, text'); });
  search.addEventListener('input', (event) => { typed = event.timeStamp; });
  new MutationObserver(() => { if (typed) painted(typed, 'search'); typed = 0; }).observe(count, { childList: true });
  new MutationObserver(() => {
    if (clicked && panel.querySelector('.near li')) { painted(clicked, 'click, Python'); clicked = 0; }
  }).observe(panel, { childList: true, subtree: true });
  const tick = (now) => {
    if (window.dragging && frame) (found['frame while dragged'] ??= []).push(now - frame);
    frame = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def first_paint(chromium: Any, n: int, repeats: int) -> list[float]:
    """Milliseconds from the page's last byte to its first paint with content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        EmbeddingMap(samples.embedding_set(n, 16)).export_html(path, states=0)
        return [_one_paint(chromium, path) for _ in range(repeats)]


def _one_paint(chromium: Any, path: Path) -> float:
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(".embedding-map canvas")
    page.wait_for_timeout(500)
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    spent = page.evaluate(f"() => {paint} - performance.getEntriesByType('navigation')[0].responseEnd")
    page.close()
    return spent


def drive(page: Any, repeats: int) -> dict[str, list[float]]:
    """Hover, drag, zoom, click and search by real input events."""
    page.evaluate(_HEAR)
    canvas = page.locator(".embedding-map canvas").nth(1)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    random = np.random.default_rng(0)
    for dx, dy in random.uniform(-120, 120, (4 * repeats, 2)).tolist():
        page.mouse.move(x + dx, y + dy)
        page.wait_for_timeout(20)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("() => { window.dragging = true }")
    for step in range(6 * repeats):
        page.mouse.move(x + 60 * np.sin(step / 8), y + 40 * np.sin(step / 11))
    page.evaluate("() => { window.dragging = false }")
    page.mouse.up()
    for step in range(2 * repeats):
        page.mouse.wheel(0, -60 if step % 2 else 60)
        page.wait_for_timeout(60)
    clicks = 0
    for dx, dy in random.uniform(-120, 120, (4 * repeats, 2)).tolist():
        page.mouse.move(x + dx, y + dy)
        page.wait_for_timeout(40)
        if clicks < repeats and page.locator(".embedding-map .tip:visible").count():
            page.mouse.down()
            page.mouse.up()
            page.wait_for_timeout(400)
            clicks += 1
    for word in ("chess", "music", "law", "day 7", "weather") * (repeats // 5):
        page.locator(".embedding-map input[type=search]").fill(word)
        page.wait_for_timeout(600)
    return page.evaluate("() => window.times")


def main() -> None:
    """Measure every number of points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    with browser.chromium() as chromium:
        for n in options.points:
            times = {"first paint": first_paint(chromium, n, max(3, options.repeats // 4))}
            with (
                tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
                browser.jupyter(_CELL.format(n=n), Path(home)) as server,
            ):
                page = chromium.new_page(viewport={"width": 1280, "height": 900})
                page.set_default_timeout(90_000)
                page.goto(server.notebook("lab/tree"))
                browser.run_all(page)
                page.wait_for_selector(".embedding-map canvas")
                page.wait_for_timeout(2_000)
                times |= drive(page, options.repeats)
                page.close()
            for what, values in times.items():
                median, high = np.percentile(values, [50, 95])
                row = {"what": what, "points": n, "n": len(values), "median_ms": median, "p95_ms": high}
                print(json.dumps({key: round(v, 1) if isinstance(v, float) else v for key, v in row.items()}))


if __name__ == "__main__":
    main()
