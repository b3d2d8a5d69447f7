#!/usr/bin/python3
"""Restricted PyTorch checkpoint reader without torch: an executable form of the container section of
openface-pipeline.md. `read(path)` returns (root object, info); tensors are Tensor records. Never imports or calls
anything named by the file. Raises Refused(reason)."""

import struct, zipfile, zlib

ELEM = {
    'FloatStorage': ('float32', 4),
    'DoubleStorage': ('float64', 8),
    'HalfStorage': ('float16', 2),
    'BFloat16Storage': ('bfloat16', 2),
    'LongStorage': ('int64', 8),
    'IntStorage': ('int32', 4),
    'ShortStorage': ('int16', 2),
    'CharStorage': ('int8', 1),
    'ByteStorage': ('uint8', 1),
    'BoolStorage': ('bool', 1),
    'ComplexFloatStorage': ('complex64', 8),
    'ComplexDoubleStorage': ('complex128', 16),
}
V3 = {
    'uint16': 2,
    'uint32': 4,
    'uint64': 8,
    'float8_e4m3fn': 1,
    'float8_e5m2': 1,
    'float8_e4m3fnuz': 1,
    'float8_e5m2fnuz': 1,
    'float32': 4,
    'float64': 8,
    'float16': 2,
    'bfloat16': 2,
    'int64': 8,
    'int32': 4,
    'int16': 2,
    'int8': 1,
    'uint8': 1,
    'bool': 1,
}
MAGIC = 0x1950A86A20F9469CFC6C


class Refused(Exception):
    pass


class Global(str):
    pass


ALLOWED = {
    'collections.OrderedDict',
    'collections.Counter',
    'collections.defaultdict',
    'torch._utils._rebuild_tensor',
    'torch._utils._rebuild_tensor_v2',
    'torch._utils._rebuild_tensor_v3',
    'torch._utils._rebuild_parameter',
    'torch.nn.parameter.Parameter',
    'torch.Size',
    'torch.storage.UntypedStorage',
    'torch.storage.TypedStorage',
    'torch.device',
    'builtins.dict',
    '__builtin__.dict',
    'builtins.set',
    '__builtin__.set',
}
ALLOWED |= {'torch.' + s for s in ELEM} | {'torch.' + d for d in V3}


class Storage:
    def __init__(s, key, dtype, size, numel, location):
        s.key, s.dtype, s.size, s.numel, s.location, s.data, s.base = key, dtype, size, numel, location, None, 0


class Tensor:
    def __init__(t, st, off, shape, stride, dtype, size):
        t.storage, t.offset, t.shape, t.stride, t.dtype, t.size = st, off, tuple(shape), tuple(stride), dtype, size
        for v in (off, *t.shape, *t.stride):
            if type(v) is not int or v < 0 or v >= 1 << 62:
                raise Refused('bad tensor geometry')
        if len(t.shape) != len(t.stride) or len(t.shape) > 64:
            raise Refused('bad tensor geometry')
        n = 1
        for v in t.shape:
            n *= v
        last = off + sum((a - 1) * b for a, b in zip(t.shape, t.stride)) if n else off - 1
        avail = st.numel * st.size // size
        if n >= 1 << 40:
            raise Refused('tensor has too many elements')
        if last >= avail:
            raise Refused(f'tensor reaches element {last} of a storage with {avail}')
        t.numel = n
        t.param = False

    def bytes(t):
        """contiguous little-endian bytes"""
        d, b = t.storage.data, t.storage.base
        out = bytearray()

        def walk(dim, pos):
            if dim == len(t.shape):
                p = b + pos * t.size
                out.extend(d[p : p + t.size])
                return
            for i in range(t.shape[dim]):
                walk(dim + 1, pos + i * t.stride[dim])

        if t.numel:
            walk(0, t.offset)
        return bytes(out)


class Dict(dict):
    """OrderedDict stand-in that can carry attributes set by BUILD"""

    attrs = None


