"""TensorFlow's graphs, read and drawn: the nodes of a traced function, their edges, its traces.

Nothing here changes a graph. It is what :doc:`the chapter on the architecture
</notebooks/tensorflow-architecture>` uses to look at one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gancourse.errors import GancourseError

__all__ = ["Edge", "Node", "draw", "edges", "layers", "nodes", "trace_counts"]

INK, INPUT, FORWARD, GRADIENT = "#1d2233", "#ffffff", "#dde4ff", "#fbe0cf"
Way = tuple["Edge", list[str]]
SOURCES = ("Placeholder", "Const", "VarHandleOp")


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        name: unique in its graph.
        kind: which operation it is, such as ``"MatMul"``.
        inputs: the tensors it reads, named ``node:output``, in order.
        shapes: of the tensors it makes; None for a size that only a call decides, and None in
            place of a shape that is not known at all.
        device: where it was asked to run; empty where that is left to TensorFlow.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shapes: tuple[tuple[int | None, ...] | None, ...]
    device: str

    @property
    def gradient(self) -> bool:
        """Whether a ``GradientTape`` wrote it into the graph."""
        return "gradient_tape" in self.name


@dataclass(frozen=True)
class Edge:
    """One tensor on its way from the node that makes it to a node that reads it.

    Attributes:
        start: name of the node that makes it.
        end: name of the node that reads it.
        shape: its shape, as in :class:`Node`.
    """

    start: str
    end: str
    shape: tuple[int | None, ...] | None


def nodes(function: Any) -> tuple[Node, ...]:
    """The operations of a traced function, in an order in which they can be computed.

    Args:
        function: what ``get_concrete_function`` of a ``tf.function`` returns, or a ``tf.Graph``.

    Raises:
        GancourseError: it has no graph; a ``tf.function`` has one for each kind of arguments, so
            it must be asked for one of them first.
    """
    graph = function if hasattr(function, "get_operations") else getattr(function, "graph", None)
    if graph is None:
        raise GancourseError(
            f"A {type(function).__name__} has no graph of its own. Trace it first: "
            "tf.function(f).get_concrete_function(*examples)."
        )
    return tuple(
        Node(
            name=operation.name,
            kind=operation.type,
            inputs=tuple(tensor.name for tensor in operation.inputs),
            shapes=tuple(
                None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
                for tensor in operation.outputs
            ),
            device=operation.device,
        )
        for operation in graph.get_operations()
    )


def edges(graph: Iterable[Node]) -> tuple[Edge, ...]:
    """The tensors that flow between the given nodes, one entry for each reader.

    Args:
        graph: what :func:`nodes` returned; a tensor from a node that is not in it is left out.
    """
    graph = tuple(graph)
    known = {node.name: node for node in graph}
    found = []
    for node in graph:
        for tensor in node.inputs:
            start, _, output = tensor.rpartition(":")
            if start in known:
                found.append(Edge(start, node.name, known[start].shapes[int(output)]))
    return tuple(found)


def layers(graph: Sequence[Node]) -> dict[str, int]:
    """Node name to layer, counted from 0: one more than the last of the nodes it reads.

    Placeholders and constants, which read nothing, stand right before their first reader.
    """
    joined = edges(graph)
    placed: dict[str, int] = {}
    for node in graph:
        before = [placed[edge.start] for edge in joined if edge.end == node.name]
        placed[node.name] = 1 + max(before, default=-1)
    for node in graph:
        readers = [placed[edge.end] for edge in joined if edge.start == node.name]
        if node.kind in SOURCES and not node.inputs and readers:
            placed[node.name] = min(readers) - 1
    return placed


def trace_counts(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], **options: Any
) -> list[int]:
    """How often TensorFlow has traced a function after each of several calls.

    Args:
        function: a Python function of tensors, not yet a ``tf.function``.
        calls: the arguments of each call.
        options: for ``tf.function``, such as ``input_signature`` or ``reduce_retracing``.

    Returns:
        For each call the number of traces so far.
    """
    from gancourse.tf.backend import tf

    runs = 0

    def counted(*arguments: Any) -> Any:
        nonlocal runs
        runs += 1  # Python runs while TensorFlow traces, and not again
        return function(*arguments)

    traced, seen = tf.function(counted, **options), []
    for arguments in calls:
        traced(*arguments)
        seen.append(runs)
    return seen


def _rows(graph: Sequence[Node], placed: dict[str, int]) -> tuple[dict[str, float], list[Way]]:
    """A row for each node, and the way of each edge: node names and the bends between them.

    An edge that skips layers gets a place of its own in each of them, so that it passes no box;
    edges from the same node share it. Within a layer each place goes to the mean row of what it
    reads, and bends that are outermost everywhere are drawn as one straight line.
    """
    columns: dict[int, list[str]] = {layer: [] for layer in sorted(set(placed.values()))}
    for node in graph:
        columns[placed[node.name]].append(node.name)
    ways: list[Way] = []
    reads: dict[str, list[str]] = {}
    for edge in {(edge.start, edge.end): edge for edge in edges(graph)}.values():
        way = [edge.start]
        for layer in range(placed[edge.start] + 1, placed[edge.end]):
            bend = f"{edge.start}|{layer}"
            if bend not in columns[layer]:
                columns[layer].append(bend)
                reads[bend] = [way[-1]]
            way.append(bend)
        reads.setdefault(edge.end, []).append(way[-1])
        ways.append((edge, [*way, edge.end]))
    rows: dict[str, float] = {}
    for names in columns.values():
        wish = {}
        for first, name in enumerate(names):
            read = [rows[one] for one in reads.get(name, ()) if one in rows]
            wish[name] = sum(read) / len(read) if read else float(first)
        names.sort(key=wish.__getitem__)
        rows.update({name: place - (len(names) - 1) / 2 for place, name in enumerate(names)})
    for _, (_, *bends, _) in ways:
        for outer, end in ((min, 0), (max, -1)):
            if bends and all(columns[int(b.rpartition("|")[2])][end] == b for b in bends):
                furthest = outer(rows[bend] for bend in bends)
                rows.update(dict.fromkeys(bends, furthest))
    return rows, ways


def draw(graph: Sequence[Node], size: tuple[float, float] = (7.6, 3.0)) -> Any:
    """Draw a small graph from left to right: a box for each node, an arrow for each tensor.

    White boxes are inputs and constants, blue ones compute the value, orange ones its gradient.
    On an arrow stands the tensor's shape, with ``?`` for a size that only a call decides; an arrow
    without one carries a single number.

    Args:
        graph: what :func:`nodes` returned, some twenty nodes at most.
        size: of the figure, in inches.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: there is nothing to draw, or too much to be read.
    """
    from matplotlib import pyplot as plt
    from matplotlib.patches import FancyBboxPatch

    if not 1 <= len(graph) <= 30:
        raise GancourseError(f"A drawing takes 1 to 30 nodes, and this graph has {len(graph)}.")
    placed = layers(graph)
    rows, ways = _rows(graph, placed)
    # Room for the shapes between the boxes, where there are any.
    half = 0.27 if any(edge.shape != () for edge, _ in ways) else 0.36
    place = {name: (float(placed[name]), -row) for name, row in rows.items() if "|" not in name}
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    ax.set_axis_off()
    ax.set_xlim(-0.5, max(placed.values()) + 0.5)
    ax.set_ylim(-max(rows.values()) - 0.6, -min(rows.values()) + 0.6)
    for node in graph:
        x, y = place[node.name]
        colour = GRADIENT if node.gradient else INPUT if node.kind in SOURCES else FORWARD
        ax.add_patch(
            FancyBboxPatch((x - half, y - 0.24), 2 * half, 0.48, facecolor=colour, edgecolor=INK,
                           boxstyle="round,pad=0.02,rounding_size=0.06", linewidth=1.1)
        )  # fmt: skip
        text = node.name if node.kind == "Placeholder" else node.kind
        ax.text(x, y, text, ha="center", va="center", color=INK, fontsize=9)
    for edge, way in ways:
        points = [place.get(name) or (float(name.rpartition("|")[2]), -rows[name]) for name in way]
        xs, ys = zip(*points, strict=True)
        ax.plot(xs[:-1], ys[:-1], color=INK, linewidth=1.1, zorder=0)
        (x, y), (end, down) = points[-2], points[-1]
        start = x + (half + 0.02 if len(points) == 2 else 0.0)
        style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (end - half - 0.02, down), (start, y), arrowprops=style)
        if edge.shape != ():
            ax.text((start + end - half) / 2, (y + down) / 2, _shape(edge.shape), ha="center",
                    va="center", color="#9a4b00", fontsize=8.5,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
    return figure


def _shape(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "any"
    return " x ".join("?" if size is None else str(size) for size in shape)
