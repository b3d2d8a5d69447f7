#!/usr/bin/env python3
"""Writes the torch.export archives of this folder (see README.md).

usage: gen_pt2.py small|big|bad|refuse|old OUTDIR [NAME ...]
  small, big, refuse   need torch >= 2.9 (stored files: 2.15.0); torchvision is not used
  old                  writes the one file that belongs to the running torch: 15 with 2.8, 16 with 2.5
  bad                  needs no torch; reads 01_cnn, 02_residual_dyn, 15_old28_storage in OUTDIR and damages copies
Networks are own definitions; weights and inputs come from the names of the tensors (hash_uniform, the rule of
../README.md),
so no file is needed to repeat the numbers. Nothing in an archive names a path of the machine that wrote it.
"""

import binascii, collections, hashlib, io, json, lzma, math, os, shutil, struct, sys, types, warnings, zipfile
import numpy as np

warnings.filterwarnings('ignore')
HERE = os.path.dirname(os.path.abspath(__file__))
GOLD = os.environ.get('GOLDEN', os.path.join(HERE, '..'))
M64 = (1 << 64) - 1


def fnv1a64(s):
    h = 0xCBF29CE484222325
    for b in s.encode():
        h = ((h ^ b) * 0x100000001B3) & M64
    return h


def hash_uniform(name, count):
    with np.errstate(over='ignore'):
        z = np.uint64(fnv1a64(name)) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 16777216.0


def hash_input(name, shape):
    return (2 * hash_uniform(name, int(np.prod(shape))) - 1).astype(np.float32).reshape(shape)


