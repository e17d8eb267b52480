"""The fast path computes what the slow one does, within stated errors; and what it chooses, it keeps."""

import itertools
import json
from dataclasses import replace

import pytest
import tape
import tiny
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gancourse.errors import GancourseError
from gancourse.gans import DCGAN, VanillaGAN
from gancourse.gans.base import Batch, Scored
from gancourse.training import fast
from gancourse.training import trainer as training
from gancourse.training.checkpoint import read
from gancourse.training.distribute import World
from gancourse.training.fast import Path
from gancourse.training.trainer import Settings, Trainer
from tests import needs

OWN = Path("cpu", "channels_last", "channels_last")
OTHER = Path("cpu", "contiguous", "contiguous")
MIXED = Path("cpu", "contiguous", "channels_last")
BOTH = ("generator", "discriminator")
AUGMENTED = {"flips": ("horizontal",), "diffaugment": ("color", "translation", "cutout")}


@pytest.fixture
def quick_compiler(monkeypatch):
    """All of torch.compile but the C++ that it writes at the end, which takes long to compile."""
    monkeypatch.setattr(fast, "BACKEND", "aot_eager")
    torch._dynamo.reset()


class Penalised(VanillaGAN):
    """With a penalty on the discriminator's gradient at the real images, differentiated twice."""

    def discriminator_loss(self, batch, fake):
        loss, scores = super().discriminator_loss(batch, fake)
        images = batch.images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.discriminator(images).sum(), images, create_graph=True)
        return Scored(loss + 5 * slope.square().sum((1, 2, 3)).mean(), scores)


def players(kind, size, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if kind is DCGAN:
            return DCGAN((1, size, size), latent_dim=16, width=8)
        return kind((1, size, size), latent_dim=16, hidden=(32, 32))


def trained(path, *, kind=DCGAN, size=8, seed=0, steps=20, device="cpu", **changes):
    """A trainer after some steps, on a path or, with None, without the fast path."""
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randint(0, 256, (160, 1, size, size), dtype=torch.uint8, generator=generator)
    settings = tiny.settings(batch_size=16, seed=seed, fast=path is not None, **changes)
    with torch.random.fork_rng():
        trainer = Trainer(players(kind, size, seed), pictures, settings, device=device)
        tape.TapeRecorder.trainer = trainer
        trainer.prepare(path)
        for _ in range(steps):
            trainer.step()
        return trainer


def batch(n=16, size=8):
    """Random images in [-1, 1]."""
    generator = torch.Generator().manual_seed(1)
    return Batch(torch.rand(n, 1, size, size, generator=generator) * 2 - 1)


def losses(trainer):
    """Steps x figures."""
    return torch.stack(trainer._rows).cpu()


def largest_difference(one, other):
    """Of losses and scores, over all steps."""
    return (losses(one) - losses(other)).abs().max().item()


def same(one, other):
    """Whether two trainers are in the same state, to the bit."""
    ours, theirs = one.state()[0], other.state()[0]
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


# --- Fast equals slow ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "seed"), [*itertools.product([8, 28], range(3)), (32, 0), (64, 0), (128, 0)]
)
def test_layouts_differ_by_rounding(size, seed):
    """Largest difference of a loss or score: below 0.002 in 20 steps, 0.01 in 4 at 128 pixels.

    A sum in another order differs in its last bit. Adam divides each gradient by its own size, so
    the smallest of them, which are all rounding, still move their weights by a full step.
    """
    how = {"size": size, "seed": seed, "steps": 20 if size < 64 else 4}
    slow = trained(None, **how)
    assert same(slow, trained(OWN, **how))
    for path in (OTHER, MIXED):
        quick = trained(path, **how)
        assert largest_difference(slow, quick) < (2e-3 if size < 128 else 1e-2)
        layouts = fast.LAYOUTS[path.generator], fast.LAYOUTS[path.discriminator]
        for net, layout in zip(
            (quick.gan.generator, quick.gan.discriminator), layouts, strict=True
        ):
            weight = max(net.parameters(), key=torch.Tensor.dim)
            assert weight.is_contiguous(memory_format=layout)


def test_compiled_steps_are_the_same(quick_compiler):
    slow = trained(None, size=28)
    quick = trained(replace(OWN, compiled=BOTH), size=28)
    assert largest_difference(slow, quick) < 1e-5
    assert quick.gan.generator._compiled_call_impl is not None


