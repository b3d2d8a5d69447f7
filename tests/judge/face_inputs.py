#!/usr/bin/env python3
"""What `detect` takes: pictures turned by their EXIF data, grey, transparent, of 16 bits, of four inks, very long and
very small, damaged ones; videos of uneven frame times, turned, cut off; cameras that are not there. Pixels are told by
the copies that --draw writes where no face is found, so no network's weights are needed."""

import pathlib
import shutil
import subprocess

import numpy as np
from lib import anemone, check, data, finish, run, scratch, skip
from pictures import exif, jpeg, png, quicktime, read_png

blind = scratch / 'blind.mil'  # a detector that never finds a face
text = (data / 'face/detector.mil').read_text()
mind = 'conf = softmax(x = some, axis = 2);'
blind.write_text(text.replace(mind, f'{mind.replace("conf", "mind")} conf = mul(x = mind, y = 0.0);'))
networks = ('--faces', blind, '--landmarks', data / 'face/points.mil')
rng = np.random.default_rng(5)


def write(name, content):
    path = scratch / name
    path.write_bytes(content)
    return path


def pixels_of(name, content):
    """As the pipeline sees them, RGB."""
    path, out = write(name, content), scratch / f'{name}.out'
    result = run('detect', path, *networks, '-o', out, '--draw')
    if not result:
        return np.zeros((0, 0, 3))
    drawn = read_png(out / f'{path.stem}-faces.png')
    frame = result['frames'][0]
    check(f'{name}: size', (frame['height'], frame['width']) == drawn.shape[:2] and frame['faces'] == [], frame)
    return drawn


def same(name, got, wanted, limit=0):
    wanted = np.asarray(wanted)
    off = np.abs(got.astype(int) - wanted.astype(int)).max() if got.shape == wanted.shape else f'size {got.shape}'
    check(name, off == 0 if isinstance(off, str) else off <= limit, off)


# PNG of every kind.
rgb = rng.integers(0, 256, (20, 31, 3), np.uint8)
grey, alpha = rgb[..., :1], rgb[..., 1:2]
wide = rng.integers(0, 65536, (20, 31, 3), np.uint16)
same('RGB', pixels_of('rgb.png', png(rgb)), rgb)
same('grey', pixels_of('grey.png', png(grey)), grey.repeat(3, 2))
same('grey with alpha', pixels_of('grey-alpha.png', png(np.dstack([grey, alpha]))), grey.repeat(3, 2))
same('RGBA', pixels_of('rgba.png', png(np.dstack([rgb, alpha]))), rgb)
same('RGB of 16 bits', pixels_of('wide.png', png(wide)), wide >> 8)
same('grey of 16 bits', pixels_of('wide-grey.png', png(wide[..., :1])), (wide >> 8)[..., :1].repeat(3, 2))

