"""Diagrams that explain: boxes and arrows, drawn so that every notebook can show them."""

from __future__ import annotations

from typing import Any

__all__ = ["dcgan", "gan", "tensorflow"]

INK, REAL, FAKE, PLAYER = "#1d2233", "#d7ebdc", "#fbe0cf", "#dde4ff"


def _box(
    ax: Any, x: float, y: float, text: str, colour: str, width: float = 1.9, height: float = 0.84
) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0.04,rounding_size=0.12",
        facecolor=colour, edgecolor=INK, linewidth=1.2,
    )  # fmt: skip
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", color=INK, fontsize=10, linespacing=1.3)


def _arrow(
    ax: Any,
    start: tuple[float, float],
    end: tuple[float, float],
    dashed: bool = False,
    bend: float = 0,
) -> None:
    style = {"arrowstyle": "-|>", "color": "#9a4b00" if dashed else INK, "linewidth": 1.3,
             "linestyle": (0, (4, 3)) if dashed else "solid", "shrinkA": 0, "shrinkB": 0,
             "connectionstyle": f"arc3,rad={bend}"}  # fmt: skip
    ax.annotate("", end, start, arrowprops=style)


def gan() -> Any:
    """The data flow of a GAN: what each player sees, and where the gradients go.

    Returns:
        The matplotlib figure. Solid arrows carry images and probabilities forward, dashed ones
        gradients back.
    """
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 3.5), layout="constrained")
    ax.set_xlim(-0.2, 10.6)
    ax.set_ylim(-1.2, 3.8)
    ax.set_axis_off()
    _box(ax, 0.9, 0.9, "noise\n$z$", "white", 1.3)
    _box(ax, 3.1, 0.9, "generator\n$G$", PLAYER)
    _box(ax, 5.5, 0.9, "fake image\n$G(z)$", FAKE)
    _box(ax, 5.5, 2.9, "real image\n$x$", REAL)
    _box(ax, 7.9, 1.9, "discriminator\n$D$", PLAYER, 2.0)
    _box(ax, 9.9, 1.9, "real?\n$D(\\cdot)$", "white", 1.1)
    _box(ax, 3.1, 2.9, "data set", "white")
    for start, end in (
        ((1.6, 0.9), (2.08, 0.9)),
        ((4.1, 0.9), (4.48, 0.9)),
        ((4.1, 2.9), (4.48, 2.9)),
        ((6.5, 2.8), (7.1, 2.36)),
        ((6.5, 1.0), (7.1, 1.44)),
        ((8.95, 1.9), (9.28, 1.9)),
    ):
        _arrow(ax, start, end)
    _arrow(ax, (9.9, 2.4), (8.2, 2.4), dashed=True, bend=0.75)
    ax.text(9.1, 3.3, "$D$ learns from both", ha="center", color="#9a4b00", fontsize=9.5)
    _arrow(ax, (9.9, 1.4), (3.1, 0.4), dashed=True, bend=-0.42)
    ax.text(6.6, -1.1, "$G$ learns through $D$", ha="center", color="#9a4b00", fontsize=9.5)
    return figure


def _maps(ax: Any, x: float, y: float, side: float, count: int, label: str, colour: str) -> None:
    """A stack of feature maps, its label below."""
    from matplotlib.patches import Rectangle

    layers = min(count, 4)
    for layer in reversed(range(layers)):
        shift = 0.09 * layer
        ax.add_patch(
            Rectangle((x - side / 2 + shift, y - side / 2 + shift), side, side,
                      facecolor=colour, edgecolor=INK, linewidth=1)
        )  # fmt: skip
    ax.text(x, y - side / 2 - 0.22, label, ha="center", va="top", color=INK, fontsize=9)


def dcgan(width: int = 32) -> Any:
    """The feature maps of DCGAN at 28 pixels, generator above and discriminator below.

    Args:
        width: feature maps at half the output resolution.

    Returns:
        The matplotlib figure.
    """
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 4.6), layout="constrained")
    ax.set_xlim(-0.4, 11.2)
    ax.set_ylim(-3.9, 3.1)
    ax.set_aspect("equal")
    ax.set_axis_off()
    stages = (
        (3.2, 0.55, 2 * width, f"{2 * width} maps\n7 x 7"),
        (6.0, 1.1, width, f"{width} maps\n14 x 14"),
        (9.4, 2.0, 1, "image\n28 x 28"),
    )
    for y, name, noise, end in (
        (1.4, "$G$", FAKE, "noise\n100"),
        (-2.0, "$D$", PLAYER, "logit\n1"),
    ):
        ax.text(-0.3, y + 1.3, name, color=INK, fontsize=13)
        _maps(ax, 0.6, y, 0.3, 1, end, "white")
        for x, side, count, label in stages:
            _maps(ax, x, y, side, count, label, REAL if count == 1 and y < 0 else noise)
        for (start, stop), above in zip(
            ((0.95, 2.75), (4.0, 5.3), (7.0, 8.25)),
            ("linear", "stride 2", "stride 2"),
            strict=True,
        ):
            ends = ((start, y), (stop, y)) if y > 0 else ((stop, y), (start, y))
            _arrow(ax, *ends)
            ax.text((start + stop) / 2, y + 0.15, above, ha="center", color=INK, fontsize=8.5)
    return figure


def tensorflow() -> Any:
    """The layers of TensorFlow, from the libraries one calls down to the devices that compute.

    After the figure of the layers in Abadi et al. (2016), drawn anew and with today's names.

    Returns:
        The matplotlib figure. Blue is what one writes against, green what runs a graph, white
        the machine.
    """
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    ax.set_xlim(-0.1, 10.1)
    ax.set_axis_off()
    rows: tuple[tuple[str, tuple[tuple[float, str, float], ...]], ...] = (
        (PLAYER, ((2.5, "training\nKeras, tf.data, tf.distribute", 4.7),
                  (7.5, "inference\nSavedModel, Serving, LiteRT", 4.7))),
        (PLAYER, ((2.5, "Python", 4.7), (6.25, "C++", 2.2), (8.75, "Java, Go, ...", 2.2))),
        ("#eef0f6", ((5.0, "C API", 9.7),)),
        (REAL, ((2.5, "distributed runtime\nsplits a graph over devices", 4.7),
                (7.5, "executor\nruns a node when its inputs are there", 4.7))),
        (REAL, ((5.0, "kernels, one for each operation and kind of device\n"
                      "MatMul, Conv2D, Relu, Assign, Send, Recv, ...", 9.7),)),
        ("white", ((1.25, "CPU", 2.2), (3.75, "GPU", 2.2), (6.25, "TPU", 2.2),
                   (8.75, "network", 2.2))),
    )  # fmt: skip
    top = 0.0
    for colour, boxes in rows:
        height = 0.84 if any("\n" in text for _, text, _ in boxes) else 0.56
        for x, text, width in boxes:
            _box(ax, x, top - height / 2, text, colour, width, height)
        top -= height + 0.32
    ax.set_ylim(top + 0.2, 0.12)
    return figure
