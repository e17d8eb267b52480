"""The engine of the GAN laboratory, against torch, the package and finite differences."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector

from gancourse import data, losses
from gancourse.metrics import mode_coverage
from tests import needs

pytestmark = needs.node()

LOSSES = ("minimax", "non-saturating", "least-squares", "wasserstein", "relativistic")
WITHOUT_PENALTY = [(name, 0.0) for name in LOSSES]
WITH_PENALTY = [(name, 0.7) for name in LOSSES]
# The parts of gancourse.data that the laboratory has, and where a point x of theirs lies there:
# (x - centre) / scale.
SAME = {
    "ring": ("ring", (0, 0), 1),
    "grid": ("grid", (0, 0), 4),
    "line": ("line", (0, 0), 1),
    "moons": ("two-moons", (0.5, 0.25), 1.5),
    "spiral": ("spiral", (0, 0), 1),
}


def lab(call: str, **arguments):
    """What the engine answers."""
    node = shutil.which("node") or shutil.which("nodejs")
    script = Path(__file__).with_name("lab.mjs")
    done = subprocess.run(
        [node, str(script), call], input=json.dumps(arguments), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def close(ours, theirs, tolerance: float = 1e-9) -> bool:
    ours, theirs = torch.as_tensor(ours, dtype=torch.double), torch.as_tensor(theirs)
    return torch.allclose(ours, theirs.double(), rtol=tolerance, atol=tolerance)


def mlp(sizes: list[int], activation: str) -> torch.nn.Sequential:
    kinds = {"tanh": torch.nn.Tanh, "leaky": lambda: torch.nn.LeakyReLU(0.2)}
    layers: list[torch.nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [torch.nn.Linear(inputs, outputs), kinds[activation]()]
    return torch.nn.Sequential(*layers[:-1]).double()


def gradient(value: Tensor, of) -> Tensor:
    parts = torch.autograd.grad(value, of, create_graph=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def penalty(net: torch.nn.Module, x: Tensor, centre: int) -> Tensor:
    x = x.detach().requires_grad_()
    slope = gradient(net(x).sum(), [x]).view_as(x)
    if centre:
        return ((slope.norm(dim=1) - 1) ** 2).mean()
    return slope.square().sum(1).mean() / 2


def expected(name: str, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of D and of G, from the package where it has them."""
    if name == "minimax":
        return losses.minimax_discriminator(real, fake), losses.minimax_generator(fake)
    if name == "non-saturating":
        return losses.minimax_discriminator(real, fake), losses.non_saturating_generator(fake)
    if name == "least-squares":
        half = (real - 1).square().mean() / 2 + fake.square().mean() / 2
        return half, (fake - 1).square().mean() / 2
    if name == "wasserstein":
        return fake.mean() - real.mean(), -fake.mean()
    return softplus(fake - real).mean(), softplus(real - fake).mean()


def sfc32(seed: int, stream: int, count: int) -> list[int]:
    """The generator written out again, in unsigned arithmetic."""
    a, b, c, d = seed, stream, 0x9E3779B9, 1
    found = []
    for _ in range(20 + count):
        t = (a + b + d) % 2**32
        d = (d + 1) % 2**32
        a, b = b ^ b >> 9, (c + (c << 3)) % 2**32
        c = ((c << 21 | c >> 11) + t) % 2**32
        found.append(t)
    return found[20:]


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (7, 3), (2**32 - 1, 5)])
def test_random_bits(seed, stream):
    assert lab("bits", seed=seed, stream=stream, count=50) == sfc32(seed, stream, 50)


def test_normal_numbers():
    x = torch.tensor(lab("normals", seed=3, count=100_000), dtype=torch.double)
    moments = [x.mean(), x.square().mean(), x.pow(3).mean(), x.pow(4).mean()]
    assert close(moments, [0, 1, 0, 3], 0.05)
    assert abs((x.abs() < 1).double().mean() - math.erf(1 / math.sqrt(2))) < 0.005
    assert abs((x[1:] * x[:-1]).mean()) < 0.01


def test_adam_is_that_of_torch():
    torch.manual_seed(0)
    start, gradients = torch.randn(6).double(), torch.randn(5, 6).double()
    weights = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.Adam([weights], lr=0.02, betas=(0.5, 0.999))
    for weights.grad in gradients:
        optimiser.step()
    ours = lab(
        "adam",
        params=start.tolist(),
        gradients=gradients.tolist(),
        beta1=0.5,
        beta2=0.999,
        rate=0.02,
    )
    assert close(ours, weights.detach())


