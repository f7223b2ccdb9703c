from models.flops import GraphFlops, OperatorCount
from transforms.views.network_text import network_lines, network_sentence

CONV = OperatorCount("Conv", "", 2, 12_000_000_000, 2_000_000, unknown=False)
RELU = OperatorCount("Relu", "", 3, None, 6_000_000, unknown=False)
MAGIC = OperatorCount("Magic", "my.own", 1, None, 0, unknown=True)
LOOP = OperatorCount("Loop", "", 1, 5_000_000, 0, unknown=True)


def work(*uncounted, inputs=(("images", (1, 3, 736, 1280)),)):
    return GraphFlops(12_000_000_000, 1_234_567, 8_000_000, (CONV,), uncounted, inputs)


def test_the_figures_line_by_line():
    assert list(network_lines(work(MAGIC, LOOP, RELU))) == [
        "forward: 12 GFLOP for images 1 x 3 x 736 x 1280; a multiply-add is two",
        "parameters: 1,234,567",
        "activations: 8,000,000 elements",
        "counted: 2 Conv (12 GFLOP)",
        "not counted: 3 Relu; 75.0% of the elements of all results",
        "NOT COUNTED, and may be much: 1 my.own.Magic, 1 Loop (5 MFLOP a pass)",
    ]


def test_a_graph_of_nothing():
    empty = GraphFlops(0, 0, 0, (), (), ())
    assert list(network_lines(empty)) == [
        "forward: 0 FLOP for no input; a multiply-add is two",
        "parameters: 0",
        "activations: 0 elements",
        "counted: none",
        "not counted: none; 0.0% of the elements of all results",
    ]


def test_a_network_in_a_sentence():
    assert network_sentence("net", work(RELU)) == (
        "net, taken for a vision network: 12 GFLOP forward, 1,234,567 parameters; "
        "element-wise operators, 75% of all results, are not counted"
    )
    assert network_sentence("net", work(MAGIC, LOOP, RELU)).endswith(
        "are not counted; NOT counted, and may be much: my.own.Magic, Loop"
    )