def test_compiled_to_machine_code():
    """The generator alone: the compiler takes seconds for each net."""
    slow = trained(None, kind=VanillaGAN)
    quick = trained(replace(OTHER, compiled=("generator",)), kind=VanillaGAN)
    assert largest_difference(slow, quick) < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_bfloat16_keeps_two_digits(seed):
    """bfloat16 has 8 bits: losses differ by less than 0.02 in 20 steps; weights stay float32."""
    slow = trained(None, kind=VanillaGAN, size=28, seed=seed)
    quick = trained(replace(OTHER, bf16=True), kind=VanillaGAN, size=28, seed=seed)
    assert 0 < largest_difference(slow, quick) < 0.02
    tensors = quick.state()[0]
    assert not any(tensor.dtype == torch.bfloat16 for tensor in tensors.values())


# --- What can be recorded as a graph -------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{}, {"k": 2}, {"optimizer": "sgd"}, {"k": 2, **AUGMENTED}],
    ids=["adam", "two-turns", "sgd", "augmented"],
)
def test_a_replayed_step_is_the_step(monkeypatch, changes):
    """To the bit, over two epochs: nothing of a step is frozen in the recording."""
    monkeypatch.setattr(training, "CudaRecorder", tape.TapeRecorder)
    slow = trained(None, **changes)
    quick = trained(replace(OWN, graph=True), **changes)
    assert quick._advance.runs == 20 and quick._advance.recorder.recordings == 1
    assert same(slow, quick)
    assert torch.equal(losses(slow), losses(quick)) and slow.read_tick() == quick.read_tick()


def test_a_loaded_state_is_recorded_anew(monkeypatch, tmp_path):
    """The optimisers' moments are then other tensors than those in the recording."""
    monkeypatch.setattr(training, "CudaRecorder", tape.TapeRecorder)
    quick = trained(replace(OWN, graph=True), steps=6)
    before = quick.state()
    saved = {name: tensor.clone() for name, tensor in before[0].items()}, before[1]
    with torch.random.fork_rng():
        for _ in range(6):
            quick.step()
        there = losses(quick)
        quick.load_state(*saved, tmp_path)
        for _ in range(6):
            quick.step()
    assert torch.equal(losses(quick), there) and quick._advance.recorder.recordings == 2


def test_a_host_value_in_a_step_would_be_noticed(monkeypatch):
    """The test above can fail: a loss weighed by the host's count of its calls is frozen."""

    class Counting(DCGAN):
        calls = 0

        def generator_loss(self, batch, fake):
            self.calls += 1
            loss, scores = super().generator_loss(batch, fake)
            return Scored(loss * self.calls, scores)

    monkeypatch.setattr(training, "CudaRecorder", tape.TapeRecorder)
    monkeypatch.setitem(globals(), "DCGAN", Counting)
    slow = trained(None, kind=Counting)
    quick = trained(replace(OWN, graph=True), kind=Counting)
    assert largest_difference(slow, quick) > 0.1


class OnDevice(TorchDispatchMode):
    """Refuses operations on tensors elsewhere, and those that make the host wait for a result."""

    waits = ("_local_scalar_dense", "nonzero", "equal", "masked_select", "is_nonzero", "unique")

    def __init__(self, device):
        super().__init__()
        self.device, self.operations = device, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        name = func._schema.name.removeprefix("aten::")
        assert not name.startswith(self.waits), f"{name} waits for the device"
        for tensor in tree_leaves((args, kwargs or {})):
            if isinstance(tensor, torch.Tensor):
                assert tensor.device.type == self.device, f"{name} reads from the {tensor.device}"
        return func(*args, **(kwargs or {}))


class Unfused(Trainer):
    def _optimizer(self, player, lr):
        return torch.optim.SGD(player.parameters(), lr, momentum=0.9, foreach=True)


