"""The page of the ledger says what gancourse.claims says, claim by claim."""

from __future__ import annotations

import pytest

from gancourse import claims
from tests.book.site import page

pytestmark = pytest.mark.built


@pytest.fixture(scope="module")
def ledger():
    return page("book/ledger")


def words(card):
    """The text of a card, with the quotation marks of a typewriter."""
    return card.text.replace("’", "'")


def test_every_claim_has_a_card_with_its_verdict(ledger):
    for entry in claims.ledger():
        card = ledger.find(id=f"ledger-{entry.id.lower()}")
        assert card.select_one(".claim-head strong").text == entry.id
        assert card.select_one(".verdict").text == entry.verdict
        assert entry.claim[1:] in words(card) and "; ".join(entry.source) in words(card)
        assert entry.right in words(card)
        assert len(card.select("table.claim-parts tbody tr")) == sum(
            not p.test for p in entry.parts
        )
        assert len(card.select(".claim-tests li")) == sum(bool(p.test) for p in entry.parts)
        links = [a["href"] for a in card.select(".claim-foot a")]
        assert links == ([f"../{entry.chapter}.html"] if entry.chapter else [])


def test_figures_are_on_the_page(ledger):
    for entry in claims.ledger():
        card = words(ledger.find(id=f"ledger-{entry.id.lower()}"))
        for part in entry.parts:
            assert part.says in card and part.shown in card and part.claimed in card
            assert part.measured is None or part.note in card


def test_counts_and_tiles(ledger):
    entries = claims.ledger()
    rows = ledger.select("table.claim-counts tbody tr")
    totals = {row.select_one(".verdict").text: int(row.select("td")[-1].text) for row in rows}
    assert totals == claims.counts(entries)
    tiles = {tile["href"]: tile.text for tile in ledger.select("a.claim-tile")}
    assert tiles == {f"#ledger-{e.id.lower()}": f"{e.id} {e.verdict}" for e in entries}
