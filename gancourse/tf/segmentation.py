"""Images with a class for every pixel: arrays, minibatches, the loss without void, the scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gancourse import data
from gancourse.data.prepared import prepared_pets
from gancourse.errors import GancourseError
from gancourse.tf import pipelines
from gancourse.tf.backend import keras, tf

__all__ = [
    "SegmentationArrays",
    "commonest_class",
    "compile_segmentation",
    "predict_masks",
    "segmentation_arrays",
    "segmentation_dataset",
    "segmentation_scores",
]


@dataclass(frozen=True)
class SegmentationArrays:
    """Images, their masks, and what the values of a mask mean.

    Attributes:
        images: uint8 N x H x W x 3.
        masks: uint8 N x H x W, 0 to len(classes) - 1, or ``void``.
        classes: names of the classes, without void.
        void: the value of pixels without a class, which nobody scores; None where there is none.
    """

    images: np.ndarray
    masks: np.ndarray
    classes: tuple[str, ...]
    void: int | None


def segmentation_arrays(
    name: str, split: str = "train", size: int = 128, **options: Any
) -> SegmentationArrays:
    """CamVid or Oxford-IIIT Pet, one way for both.

    The centred square of each image is cut out and resized to ``size``; the mask is cut alike and
    takes the nearest pixel. A photograph keeps its proportions and loses its ends: the sides of a
    street, 256 x 192 in CamVid. The paper's text does not say whether it squeezed or cut.

    Where the pets are not found as their authors publish them, a copy is taken that
    ``tensorflow_datasets`` has prepared, if that package is installed; in its order, and without
    downloading anything through it. Failing that they are downloaded as they are published.

    Args:
        name: ``"camvid"`` (11 classes, void 11) or ``"oxford-pets"`` (pet, background, border; its
            trimaps 1..3 become 0..2), or another data set with masks.
        split: ``"train"``, ``"val"`` or ``"test"`` of CamVid; ``"train"`` or ``"test"`` of the pets.
        size: side of the square in pixels, a multiple of 32 for the U-Net.
        **options: ``root`` and ``download`` of :func:`gancourse.data.load`. With
            ``download=False`` only what is on the machine is taken.

    Returns:
        The arrays.

    Raises:
        GancourseError: the data set is not here, is damaged, or has no masks.
    """
    loaded = None
    if name == "oxford-pets" and data.find(name, options.get("root")) is None:
        loaded = prepared_pets(split, size)
    if loaded is None:
        loaded = data.load(name, split, size=size, channels=3, **options)
    masks = pipelines.masks(loaded)
    names = loaded.mask_classes
    void = names.index("void") if "void" in names else None
    classes = names if void is None else names[:void]
    return SegmentationArrays(pipelines.images(loaded), masks, classes, void)


def segmentation_dataset(
    images: np.ndarray,
    masks: np.ndarray,
    batch_size: int = 32,
    *,
    classes: int,
    void: int | None = None,
    seed: int | None = None,
    flip: bool = False,
) -> Any:
    """Minibatches of images, masks and the weight of each pixel, for ``fit`` and ``evaluate``.

    Args:
        images: uint8 N x H x W x 3, height and width multiples of 32.
        masks: whole numbers N x H x W, from 0 to classes - 1, or ``void``.
        batch_size: images a batch; the last one may be smaller.
        classes: how many classes there are, void not counted.
        void: the mask value that does not count. Its pixels get class 0 with weight 0.
        seed: of the order and the flips, drawn anew each epoch; None keeps the order.
        flip: mirror each image left to right with probability 1/2, and its mask and weights with
            it. Needs a seed.

    Returns:
        A ``tf.data.Dataset`` of (float32 B x H x W x 3 in 0..1, int32 B x H x W, float32 B x H x W).

    Raises:
        GancourseError: arrays that do not fit together, sides that are no multiples of 32, mask
            values out of range, or a flip without a seed.
    """
    _check_pairs(images, masks, classes, void)
    if batch_size < 1:
        raise GancourseError(f"A batch holds 1 image or more, not {batch_size}.")
    if flip and seed is None:
        raise GancourseError("Random flips need a seed: segmentation_dataset(..., seed=0).")
    pairs = tf.data.Dataset.from_tensor_slices((images, masks.astype(np.int32)))
    if seed is not None:
        pairs = pairs.shuffle(len(images), seed=seed, reshuffle_each_iteration=True)
    if flip:
        draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
        pairs = tf.data.Dataset.zip(pairs, draws).map(_flip_together)
    nothing = -1 if void is None else void

    def finish(batch: Any, target: Any) -> tuple[Any, Any, Any]:
        counts = target != nothing
        pixels = tf.cast(batch, tf.float32) / 255.0
        return pixels, tf.where(counts, target, 0), tf.cast(counts, tf.float32)

    return pairs.batch(batch_size).map(finish).prefetch(2)


def _flip_together(pair: Any, draw: Any) -> Any:
    mirrored = tf.nest.map_structure(lambda x: tf.reverse(x, axis=[1]), pair)
    return tf.cond(draw % 2 == 0, lambda: mirrored, lambda: pair)


def _check_pairs(images: np.ndarray, masks: np.ndarray, classes: int, void: int | None) -> None:
    """Refuse images and masks that a U-Net cannot learn from, saying why."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise GancourseError(
            f"Images must be uint8 N x H x W x 3; these are {images.dtype} {images.shape}."
        )
    if masks.shape != images.shape[:3] or len(images) == 0:
        raise GancourseError(
            f"Images {images.shape} need masks {images.shape[:3]}, one class a pixel and one image "
            f"or more; the masks are {masks.shape}."
        )
    if images.shape[1] % 32 or images.shape[2] % 32:
        raise GancourseError(
            f"The images are {images.shape[1]} x {images.shape[2]}; the U-Net halves them five "
            "times, so both sides must be multiples of 32. Load them with size=128."
        )
    _check_values(masks, classes, void)