@pytest.mark.parametrize("kind", [DCGAN, VanillaGAN, Penalised])
@pytest.mark.parametrize("k", [1, 2])
def test_a_step_stays_on_the_device(kind, k):
    """On a device without numbers: what asks for one, or brings a tensor from the host, fails."""
    pictures = torch.zeros(64, 1, 8, 8, dtype=torch.uint8)
    settings = tiny.settings(batch_size=16, k=k, **AUGMENTED)
    with torch.random.fork_rng():
        trainer = Unfused(players(kind, 8, 0), pictures, settings, device="meta")
        chosen = [torch.zeros(16, dtype=torch.int64, device="meta")] * k
        with OnDevice("meta") as watch:
            figures = trainer._play(chosen)
            trainer.ema.update()
    assert figures.shape == (4,) and watch.operations > 100
    with pytest.raises(AssertionError, match="waits"), OnDevice("cpu"):
        torch.ones(1).item()


@pytest.mark.parametrize("kind", [DCGAN, VanillaGAN])
def test_the_losses_are_one_graph_each(kind):
    """No part of them sends the compiler back to Python."""
    trainer = trained(None, kind=kind, steps=0)
    shown = trainer._batch(trainer._chosen(0))
    fake = trainer.gan.generate(shown)
    for loss in (trainer.gan.discriminator_loss, trainer.gan.generator_loss):
        torch._dynamo.reset()
        whole = torch.compile(loss, backend="eager", fullgraph=True)(shown, fake).loss
        assert torch.isfinite(whole)


# --- Penalties -----------------------------------------------------------------------------------


def test_a_penalty_survives(quick_compiler):
    """Its discriminator is left to PyTorch, with a word why, and trains as before."""
    gan = players(Penalised, 8, 0)
    with pytest.warns(UserWarning, match="Not compiled.*double backward"):
        path = fast._compilation(gan, batch(), OTHER)
    assert "discriminator" not in path.compiled
    slow = trained(None, kind=Penalised)
    quick = trained(replace(OTHER, compiled=("generator",)), kind=Penalised)
    assert largest_difference(slow, quick) < 1e-4


def test_a_penalty_can_be_recorded(monkeypatch):
    monkeypatch.setattr(training, "CudaRecorder", tape.TapeRecorder)
    slow = trained(None, kind=Penalised)
    assert same(slow, trained(replace(OTHER, graph=True), kind=Penalised))


# --- The choice ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "winner"),
    [((1.0, 2.0), "own"), ((2.0, 1.0), "rival"), ((1.02, 1.0), "own"), ((1.05, 1.0), "rival")],
)
def test_the_fastest_wins_and_a_draw_changes_nothing(seconds, winner):
    times = iter(seconds * fast.ROUNDS)
    calls = {"own": lambda: next(times), "rival": lambda: next(times)}
    assert fast.fastest(calls, "own") == winner


def test_each_player_gets_its_layout(monkeypatch):
    """By its own trial; eager, in float32 and without a graph on a CPU. Nothing else changes."""
    verdicts = iter(["contiguous", "channels_last"])

    def verdict(calls, own):
        assert own == "channels_last" and all(call() > 0 for call in calls.values())
        return next(verdicts)

    monkeypatch.setattr(fast, "fastest", verdict)
    gan = players(DCGAN, 8, 0)
    before, random = [t.clone() for t in gan.state_dict().values()], torch.get_rng_state()
    assert fast.choose(gan, batch()) == MIXED
    assert torch.equal(random, torch.get_rng_state())
    assert all(map(torch.equal, before, gan.state_dict().values()))
    assert all(parameter.grad is None for parameter in gan.parameters())


def test_a_real_trial():
    gan = players(DCGAN, 28, 0)
    path = fast.choose(gan, batch(size=28))
    assert path in {OWN, OTHER, MIXED, Path("cpu", "channels_last", "contiguous")}
    mlp = fast.choose(players(VanillaGAN, 8, 0), batch())
    assert mlp == OTHER  # no maps, nothing to lay out: no trial
    assert Path.from_facts(json.loads(json.dumps(path.facts()))) == path


def test_compilation_must_pay(quick_compiler, monkeypatch):
    """Of nothing, the generator and both, what takes least time on the whole of both losses."""
    monkeypatch.setattr(fast, "BACKEND", "eager")
    gan = players(DCGAN, 8, 0)
    for wanted in ((), ("generator",), BOTH):

        def verdict(calls, own, wanted=wanted):
            assert own == () and list(calls) == [(), ("generator",), BOTH]
            return wanted

        monkeypatch.setattr(fast, "fastest", verdict)
        assert fast._compilation(gan, batch(), OWN).compiled == wanted
    assert gan.generator._compiled_call_impl is None


