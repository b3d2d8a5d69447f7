"""StackedHGNetV1 (STAR landmark network), inference only, written from the fact sheet.

Module and parameter names follow the public checkpoints, so a STAR state dict loads with strict=True
(the never-executed skip_layer convolutions are kept for that reason).
"""

import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

EDGES = {
    98: [
        range(0, 33),
        range(33, 42),
        range(42, 51),
        range(51, 55),
        range(55, 60),
        range(60, 68),
        range(68, 76),
        range(76, 88),
        range(88, 96),
    ],
    68: [
        range(0, 17),
        range(17, 22),
        range(22, 27),
        range(27, 31),
        range(31, 36),
        range(36, 42),
        range(42, 48),
        range(48, 60),
        range(60, 68),
    ],
    29: [
        (0, 4, 2, 5),
        (1, 6, 3, 7),
        (8, 12, 10, 13),
        (9, 14, 11, 15),
        (18, 20, 19, 21),
        (22, 26, 23, 27),
        (22, 24, 23, 25),
    ],
}


class ConvBlock(nn.Module):
    def __init__(self, cin, cout, k=1, bn_relu=False):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, 1, k // 2)
        self.bn = nn.BatchNorm2d(cout) if bn_relu else None

    def forward(self, x):
        x = self.conv(x)
        return x if self.bn is None else F.relu(self.bn(x))


class ResBlock(nn.Module):
    """Pre-activation bottleneck; the skip convolution runs only when the channel count changes."""

    def __init__(self, cin, cout):
        super().__init__()
        mid = cout // 2
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), ConvBlock(cin, mid)
        self.bn2, self.conv2 = nn.BatchNorm2d(mid), ConvBlock(mid, mid, 3)
        self.bn3, self.conv3 = nn.BatchNorm2d(mid), ConvBlock(mid, cout)
        self.skip_layer = ConvBlock(cin, cout)
        self.project = cin != cout

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.conv3(F.relu(self.bn3(y)))
        return y + (self.skip_layer(x) if self.project else x)


def coords(n):
    """[3,n,n]: row coordinate, column coordinate, radius; rows/columns run -1..1, radius is divided by its maximum."""
    t = torch.arange(n, dtype=torch.float32) / (n - 1) * 2 - 1
    r, c = t[:, None].expand(n, n), t[None, :].expand(n, n)
    rad = torch.sqrt(torch.pow(r, 2) + torch.pow(c, 2))
    return torch.stack([r, c, rad / rad.max()])


class CoordConv(nn.Module):
    def __init__(self, cin, cout, n, boundary=False, **kw):
        super().__init__()
        self.n, self.boundary = n, boundary
        self.conv = nn.Conv2d(cin + (5 if boundary else 3), cout, **kw)
        self.bn = None

    def forward(self, x, heat=None):
        g = coords(self.n)[None].expand(x.shape[0], -1, -1, -1)
        parts = [x, g]
        if self.boundary:
            on = torch.clamp(heat[:, -1:], 0.0, 1.0) > 0.05
            parts.append(torch.where(on, g[:, :2], torch.zeros(1)))
        x = self.conv(torch.cat(parts, 1))
        return x if self.bn is None else F.relu(self.bn(x))


class Hourglass(nn.Module):
    def __init__(self, depth, c, n=None, boundary=False):
        super().__init__()
        self.coordconv = CoordConv(c, c, n, boundary, kernel_size=1) if n else None
        self.up1, self.low1 = ResBlock(c, c), ResBlock(c, c)
        self.low2 = Hourglass(depth - 1, c) if depth > 1 else ResBlock(c, c)
        self.low3 = ResBlock(c, c)

    def forward(self, x, heat=None):
        if self.coordconv is not None:
            x = self.coordconv(x, heat)
        low = self.low3(self.low2(self.low1(F.max_pool2d(x, 2, 2))))
        return self.up1(x) + F.interpolate(low, scale_factor=2, mode='nearest')


class E2H(nn.Module):
    def __init__(self, points):
        super().__init__()
        m = torch.zeros(points, len(EDGES[points]), 1, 1)
        for e, idx in enumerate(EDGES[points]):
            for p in idx:
                m[p, e] = 1
        self.register_buffer('weight', m)
        self.register_buffer('bias', (m.sum((1, 2, 3)) < 0.5).float())

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias)


def centroid(h):
    n = h.shape[-1]
    t = torch.arange(n).float() / (n - 1) * 2 - 1
    s = torch.clamp(h.sum([2, 3]), min=1e-6)
    return torch.stack([(t.view(1, 1, 1, n) * h).sum([2, 3]) / s, (t.view(1, 1, n, 1) * h).sum([2, 3]) / s], -1)


