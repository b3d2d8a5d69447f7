#!/usr/bin/env python3
"""Converts STAR, RetinaFace and three torchvision classifiers with coremltools and writes light packages (see
README.md).

usage: gen_ane.py OUTDIR [NAME ...]      names: star_17out star_16out star_landmarks retinaface_640
retinaface_640_tensor resnet50 mobilenet_v2 densenet121
Needs torch and coremltools (8.3.0 with torch 2.8.0 for the first five, 9.0 with torch 1.13 for the rest, to repeat the
stored files; the operation
lists are the same with both). OUTDIR/full gets the packages with their weights, OUTDIR/light the light ones, OUTDIR the
archives.
"""

import collections, contextlib, io, logging, math, os, shutil, struct, subprocess, sys, warnings

warnings.filterwarnings('ignore')
logging.getLogger('coremltools').setLevel(logging.CRITICAL)
import numpy as np

with contextlib.redirect_stderr(io.StringIO()):
    import torch, coremltools as ct
import torch.nn as nn, torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'star'), os.path.join(HERE, '..', 'retinaface')]
import star_net as S, retinaface_net as R


# ---- networks: the golden definitions, with the evaluation order and constant shapes of the published networks ----
def coord_forward(self, x, heat=None):
    g = S.coords(self.n)[None]
    parts = [x, g[:, 0:1], g[:, 1:2], g[:, 2:3]]
    if self.boundary:
        h, zero = torch.clamp(heat[:, -1:], 0.0, 1.0), torch.zeros_like(g[:, 0:1])
        parts += [torch.where(h > 0.05, g[:, 0:1], zero), torch.where(h > 0.05, g[:, 1:2], zero)]
    x = self.conv(torch.cat(parts, 1))
    return x if self.bn is None else F.relu(self.bn(x))


def res_forward(self, x):
    r = self.skip_layer(x) if self.project else x
    y = self.conv1(F.relu(self.bn1(x)))
    y = self.conv2(F.relu(self.bn2(y)))
    return self.conv3(F.relu(self.bn3(y))) + r


def hourglass_forward(self, x, heat=None):
    if self.coordconv is not None:
        x = self.coordconv(x, heat)
    u = self.up1(x)
    low = self.low3(self.low2(self.low1(F.max_pool2d(x, 2, 2))))
    return u + F.interpolate(low, scale_factor=2, mode='nearest')


def centroid(h):
    n = h.shape[-1]
    t = torch.arange(n).float() / (n - 1) * 2 - 1
    gx, gy = (t[None, :] + torch.zeros(n, 1))[None, None], (t[:, None] + torch.zeros(1, n))[None, None]
    s = torch.clamp(h.sum([2, 3]), min=1e-6)
    cy, cx = (gy * h).sum([2, 3]) / s, (gx * h).sum([2, 3]) / s
    return torch.stack([cx, cy], -1)


def ssh_forward(self, x):
    a, mid = self.conv3X3(x), self.conv5X5_1(x)
    b = self.conv5X5_2(mid)
    return F.relu(torch.cat([a, b, self.conv7x7_3(self.conv7X7_2(mid))], 1))


class StarOut(nn.Module):
    """17 outputs repeat the last landmarks, as the published network does; 16 give each tensor once; 1 = final
    landmarks"""

    def __init__(self, net, outputs):
        super().__init__()
        self.net, self.outputs = net, outputs

    def forward(self, x):
        y, fused, lm = self.net(x)
        return lm if self.outputs == 1 else (*y, *fused, lm)[: self.outputs]


def star(outputs):
    S.CoordConv.forward, S.ResBlock.forward, S.Hourglass.forward, S.centroid = (
        coord_forward,
        res_forward,
        hourglass_forward,
        centroid,
    )
    n = S.Star().eval()
    n.load_state_dict(S.hash_state(n), strict=True)
    return StarOut(n, outputs).eval()


def hash_fill(net):
    """weights from the parameter names, as in the golden folder (see ../README.md), batch norm statistics included"""
    sd = net.state_dict()
    for k, v in sd.items():
        leaf = k.rsplit('.', 1)[-1]
        if leaf == 'num_batches_tracked':
            continue
        u = S.hash_uniform(k, v.numel())
        bn = (k.rsplit('.', 1)[0] + '.running_var') in sd
        if leaf == 'running_var':
            a = 0.5 + u
        elif leaf == 'running_mean' or (bn and leaf == 'bias'):
            a = (2 * u - 1) * 0.1
        elif bn:
            a = 0.75 + 0.5 * u
        elif v.dim() <= 1:
            a = (2 * u - 1) * 0.05
        else:
            a = (2 * u - 1) * math.sqrt(6.0 / max(1, v[0].numel()))
        v.copy_(torch.from_numpy(a.astype(np.float32).reshape(tuple(v.shape))))
    return net


def retinaface():
    R.Ssh.forward = ssh_forward
    return hash_fill(R.RetinaFace()).eval()


def torchvision_net(name):
    import torchvision

    return hash_fill(getattr(torchvision.models, name)(weights=None)).eval()


