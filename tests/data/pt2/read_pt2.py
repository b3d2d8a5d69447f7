#!/usr/bin/env python3
"""Restricted reader of torch.export archives without torch: an executable form of sections 2-4 of
../../reference/torch-export.md.
usage: read_pt2.py FILE.pt2 ...        prints one JSON line per file (or "refused: ...")
       read_pt2.py --expected DIR      writes DIR/expected.json
read(path) -> Archive; raises Refused(reason). Nothing that a file names is ever called, imported or evaluated."""

import collections, hashlib, io, json, math, os, re, sys, tempfile, zipfile, zlib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.environ.get('PICKLE', os.path.join(HERE, '..', 'pickle')))
import read_ckpt

Refused = read_ckpt.Refused
SCALAR = {
    1: ('uint8', 1),
    2: ('int8', 1),
    3: ('int16', 2),
    4: ('int32', 4),
    5: ('int64', 8),
    6: ('float16', 2),
    7: ('float32', 4),
    8: ('float64', 8),
    9: ('complex32', 4),
    10: ('complex64', 8),
    11: ('complex128', 16),
    12: ('bool', 1),
    13: ('bfloat16', 2),
    28: ('uint16', 2),
    29: ('float8_e4m3fn', 1),
    30: ('float8_e5m2', 1),
    31: ('float8_e4m3fnuz', 1),
    32: ('float8_e5m2fnuz', 1),
    33: ('float8_e8m0fnu', 1),
    34: ('uint32', 4),
    35: ('uint64', 8),
}
MAXENTRIES, MAXJSON, MAXDEPTH, MAXRANK, MAXELEMS = 100_000, 256 << 20, 100, 64, 1 << 40


def need(c, why):
    if not c:
        raise Refused(why)


# ---- zip ----
def entries(path):
    try:
        z = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, EOFError) as e:
        raise Refused('zip: ' + str(e))
    names = z.namelist()
    need(0 < len(names) <= MAXENTRIES, 'zip: number of entries')
    need(len(set(names)) == len(names), 'zip: duplicate entry')
    for i in z.infolist():
        need(
            i.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not i.flag_bits & 1,
            'zip: compression or encryption',
        )
        need(
            not i.filename.startswith('/')
            and '..' not in i.filename.split('/')
            and '\\' not in i.filename
            and '\0' not in i.filename,
            'zip: entry name',
        )
        need(
            i.compress_type == zipfile.ZIP_STORED or i.file_size <= 1100 * max(1, i.compress_size),
            'zip: expands too much',
        )
    return z, names


def get(z, n):
    try:
        return z.read(n)  # checks the CRC
    except KeyError:
        raise Refused('missing entry ' + n)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as e:
        raise Refused('zip: ' + str(e))


def load_json(b):
    need(len(b) <= MAXJSON, 'json: too large')
    depth = top = 0
    instr = esc = False
    for c in b:
        if instr:
            esc, instr = (not esc and c == 92), (c != 34 or esc)
        elif c == 34:
            instr = True
        elif c in b'[{':
            depth += 1
            top = max(top, depth)
        elif c in b']}':
            depth -= 1
    need(top <= MAXDEPTH, 'json: too deep')
    try:
        return json.loads(b)  # Python takes Infinity and NaN, as files of torch <= 2.5 need
    except (ValueError, UnicodeDecodeError) as e:
        raise Refused('json: ' + str(e)[:80])


# ---- symbolic integers ----
MULS = {'*': 'Mul', '/': 'Div', '//': 'FloorDiv', '**': 'Pow'}