# JPEG: how the camera was held, in both byte orders.
luma = rng.integers(20, 236, (3, 5, 1), np.uint8)
ycc = np.dstack([luma, np.full_like(luma, 128), np.full_like(luma, 128)])
upright = luma.repeat(8, 0).repeat(8, 1).repeat(3, 2)
turned = {
    1: upright,
    2: upright[:, ::-1],
    3: upright[::-1, ::-1],
    4: upright[::-1],
    5: upright.transpose(1, 0, 2),
    6: np.rot90(upright, -1),
    7: upright[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(upright),
}
same('JPEG', pixels_of('plain.jpg', jpeg(ycc)), upright, 1)
same('grey JPEG', pixels_of('grey.jpg', jpeg(luma)), upright, 1)
for orientation, wanted in turned.items():
    for order in '<>':
        name = f'exif{orientation}{"le" if order == "<" else "be"}.jpg'
        same(name, pixels_of(name, jpeg(ycc, exif(orientation, order))), wanted, 1)
same('no such orientation', pixels_of('exif9.jpg', jpeg(ycc, exif(9))), upright, 1)

# JPEG of four inks, stored inverted as Adobe's programs do: 255 is none.
inks = rng.integers(0, 256, (4, 4, 4), np.uint8)
wanted = inks[..., :3].astype(float) * inks[..., 3:] / 255
adobe = (0xEE, b'Adobe' + bytes([0, 100, 0, 0, 0, 0, 0]))
same('CMYK', pixels_of('cmyk.jpg', jpeg(inks, adobe)), np.rint(wanted).repeat(8, 0).repeat(8, 1), 2)

# Sizes. A folder and a pattern give their pictures in order.
folder = scratch / 'folder'
folder.mkdir()
for name, height, width in (('a', 20, 30000), ('b', 30000, 20), ('c', 1, 1), ('d', 1, 700), ('e', 2, 3)):
    (folder / f'{name}.png').write_bytes(png(np.full((height, width, 3), 99, np.uint8)))
for words in ((folder,), (folder / '*.png',)):
    frames = run('detect', *words, *networks)['frames']
    sizes = [(pathlib.Path(f['file']).stem, f['height'], f['width']) for f in frames]
    wanted = [('a', 20, 30000), ('b', 30000, 20), ('c', 1, 1), ('d', 1, 700), ('e', 2, 3)]
    check(f'{words}', sizes == wanted, sizes)

# Damage: told, and the others go on.
good = jpeg(rng.integers(0, 256, (40, 40, 3), np.uint8))
damaged = {
    'half.jpg': (good[: len(good) // 2], 'E0314'),
    'header.jpg': (good[:10], 'E0314'),
    'nothing.jpg': (b'', 'E0317'),
    'half.png': (png(rgb)[:900], 'E0314'),
    'text.png': (b'no picture at all', 'E0317'),
    'huge.png': (png(rgb)[:16] + b'\0\2\0\0\0\2\0\0' + png(rgb)[24:], 'E0313'),
}
paths = [write(name, content) for name, (content, _) in damaged.items()]
result = run('detect', *paths, folder / 'e.png', *networks, expect=3)
codes = {pathlib.Path(f['place']).name: f['code'] for f in result['failures']}
check('damaged pictures', codes == {name: code for name, (_, code) in damaged.items()}, codes)
check('the good one among them', [pathlib.Path(f['file']).name for f in result['frames']] == ['e.png'])

# Videos: times of frames that are not evenly spaced, how the camera was held, and where one ends early.
shown = [40, 40, 100, 20, 333, 40, 40, 40, 500, 7]
frames = [jpeg(np.full((6, 8, 3), 100 + 5 * i, np.uint8)) for i in range(len(shown))]
video = quicktime(frames, shown, 64, 48)
result = run('detect', write('uneven.mov', video), *networks)
times = [frame['ms'] for frame in result['frames']]
check('uneven times', np.allclose(times, np.cumsum([0, *shown[:-1]]), atol=1), times)
targets = {target['level']: (target['fps'], target['met']) for target in result['targets']}
wanted = {level: (fps, result['fps'] > fps) for level, fps in (('must', 4), ('should', 4.5), ('stretch', 5))}
check('the rate is held against the targets', targets == wanted, targets)
check('stages are timed', list(result['stages_ms']) == ['read', 'detect', 'landmarks', 'write'], result['stages_ms'])
words = [anemone, 'detect', scratch / 'uneven.mov', *networks]
shown_text = subprocess.run([*map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
good = 'stages, ms a frame' in shown_text and 'targets:  must > 4 ' in shown_text and 'frames a second' in shown_text
check('people are told as well', good, shown_text)
check('all are of a video', all(f['video'] and f['width'] == 64 and f['height'] == 48 for f in result['frames']))
for name, matrix, wanted in (('right', (0, 1, -1, 0), (48, 64)), ('round', (-1, 0, 0, -1), (64, 48))):
    result = run('detect', write(f'{name}.mov', quicktime(frames, shown, 64, 48, matrix)), *networks)
    sizes = {(frame['width'], frame['height']) for frame in result['frames']}
    check(f'a video turned {name}', sizes == {wanted}, sizes)
out = scratch / 'cut'
result = run('detect', write('cut.mov', video[: len(video) - 5 * len(frames[0])]), *networks, '-o', out, expect=3)
kept = (out / 'faces.jsonl').read_text().splitlines()
check('a video that is cut off', 3 <= len(kept) < 10 and result['failures'], (len(kept), result['failures']))
result = run('detect', write('end.mov', video[:300]), *networks, expect=3)
check('a video without its frames', result['failures'][0]['code'] == 'E0317', result['failures'])

# What telephones write: MPEG-4 with one codec and the other, which FFmpeg makes.
ffmpeg = shutil.which('ffmpeg')
grey = b''.join(bytes([20 * i]) * (3 * 96 * 64) for i in range(12))
for codec in ('mpeg4', 'libx264'):
    movie = scratch / f'{codec}.mp4'
    words = [ffmpeg, *'-v error -f rawvideo -pix_fmt bgr24 -s 96x64 -r 30 -i - -c:v'.split(), codec, movie]
    if not ffmpeg or subprocess.run(words, input=grey, capture_output=True).returncode:
        skip(2, f'MPEG-4, {codec}: no FFmpeg that writes it')
        continue
    result = run('detect', movie, *networks)
    times = [frame['ms'] for frame in result['frames']]
    check(f'MPEG-4, {codec}', len(times) == 12 and np.allclose(np.diff(times), 1000 / 30, atol=1), times)
    result = run('detect', write(f'cut-{movie.name}', movie.read_bytes()[:-400]), *networks, expect=3)
    check(f'MPEG-4 without its index, {codec}', result['failures'][0]['code'] == 'E0317', result['failures'])

# A camera that is not there.
words = [anemone, 'detect', 'camera:93', '--lines', *map(str, networks)]
told = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
check('no such camera', told.returncode == 3 and 'E0317' in told.stderr and 'camera 93' in told.stderr, told.stderr)
finish()
