"""Networks whose latency somebody published, as MIL text: shapes and operations, weights without content."""


class Net:
    """Writes operations one below the other; the current value is `x` with `shape` [N, C, H, W] or [N, K]."""

    def __init__(self, *shape, weights='fp16', activations='fp16'):
        self.shape, self.lines, self.count = list(shape), [], 0
        self.x = 'input'
        self.weights, self.activations = weights, activations
        self.inputs = f'tensor<fp16, {list(shape)}> input'

    def text(self):
        opset = 'ios18' if self.weights.startswith('lut') else 'ios17'
        return f'func main<{opset}>({self.inputs}) {{\n' + '\n'.join(self.lines) + f'\n}} -> ({self.x});\n'

    def add(self, kind, operands):
        self.count += 1
        name = f'v{self.count}'
        self.lines.append(f'  {name} = {kind}({operands});')
        return name

    def op(self, kind, operands='', shape=None):
        self.x = self.add(kind, f'x = {self.x}' + (', ' + operands if operands else ''))
        self.shape = shape or self.shape
        return self

    def blob(self, dtype, dims):
        self.count += 1
        return f'tensor<{dtype}, {list(dims)}>(BLOBFILE(path = "weights.bin", offset = {64 * self.count}))'

    def weight(self, dims):
        if self.weights == 'fp16':
            return self.blob('fp16', dims)
        if self.weights == 'int8':
            scale = f'scale = {self.blob("fp16", [dims[0]])}, zero_point = int8(0), axis = 0'
            return self.add('constexpr_affine_dequantize', f'quantized_data = {self.blob("int8", dims)}, {scale}')
        bits = int(self.weights[3:])
        lut = self.blob('fp16', [1] * len(dims) + [1 << bits, 1])
        return self.add('constexpr_lut_to_dense', f'indices = {self.blob(f"uint{bits}", dims)}, lut = {lut}')

    def quantized(self):
        """Activations of eight bits: a pair of operations that the engine is said to fuse."""
        if self.activations == 'int8':
            q = self.add('quantize', f'input = {self.x}, scale = fp16(0.1), output_dtype = "int8"')
            self.x = self.add('dequantize', f'input = {q}, scale = fp16(0.1)')

    def conv(self, out, kernel=1, stride=1, groups=1):
        self.quantized()
        n, c, h, w = self.shape
        weight = self.weight([out, c // groups, kernel, kernel])
        pads = f'strides = [{stride}, {stride}], pad_type = "custom", pad = {[kernel // 2] * 4}, dilations = [1, 1]'
        size = lambda v: (v + 2 * (kernel // 2) - kernel) // stride + 1
        return self.op(
            'conv',
            f'weight = {weight}, bias = {self.blob("fp16", [out])}, {pads}, groups = {groups}',
            [n, out, size(h), size(w)],
        )

    def depthwise(self, kernel=3, stride=1, times=1):
        return self.conv(self.shape[1] * times, kernel, stride, self.shape[1])

    def linear(self, out):
        self.quantized()
        weight = self.weight([out, self.shape[-1]])
        return self.op('linear', f'weight = {weight}, bias = {self.blob("fp16", [out])}', self.shape[:-1] + [out])

    def relu(self):
        return self.op('relu')

    def gelu(self):
        return self.op('gelu', 'mode = "EXACT"')

    def plus(self, other):
        return self.op('add', f'y = {other}')

    def times(self, other):
        return self.op('mul', f'y = {other}')

    def mean(self, keep=False):
        word = 'true' if keep else 'false'
        n, c = self.shape[:2]
        return self.op('reduce_mean', f'axes = [2, 3], keep_dims = {word}', [n, c, 1, 1] if keep else [n, c])

    def max_pool(self, kernel, stride, pad):
        n, c, h, w = self.shape
        size = lambda v: (v + 2 * pad - kernel) // stride + 1
        return self.op(
            'max_pool',
            f'kernel_sizes = [{kernel}, {kernel}], strides = [{stride}, {stride}], '
            f'pad_type = "custom", pad = {[pad] * 4}, ceil_mode = false',
            [n, c, size(h), size(w)],
        )

    def squeeze_excite(self, hidden, gate='sigmoid'):
        x, shape = self.x, self.shape
        self.mean(keep=True).conv(hidden).relu().conv(shape[1]).op(gate)
        g, self.x, self.shape = self.x, x, shape
        return self.times(g)


def resnet50(batch=1, **how):
    net = Net(batch, 3, 224, 224, **how)
    net.conv(64, 7, 2).relu().max_pool(3, 2, 1)
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            x, shape, s = net.x, net.shape, stride if i == 0 else 1
            net.conv(width).relu().conv(width, 3, s).relu().conv(4 * width)
            y, after = net.x, net.shape
            if i == 0:
                net.x, net.shape = x, shape
                x = net.conv(4 * width, 1, s).x
            net.x, net.shape = y, after
            net.plus(x).relu()
    return net.mean().linear(1000)


def mobilenet_v2(**how):
    net = Net(1, 3, 224, 224, **how)
    net.conv(32, 3, 2).op('relu6')
    for t, c, n, s in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for i in range(n):
            x, before, stride = net.x, net.shape[1], s if i == 0 else 1
            if t > 1:
                net.conv(t * before).op('relu6')
            net.depthwise(3, stride).op('relu6').conv(c)
            if stride == 1 and before == c:
                net.plus(x)
    return net.conv(1280).op('relu6').mean().linear(1000)


def mobilenet_v3_small():
    net = Net(1, 3, 224, 224)

    def act(hard):
        if not hard:
            return net.relu()
        x = net.x
        return net.op('sigmoid_hard', 'alpha = fp16(0.1667), beta = fp16(0.5)').times(x)

    net.conv(16, 3, 2)
    act(True)
    for kernel, wide, out, se, hard, stride in (
        (3, 16, 16, 1, 0, 2),
        (3, 72, 24, 0, 0, 2),
        (3, 88, 24, 0, 0, 1),
        (5, 96, 40, 1, 1, 2),
        (5, 240, 40, 1, 1, 1),
        (5, 240, 40, 1, 1, 1),
        (5, 120, 48, 1, 1, 1),
        (5, 144, 48, 1, 1, 1),
        (5, 288, 96, 1, 1, 2),
        (5, 576, 96, 1, 1, 1),
        (5, 576, 96, 1, 1, 1),
    ):
        x, before = net.x, net.shape[1]
        if wide != before:
            net.conv(wide)
            act(hard)
        net.depthwise(kernel, stride)
        act(hard)
        if se:
            hidden = max(8, (wide // 4 + 4) // 8 * 8)
            shape, value = net.shape, net.x
            net.mean(keep=True).conv(hidden).relu().conv(wide).op(
                'sigmoid_hard', 'alpha = fp16(0.1667), beta = fp16(0.5)'
            )
            g, net.x, net.shape = net.x, value, shape
            net.times(g)
        net.conv(out)
        if stride == 1 and before == out:
            net.plus(x)
    net.conv(576)
    act(True).mean().linear(1024)
    return act(True).linear(1000)


def mobileone(widths, excite=False):
    net = Net(1, 3, 224, 224)
    net.conv(min(64, int(64 * widths[0])), 3, 2).relu()
    for stage, (base, blocks) in enumerate(((64, 2), (128, 8), (256, 10), (512, 1))):
        for i in range(blocks):
            se = excite and (stage == 3 or (stage == 2 and i >= blocks // 2))
            for part in ('depthwise', 'pointwise'):
                if part == 'depthwise':
                    net.depthwise(3, 2 if i == 0 else 1)
                else:
                    net.conv(int(base * widths[stage]))
                if se:
                    net.squeeze_excite(net.shape[1] // 16)
                net.relu()
    return net.mean().linear(1000)


def fastvit(layers, dims, ratio, attention=False):
    net = Net(1, 3, 256, 256)
    net.conv(dims[0], 3, 2).gelu().depthwise(3, 2).gelu().conv(dims[0]).gelu()

    def feed_forward(c):
        x = net.x
        net.depthwise(7).conv(ratio * c).gelu().conv(c).times(net.blob('fp16', [c, 1, 1])).plus(x)

    for stage, (blocks, c) in enumerate(zip(layers, dims)):
        if stage > 0:
            net.conv(c, 7, 2, dims[stage - 1]).conv(c).gelu()
        last = attention and stage == 3
        if last:
            net.depthwise(7)
        for _ in range(blocks):
            if not last:
                net.depthwise(3)
            else:
                attend(net, c)
            feed_forward(c)
    net.depthwise(3, 1, 2).squeeze_excite(net.shape[1] // 16).gelu()
    return net.mean().linear(1000)


def attend(net, c):
    x, shape = net.x, net.shape
    n, heads = shape[2] * shape[3], c // 32
    net.op('batch_norm', f'mean = {net.blob("fp16", [c])}, variance = {net.blob("fp16", [c])}')
    net.op('reshape', f'shape = [1, {c}, {n}]', [1, c, n]).op('transpose', 'perm = [0, 2, 1]', [1, n, c]).linear(3 * c)
    net.op('reshape', f'shape = [1, {n}, 3, {heads}, 32]').op('transpose', 'perm = [2, 0, 3, 1, 4]')
    q, k, v = (
        net.add(
            'slice_by_index',
            f'x = {net.x}, begin = [{i}, 0, 0, 0, 0], end = [{i + 1}, 1, {heads}, {n}, 32], '
            'squeeze_mask = [true, false, false, false, false]',
        )
        for i in range(3)
    )
    net.x = net.add('mul', f'x = {q}, y = fp16(0.1768)')
    net.op('matmul', f'y = {k}, transpose_x = false, transpose_y = true').op('softmax', 'axis = -1')
    net.op('matmul', f'y = {v}, transpose_x = false, transpose_y = false').op('transpose', 'perm = [0, 2, 1, 3]')
    net.op('reshape', f'shape = [1, {n}, {c}]', [1, n, c]).linear(c).op('transpose', 'perm = [0, 2, 1]')
    net.op('reshape', f'shape = {shape}', shape).times(net.blob('fp16', [c, 1, 1])).plus(x)


def conv64(size):
    return Net(1, 64, size, size).conv(64, 3)


def head(weights='fp16', parts=16, vocabulary=128256):
    """The last layer of a language model for one token, in parts, as convolutions."""
    net = Net(1, 4096, 1, 1, weights=weights)
    outs = []
    for _ in range(parts):
        net.x, net.shape = 'input', [1, 4096, 1, 1]
        outs.append(net.conv(vocabulary // parts).x)
    net.x = net.add('concat', f'values = ({", ".join(outs)}), axis = 1, interleave = false')
    return net


S0, S1, S2, S3, S4 = (0.75, 1, 1, 2), (1.5, 1.5, 2, 2.5), (1.5, 2, 2.5, 4), (2, 2.5, 3, 4), (3, 3.5, 3.5, 4)
NETWORKS = {
    'resnet50': resnet50,
    'resnet50-batch16': lambda: resnet50(16),
    'resnet50-int8': lambda: resnet50(weights='int8'),
    'resnet50-lut4': lambda: resnet50(weights='lut4'),
    'resnet50-w8a8': lambda: resnet50(weights='int8', activations='int8'),
    'mobilenet_v2': mobilenet_v2,
    'mobilenet_v2-int8': lambda: mobilenet_v2(weights='int8'),
    'mobilenet_v2-lut4': lambda: mobilenet_v2(weights='lut4'),
    'mobilenet_v2-w8a8': lambda: mobilenet_v2(weights='int8', activations='int8'),
    'mobilenet_v3_small': mobilenet_v3_small,
    **{f'mobileone_s{i}': (lambda w=w, i=i: mobileone(w, i == 4)) for i, w in enumerate((S0, S1, S2, S3, S4))},
    'fastvit_t8': lambda: fastvit((2, 2, 4, 2), (48, 96, 192, 384), 3),
    'fastvit_t12': lambda: fastvit((2, 2, 6, 2), (64, 128, 256, 512), 3),
    'fastvit_s12': lambda: fastvit((2, 2, 6, 2), (64, 128, 256, 512), 4),
    'fastvit_sa12': lambda: fastvit((2, 2, 6, 2), (64, 128, 256, 512), 4, True),
    'fastvit_sa24': lambda: fastvit((4, 4, 12, 4), (64, 128, 256, 512), 4, True),
    'fastvit_sa36': lambda: fastvit((6, 6, 18, 6), (64, 128, 256, 512), 4, True),
    'fastvit_ma36': lambda: fastvit((6, 6, 18, 6), (76, 152, 304, 608), 4, True),
    **{f'conv64_{size}': (lambda size=size: conv64(size)) for size in (16, 32, 64, 128, 256)},
    'head': head,
    'head-lut6': lambda: head('lut6'),
}