def nets():
    """name -> (module, inputs, dynamic shapes, second input shape, core form?)"""
    import torch, torch.nn as nn, torch.nn.functional as F

    Dim = torch.export.Dim

    def fill(net):
        sd = net.state_dict()
        for k, v in sd.items():
            leaf = k.rsplit('.', 1)[-1]
            if not v.dtype.is_floating_point or leaf.startswith('keep'):
                continue
            u = hash_uniform(k, v.numel())
            bn = (k.rsplit('.', 1)[0] + '.running_var') in sd
            if leaf == 'running_var':
                a = 0.5 + u
            elif leaf == 'running_mean' or (bn and leaf == 'bias'):
                a = (2 * u - 1) * 0.1
            elif bn or (leaf == 'weight' and v.dim() == 1):
                a = 0.75 + 0.5 * u
            elif v.dim() <= 1:
                a = (2 * u - 1) * 0.05
            else:
                a = (2 * u - 1) * math.sqrt(6.0 / max(1, v[0].numel()))
            v.copy_(torch.from_numpy(a.astype(np.float32).reshape(tuple(v.shape))))
        return net.eval()

    class Cnn(nn.Module):
        def __init__(s):
            super().__init__()
            s.conv1, s.bn1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
            s.conv2, s.bn2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4), nn.BatchNorm2d(
                8, eps=1e-3, momentum=0.03
            )
            s.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
            s.conv3, s.conv4 = nn.Conv2d(8, 16, (1, 3), padding=(0, 1)), nn.Conv2d(16, 16, 4, padding='same')
            s.conv5 = nn.Conv2d(16, 16, 2, padding='valid')
            s.act, s.drop, s.fc = nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(16, 10)

        def forward(s, x):
            x = s.pool(s.act(s.bn1(s.conv1(x))))
            x = s.act(s.bn2(s.conv2(x)))
            x = torch.relu(s.conv5(s.conv4(s.conv3(x))))
            x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
            return F.softmax(s.fc(s.drop(x)), -1)

    class Block(nn.Module):
        def __init__(s, ci, co, stride=1):
            super().__init__()
            s.conv1, s.bn1 = nn.Conv2d(ci, co, 3, stride, 1, bias=False), nn.BatchNorm2d(co)
            s.conv2, s.bn2 = nn.Conv2d(co, co, 3, 1, 1, bias=False), nn.BatchNorm2d(co)
            s.down = (
                nn.Sequential(nn.Conv2d(ci, co, 1, stride, bias=False), nn.BatchNorm2d(co))
                if stride > 1 or ci != co
                else None
            )
            s.relu = nn.ReLU(inplace=True)

        def forward(s, x):
            y = s.bn2(s.conv2(s.relu(s.bn1(s.conv1(x)))))
            y += x if s.down is None else s.down(x)
            return s.relu(y)

    class Residual(nn.Module):
        def __init__(s):
            super().__init__()
            s.stem, s.b1, s.b2 = nn.Conv2d(3, 8, 3, 1, 1), Block(8, 8), Block(8, 12, 2)
            s.p1, s.p2 = nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)
            s.fc = nn.Linear(12 * 9, 6, bias=False)

        def forward(s, x):
            x = s.p1(s.stem(x))
            x = s.p2(s.b2(s.b1(x)))
            return s.fc(x.view(x.size(0), -1)), x.mean([2, 3])

    class Mobile(nn.Module):
        def __init__(s):
            super().__init__()
            s.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(inplace=True))
            s.dw = nn.Sequential(
                nn.Conv2d(8, 8, 5, 1, 2, groups=8, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU6(inplace=True)
            )
            s.fc1, s.fc2 = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
            s.pw, s.act = nn.Conv2d(8, 12, 1), nn.SiLU(inplace=True)
            s.head = nn.Sequential(
                nn.Linear(12 * 4, 16),
                nn.Hardswish(),
                nn.Dropout(0.2, inplace=True),
                nn.Linear(16, 5),
                nn.LeakyReLU(0.1),
            )

        def forward(s, x):
            x = s.dw(s.stem(x))
            g = F.hardsigmoid(s.fc2(F.relu(s.fc1(F.adaptive_avg_pool2d(x, 1)))))
            x = s.act(s.pw(g * x))
            return s.head(F.adaptive_avg_pool2d(x, (2, 2)).flatten(1))

    class Shuffle(nn.Module):
        def __init__(s):
            super().__init__()
            s.a, s.b, s.bnb = nn.Conv2d(4, 4, 3, 1, 1, groups=4), nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4)
            s.up, s.shuffle = nn.PixelShuffle(2), nn.ChannelShuffle(4)
            s.down, s.last = nn.PixelUnshuffle(2), nn.Conv2d(2, 3, 1)

        def forward(s, x):
            p, q = x.chunk(2, dim=1)
            x = torch.cat([p, F.relu(s.bnb(s.b(s.a(q))))], dim=1)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)
            x = s.shuffle(x)
            a, b, d = torch.split(s.down(s.up(x)), [2, 4, 2], 1)
            return s.last(a + d), b.flip(3), torch.stack([a, d], 2)

    class Vit(nn.Module):
        def __init__(s, d=16):
            super().__init__()
            s.patch = nn.Conv2d(3, d, 4, 4)
            s.cls, s.pos = nn.Parameter(torch.zeros(1, 1, d)), nn.Parameter(torch.zeros(1, 17, d))
            s.n1, s.n2, s.n3 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d), nn.LayerNorm(d)
            s.attn = nn.MultiheadAttention(d, 2, batch_first=True)
            s.fc1, s.fc2, s.act, s.head = nn.Linear(d, 24), nn.Linear(24, d), nn.GELU(), nn.Linear(d, 7)

        def forward(s, x):
            n = x.shape[0]
            x = s.patch(x).reshape(n, 16, -1).permute(0, 2, 1)
            x = torch.cat([s.cls.expand(n, -1, -1), x], 1) + s.pos
            y = s.n1(x)
            x = x + s.attn(y, y, y, need_weights=False)[0]
            x = x + s.fc2(s.act(s.fc1(s.n2(x))))
            return s.head(s.n3(x)[:, 0])

    class Window(nn.Module):
        """one shifted-window attention block and a patch merge on 7x7x8, window 4, shift 2"""

        def __init__(s, d=8, heads=2, w=4):
            super().__init__()
            s.d, s.h, s.w = d, heads, w
            s.inp, s.norm, s.qkv, s.proj = nn.Conv2d(3, d, 2, 2), nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
            s.table = nn.Parameter(torch.zeros((2 * w - 1) ** 2, heads))
            g = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(w), indexing='ij')).flatten(1)
            r = (g[:, :, None] - g[:, None, :] + w - 1).permute(1, 2, 0)
            s.register_buffer('keep_index', (r[..., 0] * (2 * w - 1) + r[..., 1]).flatten())
            s.merge, s.nm = nn.Linear(4 * d, 2 * d, bias=False), nn.LayerNorm(4 * d)

        def forward(s, x):
            x = s.inp(x).permute(0, 2, 3, 1)
            y, w, sh = s.norm(x), s.w, s.w // 2
            n, h0, w0, c = y.shape
            y = F.pad(y, (0, 0, 0, -w0 % w, 0, -h0 % w))
            _, H, W, _ = y.shape
            y = torch.roll(y, (-sh, -sh), (1, 2))
            mask, k = y.new_zeros((H, W)), 0
            for a in ((0, -w), (-w, -sh), (-sh, None)):
                for b in ((0, -w), (-w, -sh), (-sh, None)):
                    mask[a[0] : a[1], b[0] : b[1]] = k
                    k += 1
            mask = mask.view(H // w, w, W // w, w).permute(0, 2, 1, 3).reshape(-1, w * w)
            mask = mask.unsqueeze(1) - mask.unsqueeze(2)
            mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
            y = y.view(n, H // w, w, W // w, w, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, w * w, c)
            q, k, v = s.qkv(y).reshape(-1, w * w, 3, s.h, c // s.h).permute(2, 0, 3, 1, 4)
            a = (q * (c // s.h) ** -0.5).matmul(k.transpose(-2, -1))
            a = a + s.table[s.keep_index].view(w * w, w * w, -1).permute(2, 0, 1).contiguous().unsqueeze(0)
            a = a.view(-1, mask.shape[0], s.h, w * w, w * w) + mask.unsqueeze(1).unsqueeze(0)
            a = F.softmax(a.view(-1, s.h, w * w, w * w), dim=-1)
            y = s.proj(a.matmul(v).transpose(1, 2).reshape(-1, w * w, c))
            y = y.view(n, H // w, W // w, w, w, c).permute(0, 1, 3, 2, 4, 5).reshape(n, H, W, c)
            x = x + torch.roll(y, (sh, sh), (1, 2))[:, :h0, :w0, :].contiguous()
            x = F.pad(x, (0, 0, 0, w0 % 2, 0, h0 % 2))
            x = torch.cat(
                [x[..., 0::2, 0::2, :], x[..., 1::2, 0::2, :], x[..., 0::2, 1::2, :], x[..., 1::2, 1::2, :]], -1
            )
            return s.merge(s.nm(x))

    class Upsample(nn.Module):
        def __init__(s):
            super().__init__()
            s.enc, s.mid = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1)
            s.t1, s.t2 = nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.ConvTranspose2d(6, 6, 3, 2, 1, 1, groups=2, bias=False)
            s.out, s.near = nn.Conv2d(6, 2, 1), nn.Upsample(scale_factor=2)

        def forward(s, x):
            size = x.shape[-2:]
            a = F.relu(s.enc(x))
            b = F.relu(s.mid(a))
            c = F.relu(s.t1(b)) + a
            m = s.out(s.t2(c))
            aux = F.interpolate(s.out(a), size=size, mode='bilinear', align_corners=False)
            return collections.OrderedDict(
                out=torch.sigmoid(m),
                aux=aux,
                near=s.near(b),
                ac=F.interpolate(b, scale_factor=1.5, mode='bilinear', align_corners=True),
                down=F.interpolate(x, size=(5, 9), mode='bilinear', align_corners=False),
                bordered=F.pad(F.pad(x, (1, 2, 0, 1), value=0.5), (1, 1, 2, 2), mode='reflect'),
            )

    class DynHW(nn.Module):
        def __init__(s):
            super().__init__()
            s.c1, s.c2, s.c3 = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
            s.l2, s.l1 = nn.Conv2d(8, 6, 1), nn.Conv2d(6, 4, 3, padding=1)

        def forward(s, x):
            a = F.relu(s.c1(x))
            b = F.relu(s.c2(a))
            c = F.relu(s.c3(b))
            b = s.l2(b + F.interpolate(c, size=b.shape[2:], mode='nearest'))
            a = a + F.interpolate(b, scale_factor=2.0, mode='bilinear', align_corners=False)
            y = s.l1(a)
            return y.flatten(2).transpose(1, 2), y.amax((2, 3)), y.mean((1, 2, 3))

    class Heads(nn.Module):
        def __init__(s):
            super().__init__()
            s.c1, s.c2, s.c3 = nn.Conv2d(3, 8, 3, 4, 1), nn.Conv2d(8, 12, 3, 2, 1), nn.Conv2d(12, 12, 3, 2, 1)
            s.o1, s.o2, s.o3 = nn.Conv2d(8, 8, 1), nn.Conv2d(12, 8, 1), nn.Conv2d(12, 8, 1)
            s.cls, s.box = nn.ModuleList(nn.Conv2d(8, 4, 1) for _ in range(3)), nn.ModuleList(
                nn.Conv2d(8, 8, 1) for _ in range(3)
            )

        def forward(s, x):
            f1 = F.leaky_relu(s.c1(x), 0.1, inplace=True)
            f2 = F.leaky_relu(s.c2(f1), 0.1)
            f3 = F.leaky_relu(s.c3(f2), 0.1)
            p1, p2, p3 = s.o1(f1), s.o2(f2), s.o3(f3)
            p2 = p2 + F.interpolate(p3, size=[p2.size(2), p2.size(3)], mode='nearest')
            p1 = p1 + F.interpolate(p2, size=[p1.size(2), p1.size(3)], mode='nearest')
            flat = lambda y, k: y.permute(0, 2, 3, 1).contiguous().view(y.shape[0], -1, k)
            cls = torch.cat([flat(h(p), 2) for h, p in zip(s.cls, (p1, p2, p3))], 1)
            box = torch.cat([flat(h(p), 4) for h, p in zip(s.box, (p1, p2, p3))], 1)
            return box, F.softmax(cls, dim=-1), cls.max(-1)[0]

    class Norms(nn.Module):
        def __init__(s):
            super().__init__()
            s.conv, s.gn, s.ina = nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)
            s.inp, s.ln, s.rms = nn.InstanceNorm2d(8), nn.LayerNorm(8, eps=1e-6), nn.RMSNorm(8, eps=1e-6)
            s.scale, s.lnhw = nn.Parameter(torch.zeros(8, 1, 1)), nn.LayerNorm((6, 6), elementwise_affine=False)
            s.bn1d, s.bnn = nn.BatchNorm1d(8), nn.BatchNorm2d(8, affine=False)

        def forward(s, x):
            x = s.conv(x)
            a = s.gn(x) + s.ina(x) * s.inp(x)
            b = s.ln(a.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            c = F.normalize(b, dim=1) * s.scale + s.lnhw(x)
            d = s.rms(c.flatten(2).transpose(1, 2))
            m = x.mean((2, 3), keepdim=True)
            e = (x - m) / torch.sqrt(((x - m) ** 2).mean((2, 3), keepdim=True) + 1e-5)
            v = x.var((2, 3), unbiased=False)
            return c, d, s.bnn(e), s.bn1d(x.flatten(2)), v, torch.linalg.vector_norm(x, dim=(1, 2, 3))

    class InPlace(nn.Module):
        """writes through views: outputs whose value differs from that of the node that first made them"""

        def __init__(s):
            super().__init__()
            s.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(s, x):
            y = s.conv(x)
            r = F.relu(y, inplace=True)
            z = y + r  # y already holds the ReLU
            z[:, 0] = 1.0  # fill through select
            z[:, 1:3].mul_(0.5)  # multiply through slice
            z[:, 3:, ::2] += 2.0  # strided slice
            w = z.clone()
            w[..., 0] = w[..., 1]  # copy_ between views
            w.clamp_(-1.0, 1.0)
            t = z.view(z.shape[0], -1)  # a view that sees later writes to z
            z.masked_fill_(z > 1.5, 1.5)
            u = z * 2.0
            u[:, 1] = 0.25  # last write through a view: the output keeps the name of the multiplication
            return z, w, t.sum(1), r, u

    class Pointwise(nn.Module):
        def __init__(s):
            super().__init__()
            s.p1, s.p4 = nn.PReLU(init=0.2), nn.PReLU(4)

        def forward(s, x):
            p = x.abs() + 0.1
            g = torch.arange(6.0) / 5
            y = [
                torch.exp(x),
                torch.log(p),
                torch.sqrt(p),
                torch.rsqrt(p),
                p**0.5,
                x**2,
                2**x,
                1 - x,
                1 / p,
                torch.sub(x, p, alpha=2),
                torch.add(x, p, alpha=-0.5),
                x / p,
                x * g,
                torch.floor(x * 3),
                torch.round(x * 3),
                torch.ceil(x * 3),
                torch.sign(x),
                -x,
                torch.sin(x),
                torch.cos(x),
                torch.tanh(x),
                torch.erf(x),
                torch.reciprocal(p),
                x.clamp(min=0.2),
                x.clamp(max=0.3),
                x.clamp(-0.5, float('inf')),
                torch.maximum(x, p * 0.5),
                torch.minimum(x, g),
                torch.where(x > 0, x, x * 0.1),
                torch.where(x < g, x, 0.0),
                x.masked_fill(x >= 0.5, float('-inf')).clamp(min=-9),
                ((x > -0.5) & (x <= 0.5)).float(),
                torch.logical_not(x > 0).to(torch.float32),
                (x == 0).to(x.dtype),
                torch.div(x * 4, 3, rounding_mode='floor'),
                torch.remainder(x * 4, 3),
                s.p1(x),
                s.p4(x),
                F.elu(x, 0.7),
                F.selu(x),
                F.celu(x, 1.5),
                F.softplus(x),
                F.softplus(x, 2, 1),
                F.mish(x),
                F.softsign(x),
                F.silu(x),
                F.gelu(x, approximate='tanh'),
                F.gelu(x),
                F.hardtanh(x, -0.4, 0.6),
                F.hardswish(x * 4),
                F.hardsigmoid(x * 4),
                F.relu6(x * 8),
                F.logsigmoid(x),
                F.threshold(x, 0.1, 0.05),
                x.log_softmax(1),
                F.softmin(x, 3),
                torch.cumsum(x, 2),
                torch.full_like(x, 0.25) + torch.zeros(1),
                torch.addcmul(x, x, p, value=0.5),
                torch.lerp(x, p, 0.25),
            ]
            big = torch.cat(y, 1)
            red = torch.stack(
                [
                    x.sum((1, 2, 3)),
                    x.mean((1, 2, 3)),
                    x.amax((1, 2, 3)),
                    x.amin((1, 2, 3)),
                    x.logsumexp((1, 2, 3)),
                    x.std((1, 2, 3)),
                    p.prod(1).sum((1, 2)),
                    x.flatten(1).norm(dim=1),
                ],
                1,
            )
            val, idx = x.flatten(1).topk(5)
            return (
                big,
                red,
                x.argmax(1),
                val,
                idx,
                torch.einsum('bchw,bchv->bwv', x, p),
                F.glu(x, 1),
                x.unbind(1)[1].repeat(1, 2, 1),
                x[:, [2, 0]],
                x.narrow(3, 1, 4)[..., ::2],
            )

    class Storage(nn.Module):
        """how weights are stored: tied, views with offsets, transposed, channels-last, fp16, integers, constants, non-
        persistent, empty"""

        def __init__(s):
            super().__init__()
            s.conv, s.cl = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            s.a, s.b = nn.Linear(8, 5, bias=False), nn.Linear(8, 5, bias=False)
            s.b.weight = s.a.weight
            base = torch.arange(40.0) / 16
            s.register_buffer('keep_v1', base[4:12].view(1, 8, 1, 1))
            s.register_buffer('keep_v2', base[8:16].view(1, 8, 1, 1))
            s.register_buffer('keep_t', (torch.arange(40.0) / 8).view(5, 8).t())
            s.register_buffer(
                'keep_half', torch.tensor([0.5, -0.25, 65504.0, 1e-7, 0, 1, 2, 3], dtype=torch.float16).view(1, 8, 1, 1)
            )
            s.register_buffer('keep_long', torch.tensor([[3, 0, -1, 2]]))
            s.register_buffer('keep_i32', torch.tensor([1, 2], dtype=torch.int32))
            s.register_buffer('keep_u8', torch.tensor([0, 255, 7], dtype=torch.uint8))
            s.register_buffer('keep_bool', torch.tensor([True, False, True, True]))
            s.register_buffer('keep_bf16', torch.tensor([1.5, -2.25], dtype=torch.bfloat16))
            s.register_buffer('keep_f64', torch.tensor(1 / 3, dtype=torch.float64))
            s.register_buffer('keep_empty', torch.zeros(0, 3))
            s.register_buffer('keep_np', torch.full((1,), 0.125), persistent=False)
            s.register_buffer('unused', torch.ones(3))
            s.const = torch.tensor([1.0, -2.0])
            s.keep_scalar = nn.Parameter(torch.tensor(0.75))

        def forward(s, x, k: int = 2, bias=None, *, extra=None):
            y = s.cl(s.conv(x))
            y = y * s.keep_v1 + s.keep_v2 * k + s.keep_half.float() * 1e-3 + s.keep_np
            v = y.mean((2, 3)) * s.keep_scalar
            o = s.a(v) + s.b(v) + v @ s.keep_t
            q = o[:, :4] * s.keep_long + torch.where(s.keep_bool, o[:, 1:], torch.tensor(0.5))
            r = q[:, :2] * s.keep_i32 + s.const * s.keep_bf16.float() + s.keep_f64.float()
            return {
                'o': o,
                'list': [q, (r, extra * 2)],
                'u8': s.keep_u8.to(torch.float32) + s.keep_empty.sum(),
                'same': o,
                'id': extra,
                'n': k,
                'none': bias,
            }

    class Core(nn.Module):
        def __init__(s):
            super().__init__()
            s.m, s.tok = Mobile(), nn.Conv2d(8, 16, 4, 4)
            s.n, s.attn, s.act, s.fc = (
                nn.LayerNorm(16),
                nn.MultiheadAttention(16, 2, batch_first=True),
                nn.GELU(),
                nn.Linear(16, 4),
            )
            s.pool, s.gn = nn.MaxPool2d(2, 2), nn.GroupNorm(2, 16)

        def forward(s, x):
            a = s.m(x)
            t = s.pool(F.relu(s.gn(s.tok(s.m.dw(s.m.stem(x)))))).flatten(2).transpose(1, 2)
            t = t + s.attn(s.n(t), s.n(t), s.n(t), need_weights=False)[0]
            return a, s.fc(s.act(t)).mean(1), F.interpolate(x, scale_factor=2.0, mode='bilinear')

    x = lambda name, *sh: torch.from_numpy(hash_input(name, sh))
    B = lambda: Dim('batch', min=1, max=16)
    img = (3, 16, 16)
    table = {
        '01_cnn': lambda: (Cnn(), (x('input', 1, 3, 24, 24),), None, None),
        '02_residual_dyn': lambda: (Residual(), (x('input', 2, *img),), {'x': {0: B()}}, (x('alt', 3, *img),)),
        '03_mobile': lambda: (Mobile(), (x('input', 1, *img),), None, None),
        '04_shuffle_dyn': lambda: (Shuffle(), (x('input', 2, 8, 6, 6),), {'x': {0: B()}}, (x('alt', 1, 8, 6, 6),)),
        '05_vit_dyn': lambda: (Vit(), (x('input', 2, *img),), {'x': {0: B()}}, (x('alt', 5, *img),)),
        '06_window': lambda: (Window(), (x('input', 1, 3, 14, 14),), None, None),
        '07_upsample': lambda: (Upsample(), (x('input', 1, *img),), None, None),
        '08_dynhw': lambda: (
            DynHW(),
            (x('input', 1, 3, 16, 24),),
            {'x': {2: 8 * Dim('h', min=2, max=16), 3: 8 * Dim('w', min=2, max=16)}},
            (x('alt', 1, 3, 32, 16),),
        ),
        '09_heads_dyn': lambda: (Heads(), (x('input', 2, 3, 32, 32),), {'x': {0: B()}}, (x('alt', 1, 3, 32, 32),)),
        '10_norms': lambda: (Norms(), (x('input', 2, 3, 6, 6),), None, None),
        '11_inplace': lambda: (InPlace(), (x('input', 1, 3, 6, 6),), None, None),
        '12_pointwise': lambda: (Pointwise(), (x('input', 1, 4, 5, 6),), None, None),
        '13_storage': lambda: (Storage(), (x('input', 1, 3, 8, 8), 3), None, None, {'extra': x('extra', 2, 3)}),
        '14_core': lambda: (Core(), (x('input', 1, 3, 16, 16),), None, None),
        '15_old28_storage': lambda: (Storage(), (x('input', 1, 3, 8, 8), 3), None, None, {'extra': x('extra', 2, 3)}),
        '16_old25_residual': lambda: (Residual(), (x('input', 2, *img),), {'x': {0: B()}}, (x('alt', 3, *img),)),
    }

    class TrainMode(nn.Module):
        def __init__(s):
            super().__init__()
            s.bn, s.drop = nn.BatchNorm2d(3), nn.Dropout(0.5)

        def forward(s, x):
            return s.drop(s.bn(x))

    class Counter(nn.Module):
        def __init__(s):
            super().__init__()
            s.register_buffer('keep_count', torch.zeros(()))

        def forward(s, x):
            s.keep_count.add_(1)
            return x * s.keep_count

    class NonZero(nn.Module):
        def forward(s, x):
            return (x > 0).nonzero()

    class Cond(nn.Module):
        def forward(s, x):
            return torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, (x,))

    class Complex(nn.Module):
        def forward(s, x):
            return torch.fft.fft2(x).abs()

    refuse = {
        'train_mode': lambda: (TrainMode().train(), (x('input', 2, 3, 4, 4),)),
        'buffer_update': lambda: (Counter(), (x('input', 1, 3),)),
        'nonzero': lambda: (NonZero(), (x('input', 2, 3),)),
        'cond': lambda: (Cond(), (x('input', 2, 3),)),
        'complex': lambda: (Complex(), (x('input', 1, 1, 4, 4),)),
    }
    return table, refuse, fill, torch


def clean(ep):
    """drop stack traces (they carry file names) and node history (it carries addresses)"""
    import torch

    for m in ep.graph_module.modules():
        if isinstance(m, torch.fx.GraphModule):
            for n in m.graph.nodes:
                n.meta.pop('stack_trace', None)
                n.meta.pop('from_node', None)  # holds addresses: not reproducible
    return ep


def flat(y):
    if isinstance(y, dict):
        return [t for v in y.values() for t in flat(v)]
    if isinstance(y, (list, tuple)):
        return [t for v in y for t in flat(v)]
    return [y]


def save_io(d, stem, values):
    import torch

    n = 0
    for v in values:
        if isinstance(v, torch.Tensor):
            np.save(os.path.join(d, stem + (f'_{n}' if n else '') + '.npy'), np.ascontiguousarray(v.detach().numpy()))
            n += 1


def emit(out, name, item, fill, torch, core=False):
    net, args, dyn, alt, *kw = item
    kw = kw[0] if kw else {}
    d = os.path.join(out, name)
    os.makedirs(d, exist_ok=True)
    with torch.no_grad():
        fill(net)
        if hasattr(net, 'cl'):
            net.cl.weight.data = net.cl.weight.data.to(memory_format=torch.channels_last)
        copy = lambda a: tuple(t.clone() if isinstance(t, torch.Tensor) else t for t in a)
        if dyn is None or kw:
            ep = torch.export.export(net, copy(args), kw or None)
        else:
            ep = torch.export.export(net, copy(args), dynamic_shapes=dyn)
        if core:
            ep = ep.run_decompositions()
        path = os.path.join(d, 'model.pt2')
        torch.export.save(clean(ep), path)
        want = flat(net(*copy(args), **kw))
        back = torch.export.load(path)
        for tag, a in (('', args), ('alt_', alt)):
            if a is None:
                continue
            y, z = flat(net(*copy(a), **kw)), flat(back.module()(*copy(a), **kw))
            err = max(
                [
                    float((p.double() - q.double()).abs().max())
                    for p, q in zip(y, z)
                    if isinstance(p, torch.Tensor) and p.numel()
                ]
            )
            assert len(y) == len(z) and err < 1e-5, (name, err)
            save_io(d, tag + 'input', [t for t in (*a, *kw.values())])
            save_io(d, tag + 'output', y)
    print(
        f'{name}: torch {torch.__version__} {os.path.getsize(path)} bytes, '
        f'{sum(1 for t in want if isinstance(t, torch.Tensor))} outputs, reload error {err:.2g}',
        flush=True,
    )


# ---- STAR and RetinaFace, light: the names, shapes and graph are exact; each tensor of more than 64 elements holds one
# value ----
def big(out, only):
    import torch

    for m in ('coremltools',):
        sys.modules.setdefault(m, types.ModuleType(m))
    sys.path[:0] = [os.path.join(GOLD, 'ane'), os.path.join(GOLD, 'star'), os.path.join(GOLD, 'retinaface')]
    import gen_ane, star_net as S, retinaface_net as R

    S.CoordConv.forward, S.ResBlock.forward, S.Hourglass.forward, S.centroid = (
        gen_ane.coord_forward,
        gen_ane.res_forward,
        gen_ane.hourglass_forward,
        gen_ane.centroid,
    )
    R.Ssh.forward = gen_ane.ssh_forward
    jobs = {
        'star_17out': (lambda: S.Star(), (1, 3, 256, 256), None),
        'retinaface_640': (lambda: R.RetinaFace(), (1, 3, 640, 640), None),
    }
    for name, (mk, shape, dyn) in jobs.items():
        if only and name not in only:
            continue
        with torch.no_grad():
            net = mk().eval()
            if name.startswith('star'):
                net.load_state_dict(S.hash_state(net), strict=True)
            else:
                gen_ane.hash_fill(net)
            i = 0
            for k, v in net.state_dict().items():
                if v.dtype.is_floating_point and v.numel() > 64:
                    v.fill_(float(np.array([0x2000 + i], np.uint16).view(np.float16)[0]))
                    i += 1
            ep = torch.export.export(net, (torch.zeros(shape),))
            b = io.BytesIO()
            torch.export.save(clean(ep), b)
        raw = b.getvalue()
        p = os.path.join(out, name + '.pt2.xz')
        with open(p, 'wb') as f:
            f.write(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
        print(
            f'{name}: torch {torch.__version__} {len(raw)} bytes -> {os.path.getsize(p)}, filled {i} of '
            f'{len(net.state_dict())}',
            flush=True,
        )


# ---- damaged and hostile archives ----
FLAG = 'pt2_was_executed'


def os_system_pickle():
    return (
        b'\x80\x02cposix\nsystem\nX' + struct.pack('<I', len('touch ' + FLAG)) + ('touch ' + FLAG).encode() + b'\x85R.'
    )


def torch_zip(pkl):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_STORED) as z:
        for n, d in (('archive/data.pkl', pkl), ('archive/byteorder', b'little'), ('archive/version', b'3\n')):
            z.writestr(zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0)), d)
    return b.getvalue()


def edit(src, dst, change=None, drop=(), extra=()):
    """copy with entries changed; payloads stay 64-byte aligned as the writer makes them"""
    b = io.BytesIO()
    zi = zipfile.ZipFile(src)
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_STORED) as zo:
        for n in [*zi.namelist(), *extra]:
            tail = n.split('/', 1)[1] if '/' in n else n
            if tail in drop:
                continue
            d = extra[n] if n in extra else zi.read(n)
            d = change(tail, d) if change else d
            info = zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0))
            pad = -(b.tell() + 30 + len(n) + 4) % 64
            info.extra = b'FB' + struct.pack('<H', pad) + b'Z' * pad
            zo.writestr(info, d)
    with open(dst, 'wb') as f:
        f.write(b.getvalue())