class Unpickler:
    MAX_OPS, MAX_ITEMS = 50_000_000, 20_000_000

    def __init__(u, buf, pos, pid, pid_none_ok=False):
        u.b, u.p, u.pid = buf, pos, pid
        u.globals, u.ops = {}, {}

    def take(u, n):
        if n < 0 or u.p + n > len(u.b):
            raise Refused('pickle stream ends early')
        v = u.b[u.p : u.p + n]
        u.p += n
        return v

    def line(u):
        e = u.b.find(b'\n', u.p, u.p + 4096)
        if e < 0:
            raise Refused('pickle stream ends early')
        v = u.b[u.p : e]
        u.p = e + 1
        return v.decode('ascii', 'replace')

    def load(u):
        st, marks, memo = [], [], {}

        def pop_mark():
            if not marks:
                raise Refused('no MARK')
            m = marks.pop()
            items = st[m:]
            del st[m:]
            return items

        def pop():
            if not st or (marks and len(st) <= marks[-1]):
                raise Refused('stack underflow')
            return st.pop()

        def top():
            if not st:
                raise Refused('stack underflow')
            return st[-1]

        def ref(module, name):
            full = module + '.' + name
            u.globals[full] = u.globals.get(full, 0) + 1
            if full not in ALLOWED:
                raise Refused('global not allowed: ' + full)
            return Global(full)

        def put(i):
            memo[i] = top()

        def setitems(d, items):
            if type(d) not in (dict, Dict) or len(items) % 2:
                raise Refused('SETITEMS on a non-dict')
            for k, v in zip(items[::2], items[1::2]):
                if type(k) not in (str, int, bool, float, tuple, type(None)):
                    raise Refused('bad dict key')
                d[k] = v

        n = 0
        while True:
            op = u.take(1)[0]
            n += 1
            if n > u.MAX_OPS:
                raise Refused('too many opcodes')
            u.ops[op] = u.ops.get(op, 0) + 1
            c = bytes([op])
            if c == b'\x80':
                if u.take(1)[0] not in (2, 3, 4, 5):
                    raise Refused('pickle protocol')
            elif c == b'\x95':
                u.take(8)
            elif c == b'.':
                return pop()
            elif c == b'(':
                marks.append(len(st))
            elif c == b'0':
                pop()
            elif c == b'2':
                st.append(top())
            elif c == b'N':
                st.append(None)
            elif c == b'\x88':
                st.append(True)
            elif c == b'\x89':
                st.append(False)
            elif c == b'K':
                st.append(u.take(1)[0])
            elif c == b'M':
                st.append(struct.unpack('<H', u.take(2))[0])
            elif c == b'J':
                st.append(struct.unpack('<i', u.take(4))[0])
            elif c == b'\x8a':
                k = u.take(1)[0]
                st.append(int.from_bytes(u.take(k), 'little', signed=True))
            elif c == b'G':
                st.append(struct.unpack('>d', u.take(8))[0])
            elif c == b'X':
                st.append(u.take(struct.unpack('<I', u.take(4))[0]).decode('utf-8', 'surrogatepass'))
            elif c == b'\x8c':
                st.append(u.take(u.take(1)[0]).decode('utf-8', 'surrogatepass'))
            elif c == b'\x8d':
                st.append(u.take(struct.unpack('<Q', u.take(8))[0]).decode('utf-8', 'surrogatepass'))
            elif c in (b'U', b'T'):  # python 2 strings
                k = u.take(1)[0] if c == b'U' else struct.unpack('<i', u.take(4))[0]
                st.append(u.take(k).decode('latin-1'))
            elif c in (b'C', b'B'):
                k = u.take(1)[0] if c == b'C' else struct.unpack('<I', u.take(4))[0]
                st.append(u.take(k))
            elif c == b']':
                st.append([])
            elif c == b'}':
                st.append({})
            elif c == b')':
                st.append(())
            elif c == b'\x8f':
                st.append(set())
            elif c == b'\x85':
                st.append((pop(),))
            elif c == b'\x86':
                y = pop()
                x = pop()
                st.append((x, y))
            elif c == b'\x87':
                z = pop()
                y = pop()
                x = pop()
                st.append((x, y, z))
            elif c == b't':
                st.append(tuple(pop_mark()))
            elif c == b'l':
                st.append(pop_mark())
            elif c == b'a':
                v = pop()
                if type(top()) is not list:
                    raise Refused('APPEND on a non-list')
                top().append(v)
            elif c == b'e':
                v = pop_mark()
                if type(top()) is not list:
                    raise Refused('APPENDS on a non-list')
                top().extend(v)
            elif c == b's':
                v = pop()
                k = pop()
                setitems(top(), [k, v])
            elif c == b'u':
                v = pop_mark()
                setitems(top(), v)
            elif c == b'd':
                v = pop_mark()
                d = {}
                setitems(d, v)
                st.append(d)
            elif c == b'\x90':
                v = pop_mark()
                if type(top()) is not set:
                    raise Refused('ADDITEMS')
                top().update(x for x in v if type(x) in (str, int))
            elif c == b'q':
                put(u.take(1)[0])
            elif c == b'r':
                put(struct.unpack('<I', u.take(4))[0])
            elif c == b'\x94':
                put(len(memo))
            elif c in (b'h', b'j'):
                k = u.take(1)[0] if c == b'h' else struct.unpack('<I', u.take(4))[0]
                if k not in memo:
                    raise Refused('memo')
                st.append(memo[k])
            elif c == b'c':
                m = u.line()
                st.append(ref(m, u.line()))
            elif c == b'\x93':
                nm = pop()
                m = pop()
                if type(nm) is not str or type(m) is not str or '.' in nm:
                    raise Refused('bad STACK_GLOBAL')
                st.append(ref(m, nm))
            elif c == b'Q':
                st.append(u.pid(pop()))
            elif c in (b'R', b'\x81'):
                a = pop()
                f = pop()
                if type(f) is not Global or type(a) is not tuple:
                    raise Refused('REDUCE on something that is not an allowed global')
                st.append(u.call(f, a))
            elif c == b'b':
                s = pop()
                o = top()
                if type(o) is Dict and type(s) is dict:
                    o.attrs = s
                elif type(o) is Dict and type(s) is tuple:
                    o.attrs = s
                else:
                    raise Refused('BUILD on ' + type(o).__name__)
            else:
                raise Refused(f'opcode 0x{op:02x} not allowed')

    def call(u, f, a):
        f = str(f)
        if f in ('collections.OrderedDict', 'collections.Counter', 'builtins.dict', '__builtin__.dict'):
            d = Dict()
            if a:
                src = a[0]
                if type(src) in (dict, Dict):
                    d.update(src)
                elif type(src) is list:  # python 2 style: OrderedDict([[k, v], ...])
                    for kv in src:
                        if len(kv) != 2:
                            raise Refused('OrderedDict items')
                        d[kv[0]] = kv[1]
                else:
                    raise Refused('OrderedDict argument')
            return d
        if f == 'collections.defaultdict':
            return Dict()
        if f in ('builtins.set', '__builtin__.set'):
            return set(x for x in (a[0] if a else []) if type(x) in (str, int))
        if f == 'torch.Size':
            return tuple(a[0])
        if f == 'torch.device':
            return ':'.join(str(x) for x in a)
        if f == 'torch._utils._rebuild_tensor':  # (storage, offset, size, stride)
            s, off, shape, stride = a
        elif f == 'torch._utils._rebuild_tensor_v2':  # + (requires_grad, hooks[, metadata])
            s, off, shape, stride = a[:4]
        elif f == 'torch._utils._rebuild_tensor_v3':  # + (requires_grad, hooks, dtype[, metadata])
            s, off, shape, stride = a[:4]
            d = str(a[6]).rsplit('.', 1)[1]
            if type(s) is not Storage or type(a[6]) is not Global or d not in V3:
                raise Refused('v3 arguments')
            return Tensor(s, off, shape, stride, d, V3[d])
        elif f in ('torch._utils._rebuild_parameter', 'torch.nn.parameter.Parameter'):
            if not a or type(a[0]) is not Tensor:
                raise Refused('parameter argument')
            a[0].param = True
            return a[0]
        else:
            raise Refused('cannot call ' + f)
        if type(s) is not Storage:
            raise Refused('tensor without storage')
        return Tensor(s, off, shape, stride, s.dtype, s.size)


