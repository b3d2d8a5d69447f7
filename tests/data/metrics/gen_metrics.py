#!/usr/bin/python3
"""Golden data for NME / failure rate / AUC, own implementation of the rules in openface-pipeline.md."""

import json, os
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
OCULAR = {98: (60, 72), 68: (36, 45), 29: (16, 17)}
OTHER = {98: ('pupil', 96, 97), 68: ('pupil', list(range(36, 42)), list(range(42, 48))), 29: ('ocular', 8, 9)}


def nme(pd, gt, li, ri):
    """pd, gt [P,2] float32"""
    pick = lambda i: gt[i].mean(0) if isinstance(i, list) else gt[i]
    d = np.linalg.norm(pick(li) - pick(ri))
    return float((np.linalg.norm(pd - gt, axis=1) / d).mean())


def simpson(y, dx_x):
    """composite Simpson on equally spaced samples; an even number of samples uses the average of
    'Simpson on all but the last interval + trapezoid' and 'trapezoid + Simpson on all but the first' (old SciPy 'avg').
    """
    n, x = len(y), dx_x

    def odd(lo, hi):
        t = 0.0
        for i in range(lo, hi, 2):
            h0, h1 = x[i + 1] - x[i], x[i + 2] - x[i + 1]
            s, p, q = h0 + h1, h0 * h1, h0 / h1
            t += s / 6.0 * (y[i] * (2.0 - 1.0 / q) + y[i + 1] * (s * s / p) + y[i + 2] * (2.0 - q))
        return t

    if n % 2:
        return odd(0, n - 2)
    first = odd(0, n - 3) + 0.5 * (x[-1] - x[-2]) * (y[-2] + y[-1])
    last = odd(1, n - 2) + 0.5 * (x[1] - x[0]) * (y[0] + y[1])
    return (first + last) / 2.0


def fr_auc(nmes, thr, step=0.0001):
    xs = np.arange(0, thr + step, step)
    v = np.sort(np.array(nmes))
    ys = np.searchsorted(v, xs, side='right') / float(len(v))
    return len(xs), float(xs[-1]), round(1.0 - ys[-1], 4), round(simpson(ys, xs) / thr, 6)


def main():
    rng = np.random.default_rng(42)
    out = {}
    for P in (98, 68, 29):
        n = 60
        gt = rng.uniform(40, 216, (n, P, 2)).astype(np.float32)
        li, ri = OCULAR[P]
        gt[:, li] = [80, 100] + rng.normal(0, 3, (n, 2))
        gt[:, ri] = [176, 100] + rng.normal(0, 3, (n, 2))
        noise = rng.gamma(2.0, 2.2, n)[:, None, None]
        pd = (gt + rng.normal(0, 1, (n, P, 2)) * noise).astype(np.float32)
        np.save(os.path.join(HERE, f'gt_{P}.npy'), gt)
        np.save(os.path.join(HERE, f'pd_{P}.npy'), pd)
        a = [nme(pd[i], gt[i], li, ri) for i in range(n)]
        nm, l2, r2 = OTHER[P]
        b = [nme(pd[i], gt[i], l2, r2) for i in range(n)]
        rec = dict(
            count=n,
            default_indices=[li, ri],
            nme_default=a,
            nme_default_mean=float(np.mean(a)),
            other_norm=nm,
            other_indices=[l2, r2],
            nme_other=b,
            curves={},
        )
        for thr in (0.05, 0.08, 0.1):
            k, last, fr, auc = fr_auc(a, thr)
            rec['curves'][str(thr)] = dict(samples=k, last_x=last, fr=fr, auc=auc)
        rec['default_threshold'] = 0.05 if P == 68 else 0.1
        out[str(P)] = rec
    json.dump(out, open(os.path.join(HERE, 'metrics.json'), 'w'), indent=1)
    return out


if __name__ == '__main__':
    main()