def _check_values(masks: np.ndarray, classes: int, void: int | None) -> None:
    if not np.issubdtype(masks.dtype, np.integer):
        raise GancourseError(f"Masks hold whole numbers, not {masks.dtype}.")
    values = np.unique(masks)
    wrong = [int(v) for v in values if not 0 <= v < classes and v != void]
    if wrong:
        allowed = f"0..{classes - 1}" + ("" if void is None else f" and void {void}")
        raise GancourseError(
            f"The masks hold {', '.join(map(str, wrong[:5]))}; with {classes} classes they may hold "
            f"{allowed}. Shift the values (trimaps count from 1), or name the void."
        )


def compile_segmentation(model: Any, optimizer: Any = None) -> Any:
    """Prepare a U-Net for ``fit``: cross-entropy of the logits and accuracy, both without void.

    Both are means over the pixels that count: each pixel comes with a weight, 0 for void, and the
    loss divides by the sum of the weights. (Keras' default divides by the number of all pixels,
    so that a batch with much void would seem easier.)

    Args:
        model: as :func:`gancourse.tf.unet.unet` builds it.
        optimizer: a Keras optimiser; by default Adam with its learning rate of 0.001.

    Returns:
        The same model.
    """
    model.compile(
        optimizer=keras.optimizers.Adam() if optimizer is None else optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        ),
        weighted_metrics=["accuracy"],
        # On a CPU, XLA's convolutions are several times slower than TensorFlow's own.
        jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
    )
    return model


def predict_masks(model: Any, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """The most probable class of every pixel.

    Args:
        model: a U-Net.
        images: uint8 N x H x W x 3, of the side that the model was built for.
        batch_size: images at a time.

    Returns:
        uint8 N x H x W.

    Raises:
        GancourseError: images of another size or type.
    """
    wanted = tuple(model.input_shape[1:])
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != wanted:
        raise GancourseError(
            f"This model takes uint8 images N x {' x '.join(map(str, wanted))}; these are "
            f"{images.dtype} {images.shape}. Load them with size={wanted[0]}."
        )
    parts = [
        model.predict_on_batch(pipelines.scaled(images[start : start + batch_size])).argmax(-1)
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts).astype(np.uint8)


def commonest_class(masks: np.ndarray, classes: int) -> np.ndarray:
    """For each position, the class that most masks have there: a prediction that sees no image.

    Args:
        masks: whole numbers N x H x W; values from ``classes`` on, such as void, are not counted.
        classes: how many classes there are.

    Returns:
        uint8 H x W; class 0 where nothing counts.
    """
    counts = np.stack([(masks == value).sum(0) for value in range(classes)])
    return counts.argmax(0).astype(np.uint8)


def segmentation_scores(
    predicted: np.ndarray, masks: np.ndarray, classes: int, void: int | None = None
) -> dict[str, Any]:
    """How well predicted masks fit the true ones, void left out.

    The intersection over union of a class is the number of pixels that have it in both, over those
    that have it in at least one.

    Args:
        predicted: whole numbers N x H x W, 0 to classes - 1.
        masks: the truth, of the same shape; ``void`` is left out.
        classes: how many classes there are.
        void: the value without a class, or None.

    Returns:
        ``pixel_accuracy``, ``mean_iou`` (the mean over the classes that occur), ``iou`` (a class
        each; None for one that is in neither), ``confusion`` (a row of counts for each true class);
        all of it as JSON holds it.

    Raises:
        GancourseError: different shapes, values out of range, or nothing but void.
    """
    if predicted.shape != masks.shape:
        raise GancourseError(
            f"Predicted masks {predicted.shape} and true masks {masks.shape} differ in shape."
        )
    _check_values(predicted, classes, None)
    _check_values(masks, classes, void)
    counted = np.ones(masks.shape, bool) if void is None else masks != void
    if not counted.any():
        raise GancourseError("There is no pixel with a class to score: all is void.")
    pairs = masks[counted].astype(np.int64) * classes + predicted[counted]
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    both = np.diag(confusion)
    either = confusion.sum(0) + confusion.sum(1) - both
    iou = [float(b / e) if e else None for b, e in zip(both, either, strict=True)]
    return {
        "pixel_accuracy": float(both.sum() / confusion.sum()),
        "mean_iou": float(np.mean([value for value in iou if value is not None])),
        "iou": iou,
        "confusion": confusion.tolist(),
    }
