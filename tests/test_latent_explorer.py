"""The latent explorer's arithmetic against torch, and what its page says against the record."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import torch

import gancourse
from gancourse import latent
from gancourse.export import TOLERANCE, write_script
from gancourse.gans.base import to_pixels
from gancourse.metrics.extractors import extractor
from tests import needs
from tests.conftest import ROOT
from tests.test_export import numbers, stored, trained

pytestmark = needs.node()

SHOES = {"sandal", "sneaker", "ankle boot"}


def explorer(call: str, **arguments):
    """What the explorer's scripts answer."""
    node = shutil.which("node") or shutil.which("nodejs")
    script = Path(__file__).with_name("latent_explorer.mjs")
    done = subprocess.run(
        [node, str(script), call], input=json.dumps(arguments), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def noise(n: int, d: int = 100, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@cache
def record():
    return gancourse.load("dcgan/fashion-mnist")


def test_images_are_those_of_torch():
    z = torch.cat([noise(20, seed=4), 3 * noise(4, seed=5), torch.zeros(1, 100)])
    answer = explorer("images", z=z.tolist())
    ours = torch.tensor(answer["images"]).view(-1, 28, 28, 1).permute(0, 3, 1, 2)
    assert (ours - record().generator(z)).abs().max() < TOLERANCE / 10
    assert 0 < answer["difference"] < TOLERANCE / 10


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 64, 64)])
def test_images_of_other_generators(shape, tmp_path):
    run = trained(shape)
    path = write_script(run, tmp_path / "model.mjs")
    z = noise(3, 16, seed=1)
    ours = explorer("images", z=z.tolist(), weights=str(path))["images"]
    ours = torch.tensor(ours).view(3, *shape[1:], shape[0]).permute(0, 3, 1, 2)
    assert (ours - run.generator(z)).abs().max() < TOLERANCE / 10


def test_a_wrong_weight_would_be_seen(tmp_path):
    """One map's shift changed by a twentieth, and the explorer's own check is out of tolerance."""
    run = trained((1, 28, 28))
    path = write_script(run, tmp_path / "model.mjs")
    run.generator.layers[2].bias[0] += 0.05
    other = write_script(run, tmp_path / "other.mjs")
    models = [json.loads(p.read_text().split(" = ", 1)[1][:-2]) for p in (path, other)]
    models[0]["layers"] = models[1]["layers"]
    path.write_text(f"globalThis.LatentModel = {json.dumps(models[0])};")
    answer = explorer("images", z=noise(1, 16).tolist(), weights=str(path))
    assert answer["difference"] > TOLERANCE


@pytest.mark.parametrize("n", [16, 64])
def test_a_seed_has_the_noise_it_has_in_torch(n):
    seeds = (0, 7, 999)
    for seed, ours in zip(
        seeds, explorer("noise", cases=[[seed, n, 100] for seed in seeds]), strict=True
    ):
        assert (torch.tensor(ours) - noise(n, seed=seed)).abs().max() < 1e-5


def test_sheets_are_those_of_the_command_line():
    z = explorer("noise", cases=[[7, 16, 100]])[0]
    ours = torch.tensor(explorer("images", z=z)["images"]).view(-1, 1, 28, 28)
    far = to_pixels(ours).int() - record().sample(16, seed=7).int()
    assert far.abs().max() <= 1 and (far != 0).float().mean() < 0.01


def test_truncation_is_that_of_the_package():
    z = noise(5)
    z[0, :6] = torch.tensor([0.0, 5.5, -5.5, 9.0, 1e-6, -3.0])
    thresholds = [0.1, 0.5, 1.0, 2.0, 3.9]
    for threshold, ours in zip(
        thresholds, explorer("truncate", z=z.tolist(), thresholds=thresholds), strict=True
    ):
        assert (torch.tensor(ours) - latent.truncate(z, threshold)).abs().max() < 2e-5
    assert torch.equal(torch.tensor(explorer("truncate", z=z.tolist(), thresholds=[None]))[0], z)


@pytest.mark.parametrize(("kind", "way"), [("arc", latent.slerp), ("straight", latent.lerp)])
def test_ways_are_those_of_the_package(kind, way):
    a, b = noise(2, seed=2)
    shares = [0.0, 0.25, 0.5, 0.99, 1.0]
    for end in (b, a, torch.zeros(100)):
        ours = explorer("between", a=a.tolist(), b=end.tolist(), shares=shares, kind=kind)
        assert torch.allclose(torch.tensor(ours), way(a, end, torch.tensor(shares)), atol=1e-5)


