"""Sphinx extension: HTML that screen readers understand where the writer's own falls short."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def list_citations(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Make the entries of a list of citations items of that list.

    docutils gives the list the role ``list``, which wants items, and its entries the role
    ``doc-biblioentry``, which since DPUB-ARIA 1.1 is none.
    """
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", list_citations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