def storage_of(pid, table, legacy):
    if type(pid) is not tuple or not pid or pid[0] != 'storage' or len(pid) not in (5, 6):
        raise Refused('persistent id ' + repr(pid[0] if type(pid) is tuple and pid else pid)[:40])
    typ, key, loc, numel = pid[1:5]
    if type(typ) is not Global or type(numel) is not int or numel < 0 or not isinstance(key, (str, int)):
        raise Refused('persistent id')
    name = str(typ).rsplit('.', 1)[1]
    key = str(key)
    if name == 'UntypedStorage':
        dt, sz = 'uint8', 1
    elif name in ELEM:
        dt, sz = ELEM[name]
    else:
        raise Refused('storage type ' + name)
    s = table.get(key)
    if s is None:
        s = table[key] = Storage(key, dt, sz, numel, loc)
    elif (s.size, s.numel) != (sz, numel):
        raise Refused('storage described twice differently')
    if len(pid) == 6 and pid[5] is not None:  # legacy view: (view_key, offset, view_size)
        vk, off, n = pid[5]
        if off < 0 or n < 0 or off + n > s.numel:
            raise Refused('storage view')
        v = table.get('view:' + str(vk))
        if v is None:
            v = table['view:' + str(vk)] = Storage(key, dt, sz, n, loc)
            v.root, v.base = s, off * sz
        return v
    return s