@pytest.mark.parametrize("activation", ["tanh", "leaky"])
@pytest.mark.parametrize(("loss", "weight"), WITHOUT_PENALTY + WITH_PENALTY)
def test_losses_and_gradients_are_those_of_torch(loss, weight, activation):
    torch.manual_seed(1)
    n, noise, width = 9, 3, 6
    D, G = mlp([2, width, width, 1], activation), mlp([noise, width, width, 2], activation)
    real, z = torch.randn(n, 2).double(), torch.randn(n, noise).double()
    fake = G(z)
    sizes = {"widthD": width, "widthG": width, "noise": noise, "activation": activation}
    ours = lab(
        "losses",
        settings={"loss": loss, "penalty": weight, "seed": 4, **sizes},
        weights={
            k: parameters_to_vector(v.parameters()).tolist() for k, v in {"D": D, "G": G}.items()
        },
        real=real.flatten().tolist(),
        fake=fake.flatten().tolist(),
        z=z.flatten().tolist(),
    )
    of_d, of_g = expected(loss, D(real).squeeze(1), D(fake).squeeze(1))
    between = torch.tensor(ours["between"], dtype=torch.double).view(n, 2)
    share = (between - fake) / (real - fake)
    assert close(share[:, 0], share[:, 1]) and (0 < share).all() and (share < 1).all()
    if loss == "wasserstein":
        of_d = of_d + weight * penalty(D, between, 1)
    else:
        of_d = of_d + weight * (penalty(D, real, 0) + penalty(D, fake, 0))
    assert close(ours["discriminator"]["value"], of_d.detach())
    assert close(ours["discriminator"]["grad"], gradient(of_d, list(D.parameters())))
    assert close(ours["generator"]["value"], of_g.detach())
    assert close(ours["generator"]["grad"], gradient(of_g, list(G.parameters())))
    assert close(ours["generator"]["byPoints"], gradient(of_g, [fake]))


@pytest.mark.parametrize(("loss", "weight"), WITHOUT_PENALTY + WITH_PENALTY)
def test_gradients_against_finite_differences(loss, weight):
    sizes = {"widthD": 7, "widthG": 5, "noise": 2}
    kinds = [(a, d) for a in ("tanh", "leaky") for d in ("ring", "two")]
    settings = [
        {"loss": loss, "penalty": weight, "activation": activation, "data": dim, **sizes}
        for activation, dim in kinds
    ]
    found = torch.tensor(lab("differences", all=settings))
    assert found.shape == (4, 2) and (found < 1e-6).all(), dict(zip(kinds, found, strict=True))


def test_a_penalty_forgotten_in_the_gradient_would_be_seen():
    """The penalty's share of the gradient is large against the tolerance above."""
    torch.manual_seed(0)
    D, x = mlp([2, 7, 7, 1], "tanh"), torch.randn(7, 2).double()
    parameters = list(D.parameters())
    assert gradient(penalty(D, x, 0), parameters).norm() > 1e-2


@pytest.mark.parametrize("name", SAME)
def test_data_are_those_of_the_package(name):
    theirs, centre, scale = SAME[name]
    ours, toy = lab("data", name=name, n=20_000), data.load(theirs, n=20_000)
    points = (toy.points - torch.tensor(centre)) / scale
    x = torch.tensor(ours["x"]).view(-1, 2)
    assert ours["std"] == pytest.approx(toy.std / scale)
    modes = torch.tensor(ours["modes"]).view(-1, 2)
    assert len(modes) == len(toy.modes)
    if len(modes):
        assert (torch.cdist(modes, toy.modes / scale).min(1).values < 1e-6).all()
    # Nearest neighbours among as many: both sets cover the same places.
    assert (torch.cdist(x[:2000], points).min(1).values < 0.05).all()
    assert (torch.cdist(points[:2000], x).min(1).values < 0.05).all()
    assert (x.mean(0) - points.mean(0)).abs().max() < 0.02
    assert (x.T.cov() - points.T.cov()).abs().max() < 0.02


def test_mixtures_on_a_line():
    for name, modes in {"one": [0.6], "two": [-0.7, 0.7]}.items():
        ours = lab("data", name=name, n=20_000)
        x = torch.tensor(ours["x"])
        assert ours["dim"] == 1 and [mode for (mode,) in ours["modes"]] == modes
        offset = x - torch.tensor(modes)[(x > 0).long() * (len(modes) - 1)]
        assert abs(offset.std().item() / ours["std"] - 1) < 0.02


def test_modes_covered_as_the_package_counts():
    torch.manual_seed(0)
    toy = data.load("ring", n=300)
    points = torch.cat([toy.points[toy.labels < 5] + 0.01, 0.5 * torch.randn(500, 2)])
    theirs = mode_coverage(points.double(), toy.modes.double(), toy.std)
    flat = points.flatten().tolist()
    ours = lab("judge", name="ring", x=flat, other=flat)["coverage"]
    assert 4 < theirs.modes_covered < 8 and theirs.high_quality < 0.9
    assert ours["covered"] == theirs.modes_covered
    assert ours["good"] == pytest.approx(theirs.high_quality)
    assert tuple(ours["counts"]) == theirs.histogram


def test_divergences_of_histograms():
    same = lab("judge", name="one", x=[0.1, 0.2, 0.1, 9], other=[0.2, 0.1, 0.1, -9])
    assert same["js"] == pytest.approx(0, abs=1e-12)
    assert same["shares"][-1] == 0.25 and sum(same["shares"]) == pytest.approx(1)
    apart = lab("judge", name="one", x=[0.1, 0.1], other=[0.9, 0.9])
    assert apart["js"] == pytest.approx(math.log(2))
    # 61 cells, half a point more in each: the cell of 0.1 has (0 + 1/2) / (2 + 61/2).
    assert apart["kl"] == pytest.approx(math.log(65))


