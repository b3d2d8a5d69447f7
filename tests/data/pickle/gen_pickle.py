#!/usr/bin/python3
"""Writes the checkpoint fixtures and expected.json. Every bad_* file must be refused; the malicious ones would create
./anemone_pickle_was_executed if something in them ever ran."""

import collections, hashlib, io, json, os, pickle, struct, sys, zipfile, zlib
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import read_ckpt

P = lambda n: os.path.join(HERE, n)
FLAG = './anemone_pickle_was_executed'
torch.manual_seed(11)


def small(prefix=''):
    sd = collections.OrderedDict()
    sd[prefix + 'conv.weight'] = torch.randn(4, 3, 3, 3)
    sd[prefix + 'conv.bias'] = torch.randn(4)
    sd[prefix + 'bn.weight'] = torch.rand(4) + 0.5
    sd[prefix + 'bn.bias'] = torch.randn(4)
    sd[prefix + 'bn.running_mean'] = torch.randn(4)
    sd[prefix + 'bn.running_var'] = torch.rand(4) + 0.5
    sd[prefix + 'bn.num_batches_tracked'] = torch.tensor(184795)
    sd._metadata = collections.OrderedDict([('', {'version': 1}), ('conv', {'version': 1}), ('bn', {'version': 2})])
    return sd


def rezip(src, dst, edit=None, compress=zipfile.ZIP_STORED, root=None, drop=(), extra=()):
    zi = zipfile.ZipFile(src)
    old = zi.namelist()[0].split('/')[0]
    root = root or old
    with zipfile.ZipFile(dst, 'w', compress) as zo:
        for n in zi.namelist():
            tail = n.split('/', 1)[1]
            if tail in drop:
                continue
            d = zi.read(n)
            if edit:
                d = edit(tail, d)
            zo.writestr(zipfile.ZipInfo(f'{root}/{tail}', (1980, 1, 1, 0, 0, 0)), d, compress)
        for tail, d in extra:
            zo.writestr(zipfile.ZipInfo(f'{root}/{tail}', (1980, 1, 1, 0, 0, 0)), d, compress)


