"""The exported generator against the generator, and the stored file against both."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch

import gancourse
from gancourse.errors import GancourseError
from gancourse.export import TOLERANCE, fold, generate, packed, write_script
from gancourse.gans import GANS
from gancourse.latent import principal_directions
from gancourse.training.run import Run
from tests.conftest import ROOT

STORED = ROOT / "book/_static/latent/weights.mjs"


def numbers(text: str, kind: str = "<f4") -> torch.Tensor:
    values = np.frombuffer(base64.b64decode(text), kind).astype(np.float32)
    return torch.from_numpy(values)


def stored() -> dict:
    comment, script = STORED.read_text().split("\n", 1)
    assert comment.startswith("// The averaged generator of the record dcgan/fashion-mnist")
    assert script.startswith("globalThis.LatentModel = ") and script.endswith(";\n")
    return json.loads(script.removeprefix("globalThis.LatentModel = ")[:-2])


def trained(shape: tuple[int, int, int], seed: int = 0, half: bool = True) -> Run:
    """A DCGAN whose running statistics are not those it starts with."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        gan = GANS["dcgan"](shape=shape, latent_dim=16, width=8)
        for _ in range(5):
            gan.generator(gan.noise(32))
        for parameter in gan.generator.parameters():
            parameter.data *= 4 if parameter.ndim > 1 else 1
        if half:
            gan.generator.half().float()
    generator = gan.generator.eval().requires_grad_(False)
    return Run(gan=gan, generator=generator, facts={"recipe": "dcgan/test"})


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64)])
@pytest.mark.parametrize("seed", [0, 1])
def test_layers_compute_what_the_generator_does(shape, seed):
    run = trained(shape, seed)
    z = torch.randn(9, 16, generator=torch.Generator().manual_seed(seed))
    images = run.generator(z)
    assert images.std() > 0.05  # not a grey plane, which anything would match
    layers = fold(run.generator.train())  # the running statistics count, whatever the mode
    assert (generate(layers, z) - images).abs().max() < 1e-5
    assert [layer.kind for layer in layers] == ["linear"] + ["up"] * (len(layers) - 1)
    assert layers[-1].size == (*shape[1:], shape[0]) and layers[-1].activation == "tanh"
    # Statistics of the batch, which training normalises by, give other images.
    assert (run.generator(z) - images).abs().max() > 1e-2


def test_other_generators_are_refused():
    gan = GANS["vanilla"](shape=(1, 8, 8))
    with pytest.raises(GancourseError, match="Only DCGAN"):
        fold(gan.generator)


def test_weights_that_float16_would_change_are_refused():
    run = trained((1, 28, 28), half=False)
    run.generator.layers[-2].weight.mul_(30)
    with pytest.raises(GancourseError, match="float16.*gancourse record dcgan/test"):
        packed(run)


def test_a_script_is_written_whole(tmp_path):
    run = trained((3, 32, 32))
    path = write_script(run, tmp_path / "model.mjs")
    assert list(tmp_path.iterdir()) == [path]
    model = json.loads(path.read_text().split(" = ", 1)[1][:-2])
    assert model == json.loads(json.dumps(packed(run)))
    assert model["layers"][-1]["size"] == [32, 32, 3] and model["latent"] == 16
    assert len(model["strengths"]) == 6 and model["strengths"] == sorted(model["strengths"])[::-1]


def test_the_stored_file_is_the_record():
    """Exactly its weights, and its images; the rest to rounding."""
    run = gancourse.load("dcgan/fashion-mnist")
    model, layers = stored(), fold(run.generator)
    assert model["name"] == run.recipe and model["latent"] == run.gan.latent_dim
    for entry, layer in zip(model["layers"], layers, strict=True):
        assert torch.equal(numbers(entry["weight"], "<f2"), layer.weight.flatten())
        assert torch.allclose(numbers(entry["scale"]), layer.scale, rtol=1e-5)
        assert torch.allclose(numbers(entry["shift"]), layer.shift, rtol=1e-5, atol=1e-6)
        assert (entry["kind"], tuple(entry["size"])) == (layer.kind, layer.size)
    z = numbers(model["check"]["z"]).view(2, -1)
    images = numbers(model["check"]["images"]).view(2, 28, 28, 1).permute(0, 3, 1, 2)
    assert (run.generator(z) - images).abs().max() < TOLERANCE / 10


def test_the_stored_directions_are_principal():
    """What the first layer's features of sampled noise say: by how much, and that none is mixed."""
    model = stored()
    first = fold(gancourse.load("dcgan/fashion-mnist").generator)[0].folded()
    vectors = numbers(model["directions"]).view(6, -1)
    assert torch.allclose(vectors @ vectors.T, torch.eye(6), atol=1e-4)
    moves = vectors @ first
    assert torch.allclose(moves.norm(dim=1), torch.tensor(model["strengths"]), atol=0.01)
    products = moves @ moves.T
    assert (products - products.diag().diag()).abs().max() < 1e-2
    _, strengths = principal_directions(first, 100)
    expected = torch.cat([strengths[:5], strengths[-1:]])
    assert torch.allclose(torch.tensor(model["strengths"]), expected, atol=0.01)
    assert all(row[row.abs().argmax()] > 0 for row in vectors)
