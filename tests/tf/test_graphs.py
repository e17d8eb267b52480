"""Graphs read and drawn: nodes, edges, layers, traces; devices that are not there."""

from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from gancourse.errors import GancourseError
from gancourse.tf import graphs, tf
from gancourse.tf.devices import logical_cpus


def spec(*shape):
    return tf.TensorSpec(shape, tf.float32)


@pytest.fixture(scope="module")
def layer():
    function = tf.function(lambda x, w, b: tf.tanh(x @ w + b))
    return graphs.nodes(function.get_concrete_function(spec(None, 3), spec(3, 2), spec(2)))


@pytest.fixture(scope="module")
def slope():
    def function(x, w):
        with tf.GradientTape() as tape:
            tape.watch(w)
            y = tf.tanh(w * x)
        return tape.gradient(y, w)

    return graphs.nodes(tf.function(function).get_concrete_function(spec(), spec()))


def test_nodes_and_edges_of_a_layer(layer):
    kinds = [node.kind for node in layer]
    assert kinds == ["Placeholder"] * 3 + ["MatMul", "AddV2", "Tanh", "Identity"]
    assert layer[3].inputs == ("x:0", "w:0") and layer[3].shapes == ((None, 2),)
    found = {(edge.start, edge.end): edge.shape for edge in graphs.edges(layer)}
    assert found == {
        ("x", "matmul"): (None, 3),
        ("w", "matmul"): (3, 2),
        ("matmul", "add"): (None, 2),
        ("b", "add"): (2,),
        ("add", "Tanh"): (None, 2),
        ("Tanh", "Identity"): (None, 2),
    }


def test_edges_from_outside_the_given_nodes_are_left_out(layer):
    assert [edge.start for edge in graphs.edges(layer[4:])] == ["add", "Tanh"]


def test_a_tape_s_nodes_are_known_as_such(slope):
    assert [node.kind for node in slope if node.gradient] == ["TanhGrad", "Mul"]


def test_devices_and_unknown_shapes_are_told():
    def function(x):
        with tf.device("CPU:0"):
            return tf.raw_ops.Unique(x=x).y

    named = {
        node.kind: node
        for node in graphs.nodes(tf.function(function).get_concrete_function(tf.TensorSpec(None)))
    }
    assert named["Placeholder"].shapes == (None,)
    assert named["Unique"].device.endswith("CPU:0") and named["Unique"].shapes[0] == (None,)
    assert graphs.draw(list(named.values())).axes[0].texts[-1].get_text() in ("any", "?")
    plt.close("all")


def test_layers_follow_the_inputs_and_sources_stand_before_their_first_reader(layer):
    assert graphs.layers(layer) == {
        "x": 0, "w": 0, "matmul": 1, "b": 1, "add": 2, "Tanh": 3, "Identity": 4,
    }  # fmt: skip


def test_every_edge_goes_to_a_later_layer(slope):
    placed = graphs.layers(slope)
    assert all(placed[edge.start] < placed[edge.end] for edge in graphs.edges(slope))


def test_a_graph_of_version_1_is_read_too():
    with tf.Graph().as_default() as graph:
        tf.exp(tf.constant(1.0))
    assert [node.kind for node in graphs.nodes(graph)] == ["Const", "Exp"]


def test_drawing_has_a_box_for_each_node_and_no_two_in_one_place(slope):
    ax = graphs.draw(slope).axes[0]
    corners = {(patch.get_x(), patch.get_y()) for patch in ax.patches}
    assert len(corners) == len(slope)
    words = [text.get_text() for text in ax.texts]
    assert words.count("Mul") == 2 and {"x", "w", "TanhGrad"} <= set(words)
    plt.close("all")


def test_bends_of_a_long_edge_pass_no_box(slope):
    ax = graphs.draw(slope).axes[0]
    centres = [(p.get_x() + p.get_width() / 2, p.get_y() + 0.24) for p in ax.patches]
    for line in ax.lines:
        for x, y in list(line.get_xydata())[1:]:
            assert all(abs(x - left) > 0.3 or abs(y - down) > 0.3 for left, down in centres)
    plt.close("all")


def test_what_cannot_be_drawn_or_read_says_so(layer):
    with pytest.raises(GancourseError, match="0"):
        graphs.draw([])
    with pytest.raises(GancourseError, match="1 to 30 nodes, and this graph has 35"):
        graphs.draw(list(layer) * 5)
    with pytest.raises(GancourseError, match="Trace it first"):
        graphs.nodes(tf.function(lambda x: x))


def test_traces_are_counted_as_tensorflow_counts_them():
    calls = [(tf.ones(size),) for size in (1, 2, 3, 3)]
    assert graphs.trace_counts(tf.exp, calls) == [1, 2, 3, 3]
    assert graphs.trace_counts(tf.exp, calls, reduce_retracing=True) == [1, 2, 2, 2]
    assert graphs.trace_counts(lambda x: x * 2, [(1.0,), (2.0,), (1.0,)]) == [1, 2, 2]
    function = tf.function(tf.exp)
    for arguments in calls:
        function(*arguments)
    assert function.experimental_get_tracing_count() == 3


def test_devices_after_the_start_are_refused_with_what_to_do():
    here = len(tf.config.list_logical_devices("CPU"))
    tf.ones(1)
    assert len(logical_cpus(here)) == here
    with pytest.raises(GancourseError, match=r"anew and call logical_cpus\(7\) before"):
        logical_cpus(7)
    with pytest.raises(GancourseError, match="1 or more"):
        logical_cpus(0)
