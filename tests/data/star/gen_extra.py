#!/usr/bin/python3
"""Extra STAR fixtures: warp cases and the state-dict key tables."""

import hashlib, json, os, sys
import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
G = os.path.join(HERE, '..')
sys.path[:0] = [HERE, G, os.path.join(G, 'retinaface')]
import star_net as S
import image_ops
import retinaface_net as R

o = os.path.join(HERE, 'warp_cases')
os.makedirs(o, exist_ok=True)
det = lambda n, i: json.load(open(f'{G}/retinaface/{n}/orig_dets.json'))['detections'][i]
cases = [
    ('astronaut', 'partly_outside', S.crop_matrix((-60, -35, 90, 140))[0]),
    ('astronaut', 'fully_outside', S.crop_matrix((600, 600, 700, 700))[0]),
    ('astronaut', 'magnified_9px_box', S.crop_matrix((220, 100, 229, 111))[0]),
    ('astronaut', 'rotated', np.array([[1.1, -0.4, -60.25], [0.4, 1.1, -70.5], [0, 0, 1]], np.float32)),
    ('of_89', 'retinaface_box_leaves_image', S.crop_matrix(det('of_89', 0))[0]),
    ('wider_crowd', 'small_face', S.crop_matrix(det('wider_crowd', 20))[0]),
]
out = []
for img, nm, m in cases:
    im = cv2.imread(f'{G}/images/{img}.png')
    c = cv2.warpPerspective(im, m, (256, 256), flags=cv2.INTER_LINEAR, borderValue=0)
    d = int((c != image_ops.warp_perspective(im, m)).sum())
    cv2.imwrite(os.path.join(o, nm + '.png'), c, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    out.append(
        dict(
            name=nm,
            image=f'images/{img}.png',
            matrix_f32=m.tolist(),
            matrix_hex=[float(v).hex() for v in m.reshape(-1)],
            bgr_sha256=hashlib.sha256(c.tobytes()).hexdigest(),
        )
    )
    print(nm, 'numpy re-derivation differs in', d)
json.dump(out, open(os.path.join(o, 'cases.json'), 'w'), indent=1)
for pts in (98, 68, 29):
    net = S.Star(points=pts)
    dead = {
        n + '.' + p
        for n, mod in net.named_modules()
        if isinstance(mod, S.ResBlock) and not mod.project
        for p in ('skip_layer.conv.weight', 'skip_layer.conv.bias')
    }
    rows = [
        [k, list(v.shape), str(v.dtype)[6:], 'unused' if k in dead or k.endswith('num_batches_tracked') else 'used']
        for k, v in net.state_dict().items()
    ]
    if pts == 98:
        json.dump(rows, open(os.path.join(HERE, 'state_dict_98.json'), 'w'), separators=(',', ':'))
    print(pts, len(rows), sum(r[3] == 'unused' for r in rows))
rows = [[k, list(v.shape), str(v.dtype)[6:]] for k, v in R.RetinaFace().state_dict().items()]
json.dump(rows, open(os.path.join(G, 'retinaface', 'state_dict.json'), 'w'), separators=(',', ':'))
