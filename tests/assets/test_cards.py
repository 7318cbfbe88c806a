"""Every card pins what it must pin."""

from __future__ import annotations

import pytest

from workbench import assets
from workbench.data.corpora import READERS


@pytest.mark.parametrize("name", assets.cards())
def test_card(name):
    card = assets.card(name)
    assert card.name == name
    assert card.licence.id
    assert card.licence.basis
    assert card.summary
    assert not card.summary.endswith(".")
    for source in card.sources:
        assert source.members
        assert source.bytes > 0
    if card.convert:
        assets.CONVERTERS.require(card.convert.how)
    if card.reader:
        READERS.require(card.reader)
    for member in card.mix:
        assert assets.card(member).kind == "corpus"
