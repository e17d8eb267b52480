"""The chapter's own code is the package's, and its table of times supports what it says."""

from __future__ import annotations

import inspect

import pytest

from gancourse import notebook
from gancourse.tf import graphs, tf
from gancourse.tf.devices import logical_cpus
from tests.chapters.pages import code_cells, what_it_needs
from tools import tensorflow_steps


def test_edges_written_out_are_the_package_s():
    page = what_it_needs("tensorflow-architecture", "edges, layer, spec")
    spec = page["spec"]
    concrete = tf.function(page["layer"]).get_concrete_function(spec(5, 3), spec(3, 2), spec(2))
    theirs = [(e.start, e.end, list(e.shape)) for e in graphs.edges(graphs.nodes(concrete))]
    assert page["edges"](concrete) == theirs


@pytest.mark.parametrize("options", [{}, {"reduce_retracing": True}])
def test_traces_written_out_are_counted_as_in_the_package(options):
    page = what_it_needs("tensorflow-architecture", "trace_counts")
    calls = [(tf.ones(size),) for size in (1, 2, 3, 2)] + [(1.0,)]
    mine = page["trace_counts"](tf.exp, calls, **options)
    assert mine == graphs.trace_counts(tf.exp, calls, **options)


def test_devices_written_out_are_set_as_in_the_package():
    cell = next(
        cell for cell in code_cells("tensorflow-architecture") if "def logical_cpus" in cell
    )
    for line in ('tf.config.list_physical_devices("CPU")[0]',
                 "tf.config.LogicalDeviceConfiguration() for _ in range(count)]",
                 "tf.config.set_logical_device_configuration(processor, parts)",
                 'in tf.config.list_logical_devices("CPU")]'):  # fmt: skip
        assert line in cell and line in inspect.getsource(logical_cpus)


def test_the_table_s_networks_are_the_program_s_and_agree():
    rows = notebook.recorded("tf/steps/times.json")["rows"]
    pairs = tensorflow_steps.pairs()
    assert [row["network"] for row in rows] == [pair.name for pair in pairs]
    for row, pair in zip(rows, pairs, strict=True):
        assert row["weights"] == sum(array.size for array in pair.weights)
        assert row["largest_differences"]["loss"] < 1e-5
        assert row["largest_differences"]["gradient"] < 1e-5
        assert list(row["times"]) == list(tensorflow_steps.ways(pair))


def test_what_the_page_says_of_the_times_is_in_the_table():
    for row in notebook.recorded("tf/steps/times.json")["rows"]:
        steps = {way: times["milliseconds"] for way, times in row["times"].items()}
        firsts = {way: times["first_call"] for way, times in row["times"].items()}
        assert steps["tf.function"] < steps["TensorFlow, eager"]
        assert steps["PyTorch, eager"] < steps["TensorFlow, eager"]
        assert firsts["tf.function"] < firsts["tf.function, XLA"]


def test_a_row_can_be_timed_again():
    times = tensorflow_steps.times(tensorflow_steps.dense((8, 4, 2), batch=4), turns=1)
    assert all(way["milliseconds"] > 0 for way in times.values())
    assert times["tf.function"]["milliseconds"] < times["TensorFlow, eager"]["milliseconds"]
