"""Diagnosing a run: every finding from what was made for it, and none for healthy runs."""

import hashlib
import math

import numpy as np
import pytest
import torch
from PIL import Image

from gancourse import data
from gancourse.errors import GancourseError
from gancourse.files import write_bytes
from gancourse.metrics import symptoms
from gancourse.metrics.diagnose import diagnose, examine, text
from gancourse.metrics.variety import energy_distance, nearness
from gancourse.plots import tile
from gancourse.training.run import Run

TRAIN, TEST = (data.load("digits", split=split) for split in ("train", "test"))


def history(ticks=24, **series):
    """Rows of a healthy run, with some quantities replaced: numbers, or functions of the tick."""
    usual = {
        "loss_d": 1.2,
        "loss_g": 1.0,
        "d_real": 0.6,
        "d_fake": 0.4,
        "grad_d": 2.0,
        "grad_g": 2.0,
    }
    rows = []
    for tick in range(1, ticks + 1):
        jitter = 1 + 0.03 * math.sin(7 * tick)
        row = {name: value * jitter for name, value in usual.items()}
        row |= {name: s(tick) if callable(s) else s for name, s in series.items()}
        rows.append({"tick": tick, "step": 10 * tick, **row})
    return rows


class Made(Run):
    """A run whose samples are images given beforehand."""

    def sample(self, n, seed=0):
        return self.gan[torch.arange(n) % len(self.gan)]


def run(images, rows=None, *, name="digits", train=TRAIN.images, path=None):
    """A run on the digits that drew these images."""
    facts = {
        "settings": {
            "gan": {"shape": [1, 8, 8]},
            "data": {"name": name, "sha256": hashlib.sha256(train.numpy().tobytes()).hexdigest()},
            "training": {},
        }
    }
    return Made(images, None, facts, history() if rows is None else rows, path)


def named(images, rows=None, n=300, **kwargs):
    return [finding.name for finding in diagnose(run(images, rows, **kwargs), n=n)]


def noisy(images, levels=8, seed=0):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)) * levels
    return (images.float() + noise).clamp(0, 255).to(torch.uint8)


#: images as a good generator draws them: real ones that are no training images
GOOD = noisy(TEST.images)


def says(rule):
    return not isinstance(rule, str) and all(evidence.holds for evidence in rule)


# ------------------------------------------------------------------ histories


def falling(tick):
    return 0.6 + 0.35 * math.exp(-tick / 4)


@pytest.mark.parametrize("ticks", [8, 24, 200])
@pytest.mark.parametrize(
    "series",
    [
        {},
        {"d_real": falling, "d_fake": lambda t: 1 - falling(t)},
        {"d_real": lambda t: 0.6 + 0.002 * t, "loss_g": lambda t: 1 + 0.02 * t},
        {"grad_g": lambda t: 5 * math.exp(-t / 20) + 0.2},
        {"d_real": 0.5, "d_fake": 0.5, "grad_g": 1e-4},
        {"d_real": lambda t: 0.6 + (0.3 if t == 5 else 0)},
    ],
    ids=["level", "sure at first", "rising", "fading", "at rest", "one bad tick"],
)
def test_a_healthy_history_gives_no_sign(series, ticks):
    rows = history(ticks, **series)
    assert [name for name, rule in symptoms.BY_HISTORY.items() if says(rule(rows))] == []


def test_a_discriminator_that_wins():
    won = {"d_real": 0.99, "d_fake": 0.01}
    assert says(symptoms.winning(history(**won, loss_g=lambda t: 4 + 0.1 * t)))
    assert not says(symptoms.winning(history(**won, loss_g=lambda t: 9 - 0.3 * t)))
    assert not says(symptoms.winning(history(d_real=0.99, d_fake=0.2, loss_g=5)))
    saturating = symptoms.winning(history(**won, loss_g=-0.01))
    assert says(saturating) and len(saturating) == 2


