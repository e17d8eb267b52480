"""How answers are judged: each kind of check, and what it says to answers of the wrong kind."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Trained, Value


def exercise(kind, *mistakes):
    return Exercise("test.1", "A test", kind, "well done", "look again", "answer = 0", mistakes)


VALUE = exercise(Value(1.5), Mistake(3.0, "twice too much"))
LIST = exercise(Value([1.0, 2.0]))
CHOICE = exercise(Choice("left", ("left", "right")), Mistake("right", "the other one"))
FUNCTION = exercise(
    Function(lambda x: (x * x).mean(), lambda g: (torch.randn(8, generator=g),)),
    Mistake(lambda x: x.mean() ** 2, "square first"),
)


@pytest.mark.parametrize(
    "answer",
    [1.5, 1.501, np.float32(1.5), np.array(1.5), torch.tensor(1.5), torch.tensor([1.5]),
     torch.tensor(1.5, requires_grad=True)],
)  # fmt: skip
def test_value_accepts_every_form_of_the_right_number(answer):
    verdict = VALUE.judge(answer)
    assert verdict and verdict.right and verdict.hint == "well done"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (3, "twice too much"),
        (1.52, "look again"),
        (-1.5, "look again"),
        ("1.5", "The answer is a number; this is '1.5'."),
        (True, "a number"),
        (None, "NoneType"),
        (math.nan, "not finite"),
        (math.inf, "not finite"),
        ([1.5, 1.5], "a number"),
        (object(), "a number"),
        (..., "three dots"),
    ],
)
def test_value_refuses(answer, said):
    verdict = VALUE.judge(answer)
    assert not verdict and said in verdict.hint


def test_several_numbers():
    assert LIST.judge((1, 2)) and LIST.judge(np.array([[1.0], [2.0]]))
    assert "2 numbers" in LIST.judge(1.0).hint
    assert not LIST.judge([2, 1])


@pytest.mark.parametrize("answer", ["left", " Left "])
def test_choice_accepts(answer):
    assert CHOICE.judge(answer)


@pytest.mark.parametrize(
    ("answer", "said"), [("right", "the other one"), ("up", "'left', 'right'"), (1, "Choose")]
)
def test_choice_refuses(answer, said):
    assert said in CHOICE.judge(answer).hint and not CHOICE.judge(answer)


@pytest.mark.parametrize("answer", [lambda x: x.square().mean(), lambda x: float((x**2).sum() / 8)])
def test_function_accepts_any_way_of_computing_it(answer):
    assert FUNCTION.judge(answer)


def raises(x):
    raise RuntimeError("no such thing")


def spoils(x):
    x.zero_()
    return (x * x).mean()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x.mean() ** 2, "square first"),
        (lambda x: x.sum(), "look again"),
        (lambda x: x * x, "shape (8,); the answer's has shape ()"),
        (lambda x: None, "return statement"),
        (lambda x: ..., "three dots"),
        (lambda x: "four", "not numbers"),
        (lambda x: torch.tensor(math.nan), "look again"),
        (raises, "RuntimeError: no such thing"),
        (lambda: 0, "TypeError"),
        (spoils, "look again"),
        (3, "The answer is a function; this is 3."),
    ],
)
def test_function_refuses(answer, said):
    verdict = FUNCTION.judge(answer)
    assert not verdict and said in verdict.hint


class Draws:
    def __init__(self, images):
        self.images = images

    def sample(self, n, seed=0):
        return self.images.expand(n, *self.images.shape[1:])


TRAINED = exercise(
    Trained(lambda images: images.float().mean().item(), lambda mean: mean > 100, shape=(1, 4, 4)),
    Mistake(None, "black", when=lambda mean: mean == 0),
)
GREY = torch.full((1, 1, 4, 4), 128, dtype=torch.uint8)


def test_trained():
    assert TRAINED.judge(Draws(GREY))
    assert TRAINED.judge(Draws(GREY * 0)).hint == "black"
    assert TRAINED.judge(Draws(GREY // 2)).hint == "look again"
    assert "uint8" in TRAINED.judge(Draws(GREY.float())).hint
    assert "(1, 4, 4)" in TRAINED.judge(Draws(GREY[..., :3])).hint
    assert "trained GAN" in TRAINED.judge(GREY).hint


def test_the_verdict_reads_well():
    right, wrong = VALUE.judge(1.5), VALUE.judge(3)
    assert str(right) == "test.1: right. well done"
    assert str(wrong) == "test.1: not yet. twice too much"
    assert repr(wrong) == "<test.1: not yet>"
    long = exercise(Value(1.0)).judge("x" * 30)
    assert max(map(len, str(long).splitlines())) <= 76
