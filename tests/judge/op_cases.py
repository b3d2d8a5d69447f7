"""One small program for every operation, with its values by NumPy; and statements that its type rule must refuse.
Outputs hold at most eight elements, which is what a printed program shows in full."""

import dataclasses
import math

import numpy as np

DTYPES = {'float32': 'fp32', 'float16': 'fp16', 'int32': 'int32', 'bool': 'bool', 'int8': 'int8', 'uint8': 'uint8'}
f32, i32 = np.float32, np.int32


@dataclasses.dataclass
class Case:
    body: str  # statements, without the last semicolon
    given: dict  # constants by name
    want: dict  # outputs by name; None is not compared
    target: str = 'ios17'
    inputs: str = ''
    slack: float = 1  # how many times the usual limit


CASES, REFUSED = {}, {}


def op(name, body, given, **want):
    options = {key: want.pop(key) for key in ('target', 'inputs', 'slack') if key in want}
    CASES[name] = Case(body, given, want, **options)


def refuse(name, *statements, target='ios17', inputs='tensor<fp32, [2, 3]> x'):
    REFUSED[name] = (target, inputs, statements)


def erf(x):
    return np.vectorize(math.erf)(x)


X = f32([[-1.5, 0.5, 2], [-3, 0, 6.25]])
x = X.astype(np.float64)
P = f32([[0.25, 0.5, 1], [2, 3, 9]])
p = P.astype(np.float64)
U = f32([[-0.9, -0.5, 0], [0.25, 0.5, 0.875]])
u = U.astype(np.float64)
Y = f32([[2, -0.5, 2], [4, 1, -2]])
y = Y.astype(np.float64)


def logistic(v):
    return 1 / (1 + np.exp(-v))


# Activations.
for name, value in {
    'relu': np.maximum(x, 0),
    'relu6': np.clip(x, 0, 6),
    'sigmoid': logistic(x),
    'tanh': np.tanh(x),
    'softsign': x / (1 + abs(x)),
    'softplus': np.log1p(np.exp(x)),
    'silu': x * logistic(x),
}.items():
    op(name, f'y = {name}(x = x)', {'x': X}, y=f32(value))