def test_dips_of_a_won_game_are_no_oscillation():
    rows = history(d_real=0.99, d_fake=lambda t: 0.2 if t % 5 == 0 else 0.01, loss_g=6)
    assert says(symptoms.winning(rows)) and not says(symptoms.oscillation(rows))


@pytest.mark.parametrize(("gradient", "gone"), [(1e-6, True), (0.004, True), (0.1, False)])
def test_vanishing_gradients_need_a_perfect_discriminator(gradient, gone):
    series = {"grad_g": lambda t: 2.0 if t == 1 else gradient}
    assert says(symptoms.vanishing(history(d_real=0.99, d_fake=0.01, **series))) is gone
    assert not says(symptoms.vanishing(history(d_real=0.7, d_fake=0.3, **series)))


@pytest.mark.parametrize(
    ("values", "turns"),
    [
        ([0, 1, 0, 1, 0], 3),
        ([0, 0.1, 0, 0.1, 0], 0),
        ([0, 0.1, 0.2, 0.3, 0.4], 0),
        ([1, 0.6, 0.9, 0.5, 0.8, 0.4], 4),
        ([0, 0.3, 0.2, 0.5, 0.4, 0.7, 0.1], 1),
        ([0.5], 0),
    ],
)
def test_turns_after_a_way(values, turns):
    assert symptoms.reversals(values, 0.25) == turns


@pytest.mark.parametrize("period", [4, 6, 9])
def test_oscillation(period):
    def wave(height):
        return {"d_real": lambda t: 0.65 + height * math.sin(2 * math.pi * t / period)}

    assert says(symptoms.oscillation(history(30, **wave(0.2))))
    assert not says(symptoms.oscillation(history(30, **wave(0.03))))


@pytest.mark.parametrize("seed", range(5))
def test_many_short_ticks_are_not_taken_for_oscillation_and_a_slow_wave_among_them_is(seed):
    jitter = np.random.default_rng(seed).normal(0, 0.08, 301)

    def rows(height):
        wave = lambda t: 0.65 + jitter[t] + height * math.sin(2 * math.pi * t / 60)  # noqa: E731
        return history(300, d_real=wave)

    lead = [row["d_real"] - row["d_fake"] for row in rows(0.0)]
    assert symptoms.reversals(lead, 0.1) > 30
    assert not says(symptoms.oscillation(rows(0.0))) and says(symptoms.oscillation(rows(0.2)))


def test_late_divergence():
    def diverged(scores, good=50.0, noise=0.0):
        return says(symptoms.late_divergence(scores, "FID", good, noise))

    fall = [100 * 0.8**t + 5 for t in range(30)]
    assert not diverged(fall)
    assert diverged([*fall, *(5 * 1.1**t for t in range(12))])
    assert not diverged([*fall, 60.0])  # one bad tick
    assert not diverged([100.0, 95, 90, 99, 140, 150, 160, 170, 180])  # never good
    near_zero = [1.0, 0.5, 0.01, 0.01, 0.01, 0.03, 0.05, 0.06, 0.07, 0.07, 0.07]
    assert diverged(near_zero) and not diverged(near_zero, noise=0.1)


def test_the_scores_of_the_ticks_come_before_their_pictures():
    rows = history(20, fid=lambda t: 20 + 80 * 0.6**t if t < 12 else 20 * 1.2 ** (t - 12))
    (first, *_) = diagnose(run(GOOD, rows), n=300)
    assert first.name == "late divergence" and "FID" in str(first.evidence[0])


def test_too_short_or_bare_a_history_is_not_judged():
    assert "too few ticks: 7" in symptoms.winning(history(7))
    bare = [{k: v for k, v in row.items() if k != "d_fake"} for row in history()]
    assert all("no d_fake" in rule(bare) for rule in symptoms.BY_HISTORY.values())
    assert "8 are needed" in symptoms.late_divergence([1.0] * 7, "FID", 1.0)


