#!/usr/bin/env python3
"""Predicted beside published latencies: writes docs/evidence/latency.md, or with --svg the picture beside it, to stdout.

usage: scripts/latency_page.py ANEMONE [--svg]"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(root / 'tests/judge'))
from networks import NETWORKS  # noqa: E402


def rows(anemone):
    """One dict a published latency, with the range that `plan` predicts."""
    with tempfile.TemporaryDirectory() as folder:
        folder, known = pathlib.Path(folder), {}
        for line in (root / 'tests/data/latency/published.tsv').read_text().splitlines():
            if line.startswith('#'):
                continue
            device, network, ms, half, source = line.split('\t')
            if network not in known:
                known[network] = folder / f'{network}.mil'
                if network in NETWORKS:
                    known[network].write_text(NETWORKS[network]().text())
                else:
                    subprocess.run(
                        ['tar', '-xf', root / f'tests/data/ane/{network}.mlpackage.tar.xz', '-C', folder], check=True
                    )
                    known[network] = folder / f'{network}.mlpackage'
            done = subprocess.run(
                [anemone, 'plan', known[network], '--device', device, '--json'], capture_output=True, text=True
            )
            answer = json.loads(done.stdout)
            latency = answer['latency_ms']
            low, high = latency['low'], latency['high']
            yield {
                'device': device,
                'network': network,
                'ms': float(ms),
                'half': half,
                'source': source,
                'low': low,
                'high': high,
                'mid': next(p['high'] for p in latency['parts'] if p['name'] == 'layer model'),
                'inside': low <= float(ms) <= high,
                'ops': answer['ops'],
            }


def summary(found, half):
    chosen = [r for r in found if r['half'] == half]
    residuals = [math.log(r['mid'] / r['ms']) for r in chosen]
    return {
        'rows': len(chosen),
        'inside': sum(r['inside'] for r in chosen),
        'rms': math.exp(math.sqrt(sum(x * x for x in residuals) / len(residuals))),
        'width': max(r['high'] / r['low'] for r in chosen),
    }


def page(found):
    fit, held = summary(found, 'fit'), summary(found, 'held')
    out = [f"""<!-- Made by scripts/latency_page.py; a test compares. Do not edit. -->

# Published latencies, and what the layer model says of them

{len(found)} latencies of whole networks that others published (`tests/data/latency/published.tsv`; `tests/judge/networks.py`
builds the networks). The constants of the model were fitted to the {fit['rows']} rows marked *fit* alone; within a device and a
source the rows alternate. The {held['rows']} rows marked *held* judge it:

| rows | inside the range | width of the range | typical factor (rms of the logarithms) |
|---|---|---|---|
| fit | {fit['inside']} of {fit['rows']} | ×{fit['width']:.2f} | ×{fit['rms']:.2f} |
| held | {held['inside']} of {held['rows']} ({100 * held['inside'] / held['rows']:.0f} %) | ×{held['width']:.2f} | ×{held['rms']:.2f} |

The range of a chip that was measured reaches by a factor of 1.34 to both sides, whatever the network; that of a chip whose
constants are another's by 1.8. Known to miss: activations of eight bits gain more than the model thinks on A17 Pro, and batches
run faster on M4 Pro.

![predicted against published](latency.svg)

| device | network | published ms | predicted ms | range | predicted / published | half | inside | source |
|---|---|---|---|---|---|---|---|---|"""]
    for r in found:
        out.append(
            f"| {r['device']} | {r['network']} | {r['ms']:g} | {r['mid']:.3g} | {r['low']:.2g} to {r['high']:.2g} "
            f"| {r['mid'] / r['ms']:.2f} | {r['half']} | {'yes' if r['inside'] else 'no'} | {r['source']} |"
        )
    return '\n'.join(out) + '\n'


def picture(found):
    left, top, size, low, high = 60, 20, 420, 0.1, 40

    def at(ms):
        return size * math.log(ms / low) / math.log(high / low)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + 90} {size + 80}" font-family="sans-serif" font-size="12">',
        '<title>Predicted against published latency, both in milliseconds, logarithmic</title>',
        f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="#fff" stroke="#888"/>',
    ]
    for ms in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40):
        x, y = left + at(ms), top + size - at(ms)
        out.append(f'<path d="M{x:.1f} {top}V{top + size}M{left} {y:.1f}H{left + size}" stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="{top + size + 16}" text-anchor="middle">{ms:g}</text>')
        out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{ms:g}</text>')
    for factor, dash in ((1, ''), (1.34, '4 4'), (1 / 1.34, '4 4')):
        shift = size * math.log(factor) / math.log(high / low)
        x, y = max(0, -shift), max(0, shift)
        run = size - abs(shift)
        out.append(
            f'<path d="M{left + x:.1f} {top + size - y:.1f}l{run:.1f} {-run:.1f}" stroke="#666" stroke-dasharray="{dash}"/>'
        )
    for r in found:
        x, y = left + at(r['ms']), top + size - at(r['mid'])
        fill = '#0a6ebd' if r['half'] == 'held' else 'none'
        out.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="#0a6ebd">'
            f"<title>{r['network']} on {r['device']}: published {r['ms']:g}, predicted {r['mid']:.3g} ms</title></circle>"
        )
    out.append(
        f'<text x="{left + size / 2}" y="{top + size + 38}" text-anchor="middle">published ms (full: held out, empty: fitted)</text>'
    )
    out.append(
        f'<text x="16" y="{top + size / 2}" transform="rotate(-90 16 {top + size / 2})" text-anchor="middle">predicted ms</text>'
    )
    return '\n'.join(out) + '\n</svg>\n'


if __name__ == '__main__':
    found = list(rows(sys.argv[1]))
    sys.stdout.write(picture(found) if '--svg' in sys.argv else page(found))
