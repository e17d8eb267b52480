"""Sphinx extension: the list of modules on the API pages, read off the package.

A line ``<!-- modules -->`` on a page becomes one section for each module of gancourse that belongs
there: what it offers from its parts, linked, and the documentation of what it defines. A reference may name a
thing by where it is offered (``gancourse.data.load``) or by where it is defined.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MARK = "<!-- modules -->"
# The command line, and files that full runs left behind.
LEFT_OUT = ("gancourse.cli", "gancourse.recorded")
#: Pages of their own, and what stands on them; the first page has the rest.
FIRST = "book/api"
PAGES = {
    "book/api-theory": ("gancourse.theory",),
    "book/api-tensorflow": ("gancourse.tf", "gancourse.records", "gancourse.claims"),
}


def modules() -> list[str]:
    """The names of all modules with something public, a package before its parts."""
    package = importlib.import_module("gancourse")
    found = ["gancourse"]
    found += [item.name for item in pkgutil.walk_packages(package.__path__, "gancourse.")]
    names = sorted(name for name in found if not name.startswith(LEFT_OUT))
    offered = {
        value.__module__
        for name in names
        if not is_private(name)
        for value in public(importlib.import_module(name)).values()
    }
    return [name for name in names if not is_private(name) or name in offered]


def on_page(page: str) -> list[str]:
    """The modules whose documentation stands on a page."""

    def belongs(name: str, packages: tuple[str, ...]) -> bool:
        return any(name == package or name.startswith(f"{package}.") for package in packages)

    if page in PAGES:
        return [name for name in modules() if belongs(name, PAGES[page])]
    elsewhere = tuple(package for packages in PAGES.values() for package in packages)
    return [name for name in modules() if not belongs(name, elsewhere)]


def is_private(name: str) -> bool:
    """Whether a part of a dotted name begins with an underscore."""
    return any(part.startswith("_") for part in name.split("."))


def is_documented(value: Any) -> bool:
    """Whether it is a class or a function, a cached one included."""
    return inspect.isclass(value) or (callable(value) and inspect.isfunction(inspect.unwrap(value)))


def public(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module offers: its ``__all__``, or what it defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
        ]
    values = {name: getattr(module, name) for name in names}
    return {
        name: value
        for name, value in values.items()
        if is_documented(value) and value.__module__.split(".")[0] == "gancourse"
    }


def address(value: Any) -> str:
    """Where the documentation of a function or class stands: its own module and name."""
    return f"{value.__module__}.{value.__qualname__}"


def section(name: str) -> str:
    """One module as MyST Markdown."""
    module = importlib.import_module(name)
    offered = public(module)
    elsewhere = {n: value for n, value in offered.items() if value.__module__ != name}
    own = [n for n in offered if n not in elsewhere]
    lines = [f"{'##' if name.count('.') < 2 else '###'} `{name}`", ""]
    if elsewhere:
        links = [f"{{py:obj}}`{n} <{address(value)}>`" for n, value in elsewhere.items()]
        lines += [f"Offers {', '.join(links)}.", ""]
    lines += ["```{eval-rst}", f".. automodule:: {name}"]
    if own:
        lines.append(f"   :members: {', '.join(own)}")
    return "\n".join([*lines, "```", ""])


def insert_modules(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the mark of a page by the sections."""
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, "\n".join(map(section, on_page(docname))))


def resolve_offered(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Link a name given by where it is offered to its entry, a constant to its module."""
    target = node.get("reftarget", "")
    module, _, name = target.rpartition(".")
    if node.get("refdomain") != "py" or module.split(".")[0] != "gancourse":
        return None
    try:
        value = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    place = address(value) if is_documented(value) else module
    if place == target:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", place, node, content)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", insert_modules)
    app.connect("missing-reference", resolve_offered)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
