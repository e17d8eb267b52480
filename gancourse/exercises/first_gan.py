"""The exercises of the chapter "Your first GAN in a minute"."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Trained, Value


def _logits(generator: torch.Generator) -> tuple[Tensor, ...]:
    return (3 * torch.randn(64, generator=generator),)


class _Seen(NamedTuple):
    """What the digit classifier says of samples."""

    confidence: float
    classes: int
    contrast: float  # standard deviation of all pixels


def _classify(images: Tensor) -> _Seen:
    from gancourse import metrics

    report = metrics.class_report(metrics.extractor("digits-cnn").probabilities(images))
    return _Seen(report.confidence, report.classes_covered, float(images.float().std()))


class _Grey:
    """What an untrained generator is like: a little noise around mid-grey."""

    def sample(self, n: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return (
            (128 + 20 * torch.randn(n, 1, 8, 8, generator=generator)).clamp(0, 255).to(torch.uint8)
        )


class _OneDigit:
    """A generator that has collapsed: a real digit, always the same."""

    def sample(self, n: int, seed: int = 0) -> Tensor:
        from gancourse import data

        return data.load("digits").images[:1].repeat(n, 1, 1, 1)


EXERCISES = (
    Exercise(
        name="first-gan.1",
        title="The first loss",
        kind=Value(2 * math.log(2)),
        why="Each half contributes log 2. The same value returns at the end of a perfect game, "
        "where D = 1/2 once more: this loss alone cannot tell a good generator from a fresh start.",
        hint="Put D = 1/2 into both expectations of the discriminator's loss and add them.",
        solution="""
import math

answer = -math.log(0.5) - math.log(1 - 0.5)
""",
        mistakes=(
            Mistake(
                math.log(2),
                "That is one half of it. The loss adds a term for real images and a term for "
                "fakes; it is not their mean.",
            ),
            Mistake(
                -2 * math.log(2),
                "That is the value V(D, G). The discriminator maximises V; its loss, which is "
                "minimised, is -V.",
            ),
            Mistake(
                2 * math.log10(2),
                "That is with logarithms to base 10. The losses here are in nats: natural logarithms.",
            ),
            Mistake(2, "That is with logarithms to base 2. The losses here are in nats."),
            Mistake(
                0,
                "A loss of 0 needs a discriminator that is sure and right about every image; this "
                "one is never sure.",
            ),
        ),
    ),
    Exercise(
        name="first-gan.2",
        title="The generator's loss from logits",
        kind=Function(lambda logits: softplus(-logits).mean(), _logits),
        why="-log sigmoid(l) = softplus(-l), which stays finite where sigmoid(l) rounds to 0.",
        hint="The loss is -log D(G(z)) with D = sigmoid(logit), averaged over the batch.",
        solution="""
from torch.nn.functional import softplus

def answer(fake_logits):
    return softplus(-fake_logits).mean()
""",
        mistakes=(
            Mistake(
                lambda logits: softplus(logits).mean(),
                "The sign of the logit is turned round: this is the discriminator's loss on fakes, "
                "-log(1 - D(G(z))). The generator wants D(G(z)) near 1.",
            ),
            Mistake(
                lambda logits: -softplus(logits).mean(),
                "That is the saturating loss log(1 - D(G(z))). The question asks for the one used "
                "in practice, -log D(G(z)).",
            ),
            Mistake(
                lambda logits: -softplus(-logits).mean(),
                "That is log D(G(z)), which the generator wants to be large. A loss is minimised, "
                "so it takes a minus sign.",
            ),
            Mistake(
                lambda logits: -torch.sigmoid(logits).mean(),
                "The logarithm is missing: this is minus the mean probability.",
            ),
            Mistake(
                lambda logits: -torch.log(torch.sigmoid(logits).mean()),
                "That is the logarithm of the mean probability. The expectation stands outside: "
                "take the logarithm of each, then the mean.",
            ),
        ),
    ),
    Exercise(
        name="first-gan.3",
        title="How strongly the generator is pushed",
        kind=Value(99.0),
        why="The slopes are -(1 - D) and -D. Early in training, when fakes are easy to spot, the "
        "non-saturating loss is what keeps the generator learning.",
        hint="Differentiate both losses by the logit l, with dD/dl = D (1 - D), and divide.",
        solution="""
