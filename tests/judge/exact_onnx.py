"""An ONNX network evaluated in double precision: what single precision is measured against where two engines differ.

onnx's own reference evaluator, given doubles. Convolutions are sums over taps here (onnx's takes hours for large maps),
and what ONNX has dropped since, but old files hold, is said in a line each.
"""

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

SINGLE, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


def taps(w):
    """Positions of a kernel [out, in, height, width] with its weights there, as [out, in]."""
    return (((i, j), w[:, :, i, j]) for i in range(w.shape[2]) for j in range(w.shape[3]))


class Conv(OpRun):
    op_domain = ''

    def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
        if auto_pad not in (None, 'NOTSET', 'VALID') or set(dilations or [1]) != {1} or w.ndim != 4:
            raise NotImplementedError(f'Conv {auto_pad} {dilations} {w.shape}')
        strides, pads = strides or [1, 1], pads or [0] * 4
        x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
        windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, :: strides[0], :: strides[1]]
        parts = []
        for part, weight in zip(np.split(windows, group, axis=1), np.split(w, group)):
            terms = (np.einsum('mc,nchw->nmhw', v, part[..., i, j], optimize=True) for (i, j), v in taps(weight))
            parts.append(sum(terms))
        y = np.concatenate(parts, axis=1)
        return (y if b is None else y + b[:, None, None],)


class ConvTranspose(OpRun):
    op_domain = ''

    def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=1, output_shape=None, strides=None, **others):
        if auto_pad != 'VALID' or set(dilations or [1]) != {1} or group != 1 or others.get('pads'):
            raise NotImplementedError(f'ConvTranspose {auto_pad} {dilations} {group}')
        reach = [(n - 1) * s for n, s in zip(x.shape[2:], strides)]
        full = [max(n, r + k) for n, r, k in zip(output_shape or [0, 0], reach, w.shape[2:])]
        y = np.zeros((x.shape[0], w.shape[1], *full))
        for (i, j), v in taps(w):
            y[:, :, i : i + reach[0] + 1 : strides[0], j : j + reach[1] + 1 : strides[1]] += np.einsum(
                'cm,nchw->nmhw', v, x, optimize=True
            )
        y = y[:, :, : output_shape[0], : output_shape[1]] if output_shape else y
        return (y if b is None else y + b[:, None, None],)


class ImageScaler(OpRun):
    op_domain = ''

    def _run(self, x, bias=None, scale=None):
        return (x * (1.0 if scale is None else scale) + np.array(bias, np.float64)[:, None, None],)


class Crop(OpRun):
    op_domain = ''

    def _run(self, x, border=None, scale=None):
        left, top, right, bottom = border
        return (x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right],)


class Affine(OpRun):
    op_domain = ''

    def _run(self, x, alpha=None, beta=None):
        return (x * (1.0 if alpha is None else alpha) + (beta or 0.0),)


def in_double(model):
    """The same network with every single-precision tensor, type and cast as double."""
    model = onnx.ModelProto.FromString(model.SerializeToString())

    def widen(tensor):
        if tensor.data_type == SINGLE:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))

    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            widen(attribute.t)
            if node.op_type == 'Cast' and attribute.name == 'to' and attribute.i == SINGLE:
                attribute.i = DOUBLE
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        if value.type.tensor_type.elem_type == SINGLE:
            value.type.tensor_type.elem_type = DOUBLE
    return model


def run(model, inputs):
    """The outputs in double. NotImplementedError: something that is not evaluated here."""
    known = [Conv, ConvTranspose, ImageScaler, Crop, Affine]
    there = {node.op_type for node in model.graph.node}
    evaluator = ReferenceEvaluator(in_double(model), new_ops=[op for op in known if op.__name__ in there])
    return evaluator.run(None, {name: array.astype(np.float64) for name, array in inputs.items()})
