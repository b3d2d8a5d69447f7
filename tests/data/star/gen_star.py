#!/usr/bin/python3
"""Makes the STAR golden data (see ../README.md). Weight sets:
hash   - every tensor generated from its own name (star_net.hash_state); nothing to download
probe  - hash, with out_heatmaps.3 / out_pointmaps.3 replaced by probe_heads.npz (peaky, face-like output)
probe_pd - the same with probe_heads_pd.npz (fitted on the public-domain photo only)
random - Landmark_98_random.pkl, if it is there
"""

import hashlib, json, os, sys
import cv2
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import star_net as S

torch.set_grad_enabled(False)
torch.set_num_threads(1)
G = os.path.join(HERE, '..')
FACES = (('of_0', 0), ('astronaut', 0), ('frame720', 0))
RANDOM = 'Landmark_98_random.pkl'


def digest(sd):
    h = hashlib.sha256()
    for k, v in sd.items():
        if not k.endswith('num_batches_tracked'):
            h.update(v.contiguous().numpy().astype('<f4').tobytes())
    return h.hexdigest()


def save(path, a):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.save(path, np.ascontiguousarray(a, dtype=np.float32))


def main():
    net = S.Star().eval()
    hs = S.hash_state(net)
    sets = {'hash': hs}
    for nm, f in (('probe', 'probe_heads.npz'), ('probe_pd', 'probe_heads_pd.npz')):
        p = os.path.join(HERE, f)
        if os.path.exists(p):
            z = np.load(p)
            sets[nm] = {**hs, **{k: torch.from_numpy(z[k]) for k in z.files}}
            for k in z.files:
                save(os.path.join(HERE, nm + '_heads', k + '.npy'), z[k])
    if os.path.exists(RANDOM):
        sets['random'] = torch.load(RANDOM, map_location='cpu')['net']
    info = {'hash_check': {}}
    for k in (
        'pre.0.conv.weight',
        'pre.0.conv.bias',
        'pre.0.bn.weight',
        'pre.0.bn.bias',
        'pre.0.bn.running_mean',
        'pre.0.bn.running_var',
        'hgs.2.low2.low2.up1.conv3.conv.weight',
        'features.1.1.conv.weight',
        'out_pointmaps.2.conv.weight',
        'merge_heatmaps.0.conv.weight',
    ):
        v = hs[k].reshape(-1)
        info['hash_check'][k] = dict(
            shape=list(hs[k].shape),
            fnv1a64=f'{S.fnv1a64(k):016x}',
            first4=[float(a) for a in v[:4]],
            last=float(v[-1]),
            first4_hex=[float(a).hex() for a in v[:4]],
        )
    info['state_sha256'] = {n: digest(sd) for n, sd in sets.items()}
    info['state_sha256_rule'] = (
        'little-endian float32 bytes of all tensors in state-dict order, num_batches_tracked skipped'
    )
    for face, k in FACES:
        im = cv2.imread(f'{G}/images/{face}.png')
        det = json.load(open(f'{G}/retinaface/{face}/orig_dets.json'))['detections'][k]
        mat, (cx, cy, sc) = S.crop_matrix(det)
        crop = cv2.warpPerspective(im, mat, (256, 256), flags=cv2.INTER_LINEAR, borderValue=0)
        o = os.path.join(HERE, face)
        os.makedirs(o, exist_ok=True)
        cv2.imwrite(os.path.join(o, 'crop256.png'), crop, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        rec = dict(
            image=f'images/{face}.png',
            detection=det,
            box_int=[int(v) for v in det[:4]],
            center=[cx, cy],
            scale=sc,
            matrix_f32=mat.tolist(),
            matrix_hex=[float(v).hex() for v in mat.reshape(-1)],
            inverse_f32=np.linalg.inv(mat).tolist(),
            crop_bgr_sha256=hashlib.sha256(crop.tobytes()).hexdigest(),
            input='crop BGR planes in that order, x/255*2-1',
            sets={},
        )
        for nm, sd in sets.items():
            net.load_state_dict(sd, strict=True)
            tr = {}
            y, fused, lm = net(S.to_tensor(crop), tr)
            px, img = S.to_image(lm[0].numpy(), mat)
            d = os.path.join(o, nm)
            save(
                os.path.join(d, 'landmarks_norm_4stacks.npy'),
                np.stack([tr[f'landmarks{i}'][0].numpy() for i in range(4)]),
            )
            save(os.path.join(d, 'landmarks_crop.npy'), px)
            save(os.path.join(d, 'landmarks_image.npy'), img)
            alt = (lm[0].numpy() + 1) / 2 * np.float32(255)
            inv = np.linalg.inv(mat)
            save(os.path.join(d, 'landmarks_image_pyfaceau_variant.npy'), alt @ inv[:2, :2].T + inv[:2, 2])
            full = nm == 'hash' and face == 'astronaut'
            part = nm == 'random' and face == 'astronaut'
            if full or part:
                c = slice(None, None, 1 if full else 8)
                tag = '' if full else '_every8th_channel'
                save(os.path.join(d, f'pre{tag}.npy'), tr['pre'].numpy()[:, c])
                save(os.path.join(d, f'hgs0{tag}.npy'), tr['hgs0'].numpy()[:, c])
                save(
                    os.path.join(d, 'heatmaps0.npy' if full else 'heatmaps0_every8th_channel.npy'),
                    tr['heatmaps0'].numpy()[:, c],
                )
                save(os.path.join(d, 'fusion3.npy'), tr['fusion3'].numpy())
                if full:
                    for k2 in ('features0', 'pointmaps0', 'hgs1', 'hgs3', 'features3', 'pointmaps3', 'heatmaps3'):
                        save(os.path.join(d, f'{k2}_every8th_channel.npy'), tr[k2].numpy()[:, ::8])
                    save(os.path.join(d, 'edgemaps3.npy'), tr['edgemaps3'].numpy())
            elif nm in ('probe', 'probe_pd') and face == 'astronaut':
                save(os.path.join(d, 'fusion3_every8th_channel.npy'), tr['fusion3'].numpy()[:, ::8])
            s = tr['fusion3'].sum((2, 3))[0]
            eff = s**2 / tr['fusion3'].pow(2).sum((2, 3))[0].clamp(min=1e-12)
            rec['sets'][nm] = dict(
                norm_std_xy=[float(v) for v in lm[0].std(0)],
                heat_sum_min=float(s.min()),
                effective_pixels_median=float(eff.median()),
                max_abs_activation=float(max(v.abs().max() for k3, v in tr.items())),
            )
        json.dump(rec, open(os.path.join(o, 'crop.json'), 'w'), indent=1)
        print(face, json.dumps(rec['sets']))
    json.dump(info, open(os.path.join(HERE, 'weights.json'), 'w'), indent=1)


if __name__ == '__main__':
    main()
