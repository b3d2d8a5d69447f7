#!/usr/bin/env python3
"""Draws docs/images/landmarks.svg: the example's face with the points that the converted package finds on it.

    scripts/landmark_picture.py [build/release/anemone]

Needs nothing but the program."""

import base64
import pathlib
import struct
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[1]
anemone = sys.argv[1] if len(sys.argv) > 1 else str(root / 'build/release/anemone')
crop = root / 'examples/astronaut/crop256.png'
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for command in (
        ['synth', 'star', '--heads', root / 'examples/probe_pd_heads', '-o', folder / 'star.pkl'],
        ['convert', folder / 'star.pkl', '-o', folder / 'star.mlpackage'],
        ['run', folder / 'star.mlpackage', '--input', crop, '-o', folder / 'out'],
    ):
        subprocess.run([anemone, *map(str, command), '-q'], check=True, stdout=subprocess.DEVNULL)
    data = (folder / 'out/landmarks.npy').read_bytes()
header = 10 + struct.unpack('<H', data[8:10])[0]
half = b"'<f2'" in data[:header]
numbers = [n for (n,) in struct.iter_unpack('<e' if half else '<f', data[header:])]
points = [((x + 1) / 2 * 255 + 0.5, (y + 1) / 2 * 255 + 0.5) for x, y in zip(numbers[::2], numbers[1::2])]
circles = ''.join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6"/>' for x, y in points)
picture = base64.b64encode(crop.read_bytes()).decode()
(root / 'docs/images').mkdir(exist_ok=True)
(root / 'docs/images/landmarks.svg').write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" width="384" height="384" viewBox="0 0 256 256">'
    f'<title>{len(points)} landmarks</title>'
    f'<image width="256" height="256" href="data:image/png;base64,{picture}"/>'
    f'<g fill="#39ff14" stroke="#000" stroke-width="0.4">{circles}</g></svg>\n'
)
print(f'{len(points)} points')