def read(path):
    b = open(path, 'rb').read()
    info = {'bytes': len(b)}
    if b[:40].startswith(b'version https://git-lfs'):
        raise Refused('this is a Git LFS pointer, not the file itself')
    table = {}
    if b[:4] == b'PK\x03\x04':
        info['container'] = 'zip'
        try:
            z = zipfile.ZipFile(path)
        except zipfile.BadZipFile as e:
            raise Refused('zip: ' + str(e))
        names = z.namelist()
        if len(set(names)) != len(names):
            raise Refused('zip: duplicate entry')
        pk = [n for n in names if n.endswith('/data.pkl') and n.count('/') == 1]
        if any(n.endswith('/constants.pkl') for n in names):
            raise Refused('this is a TorchScript archive')
        if len(pk) != 1:
            raise Refused('zip: no data.pkl')
        root = pk[0][: -len('data.pkl')]
        info['root'] = root
        get = lambda n: z.read(root + n) if root + n in names else None
        order = (get('byteorder') or b'little').strip()
        info['byteorder'] = order.decode()
        info['version'] = (get('version') or get('.data/version') or b'?').decode().strip()
        if order != b'little':
            raise Refused('big-endian checkpoint')
        try:
            pkl = z.read(pk[0])
            u = Unpickler(pkl, 0, lambda pid: storage_of(pid, table, False))
            obj = u.load()
            for s in table.values():
                d = get('data/' + s.key)
                if d is None:
                    raise Refused('zip: storage data/%s is missing' % s.key)
                if len(d) < s.numel * s.size:
                    raise Refused('zip: storage data/%s is too short' % s.key)
                s.data = d
        except (zipfile.BadZipFile, zlib.error, EOFError) as e:
            raise Refused('zip: ' + str(e))
    elif b[:2] == b'\x80\x02' or b[:1] == b'\x80':
        info['container'] = 'legacy'
        none = lambda pid: (_ for _ in ()).throw(Refused('persistent id outside the object'))
        u = Unpickler(b, 0, none)
        if u.load() != MAGIC:
            raise Refused('legacy: magic number')
        if u.load() != 1001:
            raise Refused('legacy: protocol version')
        sysinfo = u.load()
        if not sysinfo.get('little_endian'):
            raise Refused('big-endian checkpoint')
        u.pid = lambda pid: storage_of(pid, table, True)
        obj = u.load()
        u.pid = none
        keys = u.load()
        if type(keys) is not list:
            raise Refused('legacy: storage keys')
        p = u.p
        for k in keys:
            s = table.get(str(k))
            if s is None:
                raise Refused('legacy: unknown storage key')
            if p + 8 > len(b):
                raise Refused('legacy: file ends inside the storages')
            n = struct.unpack('<q', b[p : p + 8])[0]
            if n != s.numel or p + 8 + n * s.size > len(b):
                raise Refused(
                    'legacy: file ends inside the storages' if n == s.numel else 'legacy: storage size differs'
                )
            s.data = b
            s.base = p + 8
            p += 8 + n * s.size
        info['trailing_bytes'] = len(b) - p
        for s in table.values():
            if hasattr(s, 'root'):
                s.data, s.base = s.root.data, s.root.base + s.base
            if s.data is None:
                raise Refused('legacy: storage without data')
    else:
        raise Refused('not a PyTorch checkpoint')
    info['globals'], info['opcodes'] = u.globals, u.ops
    info['storages'] = len(table)
    return obj, info


def tensors(obj, path=''):
    """(path, Tensor) for every tensor, depth first, in file order; shared objects are visited each time, to depth 8"""
    if type(obj) is Tensor:
        yield path, obj
    elif isinstance(obj, dict):
        for k, v in obj.items():
            yield from tensors(v, f'{path}/{k}' if path else str(k))
    elif isinstance(obj, (list, tuple)) and path.count('/') < 8:
        for i, v in enumerate(obj):
            yield from tensors(v, f'{path}/{i}' if path else str(i))


if __name__ == '__main__':
    import sys

    for f in sys.argv[1:]:
        try:
            o, i = read(f)
            t = list(tensors(o))
            print(
                f,
                'OK',
                i['container'],
                'tensors',
                len(t),
                'storages',
                i['storages'],
                i['globals'],
                'trailing',
                i.get('trailing_bytes'),
            )
        except Refused as e:
            print(f, 'REFUSED', e)