class Sym:
    """value of a size: int, or an expression over symbols (plain or sympy's own repr), parsed by a small grammar"""

    TOK = re.compile(
        r"\s*(?:(Symbol)\('([A-Za-z_]\w*)'(?:,\s*\w+=\w+)*\)|Float\('([-+.\de]+)'(?:,\s*precision=\d+)?\)"
        r"|([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?)|(//|\*\*|[-+*/(),]))"
    )

    @staticmethod
    def parse(s):
        need(type(s) is str and len(s) < 10000, 'expression: size')
        toks, p = [], 0
        while p < len(s.rstrip()):
            m = Sym.TOK.match(s, p)
            need(m, 'expression: ' + s[:40])
            n = m[3] or m[5]
            toks.append(
                ('sym', m[2])
                if m[1]
                else (
                    ('id', m[4])
                    if m[4]
                    else ('op', m[6]) if m[6] else ('int', float(n) if m[3] or '.' in n else int(n))
                )
            )
            p = m.end()
        pos = [0]

        def peek():
            return toks[pos[0]] if pos[0] < len(toks) else ('end', '')

        def take(v=None):
            t = peek()
            need(v is None or t == ('op', v), 'expression: ' + s[:40])
            pos[0] += 1
            return t

        def atom():
            k, v = take()
            if k in ('int', 'sym'):
                return v
            if (k, v) == ('op', '('):
                e = add()
                take(')')
                return e
            if (k, v) == ('op', '-'):
                return ('Mul', -1, atom())
            need(k == 'id', 'expression: ' + s[:40])
            if peek() != ('op', '('):
                return v
            need(
                v
                in (
                    'Integer',
                    'Rational',
                    'Add',
                    'Mul',
                    'Pow',
                    'Max',
                    'Min',
                    'Mod',
                    'PythonMod',
                    'FloorDiv',
                    'CeilDiv',
                    'CleanDiv',
                    'TruncToInt',
                    'FloatTrueDiv',
                    'IntTrueDiv',
                    'floor',
                    'ceiling',
                    'ToFloat',
                    'RoundToInt',
                    'CeilToInt',
                    'FloorToInt',
                ),
                'expression: function ' + v[:40],
            )
            take('(')
            a = [add()]
            while peek() == ('op', ','):
                take(',')
                a.append(add())
            take(')')
            return a[0] if v == 'Integer' else (v, *a)

        def mul():
            e = atom()
            while peek()[0] == 'op' and peek()[1] in MULS:
                e = (MULS[take()[1]], e, atom())
            return e

        def add():
            e = mul()
            while peek() in (('op', '+'), ('op', '-')) or peek()[0] == 'int':
                if peek()[0] == 'int':  # "a -1" reads as a sum
                    need(peek()[1] < 0, 'expression: ' + s[:40])
                    e = ('Add', e, mul())
                    continue
                o = take()[1]
                r = mul()
                e = ('Add', e, r if o == '+' else ('Mul', -1, r))
            return e

        e = add()
        need(peek()[0] == 'end', 'expression: ' + s[:40])
        return e

    @staticmethod
    def symbols(e):
        return {e} if type(e) is str else set().union(*[Sym.symbols(x) for x in e[1:]]) if type(e) is tuple else set()


def dim(d):
    need(type(d) is dict, 'size')
    d = {k: v for k, v in d.items() if v is not None}
    if 'as_int' in d:
        need(type(d['as_int']) is int and -(1 << 63) <= d['as_int'] < 1 << 63, 'size')
        return d['as_int']
    need('as_expr' in d, 'size')
    e = Sym.parse(d['as_expr']['expr_str'])
    return e


# ---- tensors ----
Tensor = collections.namedtuple('Tensor', 'name dtype shape strides offset data')


def geometry(meta):
    need(type(meta) is dict and meta.get('dtype') in SCALAR, 'tensor: dtype')
    need(meta.get('layout', 7) == 7, 'tensor: layout')
    sh, st = [dim(x) for x in meta['sizes']], [dim(x) for x in meta['strides']]
    off = meta.get('storage_offset', 0)
    off = dim(off) if type(off) is dict else off
    for v in (*sh, *st, off):
        need(type(v) is int and 0 <= v < 1 << 62, 'tensor: geometry')
    need(len(sh) == len(st) <= MAXRANK, 'tensor: rank')
    n = math.prod(sh)
    need(n < MAXELEMS, 'tensor: too many elements')
    return SCALAR[meta['dtype']], sh, st, off, n


def view(name, meta, raw):
    (dt, size), sh, st, off, n = geometry(meta)
    need(len(raw) % size == 0, f'{name}: payload is no multiple of the element size')
    last = off + sum((a - 1) * b for a, b in zip(sh, st)) if n else off - 1
    need((last + 1) * size <= len(raw), f'{name}: reaches element {last} of a payload of {len(raw) // size}')
    return Tensor(name, dt, tuple(sh), tuple(st), off, raw)


