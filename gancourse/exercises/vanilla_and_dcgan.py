"""The exercises of the chapter "The first GAN against DCGAN"."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Trained, Value


def _layer(generator: torch.Generator) -> tuple[int, int, int, int]:
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    padding = draw(1, 3)
    return draw(5, 20), draw(2 * padding + 2, 9), draw(3, 5), padding


def _outputs(generator: torch.Generator) -> tuple[Tensor]:
    return (torch.tanh(2 * torch.randn(20, generator=generator)),)


def _moments(generator: torch.Generator) -> tuple[float, float, float, float]:
    means = 3 * torch.randn(2, generator=generator)
    deviations = 0.5 + 2 * torch.rand(2, generator=generator)
    return (*means.tolist(), *deviations.tolist())


class _Quality(NamedTuple):
    precision: float
    recall: float


def _measure(images: Tensor) -> _Quality:
    from gancourse import data, metrics

    real = data.load("digits", split="test")
    extractor = metrics.extractor("digits-cnn")
    return _Quality(
        *metrics.precision_recall(extractor.features(real.images), extractor.features(images))
    )


class _Smeared:
    """Real digits under heavy noise: as varied as can be, and hard to read."""

    def sample(self, n: int, seed: int = 0) -> Tensor:
        from gancourse import data

        generator = torch.Generator().manual_seed(seed)
        digits = data.load("digits").images[:n].float()
        noise = 90 * torch.randn(digits.shape, generator=generator)
        return (digits + noise).clamp(0, 255).to(torch.uint8)


class _OneDigit:
    """A generator that has collapsed: a real digit, always the same."""

    def sample(self, n: int, seed: int = 0) -> Tensor:
        from gancourse import data

        return data.load("digits", split="test").images[:1].repeat(n, 1, 1, 1)


EXERCISES = (
    Exercise(
        name="vanilla-and-dcgan.1",
        title="The weights of a transposed convolution",
        kind=Value(64 * 32 * 4 * 4, tolerance=1e-6),
        why="One 4 x 4 kernel for each pair of input and output maps, whatever the image's size.",
        hint="Each of the 32 output maps has one kernel for each of the 64 input maps.",
        solution="""
from torch import nn

layer = nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1, bias=False)
answer = sum(weights.numel() for weights in layer.parameters())
""",
        mistakes=(
            Mistake(
                0,
                "A transposed convolution is not an interpolation: it has weights, and learns them.",
            ),
            Mistake(
                64 * 32,
                "That counts one weight for each pair of maps. Each pair has a kernel of 4 x 4.",
            ),
            Mistake(
                64 * 32 * 4,
                "The kernel is 4 x 4, which is 16 weights: its area counts, not its side.",
            ),
            Mistake(
                64 * 32 * 16 + 32,
                "That includes 32 biases. The layer has none: batch normalisation follows.",
            ),
            Mistake(
                64 * 7 * 7 * 32 * 14 * 14,
                "That is a fully connected layer between the maps. A convolution uses the same "
                "kernel at every place.",
            ),
        ),
    ),
    Exercise(
        name="vanilla-and-dcgan.2",
        title="The size of its output",
        kind=Function(lambda n, k, s, p: (n - 1) * s - 2 * p + k, _layer),
        why="With k = 4, s = 2, p = 1 that is 2 n. The doubling comes from the stride.",
        hint="Turn the formula for a convolution round: which input size gives the output n?",
        solution="""
def answer(n, k, s, p):
    return (n - 1) * s - 2 * p + k
""",
        mistakes=(
            Mistake(
                lambda n, k, s, p: (n + 2 * p - k) // s + 1,
                "That is the output of a convolution, which shrinks. Solve it for n.",
            ),
            Mistake(
                lambda n, k, s, p: 2 * n,
                "Right for k = 4, s = 2, p = 1 only. The stride decides, and kernel and padding "
                "shift the result.",
            ),
            Mistake(
                lambda n, k, s, p: n * s,
                "Close, and right where k = s + 2 p. In general kernel and padding shift the result.",
            ),
            Mistake(
                lambda n, k, s, p: (n - 1) * s + 2 * p + k,
                "Padding enlarges the input of a convolution, so it cuts the output of its "
                "transpose: the sign of 2 p is turned round.",
            ),
        ),
    ),
    Exercise(
        name="vanilla-and-dcgan.3",
        title="From the generator to pixels",
        kind=Function(lambda x: ((x + 1) * 127.5).round(), _outputs, tolerance=1e-3),
        why="Shift before you scale: -1 becomes 0, 0 becomes mid-grey, 1 becomes 255.",
        hint="Find the straight line that takes -1 to 0 and 1 to 255, then round.",
        solution="""
