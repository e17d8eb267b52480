"""How the shipped feature extractors were trained, and how to train them again.

``python -m gancourse.metrics.retrain mnist`` trains the classifier on the training images, measures
it on the test images with the weights as they are stored (float16), and writes
``<data set>-cnn.safetensors``. Give ``--out`` to keep the shipped file. A new file has a new
SHA-256: the command prints it, and it must be entered in ``gancourse/metrics/extractors.py``,
because a score only means something beside the exact extractor it was made with.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from gancourse import data, files
from gancourse.errors import unknown
from gancourse.metrics.classifiers import ARCHITECTURE, Layer, SmallCNN, folded_weights
from gancourse.metrics.extractors import FOLDER, Extractor, open_extractor


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training leaves behind, apart from the data.

    Attributes:
        layers: the network's convolutions (see :class:`gancourse.metrics.classifiers.SmallCNN`).
        epochs: passes over the training images.
        batch_size: images a step.
        lr: peak of the one-cycle learning rate (AdamW).
        weight_decay: AdamW's decoupled weight decay.
        shift: images are moved by up to this many pixels, both ways, black moving in.
        flip: whether half of the images are mirrored left to right.
        seed: of the initial weights, the order and the augmentation.
    """

    layers: tuple[Layer, ...]
    epochs: int
    batch_size: int = 256
    lr: float = 5e-3
    weight_decay: float = 0.02
    shift: int = 0
    flip: bool = False
    seed: int = 0


RECIPES = {
    "digits": Recipe(
        layers=((16, 3, 1, 1), (16, 3, 1, 1), (32, 3, 2, 1), (64, 3, 1, 1)),
        epochs=60,
        batch_size=64,
        shift=1,
    ),
    "mnist": Recipe(
        layers=((32, 5, 2, 2), (32, 3, 1, 1), (64, 3, 2, 1), (128, 3, 1, 1)),
        epochs=10,
        shift=2,
    ),
    # Clothes fill the frame, so they are not shifted; where a collar or a sleeve is decides, so the
    # last layer sees the whole map instead of pooling it away.
    "fashion-mnist": Recipe(
        layers=((32, 5, 2, 2), (64, 3, 1, 1), (96, 3, 2, 1), (128, 3, 2, 1), (128, 4, 1, 0)),
        epochs=10,
        weight_decay=0.05,
        flip=True,
    ),
    "cifar10": Recipe(
        layers=((32, 5, 2, 2), (64, 3, 1, 1), (96, 3, 2, 1), (128, 3, 1, 1), (128, 3, 2, 1)),
        epochs=12,
        weight_decay=0.05,
        shift=2,
        flip=True,
    ),
}