class Star(nn.Module):
    def __init__(self, points=98, stacks=4, size=256, c=256):
        super().__init__()
        ne, n = len(EDGES[points]), size // 4
        stem = CoordConv(3, 64, size, kernel_size=7, stride=2, padding=3)
        stem.bn = nn.BatchNorm2d(64)
        self.pre = nn.Sequential(stem, ResBlock(64, 128), nn.MaxPool2d(2, 2), ResBlock(128, 128), ResBlock(128, c))
        self.hgs = nn.ModuleList(Hourglass(4, c, n, i > 0) for i in range(stacks))
        self.features = nn.ModuleList(nn.Sequential(ResBlock(c, c), ConvBlock(c, c, 1, True)) for _ in range(stacks))
        self.out_heatmaps = nn.ModuleList(ConvBlock(c, points) for _ in range(stacks))
        self.e2h_transform = E2H(points)
        self.out_edgemaps = nn.ModuleList(ConvBlock(c, ne) for _ in range(stacks))
        self.out_pointmaps = nn.ModuleList(ConvBlock(c, points) for _ in range(stacks))
        self.merge_edgemaps = nn.ModuleList(ConvBlock(ne, c) for _ in range(stacks - 1))
        self.merge_pointmaps = nn.ModuleList(ConvBlock(points, c) for _ in range(stacks - 1))
        self.merge_features = nn.ModuleList(ConvBlock(c, c) for _ in range(stacks - 1))
        self.merge_heatmaps = nn.ModuleList(ConvBlock(points, c) for _ in range(stacks - 1))
        self.stacks = stacks

    def forward(self, x, trace=None):
        x = self.pre(x)
        if trace is not None:
            trace['pre'] = x
        heat, y, fused = None, [], []
        for i in range(self.stacks):
            hg = self.hgs[i](x, heat)
            feat = self.features[i](hg)
            heat = F.relu(F.instance_norm(self.out_heatmaps[i](feat)))
            pmap = torch.sigmoid(self.out_pointmaps[i](feat))
            emap = torch.sigmoid(self.out_edgemaps[i](feat))
            fuse = self.e2h_transform(emap) * pmap * heat
            lm = centroid(fuse)
            if trace is not None:
                trace.update(
                    {
                        f'hgs{i}': hg,
                        f'features{i}': feat,
                        f'heatmaps{i}': heat,
                        f'pointmaps{i}': pmap,
                        f'edgemaps{i}': emap,
                        f'fusion{i}': fuse,
                        f'landmarks{i}': lm,
                    }
                )
            if i + 1 < self.stacks:
                x = x + self.merge_features[i](feat) + self.merge_heatmaps[i](heat)
                x = x + self.merge_pointmaps[i](pmap)
                x = x + self.merge_edgemaps[i](emap)
            y += [lm, pmap, emap]
            fused.append(fuse)
        return y, fused, lm


# ---- weights that any language can regenerate: a counter-based generator keyed by the parameter's name ----
M64 = (1 << 64) - 1


def fnv1a64(s):
    h = 0xCBF29CE484222325
    for b in s.encode():
        h = ((h ^ b) * 0x100000001B3) & M64
    return h


def hash_uniform(name, count):
    """count values in [0,1) with 24 significant bits: splitmix64 finaliser of seed + (i+1)*golden gamma, top 24
    bits."""
    with np.errstate(over='ignore'):
        z = np.uint64(fnv1a64(name)) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 16777216.0


# first match wins; bound of the uniform weight = gain * sqrt(6 / fan_in)
HASH_GAINS = (
    ('.coordconv.', 0.5),
    ('.conv3.', 0.25),
    ('.skip_layer.', 0.7),
    ('merge_', 0.25),
    ('out_heatmaps.', 0.7),
    ('out_pointmaps.', 0.35),
    ('out_edgemaps.', 0.35),
)


def hash_state(net):
    """Every tensor from its own key; see openface-pipeline.md for the rules."""
    out = {}
    for k, v in net.state_dict().items():
        n = v.numel()
        leaf = k.rsplit('.', 1)[1]
        if k.startswith('e2h_transform.'):
            out[k] = v.clone()
            continue
        if leaf == 'num_batches_tracked':
            out[k] = torch.zeros((), dtype=torch.int64)
            continue
        u = hash_uniform(k, n)
        is_bn = '.bn' in k
        if leaf == 'running_var':
            a = 0.5 + u
        elif leaf == 'running_mean':
            a = (2 * u - 1) * 0.1
        elif is_bn and leaf == 'weight':
            a = 0.75 + 0.5 * u
        elif is_bn:
            a = (2 * u - 1) * 0.1
        elif leaf == 'bias':
            a = (2 * u - 1) * 0.05
        else:
            fan = v.shape[1] * v.shape[2] * v.shape[3]
            gain = next((g for pat, g in HASH_GAINS if pat in k), 1.0)
            if k.startswith('features.') and k.endswith('.1.conv.weight'):
                gain = 0.2
            a = (2 * u - 1) * (gain * math.sqrt(6.0 / fan))
        out[k] = torch.from_numpy(a.astype(np.float32).reshape(tuple(v.shape)))
    return out


# ---- crop, inverse, coordinates ----
def crop_matrix(box, size=256):
    """box: x1 y1 x2 y2 truncated to integers beforehand. Returns 3x3 float32."""
    x1, y1, x2, y2 = (int(v) for v in box[:4])
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    scale = min(x2 - x1, y2 - y1) / 200 * 1.05
    k = size / (scale * 200.0)
    t = (size - 1) / 2.0
    return np.array([[k, 0, t - k * cx], [0, k, t - k * cy], [0, 0, 1]], np.float32), (cx, cy, scale)


def to_tensor(crop_bgr):
    x = torch.from_numpy(crop_bgr[None]).float().permute(0, 3, 1, 2)
    return x / 255.0 * 2.0 - 1.0


def to_image(lm, mat, size=256):
    """normalised landmarks [P,2] -> crop pixels -> image pixels (STAR's own convention)."""
    px = ((lm + 1) * np.float32(size) - 1) / 2
    inv = np.linalg.inv(mat)
    out = np.empty_like(px)
    out[:, 0] = inv[0, 0] * px[:, 0] + inv[0, 1] * px[:, 1] + inv[0, 2]
    out[:, 1] = inv[1, 0] * px[:, 0] + inv[1, 1] * px[:, 1] + inv[1, 2]
    return px, out