# ------------------------------------------------------------------ samples


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_exact_draws_are_healthy(seed):
    (finding,) = [f for f in diagnose(run(GOOD), n=300, seed=seed) if f.name != "not judged"]
    assert finding.name == "healthy" and len(finding.evidence) > 8 and not finding.remedy


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_image_over_and_over_is_collapse(seed):
    one = noisy(TEST.images[seed : seed + 1].expand(300, -1, -1, -1), 2, seed)
    assert named(one)[0] == "collapse"
    few = noisy(TEST.images[seed : seed + 6].repeat(50, 1, 1, 1), 2, seed)
    assert named(few)[0] == "collapse"


@pytest.mark.parametrize("kept", [3, 6, 9])
def test_missing_digits_are_partial_collapse(kept):
    (finding, *_) = diagnose(run(GOOD[TEST.labels < kept]), n=int((TEST.labels < kept).sum()))
    assert finding.name == "partial collapse"
    assert any(f"classes missing of 10: {10 - kept}" in str(e) for e in finding.evidence)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_copies_are_memorisation(seed):
    copies = noisy(TRAIN.images[200 * seed :], 8, seed)
    assert named(copies)[0] == "memorisation"


def test_half_copies_are_weighed_by_the_median():
    held_out = nearness(GOOD, TRAIN.images, TEST.images, (), torch.Generator().manual_seed(0))
    assert held_out.held_out and held_out.samples > held_out.real
    rng = torch.Generator().manual_seed(0)
    mirrored = TRAIN.images[:300].flip(-1)
    plain = nearness(mirrored, TRAIN.images, TEST.images, (), rng)
    flipped = nearness(mirrored, TRAIN.images, TEST.images, ("horizontal",), rng)
    assert flipped.samples < 0.05 < 0.7 < plain.samples / plain.real


def test_copies_are_seen_without_test_images():
    rng = torch.Generator().manual_seed(0)
    copied = symptoms.memorisation(
        nearness(noisy(TRAIN.images[:300], 4), TRAIN.images, None, (), rng)
    )
    fresh = symptoms.memorisation(nearness(TEST.images, TRAIN.images, None, (), rng))
    assert says(copied) and not says(fresh) and 0.8 < fresh[0].value < 1.25


def test_noise_is_unlike_the_data_and_not_healthy():
    noise = torch.randint(0, 256, (300, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    assert named(noise.to(torch.uint8))[0] == "unlike the data"


def test_what_explains_comes_before_what_follows():
    vanished = history(d_real=1.0, d_fake=0.0, loss_g=9.0, grad_g=1e-6)
    one = TEST.images[:1].expand(300, -1, -1, -1)
    assert named(one, vanished)[:3] == ["collapse", "vanishing gradients", "discriminator winning"]


# ------------------------------------------------------------------ pictures, folders, data


def pictures(path, ticks):
    for tick, images in enumerate(ticks, 1):
        tile(images).save(path / "picture.png")
        write_bytes(path / "samples" / f"{tick:04d}.png", (path / "picture.png").read_bytes())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_late_divergence_by_the_pictures_of_the_ticks(seed, tmp_path):
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 256, (64, 1, 8, 8), generator=rng, dtype=torch.uint8)
    order = torch.randperm(360, generator=rng)
    good = [GOOD[order[i * 60 : i * 60 + 64]] for i in range(5)]
    pictures(tmp_path, [noise] * 2 + good + [noise] * 5)
    assert named(GOOD, history(12), path=tmp_path)[0] == "late divergence"
    pictures(tmp_path, [noise] * 7 + good)
    assert named(GOOD, history(12), path=tmp_path) == ["healthy"]


def test_energy_distance():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 500, 3, generator=rng)
    assert abs(energy_distance(x, y)) < 0.02
    # two points apart by d, each side without spread of its own: 2 d over the pairs of x
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[5.0], [5.0]])
    assert energy_distance(x, y) == pytest.approx(2 * 4.5 - 1)