def dense(t):
    size = next(s for d, s in SCALAR.values() if d == t.dtype)
    buf = np.frombuffer(t.data, np.dtype((np.void, size)))
    a = (
        np.lib.stride_tricks.as_strided(buf[t.offset :], t.shape, [s * size for s in t.strides])
        if math.prod(t.shape)
        else np.zeros(t.shape, buf.dtype)
    )
    return np.ascontiguousarray(a).tobytes()


def pickled(z, entry, what):
    b = get(z, entry)
    if what == 'sample':
        return None  # never needed, never read
    with tempfile.NamedTemporaryFile(suffix='.pt') as f:
        f.write(b)
        f.flush()
        obj, _ = read_ckpt.read(f.name)
    need(isinstance(obj, dict), entry + ': not a dictionary')
    out = {}
    for k, t in obj.items():
        need(type(k) is str and isinstance(t, read_ckpt.Tensor), entry + ': not a dictionary of tensors')
        out[k] = Tensor(k, t.dtype, t.shape, t.stride, t.offset, bytes(t.storage.data))
    return out


def configured(z, root, folder, config, prefix):
    c = load_json(get(z, root + folder + config))
    need(type(c) is dict and type(c.get('config')) is dict, config)
    out, cache = {}, {}
    for k, p in c['config'].items():
        path = p['path_name']
        need(type(path) is str and re.fullmatch(prefix + r'\d+', path), f'{k}: payload name {path[:40]!r}')
        need(p['use_pickle'] is False and p.get('tensor_meta') is not None, f'{k}: stored as a pickle')
        if path not in cache:
            cache[path] = get(z, root + folder + path)
        n = math.prod(dim(x) for x in p['tensor_meta']['sizes'] if True)
        need(n == 0 or len(cache[path]), f'{k}: the archive has no data for this weight')
        out[k] = view(k, p['tensor_meta'], cache[path])
    return out


# ---- graph ----
class Archive:
    pass


def one(u):
    """the set member of a union: exactly one key is not null"""
    need(type(u) is dict, 'graph: union')
    s = [(k, v) for k, v in u.items() if v is not None]
    need(len(s) == 1, 'graph: union')
    return s[0]


NAMED = {'as_tensor': 'name', 'as_custom_obj': 'name'}
SYMS = ('as_sym_int', 'as_sym_bool', 'as_sym_float')


def names_of(arg):
    k, v = one(arg)
    if k in NAMED:
        return [v['name']]
    if k == 'as_tensors':
        return [x['name'] for x in v]
    if k in ('as_optional_tensors',):
        return [w['name'] for x in v for t, w in [one(x)] if t == 'as_tensor']
    if k == 'as_optional_tensor':
        return names_of(v)
    if k in SYMS:
        return [v['as_name']] if v.get('as_name') is not None else []
    if k in ('as_sym_ints', 'as_sym_bools', 'as_sym_floats'):
        return [x['as_name'] for x in v if x.get('as_name') is not None]
    need(
        k
        in (
            'as_none',
            'as_int',
            'as_ints',
            'as_float',
            'as_floats',
            'as_string',
            'as_strings',
            'as_bool',
            'as_bools',
            'as_scalar_type',
            'as_memory_format',
            'as_layout',
            'as_device',
            'as_graph',
            'as_operator',
            'as_complex',
            'as_nested_tensors',
            'as_int_lists',
        ),
        'graph: argument kind ' + k,
    )
    return []


TARGET = re.compile(
    r'torch\.ops\.(aten|higher_order)\.\w+(\.\w+)?'
    r'|_operator\.(add|sub|mul|floordiv|mod|pow|truediv|neg|pos|eq|ne|le|ge|lt|gt|and_|or_|lshift|rshift)'
    r'|math\.trunc|torch\.sym_(int|float|max|min|sqrt|not|ite)'
)


