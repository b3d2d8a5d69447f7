#!/usr/bin/python3
"""Makes the RetinaFace golden data. usage: gen_retinaface.py (paths are relative to this file)."""

import hashlib, json, os, sys
import cv2
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import retinaface_net as R

torch.set_num_threads(1)
torch.set_grad_enabled(False)
IMG = os.path.join(HERE, '..', 'images')
NAMES = ['of_0', 'of_16', 'of_89', 'wider_crowd', 'astronaut', 'frame720']
KEYS = ['x1', 'y1', 'x2', 'y2', 'score'] + [
    f'{p}_{a}' for p in ('eye_l', 'eye_r', 'nose', 'mouth_l', 'mouth_r') for a in 'xy'
]


def rows(d):
    return [[float(v) for v in r] for r in d]


def letterbox(bgr, size=640):
    h, w = bgr.shape[:2]
    r = min(size / w, size / h)
    nw, nh = int(round(w * r)), int(round(h * r))
    out = np.empty((size, size, 3), np.uint8)
    out[:] = (104, 117, 123)
    out[:nh, :nw] = cv2.resize(bgr, (nw, nh), interpolation=cv2.INTER_LINEAR)
    return out, r, nw, nh


def run(net, bgr):
    loc, conf, ldm = [t.numpy() for t in net(R.to_input(bgr))]
    return loc, conf, ldm


def describe(loc, conf, ldm, h, w):
    pri = R.priors(h, w)
    d, idx = R.postprocess(loc[0], conf[0], ldm[0], pri, w, h, 0.02, 0.4)
    return {
        'net_width': w,
        'net_height': h,
        'num_priors': int(len(pri)),
        'conf_threshold': 0.02,
        'nms_threshold': 0.4,
        'top_k': None,
        'keep_top_k': None,
        'candidates_above_conf': int((conf[0][:, 1] > 0.02).sum()),
        'fields': KEYS,
        'prior_index': [int(i) for i in idx],
        'detections': rows(d),
        'count_score_ge_0.5': int((d[:, 4] >= 0.5).sum()),
        'count_score_ge_0.6': int((d[:, 4] >= 0.6).sum()),
    }, d


