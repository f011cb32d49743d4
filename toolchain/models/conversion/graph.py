"""Make a TensorFlow GraphDef from the nodes of a TensorFlow.js graph model.

The two differ in three places. Weights are stored apart from the graph; 64-bit integers are stored in 32 bits, while
the node still declares the true type; and a convolution with its bias and activation is one fused node of a form
that TensorFlow's own runtime does not accept on a CPU, or (FusedDepthwiseConv2dNative) does not know at all.
"""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from google.protobuf.json_format import ParseDict

from toolchain.models.conversion.tfjs import Array, GraphModel
from toolchain.models.errors import ConversionError

GraphDef = tf.compat.v1.GraphDef
NodeDef = tf.compat.v1.NodeDef

_CONVOLUTIONS = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
_CONVOLUTION_ATTRIBUTES = ("T", "strides", "padding", "data_format", "dilations", "explicit_paddings")
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "LeakyRelu")
# The version of the graph's op definitions. An old producer would make TensorFlow apply defaults of its past.
_PRODUCER = 1882


def build(model: GraphModel) -> Any:
    """Build the GraphDef of a model, with its weights as constants.

    Raises:
        ConversionError: A fused node carries an operation that is not known here.
    """
    graph = GraphDef()
    for entry in model.nodes:
        node = ParseDict(entry, NodeDef(), ignore_unknown_fields=True)
        graph.node.extend(_converted(node, model.weights.get(node.name)))
    graph.versions.producer = _PRODUCER
    return graph


def _converted(node: Any, weight: Array | None) -> Iterator[Any]:
    if node.op == "Const" and weight is not None:
        yield _constant(node, weight)
    elif node.op in _CONVOLUTIONS:
        yield from _unfused(node)
    else:
        yield node


def _constant(node: Any, weight: Array) -> Any:
    """Put the value into a constant, cast to the type that the node declares."""
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weight, dtype=node.attr["dtype"].type))
    return node


def _unfused(node: Any) -> Iterator[Any]:
    """Split a fused convolution into a chain whose last node keeps the name that others refer to."""
    operations = [name.decode() for name in node.attr["fused_ops"].list.s]
    biases = list(node.input[2:])
    before = _convolution(node, f"{node.name}/convolution")
    yield before
    for position, operation in enumerate(operations, start=1):
        name = node.name if position == len(operations) else f"{node.name}/{operation}"
        before = _following(node, name, operation, before.name, biases)
        yield before


def _convolution(fused: Any, name: str) -> Any:
    node = NodeDef(name=name, op=_CONVOLUTIONS[fused.op], input=fused.input[:2])
    for attribute in _CONVOLUTION_ATTRIBUTES:
        if attribute in fused.attr:
            node.attr[attribute].CopyFrom(fused.attr[attribute])
    return node


def _following(fused: Any, name: str, operation: str, before: str, biases: list[str]) -> Any:
    node = NodeDef(name=name, op=operation, input=[before])
    node.attr["T"].CopyFrom(fused.attr["T"])
    if operation == "BiasAdd":
        node.input.append(biases.pop(0))
    elif operation not in _ACTIVATIONS:
        raise _unknown(fused, operation)
    if operation == "LeakyRelu":
        node.attr["alpha"].f = fused.attr["leakyrelu_alpha"].f
    return node


def _unknown(node: Any, operation: str) -> ConversionError:
    return ConversionError(
        f"graph node {node.name}",
        f"it is fused with {operation}, which this converter does not know",
        "leaving the operation out would give a model that answers nonsense",
        "add it to toolchain/models/conversion/graph.py, with a test",
    )