# ---- conversion ----
def convert(net, shape, image=None, scale=1.0, feature='input_image', outputs=None, pipeline=None, channels_last=False):
    x = torch.randn(*shape)
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    with torch.no_grad():
        tr = torch.jit.trace(net, x, check_trace=False)
    kw = {}
    if outputs:
        kw['outputs'] = [ct.TensorType(name=n) for n in outputs]
    if pipeline:
        kw['pass_pipeline'] = getattr(ct.PassPipeline, pipeline)
    inp = (
        ct.ImageType(name=feature, shape=shape, color_layout=getattr(ct.colorlayout, image), scale=scale)
        if image
        else ct.TensorType(name=feature, shape=shape)
    )
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        return ct.convert(
            tr,
            inputs=[inp],
            convert_to='mlprogram',
            compute_precision=ct.precision.FLOAT16,
            compute_units=ct.ComputeUnit.CPU_AND_NE,
            minimum_deployment_target=ct.target.iOS17,
            skip_model_load=True,
            **kw,
        )


def load_spec(package):
    m = ct.proto.Model_pb2.Model()
    with open(os.path.join(package, 'Data', 'com.apple.CoreML', 'model.mlmodel'), 'rb') as f:
        m.ParseFromString(f.read())
    return m


def main_block(spec):
    f = spec.mlProgram.functions['main']
    return f.block_specializations[f.opset]


def runtime_ops(package):
    return [
        o
        for o in main_block(load_spec(package)).operations
        if o.type != 'const' and not o.type.startswith('constexpr_')
    ]


def histogram(package):
    return dict(collections.Counter(o.type for o in runtime_ops(package)).most_common())


# ---- light version: same model.mlmodel, same blob layout, constant payloads ----
def values(block):
    for o in block.operations:
        for v in o.attributes.values():
            yield o, v
        for a in o.inputs.values():
            for b in a.arguments:
                if b.WhichOneof('binding') == 'value':
                    yield o, b.value
        for b in o.blocks:
            yield from values(b)


def lighten(src, dst):
    shutil.rmtree(dst, ignore_errors=True)
    shutil.copytree(src, dst)
    path = os.path.join(dst, 'Data', 'com.apple.CoreML', 'weights', 'weight.bin')
    raw = bytearray(open(path, 'rb').read())
    offs = {}
    for o, v in values(main_block(load_spec(src))):
        if v.WhichOneof('value') == 'blobFileValue':
            offs.setdefault(v.blobFileValue.offset, set()).add(o.type)
    kept = filled = 0
    for i, off in enumerate(sorted(offs)):
        magic, kind, size, data = struct.unpack_from('<IIQQ', raw, off)
        assert magic == 0xDEADBEEF and data == off + 64, (hex(magic), off)
        n = size // {1: 2, 2: 4}.get(kind, 1)  # 1 = fp16, 2 = fp32; other kinds stay as they are
        if kind not in (1, 2) or n <= 64 or offs[off] != {'const'}:
            kept += 1
            continue
        h = np.array([0x2000 + i], np.uint16).view(np.float16)  # 0.0078 upwards, one value per blob
        raw[data : data + size] = (
            np.full(n, h[0], np.float16) if kind == 1 else np.full(n, h[0], np.float32)
        ).tobytes()
        filled += 1
    open(path, 'wb').write(raw)
    return filled, kept


def pack(folder, archive):
    d, b = os.path.split(os.path.abspath(folder))
    subprocess.run(
        [
            'tar',
            '--sort=name',
            '--owner=0',
            '--group=0',
            '--numeric-owner',
            '--mtime=2025-01-01 00:00:00Z',
            '--mode=u=rwX,go=rX',
            '-C',
            d,
            '-cJf',
            os.path.abspath(archive),
            b,
        ],
        check=True,
        env=dict(os.environ, XZ_OPT='-9e'),
    )
    return os.path.getsize(archive)


def emit(name, net, out, shape, **kw):
    full, light = os.path.join(out, 'full', name + '.mlpackage'), os.path.join(out, 'light', name + '.mlpackage')
    for d in (full, light):
        os.makedirs(os.path.dirname(d), exist_ok=True)
        shutil.rmtree(d, ignore_errors=True)
    convert(net, shape, **kw).save(full)
    filled, kept = lighten(full, light)
    size = pack(light, os.path.join(out, name + '.mlpackage.tar.xz'))
    h = histogram(full)
    print(
        f'{name}: coremltools {ct.__version__} torch {torch.__version__} run-time {sum(h.values())} archive '
        f'{size} bytes, blobs filled {filled} kept {kept}',
        h,
        flush=True,
    )


JOBS = {}
for _n, _k in (('star_17out', 17), ('star_16out', 16), ('star_landmarks', 1)):
    JOBS[_n] = lambda o, n=_n, k=_k: emit(
        n, star(k), o, (1, 3, 256, 256), image='RGB', scale=1 / 255.0, pipeline='DEFAULT_PRUNING', channels_last=True
    )
JOBS['retinaface_640'] = lambda o: emit('retinaface_640', retinaface(), o, (1, 3, 640, 640), image='RGB')
JOBS['retinaface_640_tensor'] = lambda o: emit('retinaface_640_tensor', retinaface(), o, (1, 3, 640, 640))
for _n in ('resnet50', 'mobilenet_v2', 'densenet121'):
    JOBS[_n] = lambda o, n=_n: emit(n, torchvision_net(n), o, (1, 3, 224, 224), feature='input')

if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    torch.set_grad_enabled(False)
    for n in sys.argv[2:] or JOBS:
        JOBS[n](sys.argv[1])