def test_a_folder_of_ones_own(tmp_path):
    for split, images in (("train", TRAIN.images[:60]), ("test", TEST.images[:80])):
        for index, image in enumerate(images):
            (tmp_path / split).mkdir(exist_ok=True)
            Image.fromarray(image[0].numpy()).save(tmp_path / split / f"{index:03d}.png")
    train = data.load(tmp_path, size=8)
    copies = noisy(train.images, 4)
    assert "memorisation" in named(copies, n=60, name=train.name, train=train.images)
    fresh = named(GOOD[100:], n=60, name=train.name, train=train.images)
    assert "memorisation" not in fresh and "collapse" not in fresh


def test_samples_that_cannot_be_compared_are_not_called_healthy(tmp_path):
    findings = diagnose(run(GOOD, name=str(tmp_path / "gone")), n=100)
    assert {f.name for f in findings} == {"not judged"} and "gone" in text(findings)
    others = diagnose(run(GOOD, train=TRAIN.images[:50]), n=100)
    assert "are others than those of the run" in text(others)
    with pytest.raises(GancourseError, match="at least 20"):
        diagnose(run(GOOD), n=5)


@pytest.mark.parametrize("held_out", [0, 39, 40])
def test_a_folder_says_what_could_not_be_judged(tmp_path, held_out):
    for split, images in (("train", TRAIN.images[:200]), ("test", TEST.images[:held_out])):
        for index, image in enumerate(images):
            (tmp_path / split).mkdir(exist_ok=True)
            Image.fromarray(image[0].numpy()).save(tmp_path / split / f"{index:03d}.png")
    train = data.load(tmp_path / "train", size=8)
    said = text(diagnose(run(GOOD, name=train.name, train=train.images), n=100))
    assert said.startswith("healthy")
    assert "partial collapse, in part (there is no classifier for the data" in said
    assert ("memorisation, in part (there are no 40 held-out" in said) is (held_out < 40)
    assert "late divergence (the ticks have neither FID nor pictures)" in said


def test_classes_are_not_counted_at_another_size():
    train, test = (data.load("digits", split=split, size=16) for split in ("train", "test"))
    made = run(noisy(test.images), train=train.images)
    made.facts["settings"]["gan"]["shape"] = [1, 16, 16]
    judged = examine(made, n=300)
    # All else is judged, on pixels: the classifier of the digits takes images of 8 x 8.
    assert all(not isinstance(rule, str) for rule in judged["collapse"] + judged["memorisation"])
    assert "there is no classifier for the data" in str(judged["partial collapse"])
    assert "Resize" not in str(judged)
    assert diagnose(made, n=300)[0].name == "healthy"
    # At their own size the classes are counted.
    assert all(not isinstance(rule, str) for rule in examine(run(GOOD), n=300)["partial collapse"])


@pytest.mark.parametrize("value", [None, "high", float("nan"), [1.0]])
def test_a_history_that_was_altered_is_refused(value):
    rows = history()
    rows[4]["d_real"] = value
    with pytest.raises(GancourseError, match="Row 5 of the history .* was altered"):
        diagnose(run(GOOD, rows), n=100)
    with pytest.raises(GancourseError, match="Row 3 "):
        diagnose(run(GOOD, [*history(2), 7]), n=100)


@pytest.mark.parametrize("content", [b"not a picture", b""])
def test_a_spoilt_picture_leaves_late_divergence_unjudged(tmp_path, content):
    pictures(tmp_path, [GOOD[:64]] * 12)
    write_bytes(tmp_path / "samples" / "0005.png", content)
    said = text(diagnose(run(GOOD, history(12), path=tmp_path), n=300))
    assert said.startswith("healthy")
    assert "late divergence (" in said and "0005.png is no readable picture" in said
    Image.new("L", (3, 3)).save(tmp_path / "samples" / "0005.png")
    assert "no picture of images of 8 x 8" in text(
        diagnose(run(GOOD, history(12), path=tmp_path), n=300)
    )
