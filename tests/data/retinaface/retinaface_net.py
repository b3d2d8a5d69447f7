"""RetinaFace (MobileNetV1 x0.25) inference network and post-processing, written from the fact sheet.

Independent PyTorch implementation whose parameter names match the public checkpoint
`mobilenet0.25_Final.pth`; used only to make golden data.
"""

import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

MIN_SIZES = ((16, 32), (64, 128), (256, 512))
STEPS = (8, 16, 32)
VAR_C, VAR_S = 0.1, 0.2
MEAN_BGR = (104.0, 117.0, 123.0)
LEAK = 0.1


def cbr(cin, cout, k, stride, act=True, groups=1):
    """conv(no bias) + batch norm (+ leaky ReLU 0.1); children are numbered 0, 1, 2."""
    mods = [nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]
    if act:
        mods.append(nn.LeakyReLU(LEAK))
    return mods


def separable(cin, cout, stride):
    return nn.Sequential(*cbr(cin, cin, 3, stride, groups=cin), *cbr(cin, cout, 1, 1))


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(
            nn.Sequential(*cbr(3, 8, 3, 2)),
            separable(8, 16, 1),
            separable(16, 32, 2),
            separable(32, 32, 1),
            separable(32, 64, 2),
            separable(64, 64, 1),
        )
        self.stage2 = nn.Sequential(separable(64, 128, 2), *[separable(128, 128, 1) for _ in range(5)])
        self.stage3 = nn.Sequential(separable(128, 256, 2), separable(256, 256, 1))


class Fpn(nn.Module):
    def __init__(self):
        super().__init__()
        for n, c in (('output1', 64), ('output2', 128), ('output3', 256)):
            setattr(self, n, nn.Sequential(*cbr(c, 64, 1, 1)))
        for n in ('merge1', 'merge2'):
            setattr(self, n, nn.Sequential(*cbr(64, 64, 3, 1)))

    def forward(self, c3, c4, c5):
        p3, p4, p5 = self.output1(c3), self.output2(c4), self.output3(c5)
        p4 = self.merge2(p4 + F.interpolate(p5, size=[p4.size(2), p4.size(3)], mode='nearest'))
        p3 = self.merge1(p3 + F.interpolate(p4, size=[p3.size(2), p3.size(3)], mode='nearest'))
        return p3, p4, p5


class Ssh(nn.Module):
    def __init__(self):
        super().__init__()
        for n, ci, co, act in (
            ('conv3X3', 64, 32, False),
            ('conv5X5_1', 64, 16, True),
            ('conv5X5_2', 16, 16, False),
            ('conv7X7_2', 16, 16, True),
            ('conv7x7_3', 16, 16, False),
        ):
            setattr(self, n, nn.Sequential(*cbr(ci, co, 3, 1, act)))

    def forward(self, x):
        mid = self.conv5X5_1(x)
        return F.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(mid), self.conv7x7_3(self.conv7X7_2(mid))], 1))


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.conv1x1 = nn.Conv2d(64, 2 * width, 1)

    def forward(self, x):
        y = self.conv1x1(x).permute(0, 2, 3, 1).contiguous()
        return y.view(y.shape[0], -1, self.width)


class RetinaFace(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.fpn = Body(), Fpn()
        self.ssh1, self.ssh2, self.ssh3 = Ssh(), Ssh(), Ssh()
        self.ClassHead = nn.ModuleList(Head(2) for _ in range(3))
        self.BboxHead = nn.ModuleList(Head(4) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(Head(10) for _ in range(3))

    def forward(self, x):
        c3 = self.body.stage1(x)
        c4 = self.body.stage2(c3)
        c5 = self.body.stage3(c4)
        f = [s(p) for s, p in zip((self.ssh1, self.ssh2, self.ssh3), self.fpn(c3, c4, c5))]
        loc = torch.cat([h(v) for h, v in zip(self.BboxHead, f)], 1)
        cls = torch.cat([h(v) for h, v in zip(self.ClassHead, f)], 1)
        ldm = torch.cat([h(v) for h, v in zip(self.LandmarkHead, f)], 1)
        return loc, F.softmax(cls, dim=-1), ldm


def load(path):
    net = RetinaFace()
    sd = torch.load(path, map_location='cpu')
    sd = sd.get('state_dict', sd)
    sd = {(k[7:] if k.startswith('module.') else k): v for k, v in sd.items()}
    net.load_state_dict(sd, strict=True)
    return net.eval()


def priors(h, w):
    """(N,4) float32 rows cx, cy, sx, sy relative to the image; computed in double, rounded once."""
    rows = []
    for step, sizes in zip(STEPS, MIN_SIZES):
        for i in range(math.ceil(h / step)):
            for j in range(math.ceil(w / step)):
                for m in sizes:
                    rows.append(((j + 0.5) * step / w, (i + 0.5) * step / h, m / w, m / h))
    return np.array(rows, np.float64).astype(np.float32)


def decode(loc, ldm, pri, scale_w, scale_h):
    """All arithmetic in float32 like the reference: boxes (N,4) x1 y1 x2 y2 and landmarks (N,10)."""
    loc, ldm, p = (torch.from_numpy(np.ascontiguousarray(a)) for a in (loc, ldm, pri))
    c = p[:, :2] + loc[:, :2] * VAR_C * p[:, 2:]
    s = p[:, 2:] * torch.exp(loc[:, 2:] * VAR_S)
    a = c - s / 2
    b = s + a
    boxes = torch.cat([a, b], 1) * torch.tensor([scale_w, scale_h, scale_w, scale_h], dtype=torch.float32)
    pts = torch.cat([p[:, :2] + ldm[:, 2 * k : 2 * k + 2] * VAR_C * p[:, 2:] for k in range(5)], 1)
    pts = pts * torch.tensor([scale_w, scale_h] * 5, dtype=torch.float32)
    return boxes.numpy(), pts.numpy()


def nms(boxes, scores, thr):
    """Greedy NMS, '+1' pixel areas, suppress when IoU > thr. Inputs sorted by score (descending)."""
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1 + 1) * (y2 - y1 + 1)
    order = np.arange(len(boxes))
    keep = []
    while order.size:
        i, rest = order[0], order[1:]
        keep.append(int(i))
        w = np.maximum(np.float32(0), np.minimum(x2[i], x2[rest]) - np.maximum(x1[i], x1[rest]) + 1)
        h = np.maximum(np.float32(0), np.minimum(y2[i], y2[rest]) - np.maximum(y1[i], y1[rest]) + 1)
        inter = w * h
        order = rest[inter / (area[i] + area[rest] - inter) <= thr]
    return keep


def postprocess(loc, conf, ldm, pri, scale_w, scale_h, conf_thr=0.02, nms_thr=0.4, top_k=None, keep_top_k=None):
    boxes, pts = decode(loc, ldm, pri, scale_w, scale_h)
    sc = conf[:, 1]
    sel = np.where(sc > conf_thr)[0]
    order = sel[np.argsort(-sc[sel], kind='stable')]
    if top_k:
        order = order[:top_k]
    boxes, pts, sc = boxes[order], pts[order], sc[order]
    keep = nms(boxes, sc, nms_thr)
    if keep_top_k:
        keep = keep[:keep_top_k]
    out = np.concatenate([boxes[keep], sc[keep, None], pts[keep]], 1).astype(np.float32)
    return out, order[keep]


def to_input(bgr):
    x = bgr.astype(np.float32) - np.array(MEAN_BGR, np.float32)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1))).unsqueeze(0)
