"""Algorithm 1 of Goodfellow et al. (2014) on densities one can see, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import expit, ndtri
from torch import Tensor

from gancourse.errors import GancourseError, unknown
from gancourse.losses import (
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
)
from gancourse.nets.points import PointDiscriminator, PointGenerator
from gancourse.theory.arguments import Array, count, positive
from gancourse.theory.densities import Density
from gancourse.theory.learned import evaluated
from gancourse.theory.pushforward import KernelDensity, PushForward

__all__ = ["Algorithm1"]

GENERATOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "saturating": minimax_generator,
    "non-saturating": non_saturating_generator,
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda weights, lr: torch.optim.Adam(weights, lr=lr, betas=(0.5, 0.999), fused=True),
    "sgd": lambda weights, lr: torch.optim.SGD(weights, lr=lr),
}


class Algorithm1:
    """A GAN whose data are drawn from a known density on the line or in the plane.

    Noise is standard normal. Both players are small networks with tanh. Nothing is hidden: the
    generator's density and the discriminator can be had after every step.

    Args:
        data: the distribution of the data, of dimension 1 or 2.
        k: steps of the discriminator for each of the generator (the hyper-parameter that the
            algorithm names).
        objective: of the generator, ``"saturating"`` (as in the algorithm) or
            ``"non-saturating"`` (as in practice).
        batch_size: points of each side in a step.
        latent_dim: length of a noise vector; by default the dimension of the data.
        hidden: widths of the hidden layers of both networks.
        lr: learning rates of the generator and of the discriminator.
        optimizer: ``"adam"`` (with betas 0.5 and 0.999) or ``"sgd"``, plain descent.
        seed: of weights, noise and data; equal seeds give equal runs on one machine.

    Attributes:
        generator: the network from noise N x latent_dim to points N x dim.
        network: the discriminator, from points N x dim to N logits.
        steps: steps of the generator made so far.

    Raises:
        GancourseError: data of another dimension, an unknown objective or optimiser, or a count or
            a rate that is not positive.
    """

    def __init__(
        self,
        data: Density,
        *,
        k: int = 1,
        objective: str = "non-saturating",
        batch_size: int = 256,
        latent_dim: int | None = None,
        hidden: Sequence[int] = (64, 64),
        lr: tuple[float, float] = (1e-3, 1e-3),
        optimizer: str = "adam",
        seed: int = 0,
    ) -> None:
        if data.dim not in (1, 2):
            raise GancourseError(
                f"The data have {data.dim} dimensions; what is to be seen needs 1 or 2."
            )
        if objective not in GENERATOR_LOSSES:
            raise unknown("objective of the generator", objective, GENERATOR_LOSSES)
        if optimizer not in OPTIMIZERS:
            raise unknown("optimizer", optimizer, OPTIMIZERS)
        rates = [float(positive(rate, "lr")) for rate in lr]
        self.data, self.k, self.batch_size = data, count(k, "k"), count(batch_size, "batch_size")
        self.latent_dim = data.dim if latent_dim is None else count(latent_dim, "latent_dim")
        self._loss = GENERATOR_LOSSES[objective]
        self._rng = np.random.default_rng(seed)
        self._noise = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = PointGenerator(self.latent_dim, data.dim, hidden)
            self.network = PointDiscriminator(data.dim, hidden)
        players = (self.generator, self.network)
        self._optimizers = [
            OPTIMIZERS[optimizer](player.parameters(), lr=rate)
            for player, rate in zip(players, rates, strict=True)
        ]
        self.steps = 0

    def discriminator_step(self) -> float:
        """One step of the discriminator alone; returns its loss, an estimate of -V(D, G)."""
        drawn = self.data.sample(self.batch_size, self._rng).reshape(self.batch_size, -1)
        real = torch.from_numpy(drawn).float()
        with torch.no_grad():  # the generator is held still
            fake = self.generator(self._draw())
        loss = minimax_discriminator(*self.network(torch.cat([real, fake])).chunk(2))
        return self._descend(loss, self._optimizers[1])

    def generator_step(self) -> float:
        """One step of the generator alone; returns its loss."""
        for weights in self.network.parameters():
            weights.requires_grad_(False)  # the discriminator is held still
        loss = self._loss(self.network(self.generator(self._draw())))
        self._descend(loss, self._optimizers[0])
        for weights in self.network.parameters():
            weights.requires_grad_(True)
        self.steps += 1
        return loss.item()

    def step(self) -> tuple[float, float]:
        """k steps of the discriminator, then one of the generator.

        Returns:
            Their losses, the generator's first; the discriminator's of its last step.
        """
        for _ in range(self.k):
            loss = self.discriminator_step()
        return self.generator_step(), loss

    def run(self, steps: int) -> None:
        """``steps`` times :meth:`step`."""
        for _ in range(count(steps, "steps")):
            self.step()

    def noise_map(self, z: ArrayLike) -> Array:
        """The generator as a map.

        Args:
            z: noise vectors ``... x latent_dim``; numbers of any shape if ``latent_dim`` is 1.

        Returns:
            Points ``... x dim``; numbers ``...`` if the data lie on the line.
        """
        noise = np.asarray(z, dtype=np.float64)
        shape = noise.shape if self.latent_dim == 1 else noise.shape[:-1]
        with torch.no_grad():
            points = self.generator(torch.from_numpy(noise.reshape(-1, self.latent_dim)).float())
        return points.double().numpy().reshape(shape if self.data.dim == 1 else (*shape, 2))

    def sample(self, n: int, seed: int = 0) -> Array:
        """Draws of the generator: n numbers, or n x 2 points. Training is not disturbed by it."""
        noise = torch.randn(
            count(n), self.latent_dim, generator=torch.Generator().manual_seed(seed)
        )
        return self.noise_map(noise.numpy()[:, 0] if self.latent_dim == 1 else noise.numpy())

    def logit(self, x: ArrayLike) -> Array:
        """The discriminator's logits at points of the shape that ``data.log_prob`` takes."""
        return evaluated(self.network, x)

    def discriminator(self, x: ArrayLike) -> Array:
        """D(x), the probability of "data", in [0, 1]."""
        return np.asarray(expit(self.logit(x)))

    def generator_density(self, bandwidth: float = 0.1) -> Density:
        """The distribution of the generator's samples at this moment.

        On the line, if the noise has one dimension, by change of variables from 2,000 pieces of
        the noise; otherwise a kernel density of 2,500 samples.

        Args:
            bandwidth: of the kernel density.
        """
        if self.data.dim == self.latent_dim == 1:
            shares = np.linspace(0, 1, 2001)
            shares[[0, -1]] = 1 / 8000, 1 - 1 / 8000  # the noise has no end
            return PushForward(self.noise_map(ndtri(shares)))
        return KernelDensity(self.sample(2500).reshape(2500, -1), bandwidth)

    def _draw(self) -> Tensor:
        return torch.randn(self.batch_size, self.latent_dim, generator=self._noise)

    @staticmethod
    def _descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> float:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