def test_directions_are_added():
    z, steps = noise(2), [1.5, 0.0, 0.0, -2.0, 0.0, 6.0]
    directions = numbers(stored()["directions"]).view(6, 100)
    ours = torch.tensor(explorer("moved", z=z.tolist(), steps=steps))
    assert torch.allclose(ours, z + torch.tensor(steps) @ directions, atol=1e-5)


def test_the_page_is_light():
    folder = ROOT / "book/_static"
    parts = [*(folder / "widgets").iterdir(), *(folder / "latent").iterdir()]
    assert sum(part.stat().st_size for part in parts) < 1.2e6


def classes(z: torch.Tensor) -> list[str]:
    """What the record's images of this noise are taken for."""
    judge = extractor("fashion-mnist-cnn")
    images = to_pixels(record().generator(z))
    return [judge.classes[k] for k in judge.probabilities(images).argmax(1)]


def share(z: torch.Tensor, kinds: set[str]) -> float:
    return sum(name in kinds for name in classes(z)) / len(z)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_the_experiments_say_of_directions(seed):
    z = noise(32, seed=seed)
    directions = numbers(stored()["directions"]).view(6, 100)
    first, second, weakest = directions[0], directions[1], directions[-1]
    assert share(z - 5 * first, SHOES) > 0.9 and share(z + 5 * first, SHOES) < 0.1
    assert 0.1 < share(z, SHOES) < 0.7
    assert share(z - 5 * second, {"trouser"}) > 0.6
    images = record().generator(z)
    near = record().generator(z + 5 * weakest) - images
    far = record().generator(z + 5 * first) - images
    assert near.square().mean() < 0.02 * far.square().mean()

    def brightness(images: torch.Tensor) -> float:
        return float(images[images > -0.8].mean())

    assert brightness(images + far) > brightness(images) + 0.2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_the_experiments_say_of_ways_and_truncation(seed):
    z = noise(200, seed=seed)
    a, b = z[:100], z[100:]
    assert abs(latent.lerp(a, b, 0.5).norm(dim=1).mean() - 7.1) < 0.2
    assert abs(latent.slerp(a, b, 0.5).norm(dim=1).mean() - 10) < 0.2

    def contrast(z: torch.Tensor) -> float:
        return float(record().generator(z).std((1, 2, 3)).mean())

    def variety(z: torch.Tensor) -> float:
        return float(record().generator(z).std(0).mean())

    judge = extractor("fashion-mnist-cnn")

    def sureness(z: torch.Tensor) -> float:
        return float(judge.probabilities(to_pixels(record().generator(z))).amax(1).mean())

    assert contrast(latent.lerp(a, b, 0.5)) < 0.96 * contrast(latent.slerp(a, b, 0.5))
    short = latent.truncate(z, 0.5)
    assert variety(short) < 0.7 * variety(z)
    assert contrast(short) < 0.9 * contrast(z) and sureness(short) < sureness(z) - 0.03


def test_what_the_chapter_says_of_lengths():
    lengths = noise(20_000).norm(dim=1)
    assert abs(lengths.mean() - 10) < 0.05 and abs(lengths.std() - 1 / math.sqrt(2)) < 0.02
    assert 0.94 < ((lengths - 10).abs() < math.sqrt(2)).float().mean() < 0.96
    assert (10 - math.sqrt(50)) / lengths.std() > 4


LINKED = {"seed": 12, "a": [3, 15], "b": [999, 0], "t": 0.25, "way": "straight", "d2": -1.5}
BROKEN = [
    "seed=1000",
    "seed=1.5",
    "a=1",
    "a=1.16",
    "b=1000.0",
    "b=-1.0",
    "a=1.2.3",
    "t=2",
    "way=up",
    "d9=1",
]


def test_links_carry_every_setting():
    initial = {name: entry["initial"] for name, entry in explorer("settings")["spec"].items()}
    links = explorer("link", all=[LINKED, {}])
    found, none = explorer("unlink", fragments=[f"#{link}" for link in links])
    assert found == {"settings": initial | LINKED, "problems": []}
    assert none == {"settings": initial, "problems": []}
    answers = explorer("unlink", fragments=[f"#latent=1&{wrong}" for wrong in BROKEN])
    for wrong, answer in zip(BROKEN, answers, strict=True):
        assert answer["settings"] == initial and len(answer["problems"]) == 1, wrong
    assert explorer("unlink", fragments=["#lab=1", ""]) == [None, None]


def test_presets_are_settings():
    presets = [some for _, some, _ in explorer("settings")["presets"].values()]
    found = explorer("unlink", fragments=explorer("link", all=presets))
    assert [one["problems"] for one in found] == [[]] * len(presets)
