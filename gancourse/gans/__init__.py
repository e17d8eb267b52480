"""One file per GAN: which nets, which objectives, how one step goes."""

from gancourse.gans.base import GAN, Batch
from gancourse.gans.dcgan import DCGAN
from gancourse.gans.vanilla import VanillaGAN

__all__ = ["DCGAN", "GAN", "GANS", "Batch", "VanillaGAN"]

#: name in a recipe -> class
GANS: dict[str, type[GAN]] = {"vanilla": VanillaGAN, "dcgan": DCGAN}
