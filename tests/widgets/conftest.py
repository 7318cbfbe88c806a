"""A browser, and a widget's page in it."""

from __future__ import annotations

import pytest

from tests.widgets import browser


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as found:
        yield found


@pytest.fixture
def visit(chromium, tmp_path):
    """Open a widget's page under a colour scheme; afterwards it must have been silent and closed."""
    seen = []

    def opened(widget, scheme="light", states=60, width=1100):
        path = tmp_path / f"{len(seen)}.html"
        widget.export_html(path, states=states)
        context = chromium.new_context(viewport={"width": width, "height": 760}, color_scheme=scheme, offline=True)
        watched = browser.Watched(context.new_page())
        watched.page.set_default_timeout(5_000)
        watched.page.goto(path.as_uri())
        watched.page.wait_for_selector(".wb-body > *")
        seen.append((watched, path))
        return watched.page

    yield opened
    for watched, path in seen:
        assert watched.errors == []
        assert watched.requests == [path.as_uri()]
        assert watched.page.title() != "broken"
        watched.page.context.close()