def answer(x):
    return ((x + 1) * 127.5).round()
""",
        mistakes=(
            Mistake(
                lambda x: (x * 255).round(),
                "Half of the outputs are negative; this makes them negative pixels.",
            ),
            Mistake(
                lambda x: ((x + 1) * 255).round(),
                "That reaches 510. The interval from -1 to 1 is 2 long.",
            ),
            Mistake(
                lambda x: (x.clamp(0, 1) * 255).round(),
                "That cuts off everything below 0: all dark greys become black.",
            ),
            Mistake(
                lambda x: ((x + 1) * 127.5).floor(),
                "Cut off instead of rounded, which makes images darker by half a grey level on "
                "average.",
            ),
        ),
    ),
    Exercise(
        name="vanilla-and-dcgan.4",
        title="The Fréchet distance in one dimension",
        kind=Function(lambda m1, m2, s1, s2: (m1 - m2) ** 2 + (s1 - s2) ** 2, _moments),
        why="In one dimension the trace becomes s1^2 + s2^2 - 2 s1 s2: differences of means and of "
        "standard deviations, each squared.",
        hint="Put the 1 x 1 covariances s1^2 and s2^2 into the formula of the FID.",
        solution="""
def answer(m1, m2, s1, s2):
    return (m1 - m2) ** 2 + (s1 - s2) ** 2
""",
        mistakes=(
            Mistake(
                lambda m1, m2, s1, s2: (m1 - m2) ** 2 + (s1**2 - s2**2) ** 2,
                "Those are the variances. The square root in the formula leaves standard deviations.",
            ),
            Mistake(
                lambda m1, m2, s1, s2: abs(m1 - m2) + abs(s1 - s2),
                "The FID is the squared Fréchet distance: square both differences.",
            ),
            Mistake(
                lambda m1, m2, s1, s2: ((m1 - m2) ** 2 + (s1 - s2) ** 2) ** 0.5,
                "That is the Fréchet distance itself; what is called FID is its square.",
            ),
            Mistake(
                lambda m1, m2, s1, s2: (m1 - m2) ** 2 + s1**2 + s2**2,
                "The mixed term -2 s1 s2 is missing: equal distributions must have distance 0.",
            ),
        ),
    ),
    Exercise(
        name="vanilla-and-dcgan.5",
        title="Reading two numbers",
        kind=Choice("collapse", ("collapse", "blur", "copies", "noise")),
        why="What it draws is good, but it draws little of what there is.",
        hint="Say in words what precision and recall count, then what each option does to them.",
        solution="""
answer = "collapse"
""",
        mistakes=(
            Mistake("blur", "Blurred images lie away from real ones: precision would be low."),
            Mistake(
                "copies",
                "Copies of all training images would cover the real distribution: recall would be "
                "high too. Neither number notices copying.",
            ),
            Mistake("noise", "Noise is nowhere near real images: precision would be about 0."),
        ),
    ),
    Exercise(
        name="vanilla-and-dcgan.6",
        title="Precise and complete",
        kind=Trained(_measure, lambda seen: min(seen) >= 0.5, shape=(1, 8, 8), n=1000),
        why="Both at least 0.5 against the real test digits: most samples lie among real digits, and "
        "most real digits among the samples.",
        hint="Both numbers are below 0.5: train for longer.",
        solution="""
import gancourse

answer = gancourse.train("vanilla/digits", epochs=40, budget="short", device="cpu")
""",
        mistakes=(
            Mistake(
                _OneDigit(),
                "Precision is fine, recall is below 0.5: the samples lie among real digits, but most "
                "kinds of real digits have no sample near them.",
                when=lambda seen: seen.recall < 0.5 <= seen.precision,
            ),
            Mistake(
                _Smeared(),
                "Precision is below 0.5: most samples lie where no real digit is.",
                when=lambda seen: seen.precision < 0.5,
            ),
        ),
    ),
)
