"""Feature extractors: networks with a name, a hash, and features other people can have too.

A score such as FID belongs to the extractor it was made with; the same images get another number
from another one. So every extractor here is one file with a fixed SHA-256, and a file with any
other hash is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from gancourse.errors import GancourseError, unknown
from gancourse.metrics.classifiers import ARCHITECTURE, SmallCNN

FOLDER = Path(__file__).resolve().parent.parent / "recorded" / "extractors"
"""Where the shipped weights lie."""

SHA256 = {
    "digits-cnn": "92601de57c8720da61668e41e8ac9dce2c55d6706340f74b19540dccafcc38ca",
    "mnist-cnn": "2e90654dda89d2006d751c5ee1059c4a934e788ecaad5a5dae1872c76ed40f31",
    "fashion-mnist-cnn": "7c2437653549e41cc473710834068caefc62b5e3816e1272d96e6345b0dcf318",
    "cifar10-cnn": "0777c70aae1deab8814b8dd678629d5bc5cdf5ab5e7b4822c82ad11b659345d7",
}
"""The shipped extractors, and the hash of the one file each of them is."""

_SHARED = {"abstract-art": "cifar10-cnn", "cats-dogs": "cifar10-cnn"}
"""Data sets too small for a classifier of their own, and the one that judges them."""

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
INCEPTION_URL = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION_FILE}"
)


@dataclass(frozen=True, eq=False)
class Extractor:
    """A classifier used as a measuring instrument.

    Attributes:
        name: such as ``"mnist-cnn"``.
        sha256: of the weights file, in hexadecimal.
        classes: names of its K classes, in the order of the logits.
        test_accuracy: fraction of the test images it classifies rightly, measured with these
            weights; None where it is not known (Inception).
        input_shape: (C, H, W) of the images it takes; None for a height or width that may be any.
        network: the module.
        apply: ``apply(network, batch)`` gives features and logits of a uint8 batch.
    """

    name: str
    sha256: str
    classes: tuple[str, ...]
    test_accuracy: float | None
    input_shape: tuple[int, int | None, int | None]
    network: nn.Module
    apply: Callable[[nn.Module, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

    @classmethod
    def from_bytes(cls, name: str, content: bytes) -> Extractor:
        """The classifier in a safetensors file that ``gancourse.metrics.retrain`` made.

        Args:
            name: the extractor's name.
            content: the whole file.

        Raises:
            GancourseError: the content is not such a file.
        """
        try:
            header = _header(content)
            if header["architecture"] != ARCHITECTURE:
                raise GancourseError(
                    f"The weights of {name} are for {header['architecture']}; this version of "
                    f"gancourse has {ARCHITECTURE}. Train them again (gancourse.metrics.retrain)."
                )
            recipe = json.loads(header["recipe"])
            classes = tuple(json.loads(header["classes"]))
            channels, height, width = json.loads(header["input_shape"])
            network = SmallCNN(channels, len(classes), recipe["layers"], normalise=False)
            network.load_state_dict({key: half.float() for key, half in load(content).items()})
            test_accuracy = float(header["test_accuracy"])
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise GancourseError(
                f"The weights of {name} cannot be read ({error}). Install gancourse again, or "
                "train them again with python -m gancourse.metrics.retrain."
            ) from error
        network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        return cls(
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            classes=classes,
            test_accuracy=test_accuracy,
            input_shape=(channels, height, width),
            network=network,
            apply=_apply_small,
        )

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Penultimate activations.

        Args:
            images: uint8 N x C x H x W, on any device.

        Returns:
            float32 N x F on the same device.

        Raises:
            GancourseError: the images are not uint8, not of ``input_shape``, or none.
        """
        return torch.cat([features for features, _ in self._batches(images)])

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores float32 N x K; takes and raises what :meth:`features` does."""
        return torch.cat([logits for _, logits in self._batches(images)])

    def probabilities(self, images: torch.Tensor) -> torch.Tensor:
        """Class probabilities float32 N x K; takes and raises what :meth:`features` does."""
        return self.logits(images).softmax(dim=1)

    def features_and_probabilities(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both in one pass: float32 N x F and N x K; see :meth:`features`."""
        features, logits = zip(*self._batches(images), strict=True)
        return torch.cat(features), torch.cat(logits).softmax(dim=1)

    def _batches(self, images: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Features and logits, 256 images at a time."""
        self._check(images)
        self.network.to(images.device)
        with torch.no_grad():
            for batch in images.split(256):
                features, logits = self.apply(self.network, batch)
                yield features.float(), logits.float()

    def _check(self, images: torch.Tensor) -> None:
        """Refuse what the network was not trained on."""
        if not isinstance(images, torch.Tensor) or images.dtype != torch.uint8:
            kind = getattr(images, "dtype", type(images).__name__)
            raise GancourseError(
                f"{self.name} takes uint8 images (0..255), not {kind}. From [-1, 1]: "
                "((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)."
            )
        wanted = self.input_shape
        fits = images.ndim == 4 and all(
            size in (None, actual) for size, actual in zip(wanted, images.shape[1:], strict=True)
        )
        if not fits or len(images) == 0:
            shape = " x ".join("any" if size is None else str(size) for size in wanted)
            raise GancourseError(
                f"{self.name} takes images N x {shape}, not "
                f"{' x '.join(map(str, images.shape))}. Resize them, or take another extractor."
            )


def _apply_small(network: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and logits of the small classifier, which takes images in [0, 1]."""
    assert isinstance(network, SmallCNN)
    features = network.features(batch.float() / 255)
    return features, network.head(features)


def _header(content: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: a JSON object after its length in eight bytes."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])["__metadata__"]


def open_extractor(name: str, path: str | Path, sha256: str | None = None) -> Extractor:
    """An extractor from a file.

    Args:
        name: what to call it.
        path: safetensors file made by ``gancourse.metrics.retrain``.
        sha256: the hash the file must have, if it must have one.

    Raises:
        GancourseError: the file is missing, has another hash, or is no such file.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise GancourseError(
            f"The weights of {name} cannot be read: {path} ({error.strerror}). "
            "Install gancourse again."
        ) from error
    actual = hashlib.sha256(content).hexdigest()
    if sha256 is not None and actual != sha256:
        raise GancourseError(
            f"{path} is not the file that {name} names: its SHA-256 is {actual[:16]}..., not "
            f"{sha256[:16]}.... Install gancourse again; scores from other weights do not compare."
        )
    return Extractor.from_bytes(name, content)


@cache
def extractor(name: str) -> Extractor:
    """The feature extractor of that name.

    Args:
        name: ``"digits-cnn"`` (8 x 8 grey), ``"mnist-cnn"``, ``"fashion-mnist-cnn"`` (28 x 28
            grey), ``"cifar10-cnn"`` (32 x 32 RGB), or ``"inception"`` (RGB of any size):
            Inception-v3 of 2015 through torch-fidelity, whose weights must already be on the
            machine.

    Raises:
        GancourseError: no such extractor, its file is missing or not the one the name stands for,
            or torch-fidelity or its weights are not there.
    """
    if name == "inception":
        return _inception()
    if name not in SHA256:
        raise unknown("extractor", name, [*SHA256, "inception"])
    return open_extractor(name, FOLDER / f"{name}.safetensors", SHA256[name])


def default_extractor(data_name: str) -> str:
    """The extractor that suits a data set.

    Its own classifier; for the other colour images that come with the course the classifier of
    CIFAR-10, which sees them at 32 x 32 pixels; else ``"inception"``.
    """
    name = _SHARED.get(data_name, f"{data_name}-cnn")
    return name if name in SHA256 else "inception"


def _inception() -> Extractor:
    """Inception-v3 with the weights that FID was defined with, through torch-fidelity.

    The file comes as a pickle. It is opened only after its hash was checked, and only for tensors.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if find_spec("torch_fidelity") is None or not path.is_file():
        raise GancourseError(
            "The extractor 'inception' needs the package torch-fidelity (pip install "
            f"torch-fidelity) and its weights at {path}. They are not downloaded unasked: fetch "
            f"{INCEPTION_URL} (96 MB) to there."
        )
    content = path.read_bytes()
    actual = hashlib.sha256(content).hexdigest()
    if actual != INCEPTION_SHA256:
        raise GancourseError(
            f"{path} is damaged or another file: its SHA-256 is {actual[:16]}..., not "
            f"{INCEPTION_SHA256[:16]}.... Delete it and fetch {INCEPTION_URL} again."
        )
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # torch-fidelity would unpickle the file freely; it gets one that was written here instead.
    own = io.BytesIO()
    torch.save(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), own)
    own.seek(0)
    network = FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], own)
    return Extractor(
        name="inception",
        sha256=actual,
        classes=tuple(str(index) for index in range(1008)),
        test_accuracy=None,
        input_shape=(3, None, None),
        network=network,
        apply=_apply_inception,
    )


def _apply_inception(network: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """pool3 features (2,048) and logits (1,008, without bias, as the original code has them)."""
    features, logits = network(batch)
    return features, logits