def test_several_processes_are_refused():
    with pytest.raises(GancourseError, match="one process"):
        Trainer(tiny.gan(), tiny.images(), tiny.settings(fast=True), world=World(0, 2))


# --- A run ---------------------------------------------------------------------------------------


def test_off_nothing_changes(tmp_path):
    """Also of the files."""
    tiny.train(tmp_path / "run")
    assert "fast" not in read(tmp_path / "run" / "last.safetensors")[1]
    assert "fast" not in Settings(images=10).facts()
    assert Settings(images=10, fast=True).facts()["fast"] is True


@pytest.mark.parametrize("stop", [1, 4, 6])
def test_resumed_on_the_path_it_was_begun_on(tmp_path, monkeypatch, stop):
    """To the bit, whatever a second trial would say."""
    monkeypatch.setattr(fast, "choose", lambda *_: MIXED)
    tiny.train(tmp_path / "calm", fast=True)
    tiny.train(tmp_path / "run", fast=True, images=8 * stop)
    monkeypatch.setattr(fast, "choose", lambda *_: OWN)
    tiny.train(tmp_path / "run", fast=True, resume=True)
    found = tiny.differences(tmp_path / "calm", tmp_path / "run")
    # A run that ends within a tick closes it: one row and picture more.
    assert [what for what in found if not what.startswith(("history", "picture"))] == []
    assert Path.from_facts(read(tmp_path / "run" / "last.safetensors")[1]["fast"]) == MIXED
    assert json.loads((tmp_path / "run" / "run.json").read_text())["fast"] == MIXED.facts()


def test_on_another_device_the_trial_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(fast, "choose", lambda *_: OTHER)
    tensors, facts = trained(OTHER, steps=2).state()
    facts["fast"]["device"] = "cuda"
    resumed = trained(OWN, steps=0)
    assert resumed.path == OWN
    resumed = Trainer(players(DCGAN, 8, 0), tiny.images(), tiny.settings(batch_size=16, fast=True))
    resumed.load_state(tensors, facts, tmp_path)
    assert resumed.path == OTHER and resumed.step_count == 2


def test_what_was_compiled_is_released(quick_compiler, monkeypatch):
    monkeypatch.setattr(fast, "BACKEND", "eager")
    monkeypatch.setattr(fast, "choose", lambda *_: replace(OWN, compiled=("generator",)))
    gan, _, history = tiny.train(fast=True, images=64)
    assert gan.generator._compiled_call_impl is gan.discriminator._compiled_call_impl is None
    _, _, slow = tiny.train(images=64)
    for row, other in zip(history, slow, strict=True):
        assert row["loss_d"] == pytest.approx(other["loss_d"], abs=1e-5)


# --- On a GPU ------------------------------------------------------------------------------------


@needs.cuda()
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [8, 28])
def test_a_cuda_graph_repeats_the_step(size, seed):
    """Float32 losses within 0.002 in 20 steps; all of the fast path, with bfloat16, within 0.1."""
    torch._dynamo.reset()
    slow = trained(None, size=size, seed=seed, device="cuda")
    graph = Path("cuda", "channels_last", "channels_last", graph=True)
    quick = trained(graph, size=size, seed=seed, device="cuda")
    assert quick._advance.replay is not None
    assert largest_difference(slow, quick) < 2e-3
    assert torch.equal(slow.state()[0]["rng_cuda"], quick.state()[0]["rng_cuda"])
    whole = trained(Path("cuda", "channels_last", "channels_last", BOTH, True, True), size=size,
                    seed=seed, device="cuda")  # fmt: skip
    assert largest_difference(slow, whole) < 0.1


@needs.cuda()
def test_the_trial_on_a_gpu():
    torch._dynamo.reset()
    gan = players(DCGAN, 28, 0).cuda()
    path = fast.choose(gan, Batch(batch(size=28).images.cuda()))
    assert path.graph and path.bf16 == torch.cuda.is_bf16_supported(including_emulation=False)
    assert trained(path, size=28, device="cuda", k=2, **AUGMENTED).read_tick()["loss_d"] > 0
