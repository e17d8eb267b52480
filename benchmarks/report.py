"""The results as text."""

from __future__ import annotations

from typing import Any

from gancourse.text import columns

Entry = Any


def report(part: str, entry: Entry) -> str:
    """What ``python -m benchmarks`` prints of a part."""
    kind = part.partition("-")[0]
    made = {"net": _net, "measures": _measures, "profile": _profile}.get(kind, _sweep)(entry)
    return f"\n{part}\n{made}\n"


def _about(row: Entry) -> str:
    return (
        f"DCGAN, {row['pixels']} x {row['pixels']} x {row['channels']}, width {row['width']}, "
        f"batch {row['batch']}, {row['gflop_a_step']} GFLOP a step; {row['data']}; "
        f"{row['rounds']} rounds of {row['steps']} steps"
    )


def _between(quartiles: list[float]) -> str:
    low, middle, high = quartiles
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _net(row: Entry) -> str:
    header = ("loop", "images/s", "peak MiB", "first step s", "of the matrix product")
    body = [
        (name, f"{loop['images_per_second']:,.0f}", f"{loop['peak_mib']:,}",
         f"{loop['first_step_seconds']:.1f}", f"{loop['share_of_matrix_product']:.0%}")
        for name, loop in row["loops"].items()
    ]  # fmt: skip
    lines = [_about(row), columns([header, *body])]
    lines.append(f"matrix product: {row['matrix_product_gflops'][1]} GFLOP/s")
    for name, quartiles in row["to_best_peer"].items():
        lines.append(f"{name} / best peer ({row['best_peer']}): {_between(quartiles)}")
    low, middle, high = row["overhead_over_bare_step"]
    lines.append(f"overhead over the bare step: {middle:.1%} ({low:.1%} to {high:.1%})")
    return "\n".join(lines)


def _measures(row: Entry) -> str:
    body = [
        (
            name,
            _between(loop["ratio"]),
            f"{loop['peak_mib']:,}",
            f"{loop['first_step_seconds']:.1f}",
        )
        for name, loop in row["speed_to_bare_step"].items()
    ]
    header = ("loop", "speed / bare step", "peak MiB", "first step s")
    return f"{_about(row)}\n{columns([header, *body])}"


def _sweep(rows: Entry) -> str:
    header = ("loop", "pixels", "batch", "images/s", "ms a step", "peak MiB")
    body = [
        (row["loop"], f"{row['pixels']}", f"{row['batch']}", f"{row['images_per_second']:,.0f}",
         f"{row['milliseconds_a_step'][1]:,.1f}", f"{row['peak_mib']:,}")
        for row in rows
    ]  # fmt: skip
    return columns([header, *body])


def _profile(rows: Entry) -> str:
    kinds = list(rows[0]["shares"])
    header = ("kind of operator", *(f"{row['pixels']} pixels" for row in rows))
    body = [(kind, *(f"{row['shares'][kind]:.1%}" for row in rows)) for kind in kinds]
    counts = ("operators a step", *(f"{row['operators_a_step']}" for row in rows))
    return columns([header, *body, counts])
