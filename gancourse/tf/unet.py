"""A U-Net whose encoder is a trained and frozen MobileNetV2, and the search for its weights.

The paper's section 4.5: "intermediate activations" of a pretrained MobileNetV2 (Sandler and others,
2018) on the way down, and a decoder on the way up that takes each of them in at its own resolution,
as in U-Net (Ronneberger and others, 2015).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from gancourse.data import search
from gancourse.data.download import reachable
from gancourse.errors import GancourseError
from gancourse.tf.backend import keras

__all__ = ["ACTIVATIONS", "decoder", "encoder", "find_weights", "unet", "weights_facts"]

#: The five activations that the decoder sees, from half the image's side to a thirty-second of it.
ACTIVATIONS = (
    "block_1_expand_relu",
    "block_3_expand_relu",
    "block_6_expand_relu",
    "block_13_expand_relu",
    "block_16_project",
)
#: Transposed convolutions of the decoder, from the lowest resolution up.
FILTERS = (512, 256, 128, 64)
#: Of the decoder's batch normalisation. CamVid has 12 batches an epoch: with Keras' 0.99 four fifths
#: of the statistics that validation uses would still be the initial ones after two epochs.
MOMENTUM = 0.9

_NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{}_no_top.h5"
_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
_SIDES = (96, 128, 160, 192, 224)  # Keras has a file of weights for each of these sides
_DOGS = "mobilenet_v2_1.0_160_no_top_dogs19_finetuned.h5"
_WAYS = (
    "Connect to the internet once, and Keras downloads {name} into {folder}; or put that file, or "
    "another one of MobileNetV2 (alpha 1.0, no top) in Keras' HDF5 layout, there or into weights/ "
    "of a folder named by GANCOURSE_DATA; or give its path: unet(..., weights=PATH). "
    "weights=None draws the encoder at random, which is no pretrained encoder."
)


def unet(classes: int, *, size: int = 128, weights: str | Path | None = "auto") -> Any:
    """The paper's segmentation network: trained encoder, skips, decoder.

    Args:
        classes: how many classes a pixel can have, 2 or more; void is not one of them.
        size: side of the images in pixels, a multiple of 32.
        weights: of the encoder. ``"auto"``: what :func:`find_weights` finds. ``"imagenet"``: only
            the official file. A path: that file. None: drawn at random, for experiments on what
            the pretraining is worth.

    Returns:
        An uncompiled Keras model: float32 N x size x size x 3 in 0..1 to logits N x size x size x
        classes, so the loss wants ``from_logits=True``. Three parts, by name: ``scale`` (to -1..1,
        as MobileNetV2 was trained), ``encoder`` (frozen, 1,841,984 parameters) and ``decoder``
        (4,657,920 + 1,441 * classes, of which batch normalisation's 1,920 moving statistics are
        not trained).

    Raises:
        GancourseError: fewer than 2 classes, a size that is no multiple of 32, or weights that are
            missing, corrupt or another network's.
    """
    _check_size(size)
    if classes < 2:
        raise GancourseError(f"A U-Net tells 2 classes or more apart, not {classes!r}.")
    inputs = keras.Input((size, size, 3), name="image")
    scaled = keras.layers.Rescaling(2.0, offset=-1.0, name="scale")(inputs)
    # training=False, besides frozen: batch normalisation keeps its statistics of ImageNet.
    activations = encoder(size, weights=weights)(scaled, training=False)
    logits = decoder(classes, size)(activations)
    return keras.Model(inputs, logits, name="unet")


def encoder(size: int = 128, *, weights: str | Path | None = "auto") -> Any:
    """MobileNetV2 up to its last bottleneck, frozen, with :data:`ACTIVATIONS` as outputs.

    Args:
        size: side of the images in pixels, a multiple of 32.
        weights: as for :func:`unet`.

    Returns:
        A Keras model of 1,841,984 parameters, none trainable: float32 N x size x size x 3 in -1..1
        to five activations: size/2 x 96 maps, size/4 x 144, size/8 x 192, size/16 x 576 and
        size/32 x 320.

    Raises:
        GancourseError: as for :func:`unet`.
    """
    _check_size(size)
    if weights == "auto":
        weights = find_weights(size)
    elif weights == "imagenet":
        weights = find_weights(size, official=True)
    path = None if weights is None else _whole(Path(weights).expanduser(), size)
    base = keras.applications.MobileNetV2(
        input_shape=(size, size, 3), include_top=False, weights=None
    )
    if path is not None:
        _load(base, path, size)
    outputs = [base.get_layer(name).output for name in ACTIVATIONS]
    frozen = keras.Model(base.input, outputs, name="encoder")
    frozen.trainable = False
    return frozen


def decoder(classes: int, size: int = 128) -> Any:
    """From the encoder's activations to logits: each step doubles the side and takes in a skip.

    Four times: transposed convolution 3 x 3 with stride 2 and no bias (512, 256, 128, 64 maps),
    batch normalisation, ReLU, then the encoder's activation of the same side beside it. At the end
    a transposed convolution to the classes, at the image's own resolution.

    Args:
        classes: maps of the result.
        size: side of the images in pixels.

    Returns:
        A Keras model from the list of five activations to logits N x size x size x classes.
    """
    layers = keras.layers
    maps = (96, 144, 192, 576, 320)
    sides = [size // 2 ** (step + 1) for step in range(5)]
    inputs = [
        keras.Input((side, side, count), name=name)
        for side, count, name in zip(sides, maps, ACTIVATIONS, strict=True)
    ]
    x = inputs[-1]
    for filters, skip in zip(FILTERS, reversed(inputs[:-1]), strict=True):
        x = layers.Conv2DTranspose(
            filters, 3, strides=2, padding="same", use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
            name=f"double_{filters}",
        )(x)  # fmt: skip
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{filters}")(x)
        x = layers.ReLU(name=f"relu_{filters}")(x)
        x = layers.Concatenate(name=f"skip_{filters}")([x, skip])
    logits = layers.Conv2DTranspose(classes, 3, strides=2, padding="same", name="logits")(x)
    return keras.Model(inputs, logits, name="decoder")


def find_weights(size: int = 128, *, official: bool = False) -> Path:
    """Where the encoder's weights are: on this machine, or else downloaded by Keras.

    In this order: the official file for images of this side in Keras' folder of models
    (``~/.keras/models``); the same in all folders that data sets are searched in, and in
    ``weights/`` below them; then there the file that goes with this course's data,
    ``mobilenet_v2_1.0_160_no_top_dogs19_finetuned.h5``; last, a download of the official one.

    The course's file is *not* the official ImageNet file. It was taken from a classifier of dogs:
    blocks 14 to 16 and ``Conv_1`` were fine-tuned on 19 breeds of Stanford Dogs; the blocks before
    should be ImageNet's.

    Args:
        size: side of the images; Keras has weights for 96, 128, 160, 192 and 224 (used for the
            rest).
        official: accept only the official file.

    Returns:
        An HDF5 file in the layout of ``keras.applications``. What is in it, loading checks.

    Raises:
        GancourseError: there is none, and the internet does not answer; the message names the
            places looked in and the ways to get one.
    """
    name = _NAME.format(size if size in _SIDES else 224)
    models = _models()
    if (models / name).is_file():
        return models / name
    for wanted in [name] if official else [name, _DOGS]:
        found = search.candidates(None, [f"weights/{wanted}", wanted])
        if found:
            return found[0]
    problem = f"{_ADDRESS.split('/')[2]} does not answer"
    if reachable(_ADDRESS + name):
        try:
            return Path(keras.utils.get_file(name, _ADDRESS + name, cache_subdir="models"))
        except Exception as error:  # Keras raises plain Exception where a download breaks
            problem = f"its download failed: {error}"
    places = ", ".join(map(str, (models, *search.places())))
    raise GancourseError(
        f"There are no weights of MobileNetV2 for the encoder on this machine, and {problem}. "
        f"{_ways(size)}\nLooked in {places}."
    )


def weights_facts(path: str | Path) -> dict[str, str]:
    """What a file of weights is, for a record.

    Args:
        path: as :func:`find_weights` returns it.

    Returns:
        ``file`` (its name), ``sha256`` and ``about`` (a sentence).

    Raises:
        GancourseError: the file cannot be read.
    """
    path = Path(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise GancourseError(f"Cannot read {path}: {error.strerror or error}.") from error
    if path.name == _DOGS:
        about = (
            "MobileNetV2, blocks 14 to 16 and Conv_1 fine-tuned on 19 breeds of Stanford Dogs; not "
            "the official ImageNet file"
        )
    elif path.name in (_NAME.format(side) for side in _SIDES):
        about = "MobileNetV2, Keras' official ImageNet weights by the file's name"
    else:
        about = "MobileNetV2, weights of the user's own"
    return {"file": path.name, "sha256": digest, "about": about}


def _check_size(size: int) -> None:
    if not isinstance(size, int) or isinstance(size, bool) or size < 32 or size % 32:
        raise GancourseError(
            f"The U-Net halves its images five times: their side must be a multiple of 32, such as "
            f"128, not {size!r}."
        )


def _models() -> Path:
    """Where Keras keeps the weights of its applications."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")).expanduser() / "models"


def _ways(size: int) -> str:
    name = _NAME.format(size if size in _SIDES else 224)
    return _WAYS.format(name=name, folder=_models())


def _whole(path: Path, size: int) -> Path:
    if not path.is_file():
        raise GancourseError(f"There is no file of weights {path}. {_ways(size)}")
    return path


def _load(base: Any, path: Path, size: int) -> None:
    """Fill MobileNetV2 from an HDF5 file, or say why not."""
    try:
        base.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise GancourseError(
            f"{path} does not hold weights of MobileNetV2 (alpha 1.0, no top), or is damaged: "
            f"{reason[:200].rstrip('.')}. Delete or replace it. {_ways(size)}"
        ) from error
