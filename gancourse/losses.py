"""Objectives of the two players: pure functions of logits.

A logit is the discriminator's output before the sigmoid, D(x) = sigmoid(logit). Working on logits
keeps every loss finite where log D(x) itself would be log 0. Each function takes tensors of any
shape and returns the mean over all elements, a scalar of the same dtype.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["minimax_discriminator", "minimax_generator", "non_saturating_generator"]


def minimax_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""The discriminator's loss, the negative value function :math:`-V(D, G)`.

    .. math:: -E_x[\log D(x)] - E_z[\log(1 - D(G(z)))]

    It is binary cross-entropy with target 1 for real and 0 for fake images, the two halves added
    (Goodfellow et al. 2014, equation 1). At D = 1/2 it is log 4.
    """
    # -log sigmoid(l) = softplus(-l) and -log(1 - sigmoid(l)) = softplus(l)
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def minimax_generator(fake_logits: Tensor) -> Tensor:
    r"""The generator's loss of the zero-sum game, :math:`E_z[\log(1 - D(G(z)))]`.

    Goodfellow et al. 2014, equation 1, its part that depends on G. It is called saturating: where
    the discriminator is sure that an image is fake, its gradient vanishes.
    """
    return -softplus(fake_logits).mean()


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    r"""The generator's loss used in practice, :math:`-E_z[\log D(G(z))]`.

    Goodfellow et al. 2014, end of section 3. It pulls each image in the direction of
    :func:`minimax_generator`, but hardest where the discriminator is sure that it is fake. Both
    rest where the images are distributed as the data; a generator that cannot get there may rest
    at different places.
    """
    return softplus(-fake_logits).mean()
