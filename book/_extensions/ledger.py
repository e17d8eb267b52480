"""Sphinx extension: the ledger of claims, made from gancourse.claims when the book is built.

``{ledger} theory`` (or experiment, method, erratum) becomes a card for each claim, with a target
``ledger-e1`` that ``{ref}`` leads to. ``{ledger-map}`` becomes the counts, and a tile for each claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docutils import nodes
from docutils.nodes import Element, Node
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from gancourse import claims
from gancourse.claims import checks
from gancourse.claims.entries import FILE, read

PLURAL = {
    "theory": "Theory",
    "experiment": "Experiments",
    "method": "Methods",
    "erratum": "Errata",
}
HOLDS = {True: "yes", False: "no", None: "open"}


def anchor(entry: claims.Entry) -> str:
    """Where the claim stands on the page."""
    return f"ledger-{entry.id.lower()}"


def slug(verdict: str) -> str:
    """A verdict as the name of a style."""
    return "verdict-" + verdict.replace(" ", "-")


def text(words: str, *classes: str) -> nodes.inline:
    """Words with a style."""
    return nodes.inline("", words, classes=list(classes))


def paragraph(*parts: Node | str, style: str = "") -> nodes.paragraph:
    """A paragraph of nodes and words."""
    found = [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return nodes.paragraph("", "", *found, classes=[style] if style else [])


def table(header: Sequence[str], rows: Sequence[Sequence[Node]], style: str) -> nodes.table:
    """A table whose cells are ready."""

    def row(cells: Sequence[Node]) -> nodes.row:
        return nodes.row("", *[nodes.entry("", cell) for cell in cells])

    group = nodes.tgroup("", cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]
    group += nodes.thead("", row([paragraph(name) for name in header]))
    group += nodes.tbody("", *[row(cells) for cells in rows])
    return nodes.table("", group, classes=[style])


def depends(env: BuildEnvironment) -> None:
    """The page is read anew when a claim or a record changes."""
    env.note_dependency(str(FILE))
    for claim in read():
        for check in claim.get("checks", []):
            for name in checks.names(check):
                env.note_dependency(str(checks.path(name)))


class Ledger(SphinxDirective):
    """The claims of one kind."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """One card a claim."""
        kind = self.arguments[0]
        if kind not in PLURAL:
            raise self.error(f"the ledger has {', '.join(PLURAL)}, not {kind}")
        depends(self.env)
        return [self.card(entry) for entry in claims.ledger() if entry.kind == kind]

    def card(self, entry: claims.Entry) -> Element:
        """A claim, its source, its parts and its verdict."""
        name, document = anchor(entry), self.env.docname
        domain = self.env.get_domain("std")
        domain.note_hyperlink_target(name, document, name, f"claim {entry.id}")
        card = nodes.container(ids=[name], classes=["claim", slug(entry.verdict)])
        card += paragraph(
            nodes.strong("", entry.id), " ", text(entry.verdict, "verdict"), style="claim-head"
        )
        if entry.right:
            card += paragraph(nodes.emphasis("", "Printed:"), f" {entry.claim}.")
            card += paragraph(nodes.emphasis("", "Right:"), f" {entry.right}.")
        else:
            card += paragraph(sentence(entry.claim))
        if entry.claimed:
            card += paragraph(nodes.emphasis("", "Claimed:"), f" {entry.claimed}.")
        measured = [part for part in entry.parts if not part.test]
        if measured:
            rows = [cells(part) for part in measured]
            card += table(("part", "claimed", "measured", "holds"), rows, "claim-parts")
        tests = [part for part in entry.parts if part.test]
        if tests:
            items = [nodes.list_item("", shown(part, entry.right)) for part in tests]
            card += nodes.bullet_list("", *items, classes=["claim-tests"])
        for note in entry.notes:
            card += paragraph(note, style="claim-note")
        foot: list[Node | str] = ["Source: " + "; ".join(entry.source)]
        if entry.chapter:
            foot += [". Chapter: ", self.chapter(entry.chapter)]
        card += paragraph(*foot, style="claim-foot")
        return card

    def chapter(self, name: str) -> Node:
        """A link to a chapter by its title; the build fails if there is no such page."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", name),
            refdoc=self.env.docname,
            refdomain="std",
            reftype="doc",
            reftarget=f"/{name}",
            refexplicit=False,
            refwarn=True,
        )


def sentence(words: str) -> str:
    """Words that begin with a capital, unless with a formula, and end with a full stop."""
    first = words.split()[0]
    start = words[0].upper() if first.isalpha() and first.islower() else words[0]
    return f"{start}{words[1:]}."


def cells(part: claims.Part) -> list[Node]:
    """The row of a measured part."""
    beside = [nodes.emphasis("", "Not counted:"), " "] if part.aside else []
    about = nodes.container("", paragraph(*beside, part.says))
    place = "; ".join(filter(None, [part.record, part.where]))
    about += paragraph(place, style="claim-small")
    if part.note and part.measured is not None:
        about += paragraph(part.note, style="claim-small")
    measured = nodes.container("", paragraph(part.shown or "not run yet"))
    if part.seeds:
        seeds = f"{part.seeds} seed{'s' * (part.seeds != 1)}"
        measured += paragraph(seeds, style="claim-small")
    outcome = slug({True: "reproduced", False: "not reproduced", None: "not run yet"}[part.holds])
    return [
        about,
        paragraph(part.claimed),
        measured,
        paragraph(text(HOLDS[part.holds], "holds", outcome)),
    ]


def shown(part: claims.Part, right: str) -> Node:
    """A test and what it shows."""
    path = part.test.split("::")[0]
    side = "Shown by" if right else ("For it" if part.holds else "Against it")
    return paragraph(f"{side}: {part.says} (", nodes.literal("", path), ")")


class LedgerMap(SphinxDirective):
    """Counts by verdict and kind, and a tile for each claim, which leads to it."""

    def run(self) -> list[Node]:
        """The table, and the tiles."""
        depends(self.env)
        entries = claims.ledger()
        groups = [[e for e in entries if e.kind == kind] for kind in PLURAL]
        columns = [claims.counts(group) for group in [*groups, entries]]
        rows = [
            [paragraph(text(verdict, "verdict", slug(verdict)))]
            + [paragraph(str(column[verdict])) for column in columns]
            for verdict in claims.VERDICTS
        ]
        tiles = nodes.container(classes=["claim-map"])
        for kind, group in zip(PLURAL, groups, strict=True):
            line = paragraph(text(PLURAL[kind], "claim-kind"), " ")
            for entry in group:
                line += [tile(entry), nodes.Text(" ")]
            tiles += line
        header = ("", *PLURAL.values(), "all")
        return [table(header, rows, "claim-counts"), tiles]


def tile(entry: claims.Entry) -> Node:
    """A link to a claim, in the colour and with the sign of its verdict."""
    words = [nodes.Text(entry.id), text(f" {entry.verdict}", "claim-unseen")]
    return nodes.reference(
        "",
        "",
        *words,
        internal=True,
        refid=anchor(entry),
        reftitle=f"{entry.verdict}: {entry.claim}",
        classes=["claim-tile", slug(entry.verdict)],
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-map", LedgerMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
