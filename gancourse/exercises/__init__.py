"""Exercises that check themselves: ``gancourse.check("first-gan.2", answer)``.

One module per chapter: the exercises of the chapter ``first-gan`` stand in ``first_gan.py`` as the
tuple ``EXERCISES``. A page states the question and shows the solution; here stand the check, the
wrong answers that reveal a misconception, and the same solution, which the tests execute. Nothing
is read from the network, and no file from outside the package.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from gancourse.errors import unknown
from gancourse.exercises._kinds import Exercise, Verdict

__all__ = ["Exercise", "Verdict", "chapters", "check", "get", "names"]


def chapters() -> tuple[str, ...]:
    """The chapters that have exercises, in alphabetical order, named as in an exercise's name."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if name[0] != "_"))


def names(chapter: str | None = None) -> tuple[str, ...]:
    """The names of a chapter's exercises, or of all of them.

    Raises:
        GancourseError: there is no such chapter, or it has no exercises.
    """
    if chapter is None:
        return tuple(name for each in chapters() for name in names(each))
    if chapter not in chapters():
        raise unknown("chapter", chapter, chapters())
    return tuple(exercise.name for exercise in _exercises(chapter))


def get(name: str) -> Exercise:
    """The exercise called ``name``, such as ``"first-gan.2"``.

    Raises:
        GancourseError: there is none of that name; the message shows the nearest ones.
    """
    chapter = str(name).rpartition(".")[0]
    if chapter in chapters():
        for exercise in _exercises(chapter):
            if exercise.name == name:
                return exercise
    raise unknown("exercise", name, names())


def check(name: str, answer: object) -> Verdict:
    """Say whether ``answer`` answers the exercise ``name``; print the verdict and return it.

    Args:
        name: chapter and number, such as ``"first-gan.2"``.
        answer: what the exercise asks for: a value, a function, or a trained GAN (a run, or
            anything else with ``sample(n, seed)``). ``...`` stands for "not answered yet".

    Returns:
        The verdict: true when right, with a ``hint`` that names the misconception when wrong.

    Raises:
        GancourseError: there is no exercise of that name.
    """
    verdict = get(name).judge(answer)
    print(verdict)
    return verdict


def _exercises(chapter: str) -> tuple[Exercise, ...]:
    module = import_module(f"{__name__}.{chapter.replace('-', '_')}")
    exercises: tuple[Exercise, ...] = module.EXERCISES
    return exercises