def augment(images: torch.Tensor, shift: int, flip: bool, rng: torch.Generator) -> torch.Tensor:
    """Images moved by a random whole number of pixels and, if asked, mirrored at random.

    Args:
        images: N x C x H x W.
        shift: largest move in pixels, along each axis.
        flip: mirror each image left to right with probability 1/2.
        rng: source of the random numbers, on the CPU.

    Returns:
        Images of the same shape and dtype; what moved in is 0.
    """
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, (shift,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(0, 2 * shift + 1, (2, count), generator=rng)
    moved = windows[torch.arange(count), :, down, right]
    if flip:
        mirrored = torch.rand(count, generator=rng) < 0.5
        moved[mirrored] = moved[mirrored].flip(-1)
    return moved


def fit(
    images: torch.Tensor,
    labels: torch.Tensor,
    classes: int,
    recipe: Recipe,
    report: Callable[[str], None] = print,
) -> SmallCNN:
    """Train the classifier on the CPU.

    Args:
        images: uint8 N x C x H x W.
        labels: int64 N, in 0..classes - 1.
        classes: number of classes.
        recipe: the hyper-parameters.
        report: called with one line an epoch.

    Returns:
        The trained network, with batch normalisation, in evaluation mode.
    """
    rng = torch.Generator().manual_seed(recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = SmallCNN(images.shape[1], classes, recipe.layers, normalise=True)
    net.train().to(memory_format=torch.channels_last)
    steps = math.ceil(len(images) / recipe.batch_size)
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.lr, total_steps=recipe.epochs * steps, pct_start=0.25
    )
    started = time.perf_counter()
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for batch in torch.randperm(len(images), generator=rng).split(recipe.batch_size):
            inputs = augment(images[batch], recipe.shift, recipe.flip, rng).float() / 255
            loss = nn.functional.cross_entropy(net(inputs), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(batch)
        seconds = time.perf_counter() - started
        report(f"epoch {epoch}/{recipe.epochs}  loss {total / len(images):.4f}  {seconds:.0f} s")
    return net.eval()


def accuracy(extractor: Extractor, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Fraction of ``images`` (uint8 N x C x H x W) whose largest logit is at their label."""
    return float((extractor.logits(images).argmax(dim=1) == labels).double().mean())


def train_extractor(
    name: str, out: str | Path | None = None, report: Callable[[str], None] = print
) -> Extractor:
    """Train, measure and write the extractor of one data set.

    Args:
        name: ``"digits"``, ``"mnist"``, ``"fashion-mnist"`` or ``"cifar10"``.
        out: the file to write; by default the one the package ships.
        report: called with the lines that tell how it goes.

    Returns:
        The extractor, read back from the file; its ``test_accuracy`` was measured on all test
        images with the float16 weights.

    Raises:
        GancourseError: there is no recipe of that name, its data set is not on the machine, or the
            file cannot be written.
    """
    if name not in RECIPES:
        raise unknown("classifier recipe", name, RECIPES)
    train, test = data.load(name, split="train"), data.load(name, split="test")
    path = FOLDER / f"{name}-cnn.safetensors" if out is None else Path(out)
    content = train_weights(name, train, test, RECIPES[name], report)
    files.write_bytes(path, content)
    extractor = open_extractor(f"{name}-cnn", path)
    report(
        f"{path}: {len(content)} bytes, test accuracy {extractor.test_accuracy:.4f}\n"
        f"SHA-256 for gancourse/metrics/extractors.py: {extractor.sha256}"
    )
    return extractor


def train_weights(
    name: str,
    train: data.ImageData,
    test: data.ImageData,
    recipe: Recipe,
    report: Callable[[str], None] = print,
) -> bytes:
    """The content of the safetensors file: float16 weights, and a header that says what they are.

    Args:
        name: the data set's name.
        train: images and labels to learn from.
        test: images and labels to measure on.
        recipe: the hyper-parameters.
        report: called with one line an epoch.

    Returns:
        The file as bytes.
    """
    assert train.labels is not None and test.labels is not None
    started = time.perf_counter()
    net = fit(train.images, train.labels, len(train.classes), recipe, report)
    seconds = time.perf_counter() - started
    header = {
        "architecture": ARCHITECTURE,
        "data": name,
        "split": f"train ({len(train.images)} images), measured on test ({len(test.images)})",
        "data_licence": train.licence,
        "classes": json.dumps(train.classes),
        "input_shape": json.dumps(list(train.images.shape[1:])),
        "recipe": json.dumps(asdict(recipe)),
        "seed": str(recipe.seed),
        "epochs": str(recipe.epochs),
        "torch": torch.__version__,
        "seconds": f"{seconds:.1f}",
    }
    weights = folded_weights(net)
    unmeasured = Extractor.from_bytes(f"{name}-cnn", save(weights, header | {"test_accuracy": "0"}))
    measured = accuracy(unmeasured, test.images, test.labels)
    return save(weights, header | {"test_accuracy": f"{measured:.6f}"})


def main() -> None:
    """The command ``python -m gancourse.metrics.retrain DATA [--out FILE]``."""
    parser = argparse.ArgumentParser(description="Train a feature extractor again.")
    parser.add_argument("data", choices=sorted(RECIPES))
    parser.add_argument("--out", help="file to write (default: the shipped one)")
    arguments = parser.parse_args()
    train_extractor(arguments.data, arguments.out)


if __name__ == "__main__":
    main()
