"""The mathematics of the figure of divergences, against the package."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_ndtr

from gancourse.theory import (
    Density,
    Gaussian,
    Laplace,
    Mixture,
    Uniform,
    js,
    kl,
    optimal_discriminator,
    optimal_logit,
    optimal_value,
    pearson_chi2,
    squared_hellinger,
    total_variation,
    value,
    wasserstein_1,
    wasserstein_2,
)
from gancourse.theory.fdivergences import F_DIVERGENCES
from tests import needs

pytestmark = needs.node()

# Relative, of a number of the table; and what counts as nothing.
RELATIVE, ABSOLUTE = 1e-8, 1e-10
W2_RELATIVE = 1e-6
# The integrands in the order in which the figure gives them; its seventh is of the gap.
NAMES = ("kl", "reverse-kl", "js", "total-variation", "squared-hellinger", "pearson")
D = {"share": 0.0, "slope": -1.0, "threshold": 1.0}


def figure(call: str, **arguments):
    """What the figure's scripts answer."""
    node = shutil.which("node") or shutil.which("nodejs")
    script = Path(__file__).with_name("divergences.mjs")
    done = subprocess.run(
        [node, str(script), call], input=json.dumps(arguments), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def side(kind: str, mean=0.0, width=1.0, second=2.0, weight=0.5) -> dict:
    return {"kind": kind, "mean": mean, "second": second, "width": width, "weight": weight}


def density(kind: str, mean: float, second: float, width: float, weight: float) -> Density:
    """The package's density for the same settings."""
    if kind == "mixture":
        both = [Gaussian(mean, width), Gaussian(second, width)]
        return Mixture(both, [1 - weight, weight])
    if kind == "laplace":
        return Laplace(mean, width)
    if kind == "uniform":
        return Uniform(mean - width, mean + width)
    return Gaussian(mean, 0.01 if kind == "point" else width)


def readers_logit(p: Density, q: Density, share: float, slope: float, threshold: float):
    """The reader's discriminator, as a function of points."""
    best = optimal_logit(p, q)
    return lambda x: (share * best(x) if share else 0.0) + slope * (x - threshold)


def expected(p: dict, q: dict, discriminator: dict) -> dict[str, float]:
    """The numbers of the table, from the package."""
    a, b = density(**p), density(**q)
    return {
        "kl": kl(a, b),
        "reverse": kl(b, a),
        "js": js(a, b),
        "tv": total_variation(a, b),
        "hellinger": squared_hellinger(a, b),
        "pearson": pearson_chi2(a, b),
        "w1": wasserstein_1(a, b),
        "w2": wasserstein_2(a, b),
        "best": optimal_value(a, b),
        "value": value(a, b, readers_logit(a, b, **discriminator)),
    }


def distance(ours, theirs: float, relative: float) -> float:
    """How far two numbers are apart, as a multiple of what is allowed."""
    ours = float(ours)
    assert not math.isnan(ours)
    if math.isinf(ours) or math.isinf(theirs):
        return 0.0 if ours == theirs else math.inf
    return abs(ours - theirs) / (ABSOLUTE + relative * abs(theirs))


def compared(cases: list[dict]) -> dict[str, float]:
    """For each number, the largest distance over the cases."""
    worst: dict[str, float] = {}
    for case, ours in zip(cases, figure("compare", cases=cases), strict=True):
        for name, theirs in expected(**case).items():
            allowed = W2_RELATIVE if name == "w2" else RELATIVE
            far = distance(ours[name], theirs, allowed)
            assert far <= 1, (name, ours[name], theirs, case)
            worst[name] = max(worst.get(name, 0.0), far * allowed)
    return worst


@cache
def settings() -> dict:
    return figure("settings")


def random_side(rng: np.random.Generator) -> dict:
    """A side at random places of its sliders, their ends among them."""
    spec = settings()["spec"]

    def draw(name: str) -> float:
        entry = spec[name]
        steps = round((entry["max"] - entry["min"]) / entry["step"])
        at = rng.choice([0, steps, int(rng.integers(steps + 1))], p=[0.1, 0.1, 0.8])
        return round(entry["min"] + entry["step"] * int(at), 10)

    kind = str(rng.choice(list(spec["p"]["values"])))
    return side(kind, draw("pMean"), draw("pWidth"), draw("pSecond"), draw("pWeight"))


def test_normal_tails():
    z = np.concatenate([np.linspace(-37, 37, 297), [0.0, 3.0, np.nextafter(3, 4)]])
    ours = np.array(figure("tails", z=z.tolist()))
    assert np.allclose(np.log(ours), log_ndtr(-z), rtol=1e-12, atol=1e-13)


def test_every_pair_of_shapes():
    kinds = list(settings()["spec"]["p"]["values"])
    cases = [
        {"p": side(a, -0.5, 0.8, 1.5, 0.3), "q": side(b, 0.7, 1.1, -1.0, 0.6), "discriminator": D}
        for a, b in product(kinds, kinds)
    ]
    compared(cases)


def test_settings_at_random():
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(12):
        reader = {
            "share": float(rng.choice([0, 0.5, 1, 2])),
            "slope": round(float(rng.uniform(-10, 10)), 1),
            "threshold": round(float(rng.uniform(-4, 4)), 2),
        }
        cases.append({"p": random_side(rng), "q": random_side(rng), "discriminator": reader})
    compared(cases)


def test_disjoint_supports_and_equal_densities():
    apart = {"p": side("uniform", -2, 0.5), "q": side("uniform", 2, 0.5), "discriminator": D}
    places = (2.0, 3.5, -0.95)
    cases = [apart | {"q": side("uniform", place, 0.5)} for place in places]
    for place, found in zip(places, figure("compare", cases=cases), strict=True):
        assert [found[name] for name in ("kl", "reverse", "pearson")] == ["Infinity"] * 3
        assert [found["js"], found["tv"], found["hellinger"]] == [math.log(2), 1, 2]
        assert math.isclose(found["w1"], place + 2) and math.isclose(found["w2"], place + 2)
        assert found["best"] == 0
    same = [side(kind, 0.3, 0.7) for kind in settings()["spec"]["p"]["values"]]
    best = {"share": 1.0, "slope": 0.0, "threshold": 0.0}
    cases = [{"p": one, "q": one, "discriminator": best} for one in same]
    for found in figure("compare", cases=cases):
        distances = [value for name, value in found.items() if name not in ("best", "value")]
        # Both halves of a W2 by quadrature round, and its root is that of a rounding.
        assert np.allclose(distances, 0, atol=1e-12)
        assert math.isclose(found["value"], -math.log(4), rel_tol=1e-12)


def test_the_ends_of_every_slider():
    spec = settings()["spec"]
    ends = {name: (spec[name]["min"], spec[name]["max"]) for name in spec if "min" in spec[name]}
    kinds = list(spec["p"]["values"])
    cases = []
    for i, (width, mean) in enumerate(product(ends["pWidth"], ends["pMean"])):
        for j, kind in enumerate(kinds):
            p = side(kind, mean, width, ends["pSecond"][i % 2], ends["pWeight"][j % 2])
            q = side(kinds[(i + j) % 5], ends["qMean"][j % 2], ends["qWidth"][i // 2])
            names = ("share", "slope", "threshold")
            reader = {name: ends[name][(i + j) % 2] for name in names}
            cases.append({"p": p, "q": q, "discriminator": reader})
    for found in figure("compare", cases=cases):
        assert all(not math.isnan(float(value)) for value in found.values())
        assert float(found["value"]) <= float(found["best"]) and found["js"] <= math.log(2)
    compared(cases[::4])


def test_curves():
    rng = np.random.default_rng(1)
    x = [-5.7, -2.0, -0.3, 0.0, 0.71, 1.9, 4.4]
    cases = [(random_side(rng), random_side(rng)) for _ in range(20)]
    for (p, q), found in zip(
        cases, figure("curves", cases=cases, discriminator=D, x=x), strict=True
    ):
        both = density(**p), density(**q)
        best = optimal_discriminator(*both)(np.array(x))
        for at, theirs, ours in zip(x, best, found, strict=True):
            logs = np.array([one.log_prob(at) for one in both])
            assert np.allclose([float(log) for log in ours["logs"]], logs, rtol=1e-12)
            tails = [one.cdf(at) for one in both] + [one.sf(at) for one in both]
            assert np.allclose(ours["cdfs"], tails, rtol=1e-10, atol=1e-15)
            assert math.isclose(ours["best"], theirs, rel_tol=1e-9, abs_tol=1e-300)
            for name, term in zip(NAMES, ours["terms"], strict=False):
                integrand = F_DIVERGENCES[name].integrand(*logs[:, None])
                assert distance(term, float(integrand[0]), 1e-9) <= 1, (name, at, p, q)
            # What the quantile of a share leads back to has that share below it.
            for one, back, share in zip(both, ours["back"], tails, strict=False):
                if 1e-12 < share < 1 - 1e-12:
                    assert math.isclose(one.cdf(back), share, rel_tol=1e-9)


def preset(name: str, **other) -> dict[str, float]:
    """The numbers behind a button, with some settings changed."""
    spec = {key: entry["initial"] for key, entry in settings()["spec"].items()}
    some = spec | settings()["presets"][name][1] | other
    sides = [
        side(some[s], *(some[s + k] for k in ("Mean", "Width", "Second", "Weight"))) for s in "pq"
    ]
    reader = {name: some[name] for name in ("share", "slope", "threshold")}
    return expected(*sides, reader)


def test_what_the_experiments_say():
    assert preset("shifted")["value"] < preset("shifted")["best"] - 0.1
    best = preset("shifted", slope=-2.0, threshold=0.0)
    assert math.isclose(best["value"], best["best"], rel_tol=1e-9)
    assert preset("shifted", slope=-4.0, threshold=0.0)["value"] < best["best"] - 0.05

    dropped, wide = preset("dropping"), preset("dropping", qWidth=2.5, qMean=0.0)
    assert math.isclose(dropped["reverse"], math.log(2), rel_tol=1e-3) and dropped["kl"] > 10
    assert wide["kl"] < dropped["kl"] and wide["reverse"] > dropped["reverse"]
    assert preset("dropping", qWidth=2.5)["kl"] < dropped["kl"]

    points = preset("points")
    assert [name for name, number in points.items() if math.isinf(number)] == ["pearson"]
    assert math.isclose(points["kl"], 1 / (2 * 0.01**2), rel_tol=1e-9)
    assert preset("points", qMean=0.1)["js"] > math.log(2) - 5e-5
    assert preset("points", qMean=0.05)["js"] < math.log(2) - 0.01

    wider = preset("asymmetry")
    swapped = preset("asymmetry", pWidth=1.8, qWidth=0.6)
    assert math.isfinite(wider["pearson"]) and math.isinf(swapped["pearson"])
    assert math.isfinite(swapped["kl"]) and math.isfinite(swapped["reverse"])
    assert math.isfinite(preset("asymmetry", pWidth=0.8, qWidth=0.6)["pearson"])
    assert math.isinf(preset("asymmetry", pWidth=0.85, qWidth=0.6)["pearson"])
    narrow = preset("asymmetry", p="laplace", pWidth=0.1, qWidth=0.6)
    assert math.isinf(narrow["pearson"]) and narrow["kl"] < 2


def test_presets_are_settings():
    spec = settings()["spec"]
    for title, some, text in settings()["presets"].values():
        assert title and text
        for name, chosen in some.items():
            entry = spec[name]
            if "values" in entry:
                assert chosen in entry["values"]
            else:
                assert entry["min"] <= chosen <= entry["max"]


def test_a_link_carries_every_setting():
    some = {"p": "mixture", "pSecond": -3.25, "qWeight": 0.15, "slope": -2.5, "shown": "gap"}
    fragment = figure("link", settings=some)
    (found,) = figure("unlink", fragments=[f"#{fragment}"])
    initial = {name: entry["initial"] for name, entry in settings()["spec"].items()}
    assert found == {"settings": initial | some, "problems": []}


@pytest.mark.parametrize("wrong", ["p=square", "pMean=", "pMean=9", "pMean=x", "hasOwnProperty=1"])
def test_a_broken_link(wrong):
    ours, other = figure("unlink", fragments=[f"#div=1&{wrong}&qMean=2", "#lab=1&k=2"])
    assert len(ours["problems"]) == 1 and ours["settings"]["qMean"] == 2
    assert ours["settings"]["p"] == "gaussian" and other is None


def test_numbers_for_people():
    values = [0, 1e-17, 0.25, -1.5, 99999.4, 5e7, -2e-6, "Infinity", "-Infinity", "NaN"]
    assert figure("format", values=values) == [
        "0.0000", "0.0000", "0.2500", "−1.5000", "99999.4000", "5.00 × 10^7", "−2.00 × 10^−6",
        "infinite", "minus infinity", "none",
    ]  # fmt: skip