def bad(out):
    good, old = os.path.join(out, '01_cnn', 'model.pt2'), os.path.join(out, '15_old28_storage', 'model.pt2')
    P = lambda n: os.path.join(out, 'bad_' + n + '.pt2')
    raw = open(good, 'rb').read()
    open(P('truncated'), 'wb').write(raw[: len(raw) * 2 // 3])
    edit(good, P('missing_weight'), drop=('data/weights/weight_3',))
    edit(old, P('pickle_os_system'), lambda n, d: torch_zip(os_system_pickle()) if n == 'data/weights/model.pt' else d)

    def config(f):
        def g(n, d):
            if n != 'data/weights/model_weights_config.json':
                return d
            c = json.loads(d)
            f(c['config'])
            return json.dumps(c).encode()

        return g

    def model(f):
        def g(n, d):
            if n != 'models/model.json':
                return d
            c = json.loads(d)
            f(c)
            return json.dumps(c).encode()

        return g

    meta = lambda c, k: c[k]['tensor_meta']
    usep = config(lambda c: c['fc.weight'].update(use_pickle=True))
    where = json.loads(zipfile.ZipFile(good).read('model/data/weights/model_weights_config.json'))['config'][
        'fc.weight'
    ]['path_name']
    edit(
        good,
        P('use_pickle'),
        lambda n, d: torch_zip(os_system_pickle()) if n == 'data/weights/' + where else usep(n, d),
    )
    edit(
        good,
        P('size_overflow'),
        config(lambda c: meta(c, 'fc.weight').update(sizes=[{'as_int': 1 << 33}, {'as_int': 1 << 33}])),
    )
    edit(good, P('short_payload'), config(lambda c: meta(c, 'fc.weight').update(storage_offset={'as_int': 1})))
    edit(
        good,
        P('negative_stride'),
        config(lambda c: meta(c, 'fc.weight').update(strides=[{'as_int': -16}, {'as_int': 1}])),
    )
    edit(good, P('path_escape'), config(lambda c: c['fc.weight'].update(path_name='../../models/model.json')))
    edit(
        good,
        P('shape_mismatch'),
        config(
            lambda c: meta(c, 'fc.weight').update(
                sizes=[{'as_int': 16}, {'as_int': 10}], strides=[{'as_int': 10}, {'as_int': 1}]
            )
        ),
    )
    edit(good, P('schema_9'), model(lambda c: c['schema_version'].update(major=9)))
    edit(
        good,
        P('unknown_op'),
        model(lambda c: c['graph_module']['graph']['nodes'][3].update(target='torch.ops.mylib.secret.default')),
    )
    edit(good, P('python_target'), model(lambda c: c['graph_module']['graph']['nodes'][3].update(target='os.system')))
    edit(
        good,
        P('undefined_name'),
        model(lambda c: c['graph_module']['graph']['nodes'][5]['inputs'][0]['arg']['as_tensor'].update(name='nowhere')),
    )
    edit(good, P('json_depth'), lambda n, d: b'[' * 20000 + b']' * 20000 if n == 'models/model.json' else d)
    evil = "__import__('os').system('touch " + FLAG + "')"
    dyn = os.path.join(out, '02_residual_dyn', 'model.pt2')
    edit(
        dyn,
        P('expr_code'),
        lambda n, d: (
            d.replace(b"Symbol('s77', positive=True, integer=True)", evil.encode()) if n == 'models/model.json' else d
        ),
    )
    edit(dyn, os.path.join(out, 'hostile_guard_code.pt2'), model(lambda c: c.update(guards_code=[evil + ' == 0'])))
    edit(good, P('duplicate_entry'), extra={'model/data/weights/weight_0': b'\0' * 864})
    crc = bytearray(raw)
    at = raw.index(zipfile.ZipFile(good).read('model/data/weights/weight_0'))
    crc[at] ^= 1
    open(P('crc'), 'wb').write(crc)
    for f in sorted(os.listdir(out)):
        if f.startswith(('bad_', 'hostile_')):
            print(f, os.path.getsize(os.path.join(out, f)))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    what, out, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(out, exist_ok=True)
    if what == 'bad':
        return bad(out)
    if what == 'big':
        return big(out, only)
    table, refuse, fill, torch = nets()
    if what == 'old':
        keep = {'2.8': '15', '2.5': '16'}[torch.__version__[:3]]
        zipfile.time = types.SimpleNamespace(
            time=lambda: 0, localtime=lambda t: (1980, 1, 1, 0, 0, 0, 0, 1, 0)
        )  # 2.5 writes the time of day
        for n in table:
            if n.startswith(keep):
                emit(out, n, table[n](), fill, torch)
    elif what == 'small':
        for n in table:
            if '_old' not in n and (not only or n in only):
                emit(out, n, table[n](), fill, torch, core=n == '14_core')
    elif what == 'refuse':
        for n, mk in refuse.items():
            net, args = mk()
            ep = torch.export.export(net, args)
            if n == 'buffer_update':
                ep = ep.run_decompositions({})
            p = os.path.join(out, 'refuse_' + n + '.pt2')
            torch.export.save(clean(ep), p)
            print(p, os.path.getsize(p))
        from torch._subclasses.fake_tensor import FakeTensorMode

        with FakeTensorMode():
            net = torch.nn.Conv2d(3, 4, 3).eval()
            ep = torch.export.export(net, (torch.randn(1, 3, 8, 8),))
        p = os.path.join(out, 'refuse_no_weights.pt2')
        torch.export.save(clean(ep), p)
        print(p, os.path.getsize(p))


if __name__ == '__main__':
    main()
