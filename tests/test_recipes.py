"""Every recipe builds and takes a step."""

import pytest
import torch

from gancourse import data, recipes
from gancourse.errors import GancourseError
from gancourse.training import Settings, fit

CHANNELS = {name: data.info(recipes.get(name).data).shape[0] for name in recipes.names()}


@pytest.mark.parametrize("name", recipes.names())
def test_builds_and_steps(name):
    recipe = recipes.get(name)
    assert recipe.name == name and 0 < recipe.short < recipe.full
    gan = recipe.build(CHANNELS[name])
    images = torch.randint(0, 256, (4, *gan.shape), dtype=torch.uint8)
    _, history = fit(gan, images, Settings(images=4, **{**recipe.training, "batch_size": 4}))
    assert history[-1]["step"] == 1


@pytest.mark.parametrize(
    ("data_set", "size", "epochs", "flips"),
    [
        ("cifar10", 32, 50, ()),
        ("cats-dogs", 64, 200, ()),
        ("abstract-art", 128, 200, ("horizontal", "vertical")),
    ],
)
def test_the_pictures_at_three_sizes(data_set, size, epochs, flips):
    recipe = recipes.get(f"dcgan/{data_set}")
    made = Settings(images=1, batch_size=recipe.batch_size, **recipe.training)
    assert (recipe.size, recipe.full, recipe.batch_size) == (size, epochs, 128)
    assert made.flips == flips and made.diffaugment == ()


def test_table_names_them_all():
    assert all(name in recipes.table() for name in recipes.names())


def test_unknown():
    with pytest.raises(GancourseError, match="Did you mean dcgan/mnist"):
        recipes.get("dcgan/mnst")
