"""The mathematics of the figure of vector fields, against the package."""

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

from gancourse.theory import dynamics, smooth_games
from tests import needs

pytestmark = needs.node()

# Absolute and relative, of fields and eigenvalues; NumPy finds a double one only to the root of
# the rounding.
CLOSE, EIGENVALUES = 1e-12, 1e-7
POINTS = [[0.0, 0.0], [1 / 3, 1 / 3], [1.5, -0.7], [-2.2, 2.2], [0.01, 2.0]]


def figure(call: str, **arguments):
    """What the figure's scripts answer."""
    node = shutil.which("node") or shutil.which("nodejs")
    script = Path(__file__).with_name("fields.mjs")
    done = subprocess.run(
        [node, str(script), call], input=json.dumps(arguments), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def settings() -> dict:
    return figure("settings")


def chosen(**some) -> dict:
    """All settings, these among them."""
    return {name: entry["initial"] for name, entry in settings()["spec"].items()} | some


def game_of(some: dict) -> smooth_games.Game:
    """The package's game for the same settings."""
    name = some["game"]
    if name == "bilinear":
        return smooth_games.bilinear_game()
    if name == "quadratic":
        return smooth_games.quadratic_game(some["curvature"], 1.0, some["curvature"])
    if name == "duopoly":
        return smooth_games.duopoly()
    return smooth_games.dirac_gan(name, some["gamma"])


def algorithm_of(some: dict) -> dynamics.Algorithm:
    if some["algorithm"] == "consensus":
        return dynamics.consensus(some["weight"])
    return dynamics.ALGORITHMS[some["algorithm"]]


def every(steps: list[float]) -> list[dict]:
    """Every game with the ends and a middle of its slider, by every algorithm."""
    spec = settings()["spec"]
    games = [{"game": "bilinear"}, {"game": "duopoly"}]
    games += [{"game": "quadratic", "curvature": c} for c in (-0.5, 0.5, 2.0)]
    dirac = ("minimax", "non-saturating", "wgan")
    games += [{"game": n, "gamma": g} for n in dirac for g in (0.0, 1.0, 3.0)]
    ways = [{"algorithm": name} for name in spec["algorithm"]["values"]]
    ways += [{"algorithm": "consensus", "weight": weight} for weight in (0.0, 2.0)]
    return [chosen(step=h, **g, **w) for g, w, h in product(games, ways, steps)]


def far(ours, theirs) -> float:
    return float(np.abs(np.asarray(ours) - theirs).max(initial=0))


def test_the_ends_of_the_sliders_are_tried():
    spec = settings()["spec"]
    for name in ("curvature", "gamma", "weight", "step"):
        tried = [some[name] for some in every([0.01, 1.5])]
        assert {spec[name]["min"], spec[name]["max"]} <= set(tried)


def test_fields_and_jacobians():
    cases = [{"settings": some, "points": POINTS} for some in every([0.1])]
    for case, ours in zip(cases, figure("games", cases=cases), strict=True):
        game = game_of(case["settings"])
        assert far(ours["equilibrium"], game.equilibrium) == 0
        for w, at in zip(np.array(POINTS), ours["at"], strict=True):
            assert far(at["field"], game.field(w)) < CLOSE
            assert far(at["jacobian"], game.jacobian(w)) < CLOSE


def unmatched(ours, theirs) -> float:
    """How far two lists of complex numbers are apart, in the best order."""
    left = [complex(*value) for value in ours]
    worst = 0.0
    for value in theirs:
        best = min(left, key=lambda other: abs(other - value))
        worst = max(worst, abs(best - value))
        left.remove(best)
    assert not left
    return worst


def test_eigenvalues_rates_and_largest_steps():
    cases = every([0.01, 0.1, 1.5])
    for some, ours in zip(cases, figure("predictions", cases=cases), strict=True):
        game, method = game_of(some), algorithm_of(some)
        jacobian = np.linalg.eigvals(game.jacobian(game.equilibrium))
        moved = np.linalg.eigvals(dynamics.linear_map(game, method, some["step"]))
        assert unmatched(ours["jacobian"], jacobian) < EIGENVALUES, some
        assert unmatched(ours["step"], moved) < EIGENVALUES, some
        rate = dynamics.predicted_rate(game, method, some["step"])
        assert abs(ours["rate"] - rate) < EIGENVALUES, some
        if some["step"] == 0.1:  # it is the same for every step
            stable = dynamics.largest_stable_step(game, method)
            assert math.isclose(ours["stable"], stable, rel_tol=1e-6, abs_tol=1e-9), some


def test_runs_and_measured_rates():
    rng = np.random.default_rng(0)
    cases = []
    for some in every([0.01, 1.5]):
        start = np.round(rng.uniform(-2.2, 2.2, 2), 2).tolist()
        cases.append({"settings": some, "start": start, "steps": 60})
    measured = 0
    for case, ours in zip(cases, figure("runs", cases=cases), strict=True):
        game, method = game_of(case["settings"]), algorithm_of(case["settings"])
        path = np.array(ours["path"])
        if len(path) < 5:
            continue
        step = case["settings"]["step"]
        theirs = dynamics.run(game, method, case["start"], step, len(path) - 1)
        size = np.abs(theirs).max(axis=1, keepdims=True)
        assert np.all(np.abs(path - theirs) < 1e-9 * (1 + size)), case
        if ours["rate"] is not None:
            rate = dynamics.measured_rate(game, path)
            assert math.isclose(ours["rate"], rate, rel_tol=1e-9), case
            measured += 1
    assert measured > 0.9 * len(cases)


def test_a_run_ends_at_rest_or_far_away():
    at_rest = {"settings": chosen(game="duopoly", step=0.3), "start": [1, 0], "steps": 400}
    far_away = {"settings": chosen(step=1.5), "start": [1, 0], "steps": 400}
    on_it = {"settings": chosen(), "start": [0, 0], "steps": 400}
    found = figure("runs", cases=[at_rest, far_away, on_it])
    assert math.dist(found[0]["path"][-1], [1 / 3, 1 / 3]) < 1e-10
    assert 1e6 < math.dist(found[1]["path"][-1], [0, 0]) < 2e6
    assert found[2]["rate"] is None and len(found[2]["path"]) == 2


def rate(**some) -> float:
    """What the package predicts."""
    chose = chosen(**some)
    return dynamics.predicted_rate(game_of(chose), algorithm_of(chose), chose["step"])


def largest(**some) -> float:
    chose = chosen(**some)
    return dynamics.largest_stable_step(game_of(chose), algorithm_of(chose))


def preset(name: str, **other) -> dict:
    return chosen(**settings()["presets"][name][1] | other)


def test_what_the_experiments_say():
    assert math.isclose(rate(**preset("circles")), math.sqrt(1.01))
    assert largest(**preset("circles")) == 0
    assert math.isclose(rate(**preset("circles", algorithm="alternating")), 1)

    rates = [rate(**preset("r1", gamma=gamma)) for gamma in (0.0, 0.5, 1.0, 3.0)]
    assert rates[0] > 1 > rates[1] > rates[2] and 1 > rates[3] > rates[2]
    game = smooth_games.dirac_gan("non-saturating", 1.0)
    assert np.allclose(np.linalg.eigvals(game.jacobian(game.equilibrium)), -0.5, atol=1e-7)

    jacobian = smooth_games.duopoly().jacobian(np.zeros(2))
    assert np.allclose(sorted(np.linalg.eigvals(jacobian)), [-3, -1])
    assert preset("large")["step"] == 0.7 and rate(**preset("large")) > 1
    assert math.isclose(largest(**preset("large")), 2 / 3)
    assert rate(**preset("duopoly")) < 1

    assert rate(**preset("extragradient", step=0.7)) < 1
    assert rate(**preset("extragradient", step=0.7, algorithm="optimistic")) > 1
    assert math.isclose(largest(**preset("extragradient")), 1, rel_tol=1e-6)
    third = largest(**preset("extragradient", algorithm="optimistic"))
    assert math.isclose(third, 1 / math.sqrt(3), rel_tol=1e-6)

    valley = {"game": "quadratic", "step": 0.1}
    assert rate(**valley, curvature=0.0) > 1 > rate(**valley, curvature=0.1)
    assert rate(**valley, curvature=-0.5) > 1
    assert rate(**valley, curvature=-0.5, algorithm="consensus", weight=1.0) < 1


def test_extragradient_points_inwards():
    some = preset("extragradient")
    starts = [[1.0, 0.0], [-0.5, 2.0], [0.3, -1.7]]
    cases = [{"settings": some, "start": start, "steps": 1} for start in starts]
    for start, found in zip(starts, figure("runs", cases=cases), strict=True):
        assert np.dot(np.subtract(found["path"][1], start), start) < 0


def test_verdicts():
    pairs = [
        (0.99, None),
        (1 + 1e-12, None),
        (1.001, None),
        (0.999, 200),
        (1.001, 200),
        (0.98, 200),
    ]
    words = ["converges", "circles", "diverges", "circles", "circles", "converges"]
    assert figure("verdicts", pairs=pairs) == words


def test_a_link_carries_every_setting():
    some = {"game": "wgan", "gamma": 0.35, "starts": [[1, 0.5], [-2.2, 0]], "arrows": "step"}
    links = figure("link", all=[some, {}])
    found, none = figure("unlink", fragments=[f"#{link}" for link in links])
    assert found == {"settings": chosen(**some), "problems": []}
    assert none == {"settings": chosen(), "problems": []}


@pytest.mark.parametrize("wrong", ["game=chess", "starts=1", "starts=9,9", "starts=1,x", "step=0"])
def test_a_broken_link(wrong):
    ours, other = figure("unlink", fragments=[f"#field=1&{wrong}&gamma=2", "#lab=1"])
    assert len(ours["problems"]) == 1 and ours["settings"] == chosen(gamma=2)
    assert other is None


def test_presets_are_settings():
    presets = [some for _, some, _ in settings()["presets"].values()]
    assert all(set(some) <= set(settings()["spec"]) for some in presets)
    found = figure("unlink", fragments=figure("link", all=presets))
    assert [one["problems"] for one in found] == [[]] * len(presets)