def main():
    net = R.load(os.path.join(HERE, 'mobilenet0.25_Final.pth'))
    summary = {}
    np.save(os.path.join(HERE, 'priors_640x640.npy'), R.priors(640, 640))
    np.save(os.path.join(HERE, 'priors_224x224.npy'), R.priors(224, 224))
    np.save(os.path.join(HERE, 'priors_h624_w1024.npy'), R.priors(624, 1024))
    np.save(os.path.join(HERE, 'priors_h361_w643.npy'), R.priors(361, 643))  # neither side divisible by 32
    for name in NAMES:
        bgr = cv2.imread(os.path.join(IMG, name + '.png'), cv2.IMREAD_COLOR)
        h, w = bgr.shape[:2]
        o = os.path.join(HERE, name)
        os.makedirs(o, exist_ok=True)
        # original size
        loc, conf, ldm = run(net, bgr)
        for k, v in (('loc', loc), ('conf', conf), ('landms', ldm)):
            np.save(os.path.join(o, f'orig_{k}.npy'), v)
        j, d = describe(loc, conf, ldm, h, w)
        j['image'] = f'images/{name}.png'
        j['primary_box_int'] = [int(v) for v in d[0, :4]] if len(d) and d[0, 4] >= 0.5 else None
        json.dump(j, open(os.path.join(o, 'orig_dets.json'), 'w'), indent=1)
        # 640x640 letterbox, content at the top left, padding = the mean colour (network sees zeros)
        lb, r, nw, nh = letterbox(bgr)
        cv2.imwrite(os.path.join(o, 'lb640.png'), lb)
        loc, conf, ldm = run(net, lb)
        for k, v in (('loc', loc), ('conf', conf), ('landms', ldm)):
            np.save(os.path.join(o, f'lb640_{k}.npy'), v)
        j2, d2 = describe(loc, conf, ldm, 640, 640)
        back = d2.copy()
        sel = [0, 1, 2, 3] + list(range(5, 15))
        back[:, sel] = back[:, sel] / np.float32(r)
        j2.update(
            scale=r,
            content_width=nw,
            content_height=nh,
            pad_bgr=[104, 117, 123],
            anchor='top-left',
            detections_in_original=rows(back),
            image=f'images/{name}.png',
        )
        json.dump(j2, open(os.path.join(o, 'lb640_dets.json'), 'w'), indent=1)
        summary[name] = dict(
            size=[w, h],
            orig_faces=j['count_score_ge_0.5'],
            orig_kept=len(d),
            lb640_faces=j2['count_score_ge_0.5'],
            lb640_kept=len(d2),
        )
        print(name, summary[name])
    # layer-by-layer check tensors for one small image
    bgr = cv2.imread(os.path.join(IMG, 'of_0.png'))
    x = R.to_input(bgr)
    t = {}
    hooks = []

    def tap(key, m):
        hooks.append(m.register_forward_hook(lambda _m, _i, out, k=key: t.__setitem__(k, out.detach().clone())))

    tap('stage1_0', net.body.stage1[0])
    tap('stage1', net.body.stage1)
    tap('stage2', net.body.stage2)
    tap('stage3', net.body.stage3)
    tap('fpn_output3', net.fpn.output3)
    tap('fpn_merge2', net.fpn.merge2)
    tap('fpn_merge1', net.fpn.merge1)
    tap('ssh1', net.ssh1)
    tap('ssh2', net.ssh2)
    tap('ssh3', net.ssh3)
    net(x)
    for hk in hooks:
        hk.remove()
    o = os.path.join(HERE, 'of_0', 'layers')
    os.makedirs(o, exist_ok=True)
    np.save(os.path.join(o, 'input.npy'), x.numpy())
    for k, v in t.items():
        np.save(os.path.join(o, k + '.npy'), v.numpy())
    # clips (Motion JPEG in AVI); frames are decoded one JPEG chunk at a time
    for clip in ('clip40_tv', 'clip40_pd'):
        frames = split_mjpeg(os.path.join(HERE, clip + '.avi'))
        recs = []
        for i, jpg in enumerate(frames):
            f = cv2.imdecode(np.frombuffer(jpg, np.uint8), cv2.IMREAD_COLOR)
            h, w = f.shape[:2]
            loc, conf, ldm = run(net, f)
            d, _ = R.postprocess(loc[0], conf[0], ldm[0], R.priors(h, w), w, h, 0.02, 0.4)
            recs.append(
                dict(
                    frame=i,
                    jpeg_bytes=len(jpg),
                    jpeg_sha256=hashlib.sha256(jpg).hexdigest(),
                    bgr_sha256=hashlib.sha256(f.tobytes()).hexdigest(),
                    faces_ge_0_5=int((d[:, 4] >= 0.5).sum()),
                    detections=rows(d),
                )
            )
        json.dump(
            dict(
                width=w,
                height=h,
                frames=len(frames),
                fields=KEYS,
                conf_threshold=0.02,
                nms_threshold=0.4,
                per_frame=recs,
            ),
            open(os.path.join(HERE, clip + '_dets.json'), 'w'),
        )
        summary[clip] = dict(size=[w, h], frames=len(frames), faces=[r['faces_ge_0_5'] for r in recs])
        print(clip, summary[clip])
    json.dump(summary, open(os.path.join(HERE, 'summary.json'), 'w'), indent=1)
    # ONNX
    dummy = torch.zeros(1, 3, 640, 640)
    with torch.enable_grad():
        pass
    torch.onnx.export(
        net,
        dummy,
        os.path.join(HERE, 'retinaface_640.onnx'),
        opset_version=14,
        do_constant_folding=True,
        input_names=['input'],
        output_names=['loc', 'conf', 'landms'],
    )
    torch.onnx.export(
        net,
        dummy,
        os.path.join(HERE, 'retinaface_dyn.onnx'),
        opset_version=14,
        do_constant_folding=True,
        input_names=['input'],
        output_names=['loc', 'conf', 'landms'],
        dynamic_axes={
            'input': {0: 'batch_size', 2: 'height', 3: 'width'},
            'loc': {0: 'batch_size'},
            'conf': {0: 'batch_size'},
            'landms': {0: 'batch_size'},
        },
    )


def split_mjpeg(path):
    """Minimal RIFF/AVI walk: returns the payload of every '00dc' chunk in order."""
    b = open(path, 'rb').read()
    assert b[:4] == b'RIFF' and b[8:12] == b'AVI '
    out = []

    def walk(p, end):
        while p + 8 <= end:
            fcc, n = b[p : p + 4], int.from_bytes(b[p + 4 : p + 8], 'little')
            if fcc == b'LIST':
                if b[p + 8 : p + 12] in (b'movi', b'rec '):
                    walk(p + 12, p + 8 + n)
            elif fcc == b'00dc' and n:
                out.append(b[p + 8 : p + 8 + n])
            p += 8 + n + (n & 1)

    walk(12, len(b))
    return out


if __name__ == '__main__':
    main()