def check_graph(g, depth=0):
    need(depth < 20, 'graph: nesting')
    seen = set()
    for a in g['inputs']:
        for n in names_of(a):
            need(n not in seen, 'graph: input twice ' + n)
            seen.add(n)
    for node in g['nodes']:
        need(TARGET.fullmatch(node['target']), 'graph: unknown operation ' + node['target'][:60])
        for i in node['inputs']:
            k, v = one(i['arg'])
            if k == 'as_graph':
                check_graph(v['graph'], depth + 1)
            for n in names_of(i['arg']):
                need(n in seen, 'graph: undefined value ' + n)
        for o in node['outputs']:
            for n in names_of(o):
                need(n not in seen, 'graph: value defined twice ' + n)
                seen.add(n)
                k = one(o)[0]
                if (
                    k in ('as_tensor', 'as_tensors')
                    and '_unused_' not in n
                    and not node['target'].startswith('torch.ops.higher_order')
                ):
                    need(n in g['tensor_values'], 'graph: no type for ' + n)
    for a in g['outputs']:
        for n in names_of(a):
            need(n in seen, 'graph: undefined output ' + n)
    for k, m in g['tensor_values'].items():
        m = m.get('meta', m)  # torch 2.1
        need(m.get('dtype') in SCALAR, 'graph: dtype of ' + k)
        [dim(x) for x in m['sizes']], [dim(x) for x in m['strides']]


def read(path):
    a = Archive()
    z, names = entries(path)
    if 'serialized_exported_program.json' in names:
        a.form, root = 1, ''
        p = load_json(get(z, 'serialized_exported_program.json'))
        a.container = get(z, 'version').decode().strip()
        sd = [n for n in ('serialized_state_dict.pt', 'serialized_state_dict.json') if n in names]
        need(len(sd) == 1, 'missing entry serialized_state_dict.pt')
        weights = pickled(z, sd[0], 'weights')
        consts = pickled(z, 'serialized_constants.pt', 'constants') if 'serialized_constants.pt' in names else {}
    else:
        root = names[0].split('/')[0] + '/'
        need(all(n.startswith(root) for n in names), 'not a torch.export archive')
        need(
            root + 'archive_format' in names and get(z, root + 'archive_format') == b'pt2', 'not a torch.export archive'
        )
        a.container = get(z, root + 'archive_version').decode().strip()
        need(a.container == '0', 'archive version ' + a.container)
        need(root + 'byteorder' not in names or get(z, root + 'byteorder') == b'little', 'byte order')
        models = [n for n in names if n.startswith(root + 'models/') and n.endswith('.json')]
        need(len(models) == 1, f'{len(models)} models in the archive')
        m = models[0][len(root) + 7 : -5]
        p = load_json(get(z, models[0]))
        if root + f'data/weights/{m}.pt' in names:
            a.form = 2
            weights, consts = pickled(z, root + f'data/weights/{m}.pt', 'weights'), pickled(
                z, root + f'data/constants/{m}.pt', 'constants'
            )
        else:
            a.form = 3
            weights = configured(z, root, 'data/weights/', m + '_weights_config.json', 'weight_')
            consts = configured(z, root, 'data/constants/', m + '_constants_config.json', 'tensor_')
    v = p.get('schema_version')
    a.schema = (v, 0) if type(v) is int else (v['major'], v['minor'])
    need(5 <= a.schema[0] <= 8, f'schema version {a.schema[0]}')
    a.torch = p.get('torch_version', '<=2.4')
    a.dialect = p.get('dialect') or (p.get('verifiers') or ['?'])[0]
    gm = p['graph_module']
    a.graph, a.weights, a.constants = gm['graph'], weights, consts
    try:
        check_graph(a.graph)
        a.ranges = {}
        for k, r in p['range_constraints'].items():
            Sym.parse(k)
            hi = r['max_val']
            a.ranges[k] = (r['min_val'], None if hi is None or hi == math.inf else hi)
        a.inputs, a.bound, a.mutations = [], {}, []
        for s in gm['signature']['input_specs']:
            k, s = one(s)
            if k == 'user_input':
                a.inputs.append(one(s['arg']))
            elif k == 'parameter':
                a.bound[s['arg']['name']] = ('w', s['parameter_name'])
            elif k == 'buffer':
                a.bound[s['arg']['name']] = ('w' if s.get('persistent', True) else 'c', s['buffer_name'])
            elif k == 'tensor_constant':
                a.bound[s['arg']['name']] = ('c', s['tensor_constant_name'])
            elif k == 'constant_input':
                a.inputs.append(('constant', {s['name']: one(s['value'])[1]}))
            else:
                raise Refused('signature: ' + k)
        a.outputs = []
        for s in gm['signature']['output_specs']:
            k, s = one(s)
            if k == 'user_output':
                a.outputs.append(one(s['arg']))
            else:
                a.mutations.append((k, s))
        for n, (where, key) in a.bound.items():
            t = (weights if where == 'w' else consts).get(key)
            need(t is not None, f'no data for {key}')
            tv = a.graph['tensor_values'][n]
            need(
                [dim(x) for x in tv['sizes']] == list(t.shape) and SCALAR[tv['dtype']][0] == t.dtype,
                f'{key}: shape or type differs from the graph',
            )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as e:
        raise Refused(f'graph: {type(e).__name__} {e}'[:120])
    return a


