"""PNG as arrays and arrays as PNG, without a library that could hide a mistake of the program's."""

import struct
from zlib import compress, crc32, decompress

import numpy as np

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type


def read_png(path):
    """[height, width, channels] of a PNG of 8 bits a channel, not interlaced."""
    raw, at, body = path.read_bytes(), 8, b''
    while at < len(raw):
        (length,) = struct.unpack('>I', raw[at : at + 4])
        kind, piece = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        if kind == b'IHDR':
            width, height, depth, colour = struct.unpack('>IIBB', piece[:10])
        body += piece if kind == b'IDAT' else b''
        at += 12 + length
    assert depth == 8, path
    step = _CHANNELS[colour]
    rows = np.frombuffer(decompress(body), np.uint8).reshape(height, 1 + step * width)
    out, before = np.zeros((height, step * width), np.int64), np.zeros(step * width, np.int64)
    for y in range(height):
        kind, row = rows[y, 0], rows[y, 1:].astype(np.int64)
        if kind in (0, 2):
            row = row + (before if kind == 2 else 0)
        else:
            for x in range(step * width):
                a = row[x - step] if x >= step else 0
                b, c = before[x], before[x - step] if x >= step else 0
                p = a + b - c
                nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                row[x] = (row[x] + (a, (a + b) // 2, nearest)[(1, 3, 4).index(kind)]) & 255
        before = out[y] = row & 255
    return out.reshape(height, width, step).astype(np.uint8)


def png(pixels, *extra):
    """The bytes of a PNG: [h,w] grey, [h,w,2] grey with alpha, [h,w,3] RGB, [h,w,4] RGBA; of uint8 or uint16. `extra`:
    (kind, content) of chunks before the pixels."""
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    big = pixels.astype(pixels.dtype.newbyteorder('>'))
    rows = b''.join(b'\0' + row.tobytes() for row in big)
    head = struct.pack('>IIBBBBB', width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0)

    def chunk(kind, content):
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', crc32(kind + content))

    chunks = [(b'IHDR', head), *extra, (b'IDAT', compress(rows)), (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*c) for c in chunks)


def jpeg(values, *segments):
    """The bytes of a JPEG of 8x8 blocks of one value each: [rows, columns, components]. Nothing is lost in it, so that
    a decoder's colours can be told. Three are Y, Cb, Cr. `segments`: (marker, content) before the picture."""
    rows, columns, components = values.shape
    bits, before = [], [0] * components
    for block in values.reshape(-1, components):
        for i, value in enumerate(block):
            now = 8 * (int(value) - 128)
            step, before[i] = now - before[i], now
            size = abs(step).bit_length()
            bits += [f'{size:04b}', f'{step if step > 0 else step + (1 << size) - 1:0{size}b}' if size else '', '0']
    bits = ''.join(bits)
    bits += '1' * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, 'big').replace(b'\xff', b'\xff\0')

    def segment(marker, content):
        return bytes([255, marker]) + struct.pack('>H', len(content) + 2) + content

    ids = range(1, components + 1)
    frame = struct.pack('>BHHB', 8, 8 * rows, 8 * columns, components) + b''.join(bytes([i, 0x11, 0]) for i in ids)
    lengths = bytes([0, 0, 0, 12] + 12 * [0])  # twelve codes of four bits: the sizes 0 to 11
    parts = [
        *segments,
        (0xDB, b'\0' + bytes(64 * [1])),
        (0xC0, frame),
        (0xC4, b'\0' + lengths + bytes(range(12))),
        (0xC4, b'\x10' + bytes([1] + 15 * [0]) + b'\0'),  # one code: the block ends
        (0xDA, bytes([components]) + b''.join(bytes([i, 0]) for i in ids) + b'\0\x3f\0'),
    ]
    return b'\xff\xd8' + b''.join(segment(*part) for part in parts) + data + b'\xff\xd9'


def exif(orientation, order='<'):
    """A JPEG segment that says how a camera was held."""
    mark = b'II' if order == '<' else b'MM'
    tag = struct.pack(order + 'HHIHH', 0x0112, 3, 1, orientation, 0)
    return 0xE1, b'Exif\0\0' + mark + struct.pack(order + 'HIH', 42, 8, 1) + tag + struct.pack(order + 'I', 0)


def quicktime(frames, times, width, height, matrix=(1, 0, 0, 1)):
    """The bytes of a video of JPEGs; `times`: how many thousandths of a second each is shown."""

    def box(kind, *content):
        body = b''.join(content)
        return struct.pack('>I', 8 + len(body)) + kind + body

    def full(kind, *content):
        return box(kind, bytes(4), *content)

    def table(*rows):
        return struct.pack('>I', len(rows)) + b''.join(struct.pack('>' + 'I' * len(row), *row) for row in rows)

    total = sum(times)
    a, b, c, d = (v & 0xFFFFFFFF for v in (int(m * 65536) for m in matrix))
    turned = struct.pack('>9I', a, b, 0, c, d, 0, 0, 0, 0x40000000)
    plain = struct.pack('>9I', 65536, 0, 0, 0, 65536, 0, 0, 0, 0x40000000)
    start = box(b'ftyp', b'qt  ', bytes(4), b'qt  ')
    picture = bytes(6) + struct.pack('>H', 1) + bytes(16) + struct.pack('>HH', width, height)
    picture += struct.pack('>II', 72 << 16, 72 << 16) + bytes(4) + struct.pack('>H', 1) + bytes(32) + b'\0\x18\xff\xff'

    def moov(offset):
        samples = box(
            b'stbl',
            full(b'stsd', struct.pack('>I', 1), box(b'jpeg', picture)),
            full(b'stts', table(*((1, t) for t in times))),
            full(b'stsc', table((1, len(frames), 1))),
            full(b'stsz', bytes(4), table(*((len(f),) for f in frames))),
            full(b'stco', table((offset,))),
        )
        link = box(b'dinf', full(b'dref', struct.pack('>I', 1), box(b'url ', b'\0\0\0\1')))
        media = box(
            b'mdia',
            full(b'mdhd', struct.pack('>IIIII', 0, 0, 1000, total, 0)),
            full(b'hdlr', b'mhlrvide', bytes(13)),
            box(b'minf', box(b'vmhd', b'\0\0\0\1', bytes(8)), link, samples),
        )
        head = struct.pack('>IIIII', 0, 0, 1, 0, total) + bytes(16) + turned
        track = box(b'trak', box(b'tkhd', b'\0\0\0\3', head, struct.pack('>II', width << 16, height << 16)), media)
        movie = struct.pack('>IIII', 0, 0, 1000, total) + struct.pack('>IH', 65536, 256) + bytes(10) + plain
        return box(b'moov', full(b'mvhd', movie, bytes(24), struct.pack('>I', 2)), track)

    offset = len(start) + len(moov(0)) + 8
    return start + moov(offset) + box(b'mdat', *frames)
