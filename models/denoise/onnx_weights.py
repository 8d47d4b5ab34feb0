"""The weights inside an ONNX graph, read without a runtime or the `onnx` package.

An ONNX file is one protocol-buffer message (onnx.proto3, IR version 3 and later). Only the few
fields that lead from the model to its tensors are read here; all others are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineError

Weights = Mapping[str, tuple[NDArray[np.float32], ...]]
"""The float tensors that each node takes, in the order of its inputs, by the node's name."""

_GRAPH = 7
_NODE, _INITIALISER = 1, 5
_INPUT, _OUTPUT, _NAME, _OPERATION, _ATTRIBUTE = 1, 2, 3, 4, 5
_TENSOR = 5
_DIMS, _TYPE, _FLOATS, _TENSOR_NAME, _RAW = 1, 2, 4, 8, 9
_FLOAT32 = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_weights(path: Path) -> Weights:
    """The float32 tensors of every node of the graph in `path`, constants and initialisers alike.

    Names of nodes follow the modules of the network that was exported (`/erb_conv0/1/Conv`).
    Raises EngineError where the file is missing or is no ONNX graph.
    """
    try:
        return _graph_weights(memoryview(path.read_bytes()))
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as fault:
        raise EngineError(
            f"{path} can't be loaded as a part of DeepFilterNet3; fetch it again "
            "with `roomtone models fetch deepfilternet3`."
        ) from fault


def _graph_weights(model: memoryview) -> Weights:
    tensors: dict[str, NDArray[np.float32]] = {}
    nodes: list[tuple[str, list[str]]] = []
    graph = next((value for number, value in _fields(model) if number == _GRAPH), None)
    if not isinstance(graph, memoryview):
        raise ValueError("no graph")
    for number, value in _fields(graph):
        if number == _INITIALISER:
            _keep(tensors, "", _message(value))
        elif number == _NODE:
            name, inputs, outputs, constants = _node(_message(value))
            nodes.append((name, inputs))
            for constant in constants:
                _keep(tensors, outputs[0], constant)
    return {
        name: found
        for name, inputs in nodes
        if (found := tuple(tensors[item] for item in inputs if item in tensors))
    }


def _node(node: memoryview) -> tuple[str, list[str], list[str], list[memoryview]]:
    """Name, inputs and outputs of a node, and its tensor where it is a constant."""
    name = operation = ""
    inputs: list[str] = []
    outputs: list[str] = []
    tensors: list[memoryview] = []
    for number, value in _fields(node):
        if number == _INPUT:
            inputs.append(_text(value))
        elif number == _OUTPUT:
            outputs.append(_text(value))
        elif number == _NAME:
            name = _text(value)
        elif number == _OPERATION:
            operation = _text(value)
        elif number == _ATTRIBUTE:
            inside = _fields(_message(value))
            tensors += [_message(item) for field, item in inside if field == _TENSOR]
    return name, inputs, outputs, tensors if operation == "Constant" else []


def _keep(tensors: dict[str, NDArray[np.float32]], name: str, tensor: memoryview) -> None:
    """Add a tensor of floats under `name`, or under its own where that is empty."""
    shape: list[int] = []
    kind, data = 0, memoryview(b"")
    for number, value in _fields(tensor):
        if number == _DIMS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif number == _TYPE:
            kind = int(value) if isinstance(value, int) else 0
        elif number in (_RAW, _FLOATS):
            data = _message(value)
        elif number == _TENSOR_NAME:
            name = name or _text(value)
    if kind == _FLOAT32:
        tensors[name] = np.frombuffer(data, "<f4").reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message, after the protocol-buffer wire format."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("cut short")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A base-128 number and where the next field begins."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")


def _varints(packed: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode()
