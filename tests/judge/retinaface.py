"""RetinaFace with weights that anyone can make again from the names of its tensors, and what it computes, in NumPy:
for what needs a whole network where the trained weights are not to be had. No part of the project is used."""

import collections
import io
import json
import math
import pickle
import sys
import types
import zipfile

import numpy as np

import lib


def uniform(key, count):
    """Numbers in [0, 1) from SplitMix64, seeded by the name's FNV-1a hash."""
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = (seed ^ byte) * 0x100000001B3 % (1 << 64)
    with np.errstate(over='ignore'):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)) / float(1 << 24)


def hash_weights():
    """The tensors by name, in the order of the published checkpoint; activations stay moderate."""
    tensors = {}
    for key, shape, dtype in json.loads((lib.data / 'retinaface/state_dict.json').read_text()):
        if dtype == 'int64':
            tensors[key] = np.zeros(shape, np.int64)
            continue
        u = uniform(key, math.prod(shape))
        if key.endswith('running_var'):
            values = 0.5 + u
        elif len(shape) == 4:
            values = (2 * u - 1) * math.sqrt(6 / math.prod(shape[1:]))
        elif key.endswith('weight'):
            values = 0.75 + 0.5 * u
        else:
            values = (2 * u - 1) * 0.1
        tensors[key] = values.reshape(shape).astype(np.float32)
    return tensors


def _stand_in(module, name):
    """A class that pickles as torch's own of that name would; torch itself is not needed."""
    owner = sys.modules.setdefault(module, types.ModuleType(module))
    made = type(name, (), {'__module__': module})
    setattr(owner, name, made)
    return made


_rebuild = _stand_in('torch._utils', '_rebuild_tensor_v2')
_kinds = {'float32': _stand_in('torch', 'FloatStorage'), 'int64': _stand_in('torch', 'LongStorage')}


class _Storage:
    def __init__(self, *reference):
        self.reference = reference


class _Tensor:
    def __init__(self, number, value):
        self.number, self.value = number, value

    def __reduce__(self):
        v = self.value
        storage = _Storage('storage', _kinds[v.dtype.name], str(self.number), 'cpu', v.size)
        strides = tuple(s // v.itemsize for s in v.strides)
        return _rebuild, (storage, 0, v.shape, strides, False, collections.OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.reference if isinstance(value, _Storage) else None


def write_checkpoint(path, tensors):
    """A state dict in torch's zip container."""
    data = io.BytesIO()
    _Pickler(data, 2).dump({key: _Tensor(i, value) for i, (key, value) in enumerate(tensors.items())})
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('archive/data.pkl', data.getvalue())
        for number, value in enumerate(tensors.values()):
            archive.writestr(f'archive/data/{number}', value.tobytes())
        archive.writestr('archive/version', '3\n')


def convolve(x, weight, stride=1, bias=None):
    """x[C,H,W] with 'same' padding for stride 1, torch's k // 2 otherwise; depthwise where the weight has one
    channel."""
    k = weight.shape[2]
    p = k // 2
    x = np.pad(x, ((0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))[:, ::stride, ::stride]
    if weight.shape[1] == 1 and x.shape[0] > 1:
        y = np.einsum('chwij,cij->chw', windows, weight[:, 0])
    else:
        y = np.tensordot(weight, windows, ((1, 2, 3), (0, 3, 4)))
    return y if bias is None else y + bias[:, None, None]


def forward(tensors, image):
    """(loc, conf, landms) of image[3,H,W] in the network's own range (BGR minus the means), in double precision."""
    t = {key: value.astype(np.float64) for key, value in tensors.items()}

    def block(path, first, x, stride=1, activated=True):
        x = convolve(x, t[f'{path}.{first}.weight'], stride)
        norm = f'{path}.{first + 1}'
        scale = t[f'{norm}.weight'] / np.sqrt(t[f'{norm}.running_var'] + 1e-5)
        x = x * scale[:, None, None] + (t[f'{norm}.bias'] - t[f'{norm}.running_mean'] * scale)[:, None, None]
        return np.where(x >= 0, x, 0.1 * x) if activated else x

    def separable(path, x, stride):
        return block(path, 3, block(path, 0, x, stride))

    def context(path, x):
        middle = block(f'{path}.conv5X5_1', 0, x)
        parts = [
            block(f'{path}.conv3X3', 0, x, activated=False),
            block(f'{path}.conv5X5_2', 0, middle, activated=False),
            block(f'{path}.conv7x7_3', 0, block(f'{path}.conv7X7_2', 0, middle), activated=False),
        ]
        return np.maximum(np.concatenate(parts), 0)

    def enlarged(x, like):
        rows = np.arange(like.shape[1]) * x.shape[1] // like.shape[1]
        columns = np.arange(like.shape[2]) * x.shape[2] // like.shape[2]
        return x[:, rows][:, :, columns]

    x = block('body.stage1.0', 0, image, 2)
    maps = []
    for stage, strides in ((1, (None, 1, 2, 1, 2, 1)), (2, (2, 1, 1, 1, 1, 1)), (3, (2, 1))):
        for number, stride in enumerate(strides):
            if stride is not None:
                x = separable(f'body.stage{stage}.{number}', x, stride)
        maps.append(x)
    maps = [block(f'fpn.output{i + 1}', 0, m) for i, m in enumerate(maps)]
    for i in (1, 0):
        maps[i] = block(f'fpn.merge{i + 1}', 0, maps[i] + enlarged(maps[i + 1], maps[i]))
    maps = [context(f'ssh{i + 1}', m) for i, m in enumerate(maps)]

    def head(name, width):
        rows = []
        for i, m in enumerate(maps):
            path = f'{name}.{i}.conv1x1'
            rows.append(convolve(m, t[f'{path}.weight'], 1, t[f'{path}.bias']).transpose(1, 2, 0).reshape(-1, width))
        return np.concatenate(rows)

    logits = head('ClassHead', 2)
    scores = np.exp(logits - logits.max(1, keepdims=True))
    return head('BboxHead', 4), scores / scores.sum(1, keepdims=True), head('LandmarkHead', 10)
