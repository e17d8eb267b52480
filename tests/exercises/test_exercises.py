"""Every exercise: its solution is accepted, each listed mistake refused with its own hint."""

from __future__ import annotations

import pytest

import gancourse
from gancourse import exercises
from gancourse.errors import GancourseError
from gancourse.exercises._kinds import Choice
from tests.chapters.pages import what_it_needs

ALL = exercises.names()


@pytest.mark.parametrize("name", ALL)
def test_solution_is_accepted(name, capsys):
    code = exercises.get(name).solution
    namespace = what_it_needs(name.rpartition(".")[0], code)
    exec(code, namespace)
    verdict = gancourse.check(name, namespace["answer"])
    assert verdict, verdict.hint
    assert f"{name}: right." in capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_every_mistake_is_refused_with_its_own_hint(name):
    exercise = exercises.get(name)
    assert exercise.mistakes
    for mistake in exercise.mistakes:
        verdict = exercise.judge(mistake.answer)
        assert not verdict
        assert verdict.hint == mistake.hint
    assert len({mistake.hint for mistake in exercise.mistakes}) == len(exercise.mistakes)


@pytest.mark.parametrize("name", ALL)
def test_a_choice_has_a_hint_for_every_wrong_option(name):
    kind = exercises.get(name).kind
    if isinstance(kind, Choice):
        told = {mistake.answer for mistake in exercises.get(name).mistakes}
        assert told == set(kind.options) - {kind.expected}


@pytest.mark.parametrize("name", ALL)
def test_unanswered(name):
    assert "three dots" in gancourse.check(name, ...).hint


def test_three_to_six_a_chapter_numbered_from_one():
    for chapter in exercises.chapters():
        numbers = [name.rpartition(".")[2] for name in exercises.names(chapter)]
        assert numbers == [str(i + 1) for i in range(len(numbers))]
        assert 3 <= len(numbers) <= 6


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first-gan.9", "Did you mean first-gan"),
        ("frist-gan.1", "Did you mean first-gan.1"),
        ("first-gan", "Unknown exercise 'first-gan'"),
        (7, "Unknown exercise '7'"),
    ],
)
def test_unknown_exercise(name, said):
    with pytest.raises(GancourseError, match=said):
        gancourse.check(name, 0)


def test_unknown_chapter():
    with pytest.raises(GancourseError, match="Did you mean first-gan"):
        exercises.names("first-gun")