class Pk:
    """hand assembler for pickle streams"""

    def __init__(s):
        s.b = bytearray(b'\x80\x02')

    def raw(s, x):
        s.b += x
        return s

    def g(s, m, n):
        return s.raw(f'c{m}\n{n}\n'.encode())

    def s(s_, t):
        return s_.raw(b'X' + struct.pack('<I', len(t.encode())) + t.encode())

    def i(s, v):
        return s.raw(
            b'\x8a'
            + bytes([max(1, (v.bit_length() + 8) // 8)])
            + v.to_bytes(max(1, (v.bit_length() + 8) // 8), 'little', signed=True)
        )

    def tup(s, *v):
        s.raw(b'(')
        for x in v:
            s.i(x)
        return s.raw(b't')

    def storage(s, cls, key, numel, loc='cpu', mod='torch'):
        return s.raw(b'(').s('storage').g(mod, cls).s(key).s(loc).i(numel).raw(b'tQ')

    def tensor(s, cls, key, numel, off, shape, stride):
        return (
            s.g('torch._utils', '_rebuild_tensor_v2')
            .raw(b'(')
            .storage(cls, key, numel)
            .i(off)
            .tup(*shape)
            .tup(*stride)
            .raw(b'\x89')
            .g('collections', 'OrderedDict')
            .raw(b')Rt')
            .raw(b'R')
        )

    def done(s):
        s.raw(b'.')
        return bytes(s.b)


def zip_of(name, pkl, datas, extra=(), root='archive'):
    with zipfile.ZipFile(P(name), 'w', zipfile.ZIP_STORED) as z:
        w = lambda n, d: z.writestr(zipfile.ZipInfo(f'{root}/{n}', (1980, 1, 1, 0, 0, 0)), d)
        w('data.pkl', pkl)
        for n, d in extra:
            w(n, d)
        for k, d in datas.items():
            w('data/' + k, d)
        w('version', b'3\n')


def legacy_bytes(pkl, storages):
    """pkl: bytes of the object pickle; storages: [(key, numel, raw)]"""
    o = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    o += pickle.dumps(dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4)), 2)
    o += pkl + pickle.dumps([k for k, _, _ in storages], 2)
    for _, n, raw in storages:
        o += struct.pack('<q', n) + raw
    return o


def main():
    good = {}
    sd = small()
    torch.save(sd, P('01_zip_state_dict.pt'))
    good['01_zip_state_dict.pt'] = sd
    torch.save(sd, P('02_legacy_state_dict.pth'), _use_new_zipfile_serialization=False)
    good['02_legacy_state_dict.pth'] = sd
    # DataParallel training checkpoint in the legacy container, like mobilenetV1X0.25_pretrain.tar
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    dp = torch.nn.DataParallel(net)
    opt = torch.optim.SGD(dp.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    dp.module(torch.randn(2, 3, 8, 8)).sum().backward()
    opt.step()
    c = {
        'epoch': 18,
        'arch': 'tiny',
        'state_dict': dp.state_dict(),
        'best_acc1': torch.tensor(46.58),
        'optimizer': opt.state_dict(),
    }
    torch.save(c, P('03_legacy_dataparallel_train.tar'), _use_new_zipfile_serialization=False)
    good['03_legacy_dataparallel_train.tar'] = c
    # what STAR's trainer writes: net, optimizer (Adam), scheduler (MultiStepLR -> collections.Counter), epoch, net_ema
    net2 = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    ema = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    opt = torch.optim.Adam(net2.parameters(), lr=0.001)
    sch = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[200, 350, 450], gamma=0.1)
    net2(torch.randn(2, 3, 8, 8)).sum().backward()
    opt.step()
    sch.step()
    c = {
        'net': net2.state_dict(),
        'optimizer': opt.state_dict(),
        'scheduler': sch.state_dict(),
        'epoch': 499,
        'net_ema': ema.state_dict(),
    }
    torch.save(c, P('04_zip_star_train_state.pkl'))
    good['04_zip_star_train_state.pkl'] = c
    # dtypes
    t = torch.tensor([[1.5, -2.25, 65504.0], [1e-7, 0.1, -0.0]])
    d = collections.OrderedDict(
        (
            ('f16', t.half()),
            ('bf16', t.bfloat16()),
            ('f32', t),
            ('f64', t.double() / 3),
            ('i64', torch.tensor([-(1 << 62), -1, 0, 1, (1 << 62)])),
            ('i32', torch.tensor([-2147483648, 7], dtype=torch.int32)),
            ('i16', torch.tensor([-32768, 32767], dtype=torch.int16)),
            ('i8', torch.tensor([-128, 127], dtype=torch.int8)),
            ('u8', torch.tensor([0, 255], dtype=torch.uint8)),
            ('bool', torch.tensor([True, False, True])),
            ('scalar', torch.tensor(3.25)),
            ('empty', torch.zeros(0, 5)),
            ('c64', torch.tensor([1 + 2j, -3.5j])),
        )
    )
    torch.save(d, P('05_zip_dtypes.pt'))
    good['05_zip_dtypes.pt'] = d
    torch.save(d, P('05b_legacy_dtypes.pth'), _use_new_zipfile_serialization=False)
    good['05b_legacy_dtypes.pth'] = d
    # shared storages, strides
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    v = collections.OrderedDict(
        (
            ('base', base),
            ('transposed', base.t()),
            ('rows_1_3', base[1:3]),
            ('even_columns', base[:, ::2]),
            ('expanded', base[:, :1].expand(4, 5)),
            ('diag', base.diagonal()),
            ('tied', base),
            ('channels_last', torch.randn(1, 3, 4, 5).to(memory_format=torch.channels_last)),
            ('slice_of_big', torch.arange(1000, dtype=torch.float32)[990:]),
        )
    )
    torch.save(v, P('06_zip_views.pt'))
    good['06_zip_views.pt'] = v
    torch.save(v, P('06b_legacy_views.pth'), _use_new_zipfile_serialization=False)
    good['06b_legacy_views.pth'] = v
    # parameters, nesting, python scalars
    n = {
        'params': collections.OrderedDict(
            w=torch.nn.Parameter(torch.randn(2, 3)), frozen=torch.nn.Parameter(torch.randn(3), requires_grad=False)
        ),
        'list': [torch.ones(2), (torch.zeros(1), torch.full((2, 2), 7.0))],
        'size': torch.Size([3, 4]),
        'lr': 1e-3,
        'none': None,
        'flag': True,
        'big': 1 << 40,
        'neg': -5,
        'text': 'naïve ünïcode ✓',
        'dtype': torch.float16,
        'set': {1, 2},
    }
    torch.save(n, P('07_zip_parameters_nested.pt'))
    good['07_zip_parameters_nested.pt'] = n
    torch.save(sd, P('08_zip_protocol4.pt'), pickle_protocol=4)
    good['08_zip_protocol4.pt'] = sd
    # container details of newer PyTorch (>= 2.x): byteorder, .format_version, .storage_alignment, serialization_id; v3
    # rebuild
    a16, f8 = np.array([0, 1, 65535, 513], '<u2'), np.array([0x38, 0xB8, 0x7E, 0x01], np.uint8)
    f32 = np.array([1.0, -2.0, 0.5], '<f4')
    k = Pk().raw(b'}').raw(b'(')
    for nm, key, nbytes, cnt, dt in (('u16', '0', 8, 4, 'uint16'), ('f8', '1', 4, 4, 'float8_e4m3fn')):
        k.s(nm).g('torch._utils', '_rebuild_tensor_v3').raw(b'(').storage(
            'UntypedStorage', key, nbytes, mod='torch.storage'
        ).i(0).tup(cnt).tup(1).raw(b'\x89').g('collections', 'OrderedDict').raw(b')R').g('torch', dt).raw(b'tR')
    k.s('f32').tensor('FloatStorage', '2', 3, 0, (3,), (1,)).raw(b'u')
    zip_of(
        '09_zip_torch2_records.pt',
        k.done(),
        {'0': a16.tobytes(), '1': f8.tobytes(), '2': f32.tobytes()},
        [
            ('.format_version', b'1'),
            ('.storage_alignment', b'64'),
            ('byteorder', b'little'),
            ('.data/serialization_id', b'0' * 40),
        ],
        'my_model',
    )
    good['09_zip_torch2_records.pt'] = {'u16': a16, 'f8': (f8, 'float8_e4m3fn'), 'f32': f32}
    rezip(
        P('01_zip_state_dict.pt'), P('10_zip_deflated_other_root.pt'), compress=zipfile.ZIP_DEFLATED, root='weird root'
    )
    good['10_zip_deflated_other_root.pt'] = sd
    # legacy storage view metadata and the first-generation _rebuild_tensor (PyTorch 0.1-0.3 era)
    r = np.arange(10, dtype='<f4')
    k = (
        Pk()
        .raw(b'}')
        .raw(b'(')
        .s('view')
        .g('torch._utils', '_rebuild_tensor')
        .raw(b'(')
        .raw(b'(')
        .s('storage')
        .g('torch', 'FloatStorage')
        .s('100')
        .s('cpu')
        .i(10)
        .raw(b'(')
        .s('200')
        .i(4)
        .i(3)
        .raw(b't')
        .raw(b'tQ')
        .i(1)
        .tup(2)
        .tup(1)
        .raw(b'tR')
    )
    k.s('whole').g('torch._utils', '_rebuild_tensor').raw(b'(').raw(b'(').s('storage').g('torch', 'FloatStorage').s(
        '100'
    ).s('cuda:3').i(10).raw(b'N').raw(b'tQ').i(0).tup(2, 5).tup(5, 1).raw(b'tR').raw(b'u')
    open(P('11_legacy_storage_view.pth'), 'wb').write(legacy_bytes(k.done(), [('100', 10, r.tobytes())]))
    good['11_legacy_storage_view.pth'] = {'view': r[5:7], 'whole': r.reshape(2, 5)}

    bad = {}
    src = P('01_zip_state_dict.pt')
    evil = (
        lambda mod, fn: b'\x80\x02c'
        + mod
        + b'\n'
        + fn
        + b'\n'
        + b'X'
        + struct.pack('<I', len('touch ' + FLAG))
        + ('touch ' + FLAG).encode()
        + b'\x85R.'
    )
    zip_of('bad_01_os_system.pt', evil(b'posix', b'system'), {})
    bad['bad_01_os_system.pt'] = 'global posix.system'
    zip_of('bad_02_os_system_py2.pt', evil(b'os', b'system'), {})
    bad['bad_02_os_system_py2.pt'] = 'global os.system'
    open(P('bad_03_os_system_legacy.pth'), 'wb').write(legacy_bytes(evil(b'posix', b'system'), []))
    bad['bad_03_os_system_legacy.pth'] = 'global posix.system'
    s4 = lambda t: b'\x8c' + bytes([len(t)]) + t
    code = ('__import__("os").system("touch %s")' % FLAG).encode()
    zip_of(
        'bad_04_eval_stack_global.pt',
        b'\x80\x04' + s4(b'builtins') + b'\x94' + s4(b'eval') + b'\x94\x93\x94' + s4(code) + b'\x94\x85\x94R\x94.',
        {},
    )
    bad['bad_04_eval_stack_global.pt'] = 'STACK_GLOBAL builtins.eval'
    zip_of('bad_05_inst_opcode.pt', b"(S'touch %s'\nios\nsystem\n." % FLAG.encode(), {})
    bad['bad_05_inst_opcode.pt'] = 'INST opcode'
    zip_of(
        'bad_06_load_from_bytes.pt',
        Pk().g('torch.storage', '_load_from_bytes').raw(b'B' + struct.pack('<I', 3) + b'abc').raw(b'\x85R').done(),
        {},
    )
    bad['bad_06_load_from_bytes.pt'] = 'nested loader torch.storage._load_from_bytes'
    zip_of(
        'bad_07_getattr_chain.pt',
        Pk().g('__builtin__', 'getattr').raw(b'(').g('collections', 'OrderedDict').s('__reduce__').raw(b'tR').done(),
        {},
    )
    bad['bad_07_getattr_chain.pt'] = '__builtin__.getattr'
    zip_of(
        'bad_08_dotted_name.pt', b'\x80\x04' + s4(b'collections') + s4(b'OrderedDict.fromkeys') + b'\x93' + b')R.', {}
    )
    bad['bad_08_dotted_name.pt'] = 'dotted attribute path in STACK_GLOBAL'
    zip_of(
        'bad_09_build_on_function.pt',
        Pk().g('torch._utils', '_rebuild_tensor_v2').raw(b'}').s('__code__').i(1).raw(b's').raw(b'b').done(),
        {},
    )
    bad['bad_09_build_on_function.pt'] = 'BUILD on a function'
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), P('bad_10_whole_module.pt'))
    bad['bad_10_whole_module.pt'] = 'pickled nn.Module class (say: save a state_dict instead)'
    b = open(src, 'rb').read()
    open(P('bad_11_truncated_zip.pt'), 'wb').write(b[:-300])
    bad['bad_11_truncated_zip.pt'] = 'no end-of-central-directory'
    l = open(P('02_legacy_state_dict.pth'), 'rb').read()
    open(P('bad_12_truncated_storage.pth'), 'wb').write(l[:-9])
    bad['bad_12_truncated_storage.pth'] = 'file ends inside a storage'
    open(P('bad_13_truncated_pickle.pth'), 'wb').write(l[:400])
    bad['bad_13_truncated_pickle.pth'] = 'file ends inside the pickle'
    zip_of(
        'bad_14_stride_out_of_bounds.pt',
        Pk().tensor('FloatStorage', '0', 4, 0, (2, 3), (3, 1)).done(),
        {'0': bytes(16)},
    )
    bad['bad_14_stride_out_of_bounds.pt'] = 'view reaches past its storage'
    zip_of(
        'bad_15_size_overflow.pt',
        Pk().tensor('FloatStorage', '0', 4, 0, (1 << 33, 1 << 33), (0, 0)).done(),
        {'0': bytes(16)},
    )
    bad['bad_15_size_overflow.pt'] = 'element count overflows'
    zip_of('bad_16_negative_offset.pt', Pk().tensor('FloatStorage', '0', 4, -1, (2,), (1,)).done(), {'0': bytes(16)})
    bad['bad_16_negative_offset.pt'] = 'negative storage offset'
    zip_of('bad_17_missing_storage.pt', Pk().tensor('FloatStorage', '7', 4, 0, (4,), (1,)).done(), {'0': bytes(16)})
    bad['bad_17_missing_storage.pt'] = 'data/7 is missing'
    zip_of('bad_18_short_storage.pt', Pk().tensor('FloatStorage', '0', 4, 0, (4,), (1,)).done(), {'0': bytes(15)})
    bad['bad_18_short_storage.pt'] = 'data/0 is shorter than its element count'
    i = b.find(sd['conv.weight'].numpy().tobytes())
    m = bytearray(b)
    m[i + 10] ^= 0x40
    open(P('bad_19_crc.pt'), 'wb').write(bytes(m))
    bad['bad_19_crc.pt'] = 'CRC-32 of a storage does not match'
    k = Pk().raw(b']q\x00').raw(b'(K\x01K\x02e')
    for lv in range(1, 40):
        k.raw(b']' + b'q' + bytes([lv]) + b'(' + (b'h' + bytes([lv - 1])) * 10 + b'e')
    zip_of('bad_20_reference_bomb.pt', k.done(), {})
    bad['bad_20_reference_bomb.pt'] = 'root is not a dict; a walker that copies shared lists would need 10^39 items'
    rezip(src, P('bad_21_duplicate_entry.pt'), extra=[('data.pkl', evil(b'posix', b'system'))])
    bad['bad_21_duplicate_entry.pt'] = 'two data.pkl entries'
    rezip(src, P('bad_22_big_endian.pt'), extra=[('byteorder', b'big')])
    bad['bad_22_big_endian.pt'] = 'big-endian storages (refuse, or swap)'
    open(P('bad_23_git_lfs_pointer.pth'), 'w').write(
        'version https://git-lfs.github.com/spec/v1\noid sha256:' + '0' * 64 + '\nsize 54745501\n'
    )
    bad['bad_23_git_lfs_pointer.pth'] = 'Git LFS pointer'
    open(P('bad_24_persistent_module.pth'), 'wb').write(
        legacy_bytes(Pk().raw(b'(').s('module').g('collections', 'OrderedDict').raw(b'NN').raw(b'tQ').done(), [])
    )
    bad['bad_24_persistent_module.pth'] = "persistent id 'module'"
    open(P('bad_25_empty.pt'), 'wb').write(b'')
    bad['bad_25_empty.pt'] = 'empty file'

    exp = {'good': {}, 'bad': {}}
    for name, obj in good.items():
        o, info = read_ckpt.read(P(name))
        mine = dict(read_ckpt.tensors(o))
        rec = []

        def walk(x, path):
            if isinstance(x, np.ndarray) or (isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], np.ndarray)):
                a, dt = x if isinstance(x, tuple) else (x, None)
                add(
                    path,
                    dt or {'<u2': 'uint16', '<f4': 'float32'}[a.dtype.str],
                    list(a.shape),
                    None,
                    a.tobytes(),
                    a.reshape(-1)[:4].tolist(),
                )
            elif isinstance(x, torch.Tensor):
                y = x.detach().contiguous()
                raw = (y.view(torch.int16) if y.dtype == torch.bfloat16 else y).numpy().tobytes() if y.numel() else b''
                vals = [str(q) for q in y.reshape(-1)[:4].tolist()]
                add(path, str(x.dtype)[6:], list(x.shape), list(x.stride()), raw, vals)
            elif isinstance(x, dict):
                for kk, vv in x.items():
                    walk(vv, f'{path}/{kk}' if path else str(kk))
            elif isinstance(x, (list, tuple)) and not isinstance(x, torch.Size):
                for j, vv in enumerate(x):
                    walk(vv, f'{path}/{j}' if path else str(j))

        def add(path, dt, shape, stride, raw, vals):
            t = mine.pop(path)
            assert t.dtype == dt and list(t.shape) == shape and (stride is None or list(t.stride) == stride), (
                name,
                path,
                t.dtype,
                t.shape,
                t.stride,
                dt,
                shape,
                stride,
            )
            assert t.bytes() == raw, (name, path)
            rec.append(
                dict(
                    path=path,
                    dtype=dt,
                    shape=shape,
                    stride=list(t.stride),
                    offset=t.offset,
                    storage=t.storage.key,
                    sha256=hashlib.sha256(raw).hexdigest(),
                    first=vals,
                )
            )

        walk(obj, '')
        assert not mine, (name, list(mine))
        exp['good'][name] = dict(
            container=info['container'],
            root=info.get('root'),
            storages=info['storages'],
            globals=sorted(info['globals']),
            opcodes=sorted('0x%02x' % q for q in info['opcodes']),
            tensors=rec,
        )
    for name, why in bad.items():
        try:
            o, _ = read_ckpt.read(P(name))
            got = 'root is not a dict' if not isinstance(o, dict) else None
        except read_ckpt.Refused as e:
            got = str(e)
        assert got, name
        exp['bad'][name] = dict(reason=why, reference_reader_says=got)
    assert not os.path.exists(FLAG)
    json.dump(exp, open(P('expected.json'), 'w'), indent=1, ensure_ascii=False)
    print('good', len(good), 'bad', len(bad))
    for k, v in exp['bad'].items():
        print(' ', k, '->', v['reference_reader_says'])
    for k, v in exp['good'].items():
        print(
            ' ',
            k,
            v['container'],
            v['root'],
            'tensors',
            len(v['tensors']),
            'storages',
            v['storages'],
            v['globals'],
            v['opcodes'],
        )


if __name__ == '__main__':
    main()
