"""What an exercise is made of: the kinds of check, the listed mistakes, and the verdict."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor


class Malformed(Exception):
    """The answer is not of the kind the exercise asks for; the message says what is."""


@dataclass(frozen=True)
class Verdict:
    """What :func:`gancourse.check` says of an answer; true when the answer is right.

    Attributes:
        name: the exercise's name.
        right: whether the answer is accepted.
        hint: why it is right, or which misconception a wrong answer shows.
    """

    name: str
    right: bool
    hint: str

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        text = f"{self.name}: {'right' if self.right else 'not yet'}. {self.hint}"
        return textwrap.fill(text, width=76, break_long_words=False, break_on_hyphens=False)

    def __repr__(self) -> str:
        return f"<{self.name}: {'right' if self.right else 'not yet'}>"

    def _ipython_display_(self) -> None:
        """Show nothing: ``check`` has printed the verdict, and a cell that ends in it would say it twice."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that shows a misconception.

    Attributes:
        answer: the wrong answer itself; the tests hand it to the exercise.
        hint: what to tell the one who gives it.
        when: for trained GANs, which measurements are a sign of this mistake.
    """

    answer: Any
    hint: str
    when: Callable[[Any], bool] | None = None


class Kind(Protocol):
    """A way of judging answers."""

    def read(self, answer: object) -> Any:
        """What is compared of ``answer``; raises :class:`Malformed` if it is of the wrong kind."""

    def accepts(self, observed: Any) -> bool:
        """Whether what :meth:`read` found is right."""

    def shows(self, observed: Any, mistake: Mistake) -> bool:
        """Whether what :meth:`read` found is what ``mistake`` leads to."""


@dataclass(frozen=True)
class Value:
    """A number, or a list, array or tensor of numbers, right within a relative tolerance.

    Attributes:
        expected: the right value.
        tolerance: relative to the expected value, and absolute below 1.
    """

    expected: Any
    tolerance: float = 2e-3

    def read(self, answer: object) -> Tensor:
        wanted = _tensor(self.expected)
        what = "a number" if wanted.ndim == 0 else f"{len(wanted)} numbers"
        try:
            observed = _tensor(answer)
        except (TypeError, ValueError, RuntimeError):
            raise Malformed(f"The answer is {what}; this is {_describe(answer)}.") from None
        if observed.shape != wanted.shape:
            if observed.numel() != wanted.numel():
                raise Malformed(f"The answer is {what}; this is {_describe(answer)}.")
            observed = observed.reshape(wanted.shape)
        if not bool(torch.isfinite(observed).all()):
            raise Malformed("The answer holds a number that is not finite.")
        return observed

    def accepts(self, observed: Tensor) -> bool:
        return _close(observed, _tensor(self.expected), self.tolerance)

    def shows(self, observed: Tensor, mistake: Mistake) -> bool:
        return _close(observed, _tensor(mistake.answer), self.tolerance)


@dataclass(frozen=True)
class Choice:
    """One word out of several.

    Attributes:
        expected: the right one.
        options: all of them, as the page lists them.
    """

    expected: str
    options: tuple[str, ...]

    def read(self, answer: object) -> str:
        word = answer.strip().lower() if isinstance(answer, str) else None
        if word not in self.options:
            raise Malformed(f"Choose one of {', '.join(map(repr, self.options))}.")
        return word

    def accepts(self, observed: str) -> bool:
        return observed == self.expected

    def shows(self, observed: str, mistake: Mistake) -> bool:
        return bool(observed == mistake.answer)


@dataclass(frozen=True)
class Function:
    """A function, compared with a reference on random inputs.

    Attributes:
        reference: a right function.
        inputs: makes one set of arguments from a seeded generator.
        trials: how many sets are tried.
        tolerance: as for :class:`Value`.
    """

    reference: Callable[..., Any]
    inputs: Callable[[torch.Generator], tuple[Any, ...]]
    trials: int = 5
    tolerance: float = 1e-4

    def read(self, answer: object) -> list[Tensor]:
        if not callable(answer):
            raise Malformed(f"The answer is a function; this is {_describe(answer)}.")
        found = []
        for arguments, expected in self._cases():
            try:
                result = answer(*arguments)
            except Exception as error:  # whatever the learner's code raises is theirs to read
                raise Malformed(f"The function raised {type(error).__name__}: {error}") from None
            if result is ...:
                raise Malformed(_UNANSWERED)
            if result is None:
                raise Malformed("The function returned nothing; end it with a return statement.")
            try:
                observed = _tensor(result)
            except (TypeError, ValueError, RuntimeError):
                raise Malformed(
                    f"The function returned {_describe(result)}, not numbers."
                ) from None
            if observed.shape != expected.shape:
                raise Malformed(
                    f"The result has shape {tuple(observed.shape)}; the answer's has shape "
                    f"{tuple(expected.shape)}."
                )
            found.append(observed)
        return found

    def accepts(self, observed: list[Tensor]) -> bool:
        return self._agrees(observed, self.reference)

    def shows(self, observed: list[Tensor], mistake: Mistake) -> bool:
        return self._agrees(observed, mistake.answer)

    def _agrees(self, observed: list[Tensor], function: Callable[..., Any]) -> bool:
        others = [_tensor(function(*arguments)) for arguments, _ in self._cases()]
        return all(
            _close(mine, other, self.tolerance)
            for mine, other in zip(observed, others, strict=True)
        )

    def _cases(self) -> list[tuple[tuple[Any, ...], Tensor]]:
        generator = torch.Generator().manual_seed(0)
        cases = [self.inputs(generator) for _ in range(self.trials)]
        return [(arguments, _tensor(self.reference(*arguments))) for arguments in cases]


@dataclass(frozen=True)
class Trained:
    """A trained GAN, judged by a statistic of its samples.

    Attributes:
        measure: uint8 samples N x C x H x W to a measurement.
        enough: whether the measurement is that of a right answer.
        shape: the C x H x W of a sample.
        n: how many samples are drawn.
    """

    measure: Callable[[Tensor], Any]
    enough: Callable[[Any], bool]
    shape: tuple[int, int, int]
    n: int = 500

    def read(self, answer: object) -> Any:
        if not hasattr(answer, "sample"):
            raise Malformed(
                "The answer is a trained GAN, such as what gancourse.train returns; "
                f"this is {_describe(answer)}."
            )
        images = answer.sample(self.n, seed=0)
        if not isinstance(images, Tensor) or images.dtype != torch.uint8:
            raise Malformed("sample(n, seed) of a trained GAN returns images as a uint8 tensor.")
        if tuple(images.shape) != (self.n, *self.shape):
            raise Malformed(
                f"Its samples have the shape {tuple(images.shape[1:])}; the exercise "
                f"asks for {self.shape}."
            )
        return self.measure(images)

    def accepts(self, observed: Any) -> bool:
        return self.enough(observed)

    def shows(self, observed: Any, mistake: Mistake) -> bool:
        return mistake.when is not None and mistake.when(observed)


@dataclass(frozen=True)
class Exercise:
    """One question of a chapter.

    Attributes:
        name: chapter and number, such as ``"first-gan.2"``.
        title: as on the page.
        kind: how an answer is judged.
        why: what to say to a right answer.
        hint: what to say to a wrong one that is no listed mistake.
        solution: Python code, as on the page, that leaves the right answer in ``answer``.
        mistakes: wrong answers with their own hints; the first that fits is told.
    """

    name: str
    title: str
    kind: Kind
    why: str
    hint: str
    solution: str
    mistakes: tuple[Mistake, ...] = field(default=())

    def judge(self, answer: object) -> Verdict:
        """The verdict on ``answer``."""
        if answer is ...:
            return Verdict(self.name, False, _UNANSWERED)
        try:
            observed = self.kind.read(answer)
        except Malformed as problem:
            return Verdict(self.name, False, str(problem))
        if self.kind.accepts(observed):
            return Verdict(self.name, True, self.why)
        for mistake in self.mistakes:
            if self.kind.shows(observed, mistake):
                return Verdict(self.name, False, mistake.hint)
        return Verdict(self.name, False, self.hint)


_UNANSWERED = "Put your answer where the three dots are, then run the cell again."


def _tensor(value: object) -> Tensor:
    """``value`` as a float64 tensor without a graph; truth values and words are not numbers."""
    if isinstance(value, (bool, str, bytes)):
        raise TypeError
    return torch.as_tensor(value).detach().to(device="cpu", dtype=torch.float64)


def _close(observed: Tensor, expected: Tensor, tolerance: float) -> bool:
    return observed.shape == expected.shape and bool(
        torch.isclose(observed, expected, rtol=tolerance, atol=tolerance).all()
    )


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, (bool, int, float, str)):
        return repr(value) if len(repr(value)) < 40 else f"a long {type(value).__name__}"
    return f"of type {type(value).__name__}"