# ---- what the converter must see ----
def type_of(a, name):
    t = a.graph['tensor_values'][name]
    return [
        SCALAR[t['dtype']][0],
        [
            x if type(x) is int else next(iter(d.values()))['expr_str']
            for x, d in ((dim(d), {k: v for k, v in d.items() if v}) for d in t['sizes'])
        ],
    ]


def summary(a):
    ops = collections.Counter(n['target'].replace('torch.ops.', '') for n in a.graph['nodes'])
    io_ = lambda l: [{'name': v['name'], 'type': type_of(a, v['name'])} if k == 'as_tensor' else {k: v} for k, v in l]
    used = {n for node in a.graph['nodes'] for i in node['inputs'] for n in names_of(i['arg'])} | {
        n for o in a.graph['outputs'] for n in names_of(o)
    }
    w = lambda d: {k: [t.dtype, list(t.shape), hashlib.sha256(dense(t)).hexdigest()[:16]] for k, t in d.items()}
    return {
        'form': a.form,
        'container_version': a.container,
        'schema': list(a.schema),
        'torch': a.torch,
        'dialect': a.dialect,
        'ranges': a.ranges,
        'inputs': io_(a.inputs),
        'outputs': io_(a.outputs),
        'mutations': [k for k, _ in a.mutations],
        'nodes': sum(ops.values()),
        'ops': dict(ops.most_common()),
        'unused_bindings': sorted(k for n, (_, k) in a.bound.items() if n not in used),
        'weights': w(a.weights),
        'constants': w(a.constants),
    }


def main():
    if sys.argv[1:2] == ['--expected']:
        d, out = sys.argv[2], {'good': {}, 'big': {}, 'refuse': {}, 'bad': {}}
        import lzma

        for n in sorted(os.listdir(d)):
            p = os.path.join(d, n)
            f = os.path.join(p, 'model.pt2')
            if os.path.isdir(p) and os.path.exists(f):
                out['good'][n] = {'sha256': hashlib.sha256(open(f, 'rb').read()).hexdigest(), **summary(read(f))}
            elif n.endswith('.pt2.xz'):
                with tempfile.NamedTemporaryFile(suffix='.pt2') as t:
                    raw = lzma.open(p).read()
                    t.write(raw)
                    t.flush()
                    s = summary(read(t.name))
                    s['weights'] = hashlib.sha256(
                        json.dumps([[k, *v[:2]] for k, v in s['weights'].items()]).encode()
                    ).hexdigest()
                    out['big'][n] = {'sha256': hashlib.sha256(raw).hexdigest(), 'bytes': len(raw), **s}
            elif n.endswith('.pt2'):
                try:
                    s = summary(read(p))
                    r = {'container': 'reads', 'ops': s['ops'], 'mutations': s['mutations']}
                except Refused as e:
                    r = {'refused': str(e)}
                out['refuse' if n.startswith('refuse') else 'bad'][n] = r
        with open(os.path.join(d, 'expected.json'), 'w') as f:
            f.write(
                '{\n'
                + ',\n'.join(
                    f'{json.dumps(k)}: {{\n'
                    + ',\n'.join(f' {json.dumps(n)}: {json.dumps(v)}' for n, v in g.items())
                    + '\n}'
                    for k, g in out.items()
                )
                + '\n}\n'
            )
        for k in ('refuse', 'bad'):
            for n, v in out[k].items():
                print(n, v)
        return
    for f in sys.argv[1:]:
        try:
            print(json.dumps(summary(read(f))))
        except Refused as e:
            print('refused:', e)


if __name__ == '__main__':
    main()