D = 0.01
saturating = -D               # slope of log(1 - D)
non_saturating = -(1 - D)     # slope of -log D
answer = non_saturating / saturating
""",
        mistakes=(
            Mistake(
                1 / 99,
                "That is the ratio the other way round: saturating over non-saturating.",
            ),
            Mistake(
                math.log(0.01) / math.log(0.99),
                "That is the ratio of the losses. What moves the generator is their slope.",
            ),
            Mistake(
                1,
                "Both losses have the same best point, D(G(z)) = 1, but not the same slope on the "
                "way there.",
            ),
            Mistake(-99, "Both slopes have the same sign: both losses push the logit up."),
            Mistake(
                100,
                "Close: 1 / D is the slope of -log D by D. The saturating loss has the slope "
                "1 / (1 - D), which is not quite 1.",
            ),
        ),
    ),
    Exercise(
        name="first-gan.4",
        title="Without detach",
        kind=Choice("time", ("time", "cheating", "frozen", "nothing")),
        why="The backward pass then also runs through the generator, for gradients that "
        "optimizer_g.zero_grad() throws away before the generator's own step.",
        hint="Ask which parameters optimizer_d.step() can change, and when the generator's "
        "gradients are set to zero.",
        solution="""
answer = "time"
""",
        mistakes=(
            Mistake(
                "cheating",
                "The gradients do reach the generator, but no optimiser applies them: optimizer_d "
                "holds the discriminator's parameters only.",
            ),
            Mistake(
                "frozen",
                "Detaching cuts the path from the fakes back to the generator. The discriminator "
                "gets its gradients either way.",
            ),
            Mistake(
                "nothing",
                "The weights come out the same, but the backward pass has more to do.",
            ),
        ),
    ),
    Exercise(
        name="first-gan.5",
        title="All ten digits",
        kind=Trained(
            _classify, lambda seen: seen.confidence >= 0.75 and seen.classes == 10, shape=(1, 8, 8)
        ),
        why="The digit classifier finds all ten digits and is sure of most samples.",
        hint="The classifier's mean confidence on 500 samples is below 0.75: train for longer.",
        solution="""
import gancourse

answer = gancourse.train("vanilla/digits", epochs=20, budget="short", seed=1, device="cpu")
""",
        mistakes=(
            Mistake(
                _Grey(),
                "These images are nearly all grey: this generator is hardly trained. That the "
                "classifier is sure of them means nothing; it names one digit for all of them.",
                when=lambda seen: seen.classes < 10 and seen.contrast < 50,
            ),
            Mistake(
                _OneDigit(),
                "Some digits never come, or hardly ever: the generator has collapsed to the others. "
                "Confidence alone does not see that. Train for longer, with equal learning rates.",
                when=lambda seen: seen.classes < 10,
            ),
        ),
    ),
    Exercise(
        name="first-gan.6",
        title="A discriminator that is too fast",
        kind=Choice("none", ("same", "none", "noise")),
        why="With the non-saturating loss a discriminator that is ahead still gives the generator "
        "something to learn from; one that lags behind does not.",
        hint="Run it with several seeds, and count classes and confidence of 1,000 samples.",
        solution="""
generator, losses = play(epochs=20, lr_d=5e-3)
with torch.no_grad():
    pixels = (generator.eval()(torch.randn(1000, 32)) + 1) * 127.5
seen = report(pixels.round().to(torch.uint8))
print(seen.classes_covered, round(seen.confidence, 2))
answer = "none" if seen.classes_covered == 10 else "same"
""",
        mistakes=(
            Mistake(
                "same",
                "The two players are not alike. Run it: a discriminator that is ahead notices when "
                "one digit comes too often; one that lags behind does not.",
            ),
            Mistake(
                "noise",
                "That is the lore, and it holds for the saturating loss, whose slope vanishes "
                "where D is near 0. This chapter uses the other one; run it and look.",
            ),
        ),
    ),
)
