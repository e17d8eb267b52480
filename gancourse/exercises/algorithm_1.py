"""The exercises of the chapter "Algorithm 1, watched"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _inside(generator: torch.Generator) -> tuple[Tensor]:
    return (0.02 + 0.96 * torch.rand(8, generator=generator, dtype=torch.float64),)


EXERCISES = (
    Exercise(
        name="algorithm-1.1",
        title="What a run costs",
        kind=Value(1800, tolerance=1e-6),
        why="Five of the discriminator and one of the generator, 300 times.",
        hint="Each step of the generator comes with k steps of the discriminator.",
        solution="""
answer = 300 * (5 + 1)
""",
        mistakes=(
            Mistake(1500, "Those are the discriminator's; the generator makes 300 more."),
            Mistake(600, "That would be k = 1."),
            Mistake(300, "Those are the generator's alone."),
        ),
    ),
    Exercise(
        name="algorithm-1.2",
        title="A density by change of variables",
        kind=Value(1.0),
        why="G(1/2) = 1/4 and G'(1/2) = 1: there the noise is neither stretched nor squeezed.",
        hint="Only z = 1/2 goes to 0.25. Divide the density of the noise by G'(1/2) = 2 z.",
        solution="""
z = 0.25 ** 0.5
answer = 1 / (2 * z)
""",
        mistakes=(
            Mistake(2.0, "The slope is 2 z at z = 1/2, not at z = 1/4."),
            Mistake(
                0.5, "The slope at z = 1/4 is 1/2; but z is 1/2, and one divides by the slope."
            ),
            Mistake(0.25, "That is x itself, not the density there."),
        ),
    ),
    Exercise(
        name="algorithm-1.3",
        title="A map that turns back",
        kind=Function(lambda x: 0.5 / x.sqrt(), _inside),
        why="Two pieces arrive at x, from the root and from minus the root, each with 1/2 divided by "
        "2 root x.",
        hint="The noise has the density 1/2. Which two z go to x, and what is the slope there?",
        solution="""
def answer(x):
    z = x.sqrt()
    return 2 * (1 / 2) / (2 * z)  # z and -z
""",
        mistakes=(
            Mistake(
                lambda x: 0.25 / x.sqrt(),
                "That is one of the two pieces: -z goes to x as well.",
            ),
            Mistake(
                lambda x: 1 / x.sqrt(),
                "The density of the noise is 1/2, since the interval is 2 long.",
            ),
            Mistake(
                lambda x: 2 * x.sqrt(),
                "Divide by the slope instead of multiplying: where G is steep, the density is thin.",
            ),
            Mistake(lambda x: 1 / (2 * x), "The slope is 2 z, and z is the root of x."),
        ),
    ),
    Exercise(
        name="algorithm-1.4",
        title="What the proof assumes",
        kind=Choice("optimum", ("optimum", "seed", "adam", "modes")),
        why="After k steps D is somewhere on its way. That gap is what circling and hopping live on.",
        hint="Read the code of the theorem again: what is computed exactly, before every step?",
        solution="""
answer = "optimum"
""",
        mistakes=(
            Mistake("seed", "The theorem has no noise at all: it moves the density itself."),
            Mistake("adam", "The theorem takes plain gradient steps, with a projection."),
            Mistake("modes", "The data may be any positive distribution."),
        ),
    ),
    Exercise(
        name="algorithm-1.5",
        title="Plain descent on the line",
        kind=Choice("adam", ("adam", "sgd")),
        why="With these rates the generator under Adam fits both bumps sooner.",
        hint="Run both for two seeds each, and compare the means.",
        solution="""
from gancourse.theory import js
from gancourse.theory.algorithm_1 import Algorithm1

def divergence(seed, **options):
    run = Algorithm1(data, k=5, seed=seed, **options)
    run.run(50)
    return js(data, run.generator_density())

adam = sum(divergence(seed, lr=(3e-3, 1e-2)) for seed in range(2))
sgd = sum(divergence(seed, lr=(0.05, 0.2), optimizer="sgd") for seed in range(2))
answer = "adam" if adam < sgd else "sgd"
""",
        mistakes=(
            Mistake("sgd", "Not in the mean over the seeds 0 and 1: its divergence is larger."),
        ),
    ),
)