op('leaky_relu', 'y = leaky_relu(x = x, alpha = fp32(0.25))', {'x': X}, y=f32(np.where(x >= 0, x, 0.25 * x)))
op('thresholded_relu', 'y = thresholded_relu(x = x, alpha = fp32(0.5))', {'x': X}, y=f32(np.where(x >= 0.5, x, 0)))
op(
    'clamped_relu',
    'y = clamped_relu(x = x, alpha = fp32(0.25), beta = fp32(1.5))',
    {'x': X},
    y=f32(np.minimum(np.where(x >= 0, x, 0.25 * x), 1.5)),
)
op('elu', 'y = elu(x = x, alpha = fp32(0.5))', {'x': X}, y=f32(np.where(x > 0, x, 0.5 * np.expm1(x))))
op(
    'sigmoid_hard',
    'y = sigmoid_hard(x = x, alpha = fp32(0.25), beta = fp32(0.5))',
    {'x': X},
    y=f32(np.clip(0.25 * x + 0.5, 0, 1)),
)
op(
    'scaled_tanh',
    'y = scaled_tanh(x = x, alpha = fp32(1.5), beta = fp32(0.5))',
    {'x': X},
    y=f32(1.5 * np.tanh(0.5 * x)),
)
op(
    'linear_activation',
    'y = linear_activation(x = x, alpha = fp32(1.5), beta = fp32(0.5))',
    {'x': X},
    y=f32(1.5 * x + 0.5),
)
op(
    'gelu',
    'y = gelu(x = x)\nz = gelu(x = x, mode = string("TANH_APPROXIMATION"))\n'
    'w = gelu(x = x, mode = string("SIGMOID_APPROXIMATION"))',
    {'x': X},
    y=f32(0.5 * x * (1 + erf(x / math.sqrt(2)))),
    z=f32(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    w=f32(x * logistic(1.702 * x)),
)
refuse('gelu', ('C1', 'y = gelu(x = x, mode = string("ERF"))'))
C = f32([[[-1], [2]], [[0.5], [-4]]])
op(
    'prelu',
    'y = prelu(x = x, alpha = a)',
    {'x': C.reshape(2, 2, 1, 1), 'a': f32([0.5, 0.25])},
    y=f32(np.where(C >= 0, C, C * f32([[0.5], [0.25]])).reshape(2, 2, 1, 1)),
)
refuse(
    'prelu',
    ('C1', 'a = prelu(x = x, alpha = tensor<fp32, [3]>([1.0, 2.0, 3.0]))'),
    ('C2', 'b = prelu(x = tensor<fp32, [1, 2, 1]>([1.0, 2.0]), alpha = tensor<fp32, [3]>([1.0, 2.0, 3.0]))'),
    ('C3', 'c = prelu(x = tensor<fp32, [1, 2, 1]>([1.0, 2.0]), alpha = tensor<fp32, [2]>([1.0, 2.0]))'),
)
op(
    'softplus_parametric',
    'y = softplus_parametric(x = x, alpha = a, beta = b)',
    {'x': C, 'a': f32([0.5, 2]), 'b': f32([1, 0.5])},
    y=f32(f32([[0.5], [2]]) * np.log1p(np.exp(f32([[1], [0.5]]) * C.astype(float)))),
)
refuse(
    'softplus_parametric',
    (
        'C1',
        'a = softplus_parametric(x = x, alpha = tensor<fp32, [3]>([1.0, 2.0, 3.0]), '
        'beta = tensor<fp32, [3]>([1.0, 2.0, 3.0]))',
    ),
)
e = np.exp(x - x.max(1, keepdims=True))
op(
    'softmax',
    'y = softmax(x = x)\nz = softmax(x = x, axis = int32(0))',
    {'x': X},
    y=f32(e / e.sum(1, keepdims=True)),
    z=f32(np.exp(x) / np.exp(x).sum(0)),
)
refuse('softmax', ('C1', 'y = softmax(x = x, axis = int32(2))'))

# One number in, one out.
for name, (given, value) in {
    'abs': (X, abs(x)),
    'square': (X, x * x),
    'sign': (X, np.sign(x)),
    'exp': (X, np.exp(x)),
    'exp2': (X, np.exp2(x)),
    'erf': (X, erf(x)),
    'sqrt': (P, np.sqrt(p)),
    'floor': (X, np.floor(x)),
    'ceil': (X, np.ceil(x)),
    'round': (X, np.rint(x)),
    'sin': (X, np.sin(x)),
    'cos': (X, np.cos(x)),
    'tan': (X, np.tan(x)),
    'asin': (U, np.arcsin(u)),
    'acos': (U, np.arccos(u)),
    'atan': (X, np.arctan(x)),
    'atanh': (U, np.arctanh(u)),
    'sinh': (X, np.sinh(x)),
    'cosh': (X, np.cosh(x)),
}.items():
    op(name, f'y = {name}(x = x)', {'x': given}, y=f32(value))
op('log', 'y = log(x = x, epsilon = fp32(0.5))', {'x': P}, y=f32(np.log(p + 0.5)))
op('rsqrt', 'y = rsqrt(x = x, epsilon = fp32(0.5))', {'x': P}, y=f32(1 / np.sqrt(p + 0.5)))
op('inverse', 'y = inverse(x = x, epsilon = fp32(0.5))', {'x': P}, y=f32(1 / (p + 0.5)))
op('clip', 'y = clip(x = x, alpha = fp32(-1.0), beta = fp32(1.5))', {'x': X}, y=f32(np.clip(x, -1, 1.5)))
op('threshold', 'y = threshold(x = x, alpha = fp32(0.25))', {'x': X}, y=f32(np.maximum(x, 0.25)))
op('logical_not', 'y = logical_not(x = x)', {'x': np.array([True, False])}, y=np.array([False, True]))
op('identity', 'y = identity(x = x)', {'x': X}, y=X)
op(
    'cast',
    'n = cast(x = x, dtype = string("int32"))\ny = add(x = n, y = int32(0))',
    {'x': f32([-1.5, 2.75, 0])},
    y=i32([-1, 2, 0]),
)
refuse('cast', ('C1', 'y = cast(x = x, dtype = string("complex"))'))

# Two numbers in, one out.
for name, value in {
    'add': x + y,
    'sub': x - y,
    'mul': x * y,
    'real_div': x / y,
    'floor_div': np.floor(x / y),
    'mod': x - np.floor(x / y) * y,
    'maximum': np.maximum(x, y),
    'minimum': np.minimum(x, y),
}.items():
    op(
        name,
        f'z = {name}(x = x, y = y)\nr = {name}(x = x, y = r0)',
        {'x': X, 'y': Y, 'r0': f32([2, 4, 0.5])},
        z=f32(value),
        r=f32(
            {
                'add': np.add,
                'sub': np.subtract,
                'mul': np.multiply,
                'real_div': np.divide,
                'floor_div': np.floor_divide,
                'mod': np.mod,
                'maximum': np.maximum,
                'minimum': np.minimum,
            }[name](x, [2, 4, 0.5])
        ),
    )
    refuse(name, ('C1', f'z = {name}(x = x, y = tensor<fp32, [2]>([1.0, 2.0]))'))
op('pow', 'z = pow(x = x, y = y)', {'x': P, 'y': Y}, z=f32(p**y))
refuse('pow', ('C1', 'z = pow(x = x, y = tensor<fp32, [2]>([1.0, 2.0]))'))
for name, function in {
    'greater': np.greater,
    'greater_equal': np.greater_equal,
    'less': np.less,
    'less_equal': np.less_equal,
    'equal': np.equal,
    'not_equal': np.not_equal,
}.items():
    op(name, f'z = {name}(x = x, y = y)', {'x': X, 'y': f32([2, 0.5, 2])}, z=function(x, [2, 0.5, 2]))
    refuse(name, ('C1', f'z = {name}(x = x, y = tensor<fp32, [2]>([1.0, 2.0]))'))
A, B = np.array([True, True, False, False]), np.array([True, False, True, False])
for name, function in {
    'logical_and': np.logical_and,
    'logical_or': np.logical_or,
    'logical_xor': np.logical_xor,
}.items():
    op(name, f'z = {name}(x = x, y = y)', {'x': A, 'y': B}, z=function(A, B))
op('select', 'z = select(cond = c, a = x, b = y)', {'c': X > 0, 'x': X, 'y': Y}, z=np.where(X > 0, X, Y))

# Many numbers in, one out.
for name, function in {
    'reduce_sum': np.sum,
    'reduce_mean': np.mean,
    'reduce_max': np.max,
    'reduce_min': np.min,
    'reduce_prod': np.prod,
    'reduce_l1_norm': lambda v, axis=None: abs(v).sum(axis),
    'reduce_l2_norm': lambda v, axis=None: np.sqrt((v * v).sum(axis)),
    'reduce_sum_square': lambda v, axis=None: (v * v).sum(axis),
    'reduce_log_sum_exp': lambda v, axis=None: np.log(np.exp(v).sum(axis)),
}.items():
    op(
        name,
        f'y = {name}(x = x, axes = tensor<int32, [1]>([1]), keep_dims = bool(true))\nz = {name}(x = x)',
        {'x': X},
        y=f32(function(x, axis=1).reshape(2, 1)),
        z=f32(function(x)),
    )
    refuse(name, ('C1', f'y = {name}(x = x, axes = tensor<int32, [1]>([2]))'))
op('reduce_log_sum', 'y = reduce_log_sum(x = x, axes = tensor<int32, [1]>([-2]))', {'x': P}, y=f32(np.log(p.sum(0))))
refuse('reduce_log_sum', ('C1', 'y = reduce_log_sum(x = x, axes = tensor<int32, [1]>([2]))'))
op('reduce_argmax', 'y = reduce_argmax(x = x, axis = int32(1))', {'x': X}, y=i32([2, 2]))
op('reduce_argmin', 'y = reduce_argmin(x = x, axis = int32(0), keep_dims = bool(true))', {'x': X}, y=i32([[1, 1, 0]]))
refuse('reduce_argmax', ('C1', 'y = reduce_argmax(x = x, axis = int32(2))'))
refuse('reduce_argmin', ('C1', 'y = reduce_argmin(x = x, axis = int32(2))'))
op(
    'cumsum',
    'y = cumsum(x = x, axis = int32(1))\nz = cumsum(x = x, axis = int32(0), exclusive = bool(true), '
    'reverse = bool(true))',
    {'x': X},
    y=np.cumsum(X, 1),
    z=f32([X[1], [0, 0, 0]]),
)
refuse('cumsum', ('C1', 'y = cumsum(x = x, axis = int32(2))'))

# Products.
S = np.arange(16, dtype=f32).reshape(1, 1, 4, 4)
W = f32([[[[1, 0], [-1, 2]]]])


def windows(v, k, s):
    return np.lib.stride_tricks.sliding_window_view(v, (k, k), (2, 3))[:, :, ::s, ::s]


op(
    'conv',
    'y = conv(x = x, weight = w, bias = b, strides = tensor<int32, [2]>([2, 2]))\n'
    'z = conv(x = x, weight = w, pad_type = string("custom"), pad = tensor<int32, [4]>([0, 0, 0, 0]), '
    'dilations = tensor<int32, [2]>([3, 3]))',
    {'x': S, 'w': W, 'b': f32([0.5])},
    y=f32(np.einsum('ncyxij,oij->ncyx', windows(S, 2, 2), W[:, 0]) + 0.5),
    z=f32([[[[0 * 1 + 3 * 0 + 12 * -1 + 15 * 2]]]]),
)
T = f32([[[[1, -2]]]])
op(
    'conv_transpose',
    'y = conv_transpose(x = x, weight = w)',
    {'x': T, 'w': W},
    y=f32([[[[1, -2, 0], [-1, 2 + 2, -4]]]]),
)
op(
    'linear',
    'y = linear(x = x, weight = w, bias = b)',
    {'x': X, 'w': P, 'b': f32([0.5, -1])},
    y=f32(x @ p.T + [0.5, -1]),
)
refuse('linear', ('C3', 'y = linear(x = x, weight = tensor<fp32, [1, 2]>([1.0, 2.0]))'))
op(
    'matmul',
    'y = matmul(x = x, y = w, transpose_x = bool(false), transpose_y = bool(true))\n'
    'z = matmul(x = x, y = w, transpose_x = bool(true), transpose_y = bool(false))\ns = reduce_sum(x = z)',
    {'x': X, 'w': P},
    y=f32(x @ p.T),
    s=f32((x.T @ p).sum()),
)
refuse('matmul', ('C3', 'y = matmul(x = x, y = x)'))
op(
    'einsum',
    'y = einsum(values = (x, w), equation = string("nchw,nwhu->nchu"))',
    {'x': X.reshape(1, 2, 3, 1), 'w': f32([2, -1, 0.5]).reshape(1, 1, 3, 1)},
    y=f32(np.einsum('nchw,nwhu->nchu', x.reshape(1, 2, 3, 1), np.reshape([2, -1, 0.5], (1, 1, 3, 1)))),
)
Q, K, V = f32([[[1, 0], [0.5, -1]]]), f32([[[0.5, 1], [-1, 2], [0, 0.25]]]), f32([[[1, 2], [3, -4], [0.5, 0]]])
s = Q.astype(float) @ K.astype(float).transpose(0, 2, 1) / math.sqrt(2)
s = np.exp(s) / np.exp(s).sum(-1, keepdims=True)
op(
    'scaled_dot_product_attention',
    'y = scaled_dot_product_attention(query = q, key = k, value = v)',
    {'q': Q, 'k': K, 'v': V},
    y=f32(s @ V),
    target='ios18',
)
refuse(
    'scaled_dot_product_attention',
    ('C1', 'a = scaled_dot_product_attention(query = m, key = m, value = m)'),
    ('C2', 'b = scaled_dot_product_attention(query = x, key = y, value = x)'),
    ('C3', 'c = scaled_dot_product_attention(query = x, key = z, value = z)'),
    ('C4', 'd = scaled_dot_product_attention(query = x, key = w, value = x)'),
    ('C5', 'e = scaled_dot_product_attention(query = x, key = x, value = x, attn_mask = m)'),
    ('C6', 'f = scaled_dot_product_attention(query = x, key = x, value = x, attn_mask = n)'),
    target='ios18',
    inputs='tensor<fp32, [1, 2, 3]> x, tensor<fp32, [1, 1, 2, 3]> y, tensor<fp32, [2, 2, 3]> z, '
    'tensor<fp32, [1, 2, 4]> w, tensor<fp32, [5, 7]> m, tensor<int32, [2, 2]> n',
)

# Norms.
N = f32([[[[1, 3]], [[-2, 6]]]])
op(
    'batch_norm',
    'y = batch_norm(x = x, mean = m, variance = v, gamma = g, beta = b, epsilon = fp32(0.5))',
    {'x': N, 'm': f32([1, 2]), 'v': f32([0.5, 3.5]), 'g': f32([2, 1]), 'b': f32([0, -1])},
    y=f32([[[[0, 4]], [[-4 / 2 - 1, 4 / 2 - 1]]]]),
)
refuse(
    'batch_norm',
    ('C1', 'y = batch_norm(x = x, mean = tensor<fp32, [2]>([1.0, 2.0]), ' 'variance = tensor<fp32, [2]>([1.0, 2.0]))'),
)
n = N.astype(float)
op(
    'instance_norm',
    'y = instance_norm(x = x, epsilon = fp32(0.5))',
    {'x': N},
    y=f32((n - n.mean((2, 3), keepdims=True)) / np.sqrt(n.var((2, 3), keepdims=True) + 0.5)),
)
op(
    'layer_norm',
    'y = layer_norm(x = x, axes = tensor<int32, [1]>([1]), epsilon = fp32(0.5))',
    {'x': X},
    y=f32((x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 0.5)),
)
refuse('layer_norm', ('C1', 'y = layer_norm(x = x, axes = tensor<int32, [1]>([2]))'))
op('l2_norm', 'y = l2_norm(x = x, epsilon = fp32(0.5))', {'x': N[0]}, y=f32(n[0] / np.sqrt((n[0] ** 2).sum() + 0.5)))
op(
    'local_response_norm',
    'y = local_response_norm(x = x, size = int32(3), alpha = fp32(0.5), beta = fp32(0.75), ' 'k = fp32(1.0))',
    {'x': N},
    y=f32(n / (1 + 0.5 / 3 * (n**2).sum(1, keepdims=True)) ** 0.75),
)
op(
    'local_response_norm-rank-3',  # the channels are the first dimension
    'y = local_response_norm(x = x, size = int32(3), alpha = fp32(0.5), beta = fp32(0.75), ' 'k = fp32(1.0))',
    {'x': N.reshape(2, 1, 2)},
    y=f32(n / (1 + 0.5 / 3 * (n**2).sum(1, keepdims=True)) ** 0.75).reshape(2, 1, 2),
)

# Pools and sizes.
op(
    'max_pool',
    'y = max_pool(x = x, kernel_sizes = tensor<int32, [2]>([2, 2]), strides = tensor<int32, [2]>([2, 2]), '
    'pad_type = string("valid"))',
    {'x': S},
    y=windows(S, 2, 2).max((4, 5)),
)
op(
    'avg_pool',
    'y = avg_pool(x = x, kernel_sizes = tensor<int32, [2]>([3, 3]), strides = tensor<int32, [2]>([2, 2]), '
    'pad_type = string("custom"), pad = tensor<int32, [4]>([1, 0, 1, 0]), '
    'exclude_padding_from_average = bool(true))',
    {'x': S},
    y=f32([[[[S[0, 0, :2, :2].mean(), S[0, 0, :2, 1:4].mean()], [S[0, 0, 1:4, :2].mean(), S[0, 0, 1:4, 1:4].mean()]]]]),
)
op(
    'avg_pool-ceil',  # the windows that hang over the edge have nine places too
    'y = avg_pool(x = x, kernel_sizes = tensor<int32, [2]>([3, 3]), strides = tensor<int32, [2]>([2, 2]), '
    'pad_type = string("valid"), ceil_mode = bool(true))',
    {'x': S},
    y=f32([[[[S[0, 0, :3, :3].sum() / 9, S[0, 0, :3, 2:].sum() / 9],
             [S[0, 0, 2:, :3].sum() / 9, S[0, 0, 2:, 2:].sum() / 9]]]]),
)
op(
    'l2_pool',
    'y = l2_pool(x = x, kernel_sizes = tensor<int32, [2]>([2, 2]), strides = tensor<int32, [2]>([2, 2]), '
    'pad_type = string("valid"))',
    {'x': S},
    y=f32(np.sqrt((windows(S, 2, 2).astype(float) ** 2).sum((4, 5)))),
)
R = f32([[[[1, 3]]]])


def resized(positions):
    """R at these columns, held at its ends: 1 at column 0, 3 at column 1."""
    return f32([[[1 + 2 * np.clip(positions, 0, 1)]]])


MODES = {  # where the four columns lie in the two of R
    'STRICT_ALIGN_CORNERS': np.arange(4) / 3,
    'ALIGN_CORNERS': np.arange(4) / 3,
    'DEFAULT': np.arange(4) / 2,
    'UNALIGN_CORNERS': (np.arange(4) + 0.5) / 2 - 0.5,
    'OFFSET_CORNERS': (np.arange(4) + 0.5) / 4,
}
op(
    'resize_bilinear-modes',
    '\n'.join(
        f'y{i} = resize_bilinear(x = x, target_size_height = int32(1), target_size_width = int32(4), '
        f'sampling_mode = string("{mode}"))'
        for i, mode in enumerate(MODES)
    ),
    {'x': R},
    **{f'y{i}': resized(positions) for i, positions in enumerate(MODES.values())},
)
op(
    'resize-modes',
    '\n'.join(
        f'y{i} = resize(x = x, shape = tensor<int32, [1]>([4]), resized_dims = uint32(1), '
        f'interpolation_mode = string("NEAREST_NEIGHBOR"), sampling_mode = string("{mode}"))'
        for i, mode in enumerate(MODES)
    ),
    {'x': R},
    # The nearer column; of two at the same distance the first.
    **{f'y{i}': f32([[[np.where(np.clip(at, 0, 1) > 0.5, 3, 1)]]]) for i, at in enumerate(MODES.values())},
)
op(
    'upsample_nearest_neighbor',
    'y = upsample_nearest_neighbor(x = x, scale_factor_height = int32(2), ' 'scale_factor_width = int32(2))',
    {'x': R},
    y=R.repeat(2, 2).repeat(2, 3),
)
op(
    'resize_nearest_neighbor',
    'y = resize_nearest_neighbor(x = x, target_size_height = int32(1), ' 'target_size_width = int32(6))',
    {'x': R},
    y=R.repeat(3, 3),
)
op(
    'upsample_bilinear',
    'y = upsample_bilinear(x = x, scale_factor_height = int32(1), '
    'scale_factor_width = int32(2), align_corners = bool(false))',
    {'x': R},
    y=f32([[[[1, 1.5, 2.5, 3]]]]),
)
op(
    'resize_bilinear',
    'y = resize_bilinear(x = x, target_size_height = int32(1), target_size_width = int32(5), '
    'sampling_mode = string("STRICT_ALIGN_CORNERS"))',
    {'x': R},
    y=f32([[[[1, 1.5, 2, 2.5, 3]]]]),
)
op(
    'resize',
    'y = resize(x = x, shape = tensor<int32, [2]>([1, 4]), resized_dims = uint32(2), '
    'interpolation_mode = string("LINEAR"), sampling_mode = string("DEFAULT"))',
    {'x': R},
    y=None,
)
op(
    'crop',
    'y = crop(x = x, crop_height = tensor<int32, [2]>([1, 1]), crop_width = tensor<int32, [2]>([2, 1]))',
    {'x': S},
    y=S[:, :, 1:3, 2:3],
)

# Shapes and places.
op('reshape', 'y = reshape(x = x, shape = tensor<int32, [3]>([3, 1, -1]))', {'x': X}, y=X.reshape(3, 1, 2))
refuse('reshape', ('C5', 'y = reshape(x = x, shape = tensor<int32, [2]>([4, -1]))'))
op(
    'reshape_like',
    'y = reshape_like(x = x, ref_tensors = (r), begins = (int32(0)), ends = (int32(1)), end_masks = (bool(true)))',
    {'x': X, 'r': f32(np.zeros((3, 2)))},
    y=X.reshape(3, 2),
    target='ios16',
)
op('expand_dims', 'y = expand_dims(x = x, axes = tensor<int32, [2]>([0, -1]))', {'x': X}, y=X[None, :, :, None])
refuse('expand_dims', ('C1', 'y = expand_dims(x = x, axes = tensor<int32, [1]>([3]))'))
op('squeeze', 'y = squeeze(x = x, axes = tensor<int32, [1]>([-1]))', {'x': C}, y=C[..., 0])
refuse('squeeze', ('C1', 'y = squeeze(x = x, axes = tensor<int32, [1]>([2]))'))
op('flatten2d', 'y = flatten2d(x = x, axis = int32(2))', {'x': C}, y=C.reshape(4, 1))
op('transpose', 'y = transpose(x = x, perm = tensor<int32, [2]>([1, 0]))', {'x': X}, y=X.T)
refuse('transpose', ('C1', 'y = transpose(x = x, perm = tensor<int32, [2]>([1, 1]))'))
op('shape', 'y = shape(x = x)', {'x': C}, y=i32([2, 2, 1]))
op(
    'slice_by_index',
    'y = slice_by_index(x = x, begin = tensor<int32, [2]>([0, 2]), end = tensor<int32, [2]>([2, 0]), '
    'stride = tensor<int32, [2]>([1, -1]), begin_mask = tensor<bool, [2]>([true, false]))',
    {'x': X},
    y=X[:, 2:0:-1],
)
op(
    'slice_by_size',
    'y = slice_by_size(x = x, begin = tensor<int32, [2]>([1, 1]), size = tensor<int32, [2]>([1, -1]))',
    {'x': X},
    y=X[1:, 1:],
)
changed = X.copy()
changed[0, 1:] = [7, 8]
op(
    'slice_update',
    'y = slice_update(x = x, update = u, begin = tensor<int32, [2]>([0, 1]), ' 'end = tensor<int32, [2]>([1, 3]))',
    {'x': X, 'u': f32([[7, 8]])},
    y=changed,
    target='ios18',
)
op(
    'concat',
    'y = concat(values = (x, z), axis = int32(1), interleave = bool(false))',
    {'x': X, 'z': f32([[1], [2]])},
    y=np.concatenate([X, f32([[1], [2]])], 1),
)
op(
    'stack',
    'y = stack(values = (a, b), axis = int32(1))',
    {'a': f32([1, 2]), 'b': f32([3, 4])},
    y=f32([[1, 3], [2, 4]]),
)
op(
    'split',
    'y, z = split(x = x, split_sizes = tensor<int32, [2]>([1, 2]), axis = int32(1))',
    {'x': X},
    y=X[:, :1],
    z=X[:, 1:],
)
op('tile', 'y = tile(x = x, reps = tensor<int32, [2]>([2, 1]))', {'x': f32([[1, 2, 3]])}, y=f32([[1, 2, 3], [1, 2, 3]]))
op(
    'pad',
    'y = pad(x = x, pad = tensor<int32, [2]>([2, 1]), mode = string("constant"), constant_val = fp32(9.0))\n'
    'z = pad(x = x, pad = tensor<int32, [2]>([2, 2]), mode = string("reflect"), constant_val = fp32(0.0))',
    {'x': f32([1, 2, 3])},
    y=f32([9, 9, 1, 2, 3, 9]),
    z=f32([3, 2, 1, 2, 3, 2, 1]),
)
op('reverse', 'y = reverse(x = x, axes = tensor<int32, [1]>([1]))', {'x': X}, y=X[:, ::-1])
refuse('reverse', ('C1', 'y = reverse(x = x, axes = tensor<int32, [1]>([2]))'))
op(
    'reverse_sequence',
    'y = reverse_sequence(x = x, lengths = n, seq_axis = int32(1), batch_axis = int32(0))',
    {'x': X, 'n': i32([2, 3])},
    y=f32([[0.5, -1.5, 2], [6.25, 0, -3]]),
)
op(
    'band_part',
    'y = band_part(x = x, lower = int32(0), upper = int32(1))',
    {'x': P},
    y=np.triu(P) * (1 - np.triu(np.ones((2, 3)), 2).astype(f32)),
)
op(
    'sliding_windows',
    'y = sliding_windows(x = x, axis = int32(0), size = int32(2), stride = int32(2))',
    {'x': f32([1, 2, 3, 4])},
    y=f32([[1, 2], [3, 4]]),
)
D = np.arange(8, dtype=f32).reshape(1, 4, 1, 2)
op(
    'depth_to_space',
    'y = depth_to_space(x = x, block_size = int32(2))',
    {'x': D},
    y=D.reshape(1, 2, 2, 1, 1, 2).transpose(0, 3, 4, 1, 5, 2).reshape(1, 1, 2, 4),
)
op(
    'pixel_shuffle',
    'y = pixel_shuffle(x = x, upscale_factor = int32(2))',
    {'x': D},
    y=D.reshape(1, 1, 2, 2, 1, 2).transpose(0, 1, 4, 2, 5, 3).reshape(1, 1, 2, 4),
)
E = np.arange(8, dtype=f32).reshape(1, 1, 2, 4)
op(
    'space_to_depth',
    'y = space_to_depth(x = x, block_size = int32(2))',
    {'x': E},
    y=E.reshape(1, 1, 1, 2, 2, 2).transpose(0, 3, 5, 1, 2, 4).reshape(1, 4, 1, 2),
)
op(
    'pixel_unshuffle',
    'y = pixel_unshuffle(x = x, downscale_factor = uint32(2))',
    {'x': E},
    y=E.reshape(1, 1, 1, 2, 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(1, 4, 1, 2),
    target='ios16',
)
op(
    'space_to_batch',
    'y = space_to_batch(x = x, block_shape = tensor<int32, [2]>([2, 2]), '
    'paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]))',
    {'x': E},
    y=E.reshape(1, 1, 1, 2, 2, 2).transpose(3, 5, 0, 1, 2, 4).reshape(4, 1, 1, 2),
)
F = np.arange(8, dtype=f32).reshape(4, 1, 1, 2)
op(
    'batch_to_space',
    'y = batch_to_space(x = x, block_shape = tensor<int32, [2]>([2, 2]), '
    'crops = tensor<int32, [2, 2]>([0, 0, 0, 0]))',
    {'x': F},
    y=F.reshape(2, 2, 1, 1, 1, 2).transpose(2, 3, 4, 0, 5, 1).reshape(1, 1, 2, 4),
)

# By index.
op('gather', 'y = gather(x = x, indices = i, axis = int32(1))', {'x': X, 'i': i32([2, 0])}, y=X[:, [2, 0]])
op(
    'gather_along_axis',
    'y = gather_along_axis(x = x, indices = i, axis = int32(1))',
    {'x': X, 'i': i32([[2, 0, 1], [1, 1, 0]])},
    y=np.take_along_axis(X, i32([[2, 0, 1], [1, 1, 0]]), 1),
)
op('gather_nd', 'y = gather_nd(x = x, indices = i)', {'x': X, 'i': i32([[1, 2], [0, 0]])}, y=f32([X[1, 2], X[0, 0]]))
op(
    'scatter',
    'y = scatter(data = x, indices = i, updates = u, axis = int32(1), mode = string("add"))',
    {'x': X, 'i': i32([2]), 'u': f32([[10], [20]])},
    y=X + f32([[0, 0, 10], [0, 0, 20]]),
)
op(
    'scatter_along_axis',
    'y = scatter_along_axis(data = x, indices = i, updates = u, axis = int32(1), ' 'mode = string("update"))',
    {'x': X, 'i': i32([[2], [0]]), 'u': f32([[10], [20]])},
    y=f32([[-1.5, 0.5, 10], [20, 0, 6.25]]),
)
op(
    'scatter_nd',
    'y = scatter_nd(data = x, indices = i, updates = u, mode = string("mul"))',
    {'x': X, 'i': i32([[1, 2], [0, 0]]), 'u': f32([2, 4])},
    y=f32([[-6, 0.5, 2], [-3, 0, 12.5]]),
)
op(
    'topk',
    'v, i = topk(x = x, k = int32(2), axis = int32(1), ascending = bool(false))',
    {'x': X},
    v=f32([[2, 0.5], [6.25, 0]]),
    i=i32([[2, 1], [2, 1]]),
)
op('argsort', 'y = argsort(x = x, axis = int32(1), ascending = bool(true))', {'x': X}, y=i32([[0, 1, 2], [0, 1, 2]]))
op('non_zero', 'y = non_zero(x = x)', {'x': f32([[0, 2], [3, 0]])}, y=i32([[0, 1], [1, 0]]))
op(
    'one_hot',
    'y = one_hot(indices = i, one_hot_vector_size = int32(3), axis = int32(-1), on_value = int32(5), '
    'off_value = int32(-1))',
    {'i': i32([2, 0])},
    y=i32([[-1, -1, 5], [5, -1, -1]]),
)
op('fill', 'y = fill(shape = tensor<int32, [2]>([1, 3]), value = fp32(2.5))', {}, y=f32([[2.5, 2.5, 2.5]]))
op(
    'fill_like',
    'y = fill_like(ref_tensor = x, value = int32(7))',
    {'x': C},
    y=i32(np.full((2, 2, 1), 7)),
    target='ios16',
)
op('range_1d', 'y = range_1d(start = int32(2), end = int32(9), step = int32(3))', {}, y=i32([2, 5, 8]))

# Recurrent: one direction, one step or two, by the formulas of the operations' documentation.
H, M, G = f32([[0.5, -1]]), f32([[0.25, -0.5], [1, 0.5], [-0.5, 0.75], [0.5, -0.25]]), f32([0.5, 0.25, -0.5, 1])
op(
    'rnn',
    'y, h = rnn(x = x, initial_h = h0, weight_ih = w, weight_hh = r, bias = b, activation = string("tanh"), '
    'direction = string("forward"), output_sequence = bool(true))',
    {'x': f32([[[1]], [[-2]]]), 'h0': f32([[0.5]]), 'w': f32([[0.5]]), 'r': f32([[0.25]]), 'b': f32([0.125])},
    y=f32([[[h1 := math.tanh(0.5 * 1 + 0.25 * 0.5 + 0.125)]], [[h2 := math.tanh(-1 + 0.25 * h1 + 0.125)]]]),
    h=f32([[h2]]),
)


def sigma(v):
    return 1 / (1 + math.exp(-v))


def lstm_step(v, h, c, w, r, b):
    i, f, o, z = (w[k] * v + r[k] * h + b[k] for k in range(4))
    c = sigma(f) * c + sigma(i) * math.tanh(z)
    return sigma(o) * math.tanh(c), c


w4, r4, b4 = [0.5, -0.25, 1, 0.75], [0.25, 0.5, -0.5, 1], [0.125, 0, -0.25, 0.5]
h1, c1 = lstm_step(1, 0.5, -0.25, w4, r4, b4)
h2, c2 = lstm_step(-2, h1, c1, w4, r4, b4)
op(
    'lstm',
    'y, h, c = lstm(x = x, initial_h = h0, initial_c = c0, weight_ih = w, weight_hh = r, bias = b, '
    'direction = string("forward"), output_sequence = bool(true))',
    {
        'x': f32([[[1]], [[-2]]]),
        'h0': f32([[0.5]]),
        'c0': f32([[-0.25]]),
        'w': f32(w4).reshape(4, 1),
        'r': f32(r4).reshape(4, 1),
        'b': f32(b4),
    },
    y=f32([[[h1]], [[h2]]]),
    h=f32([[h2]]),
    c=f32([[c2]]),
)


def gru_step(v, h, w, r, b):
    reset, update = sigma(w[0] * v + r[0] * h + b[0]), sigma(w[2] * v + r[2] * h + b[2])
    new = math.tanh(w[1] * v + r[1] * (reset * h) + b[1])
    return (1 - update) * new + update * h


w3, r3, b3 = [0.5, -0.25, 1], [0.25, 0.5, -0.5], [0.125, 0, -0.25]
g1 = gru_step(1, 0.5, w3, r3, b3)
op(
    'gru',
    'y, h = gru(x = x, initial_h = h0, weight_ih = w, weight_hh = r, bias = b, '
    'direction = string("forward"), output_sequence = bool(true))',
    {
        'x': f32([[[1]], [[-2]]]),
        'h0': f32([[0.5]]),
        'w': f32(w3).reshape(3, 1),
        'r': f32(r3).reshape(3, 1),
        'b': f32(b3),
    },
    y=f32([[[g1]], [[g2 := gru_step(-2, g1, w3, r3, b3)]]]),
    h=f32([[g2]]),
)

# Packed constants and quantities.
op(
    'quantize',
    'q = quantize(input = x, scale = fp32(0.5), zero_point = int8(1), output_dtype = string("int8"))\n'
    'y = dequantize(input = q, scale = fp32(0.5), zero_point = int8(1))',
    {'x': X},
    y=f32(np.rint(x / 0.5) * 0.5),
)
op(
    'dequantize',
    'y = dequantize(input = q, scale = s, zero_point = z, axis = int32(0))',
    {'q': np.int8([[1, -2], [4, 127]]), 's': f32([0.5, 2]), 'z': np.int8([1, -1])},
    y=f32([[0, -1.5], [10, 256]]),
)
op(
    'constexpr_affine_dequantize',
    'w = constexpr_affine_dequantize(quantized_data = tensor<uint8, [2, 2]>([1, 5, 0, 255]), '
    'zero_point = tensor<uint8, [2]>([1, 5]), scale = tensor<fp32, [2]>([0.5, 2.0]), axis = int32(0))\ny = relu(x = w)',
    {},
    y=f32([[0, 2], [0, 500]]),
)
op(
    'constexpr_lut_to_dense',
    'w = constexpr_lut_to_dense(indices = tensor<uint1, [2, 2]>([0, 1, 1, 0]), '
    'lut = tensor<fp32, [1, 1, 2, 1]>([5.0, -6.0]))\ny = abs(x = w)',
    {},
    y=f32([[5, 6], [6, 5]]),
    target='ios18',
)
op(
    'constexpr_sparse_to_dense',
    'w = constexpr_sparse_to_dense(nonzero_data = tensor<fp32, [2]>([3.0, -4.0]), '
    'mask = tensor<uint1, [2, 2]>([0, 1, 1, 0]))\ny = abs(x = w)',
    {},
    y=f32([[0, 3], [4, 0]]),
    target='ios18',
)
op(
    'constexpr_cast',
    'w = constexpr_cast(source_val = tensor<fp16, [2]>([1.5, -2.0]), output_dtype = string("fp32"))\n' 'y = abs(x = w)',
    {},
    y=f32([1.5, 2]),
)
op(
    'constexpr_blockwise_shift_scale',
    'w = constexpr_blockwise_shift_scale(data = tensor<int8, [1, 4]>([1, 2, 3, 4]), '
    'scale = tensor<fp32, [1, 2]>([0.5, 10.0]), offset = tensor<int8, [1, 2]>([1, 2]))\ny = relu(x = w)',
    {},
    y=f32([[0, 0.5, 10, 20]]),
    target='ios18',
)
op(
    'constexpr_lut_to_sparse',
    'm, v = constexpr_lut_to_sparse(indices_mask = tensor<uint1, [2, 2]>([0, 1, 1, 0]), '
    'indices_nonzero_data = tensor<uint1, [2]>([1, 0]), lut = tensor<fp32, [1, 1, 2, 1]>([5.0, -6.0]))\n'
    'w = constexpr_sparse_to_dense(nonzero_data = v, mask = m)\ny = abs(x = w)',
    {},
    y=f32([[0, 6], [5, 0]]),
    target='ios18',
)
op(
    'constexpr_sparse_blockwise_shift_scale',
    'm, v = constexpr_sparse_blockwise_shift_scale('
    'data_mask = tensor<uint1, [2, 2]>([0, 1, 1, 0]), nonzero_data = tensor<int8, [2]>([3, 4]), '
    'scale = tensor<fp32, [2, 1]>([10.0, -100.0]))\nw = constexpr_sparse_to_dense(nonzero_data = v, mask = m)\n'
    'y = abs(x = w)',
    {},
    y=f32([[0, 30], [400, 0]]),
    target='ios18',
)

# Bilinear sampling.
L = np.arange(6, dtype=f32).reshape(1, 1, 2, 3)
op(
    'crop_resize',
    'y = crop_resize(x = x, boxes = b, target_height = int32(1), target_width = int32(3), '
    'box_coordinate_mode = string("CORNERS_HEIGHT_FIRST"), sampling_mode = string("STRICT_ALIGN_CORNERS"))',
    {'x': L, 'b': f32([[1, 0, 1, 2]])},
    y=None,
)
op(
    'affine',
    'y = affine(x = x, transform_matrix = m, output_height = int32(2), output_width = int32(3), '
    'sampling_mode = string("bilinear"), padding_mode = string("constant"), padding_value = fp32(0.0), '
    'coordinates_mode = string("normalized_minus_one_to_one"), align_corners = bool(true))',
    {'x': L, 'm': f32([[-1, 0, 0, 0, 1, 0]])},
    y=L[..., ::-1],
)
op(
    'resample',
    'y = resample(x = x, coordinates = c, sampling_mode = string("bilinear"), '
    'padding_mode = string("constant"), padding_value = fp32(-1.0), coordinates_mode = string("unnormalized"), '
    'align_corners = bool(true))',
    {'x': L, 'c': f32([[[[0.5, 0], [2, 0.5], [5, 0]]]])},
    y=f32([[[[0.5, 3.5, -1]]]]),
)

# No value can be told beforehand: random numbers, blocks that depend on an input, states, labels.
for name, words in {
    'random_bernoulli': 'prob = fp32(0.25)',
    'random_normal': 'mean = fp32(1.0), stddev = fp32(2.0)',
    'random_uniform': 'low = fp32(-1.0), high = fp32(1.0)',
}.items():
    op(name, f'y = {name}(shape = tensor<int32, [2]>([2, 3]), {words}, seed = int32(7))', {}, y=None)
op(
    'random_categorical',
    'y = random_categorical(x = x, mode = string("probs"), size = int32(4))',
    {},
    y=None,
    inputs='tensor<fp32, [2, 3]> x',
)
F = f32([1, -2])
op(
    'cond',
    'p = less(x = x, y = fp32(3.0))\ny = cond(pred = p) {\n  a = add(x = x, y = x);\n} -> (a), {\n'
    '  b = mul(x = x, y = fp32(5.0));\n} -> (b)',
    {'x': f32(2.5)},
    y=f32(5),
)
op(
    'while_loop',
    'n, z = while_loop(loop_vars = (int32(0), x)) (int32 i, tensor<fp32, [2]> v) {\n'
    '  c = less(x = i, y = int32(3));\n} -> (c), (int32 j, tensor<fp32, [2]> w) {\n  k = add(x = j, y = int32(1));\n'
    '  t = add(x = w, y = w);\n} -> (k, t)',
    {'x': F},
    z=8 * F,
)
LIST = 'l = make_list(elem_shape = (int32(2)), init_length = int32(2))\n'
WRITTEN = LIST + 'w = list_write(ls = l, index = int32(1), value = x)\n'
op('make_list', LIST + 'y = list_gather(ls = l, indices = tensor<int32, [2]>([0, 1]))', {}, y=f32([[0, 0], [0, 0]]))
GROWN = WRITTEN + 'g = list_write(ls = w, index = int32(4), value = x)\n'
op('list_length', GROWN + 'y = list_length(ls = g)', {'x': F}, y=i32(5))
op('list_read', WRITTEN + 'y = list_read(ls = w, index = int32(1))', {'x': F}, y=F)
op('list_write', WRITTEN + 'y = list_gather(ls = w, indices = tensor<int32, [2]>([1, 0]))', {'x': F}, y=f32([F, F * 0]))
op('list_gather', WRITTEN + 'y = list_gather(ls = w, indices = tensor<int32, [2]>([1, 1]))', {'x': F}, y=f32([F, F]))
op(
    'list_scatter',
    LIST + 's = list_scatter(ls = l, indices = tensor<int32, [2]>([2, 0]), value = x)\n'
    'y = list_gather(ls = s, indices = tensor<int32, [3]>([0, 1, 2]))',
    {'x': f32([[1, 2], [3, 4]])},
    y=f32([[3, 4], [0, 0], [1, 2]]),
)
op(
    'non_maximum_suppression',
    'b, s, i = non_maximum_suppression(boxes = x, scores = y, iou_threshold = fp32(0.5), ' 'max_boxes = int32(2))',
    # The first two boxes share 3 of 5 squares.
    {'x': f32([[[0, 0.5, 5], [0, 0, 5], [2, 2, 2], [2, 2, 2]]]), 'y': f32([[[0.8, 0.1, 0.3], [0.2, 0.9, 0.1]]])},
    b=f32([[[0.5, 5], [0, 5], [2, 2], [2, 2]]]),
    s=f32([[[0.1, 0.3], [0.9, 0.1]]]),
    i=i32([[1, 2]]),
)
op('classify', 'l, d = classify(probabilities = x, classes = c)', {}, l=None, inputs='tensor<fp32, [3]> x')
CASES['classify'].body = 'c = list<string, 3>(["a", "b", "c"]);\n' + CASES['classify'].body
STATE = 'state<tensor<fp16, [2]>> s'
op('read_state', 'y = read_state(input = s)', {}, y=np.float16([0, 0]), target='ios18', inputs=STATE)
op(
    'write_state',
    'write_state(input = s, data = d)\ny = read_state(input = s)',
    {'d': np.float16(F)},
    y=np.float16(F),
    target='ios18',
    inputs=STATE,
)
LONGER = 'l = make_list(elem_shape = (int32(3)));\n  '
LISTED = 'tensor<fp32, [2]> x, tensor<int32, [1, 1]> i'
refuse(
    'make_list',
    ('C1', 'a = make_list(elem_shape = (int32(2)), init_length = int32(-1))'),
    ('C2', 'b = make_list(elem_shape = (int32(2)), dtype = string("int8"))'),
    ('C3', 'c = make_list(elem_shape = (int32(-3)))'),
    inputs=LISTED,
)
refuse('list_length', ('C1', 'a = list_length(ls = x)'), inputs=LISTED)
refuse('list_read', ('C1', 'a = list_read(ls = x, index = int32(0))'), inputs=LISTED)
refuse(
    'list_write',
    ('C1', 'a = list_write(ls = x, index = int32(0), value = x)'),
    ('C2', LONGER + 'b = list_write(ls = l, index = int32(0), value = x)'),
    inputs=LISTED,
)
refuse(
    'list_gather',
    ('C1', 'a = list_gather(ls = x, indices = tensor<int32, [1]>([0]))'),
    ('C3', 'l = make_list(elem_shape = (int32(2)));\n  b = list_gather(ls = l, indices = i)'),
    inputs=LISTED,
)
refuse(
    'list_scatter',
    ('C1', 'a = list_scatter(ls = x, indices = tensor<int32, [1]>([0]), value = x)'),
    ('C2', LONGER + 'b = list_scatter(ls = l, indices = tensor<int32, [1]>([0]), value = x)'),
    ('C3', 'm = make_list(elem_shape = (int32(2)));\n  c = list_scatter(ls = m, indices = i, value = x)'),
    inputs=LISTED,
)
refuse('random_bernoulli', ('C2', 'y = random_bernoulli(shape = tensor<int32, [2]>([2, -3]))'))
refuse(
    'random_categorical',
    ('C1', 'a = random_categorical(x = x, mode = string("odds"))'),
    ('C2', 'b = random_categorical(x = fp32(1.0))'),
    ('C3', 'c = random_categorical(x = x, size = int32(0))'),
)
refuse('crop_resize', ('C4', 'y = crop_resize(x = x, roi = x)'), target='ios16', inputs='tensor<fp32, [1, 1, 2, 3]> x')
refuse('argsort', ('C1', 'y = argsort(x = x, axis = int32(2))'))
M = 'tensor<fp32, [1, 1, 2, 3]> x'
refuse(
    'resize',
    ('C1', 'a = resize(x = x, shape = tensor<int32, [1, 2]>([2, 2]), resized_dims = uint32(2))'),
    (
        'C3',
        'b = resize(x = x, shape = tensor<int32, [2]>([2, 2]), resized_dims = uint32(2), '
        'sampling_mode = string("CORNERS"))',
    ),
    inputs=M,
)
refuse(
    'upsample_bilinear',
    (
        'C3',
        'y = upsample_bilinear(x = x, scale_factor_height = int32(2), '
        'scale_factor_width = int32(2), align_corners = bool(true), half_pixel_centers = bool(true))',
    ),
    inputs=M,
)
# One file each: after a statement with blocks the parser looks no further.
BLOCKS = 'bool p, tensor<fp32, [2]> x, tensor<int32, [2]> n'
refuse('cond', ('C1', 'a = cond(pred = p) {} -> (x), {} -> ()'), inputs=BLOCKS)
refuse('cond-types', ('C2', 'b = cond(pred = p) {} -> (x), {} -> (n)'), inputs=BLOCKS)
V, W = 'tensor<fp32, [2]> v', 'tensor<fp32, [2]> w'
refuse('while_loop', ('C1', f'a = while_loop(loop_vars = (x)) ({V}) {{}} -> (p), ({W}) {{}} -> ()'), inputs=BLOCKS)
refuse(
    'while_loop-types', ('C2', f'b = while_loop(loop_vars = (x)) ({V}) {{}} -> (v), ({W}) {{}} -> (w)'), inputs=BLOCKS
)
refuse('random_uniform', ('C1', 'y = random_uniform(shape = tensor<int32, [1, 2]>([2, 3]))'))
I = 'tensor<fp32, [2, 3]> x, tensor<int32, [2, 3]> i'
refuse(
    'scatter_along_axis',
    ('C1', 'a = scatter_along_axis(data = x, indices = i, updates = x, mode = string("swap"))'),
    ('C2', 'b = scatter_along_axis(data = x, indices = i, updates = x, axis = int32(2))'),
    inputs=I,
)
refuse('scatter_nd', ('C1', 'a = scatter_nd(data = x, indices = i, updates = x, mode = string("swap"))'), inputs=I)
refuse('read_state', ('C1', 'y = read_state(input = x)'), target='ios18')
refuse(
    'write_state',
    ('C1', 'write_state(input = x, data = x)'),
    ('C2', 'write_state(input = s, data = x)'),
    target='ios18',
    inputs='tensor<fp16, [2, 3]> x, state<tensor<fp16, [2]>> s',
)
refuse('band_part', ('C1', 'y = band_part(x = tensor<fp32, [2]>([1.0, 2.0]), lower = int32(0), upper = int32(0))'))
refuse(
    'sliding_windows',
    ('C1', 'a = sliding_windows(x = x, axis = int32(2), size = int32(1))'),
    ('C2', 'b = sliding_windows(x = x, axis = int32(1), size = int32(4))'),
)
refuse(
    'reshape_like',
    (
        'C1',
        'a = reshape_like(x = x, ref_tensors = (x), begins = (int32(0), int32(1)), ends = (int32(1)), '
        'end_masks = (bool(false)))',
    ),
    (
        'C2',
        'b = reshape_like(x = x, ref_tensors = (x), begins = (int32(0)), '
        'ends = (int32(1)), end_masks = (bool(false)))',
    ),
    (
        'C3',
        'c = reshape_like(x = x, ref_tensors = (x), begins = tensor<int32, [1]>([0]), ends = (int32(2)), '
        'end_masks = (bool(false)))',
    ),
    target='ios16',
)
refuse('flatten2d', ('C1', 'y = flatten2d(x = x, axis = int32(3))'))

# Shown by what const_elimination makes of them. It leaves alone what has words among its parameters, what is known
# before run time as it is, sizes that depend on values, and control flow, states and lists.
FOLDED = {name for name, case in CASES.items() if any(v is not None for v in case.want.values())} - set(
    'gelu cast conv einsum max_pool avg_pool avg_pool-ceil l2_pool resize_bilinear resize_bilinear-modes resize-modes '
    'pad scatter scatter_along_axis '
    'scatter_nd non_zero rnn lstm gru quantize affine resample constexpr_affine_dequantize '
    'constexpr_lut_to_dense constexpr_sparse_to_dense constexpr_cast constexpr_blockwise_shift_scale '
    'constexpr_lut_to_sparse constexpr_sparse_blockwise_shift_scale cond while_loop read_state write_state '
    'make_list list_length list_read list_write list_gather list_scatter'.split()
)