def test_a_seed_decides_a_run_and_measuring_does_not_change_it():
    settings = {"seed": 5, "loss": "wasserstein", "penalty": 1}
    one = lab("run", settings=settings, steps=40, every=10)
    assert one == lab("run", settings=settings, steps=40, every=10)
    assert one["weights"] == lab("run", settings=settings, steps=40, every=1)["weights"]
    assert (
        one["weights"]
        != lab("run", settings={**settings, "seed": 6}, steps=40, every=40)["weights"]
    )


@pytest.mark.parametrize("average", [0, 0.9])
def test_the_generator_is_averaged_over_its_last_steps(average):
    run = lab("averaged", settings={"average": average, "widthG": 4, "seed": 2}, steps=30)
    expected = run["weights"][0]
    for step, weights in enumerate(run["weights"]):
        keep = min(average, step / (step + 10))
        expected = [keep * a + (1 - keep) * w for a, w in zip(expected, weights, strict=True)]
    assert run["averaged"] == pytest.approx(expected, abs=1e-12)
    assert (run["averaged"] == run["weights"][-1]) == (average == 0)


@pytest.mark.parametrize(("loss", "weight"), [("non-saturating", 0), ("relativistic", 0.1)])
def test_all_modes_of_the_ring_are_found_and_kept(loss, weight):
    settings = {"loss": loss, "penalty": weight, "seed": 1}
    measured = lab("run", settings=settings, steps=900, every=50)["measured"]
    found = [m["covered"] for m in measured].index(8)
    assert found < 10 and min(m["covered"] for m in measured[found:]) >= 7
    assert measured[-1]["js"] < measured[0]["js"] - 0.1


def test_the_failures_on_show_fail():
    """The laboratory's presets: collapse, a swing that the penalty stops, a gradient that is gone."""
    collapse = {"rateG": 0.01, "rateD": 0.001, "beta1": 0.9, "average": 0}
    measured = lab("run", settings=collapse, steps=400, every=25)["measured"]
    assert max(m["covered"] for m in measured[4:]) <= 4 and measured[-1]["js"] > 0.5
    circling = {
        "data": "one",
        "beta1": 0.9,
        "rateG": 0.01,
        "rateD": 0.01,
        "batch": 32,
        "average": 0,
    }
    swing = []
    for weight in (0, 1):
        run = lab("run", settings={**circling, "penalty": weight}, steps=500, every=20)
        means = [m["mean"] for m in run["measured"][10:]]
        swing.append(max(means) - min(means))
    assert swing[0] > 0.2 > 0.1 > swing[1]
    vanishing = {"data": "line", "loss": "minimax", "k": 10, "rateD": 0.01, "average": 0}
    measured = lab("run", settings=vanishing, steps=400, every=50)["measured"]
    assert measured[-1]["gradientG"] < 1e-4 and measured[-1]["js"] > 0.6


LINKED = {
    "data": "drawn",
    "loss": "wasserstein",
    "penalty": 0.5,
    "k": 5,
    "rateD": 0.0005,
    "seed": 4_294_967_295,
    "points": [[0.5, -1.25], [0, 0.1]],
}


def test_a_link_brings_the_settings_back():
    fragment = lab("link", settings=LINKED)
    answer = lab("unlink", fragments=["#" + fragment])
    assert answer["found"] == [{"settings": {**answer["defaults"], **LINKED}, "problems": []}]
    assert not set(fragment) & set(' "<>#')


BROKEN = {
    "lab=2&k=5": "version 2",
    "lab=1&loss=no-such": "loss cannot be no-such",
    "lab=1&data=constructor": "data cannot be constructor",
    "lab=1&k=2.5": "k cannot be 2.5",
    "lab=1&k=-1": "k cannot be -1",
    "lab=1&rateD=NaN": "rateD cannot be NaN",
    "lab=1&rateD=": "rateD cannot be ",
    "lab=1&seed=4294967296": "seed cannot be 4294967296",
    "lab=1&widthG=100000": "widthG cannot be 100000",
    "lab=1&points=1,2,3": "points cannot be 1,2,3",
    "lab=1&points=9,9": "points cannot be 9,9",
    "lab=1&points=0,x": "points cannot be 0,x",
    "lab=1&points=" + "0,0;" * 64 + "0,0": "points cannot be",
    "lab=1&__proto__=1": "__proto__ is no setting",
}


def test_what_is_wrong_in_a_link_is_named_and_has_its_default():
    answer = lab("unlink", fragments=list(BROKEN))
    for problem, found in zip(BROKEN.values(), answer["found"], strict=True):
        assert found["settings"] == answer["defaults"], problem
        assert len(found["problems"]) == 1 and problem in found["problems"][0]


def test_other_anchors_of_a_page_are_left_alone():
    assert lab("unlink", fragments=["#further-reading", ""])["found"] == [None, None]
