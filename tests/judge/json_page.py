"""docs/reference/json.md lists every key that --json prints, with its type; what it means was written by hand.

Each schema is printed by the commands below. ANEMONE_UPDATE=1 writes keys and types anew and keeps the meanings; a key
without a meaning is a failure."""

import json
import lzma
import os
import re
import subprocess
import sys

from lib import anemone, check, data, finish, root, scratch, shared, skip

page = root / 'docs/reference/json.md'
update = os.environ.get('ANEMONE_UPDATE') == '1'
face = root / 'examples/astronaut/crop256.png'

photo = data / 'face/astronaut.png'
retinaface = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'

# What is printed, per section of the page. Files are made by the first commands; their answers are documents too.
commands = {
    'convert': [
        'synth star -o star.pkl --points 29',
        'convert star.pkl -o star.mlpackage',
        'convert star.pkl -o two.mlpackage --shapes 256x256,320x320 --target ios18 --shape-functions',
        'optimize star.mlpackage -o better.mlpackage --passes ane',
        'export star.pkl -o star.onnx --for ort-coreml',
    ],
    'analyze': [
        'analyze star.pkl --tree',
        'analyze two.mlpackage',
        f'analyze {root}/tests/analyze/dynamic.mil',
        f'analyze {root}/tests/analyze/patterns.mil',
        f'analyze {data}/pickle/02_legacy_state_dict.pth',
        'analyze star.pkl --compare star.mlpackage',
        'analyze star.pkl star.mlpackage',
    ],
    'plan': [
        'plan star.mlpackage',
        f'plan {root}/tests/plan/fp32_island.mil',
        'plan star.mlpackage --device all',
        'plan star.mlpackage --compare two.mlpackage',
        'plan star.mlpackage --what-if int8,shapes=100x100',
        'plan star.mlpackage star.pkl nothing.mlpackage',
        'plan star.onnx --ort 1.19/neuralnetwork',
        f'plan {root}/tests/plan/fp32_island.mil --ort 1.19/neuralnetwork',
        'plan dynamic.onnx --ort 1.19/neuralnetwork',
        'plan star.onnx --ort all',
    ],
    'gate': [
        f'gate star.mlpackage --targets {root}/targets/star.toml',
        f'gate star.mlpackage --targets {root}/targets/star.toml --measured {root}/examples/device.json '
        '--measured detect.json --measured verify.json',
        f'report star.mlpackage -o star.html --against star.pkl --targets {root}/targets/star.toml',
        f'report star.mlpackage -o star.html --targets {root}/targets/star.toml --measured {root}/examples/device.json '
        '--measured verify.json',
        'convert star.pkl -o chain.mlpackage --verify --plan --report chain.html',
    ],
    'explain': ['explain ANE001', 'explain ORT040', 'explain E0510'],
    'run': [f'run star.mlpackage --input {face} -o out'],
    'verify': [
        f'verify star.mlpackage --against star.pkl --input {face}',
        f'verify star.mlpackage --against star.pkl --input {face} --truth {data}/metrics/gt_29.npy',
        'verify relu.mil --against relu.mil',
        'verify tanh.mil --against relu.mil --layers --save kept --accumulate fp16',
        'verify nan.mil --against relu.mil --layers',
    ],
    'score': [f'score {data}/metrics/pd_29.npy --truth {data}/metrics/gt_29.npy'],
    'detect': [f'detect {photo} --faces {retinaface} --landmarks star.mlpackage --smooth'] if retinaface else [],
    'bench': [
        'bench star.mlpackage --against star.pkl --runs 2 --per-op',
        'bench relu.mil --runs 2 --streams 2 --outputs y --precision fp16 --accumulate fp16',
        'bench relu.mil --runs 2 --peer ort',
        'bench star.mlpackage --plan',
    ],
    'print': ['print star.pkl hgs.0.up1', f'print {data}/pickle/01_zip_state_dict.pt', 'print star.mlpackage'],
    'tables': ['ops relu', 'ops --onnx', 'passes', 'rules', 'errors'],
    'program': ['doctor', 'version', 'completion bash', 'help', 'analyze nothing.pkl'],
}
# Objects whose keys are data: names of types, of passes …
maps = {'by_type', 'dtypes', 'guessed_layers', 'counts', 'probabilities', 'level1'}
# Objects that are described elsewhere on the page.
documents = {
    ('anemone.analyze-comparison/1', 'model'): 'as anemone.analyze/1',
    ('anemone.analyze-comparison/1', 'other'): 'as anemone.analyze/1',
    ('anemone.analyze-models/1', 'models[]'): 'as anemone.analyze/1',
    ('anemone.plan/1', 'devices[]'): 'as this document, without its operations',
    ('anemone.plan-comparison/1', 'before'): 'as anemone.plan/1, without its operations',
    ('anemone.plan-comparison/1', 'after'): 'as anemone.plan/1, without its operations',
    ('anemone.plan-models/1', 'models[]'): 'as anemone.plan/1, without its operations',
    ('anemone.plan-ort-table/1', 'targets[]'): 'as anemone.plan-ort/1, without its nodes',
    ('anemone.bench/1', 'against'): 'as model',
    ('anemone.bench/1', 'peer.side'): 'as model',
    ('anemone.verify/1', 'layers_in_all.first'): 'as layers',
    ('anemone.convert/1', 'verify'): 'as anemone.verify/1',
    ('anemone.convert/1', 'plan'): 'as anemone.plan/1',
    ('anemone.convert/1', 'report'): 'as anemone.report/1',
    ('anemone.rules/1', 'rules[]'): 'as anemone.explain/1',
    ('anemone.rules/1', 'provider_rules[]'): 'as anemone.explain/1',
    ('anemone.plan/1', 'findings[]'): 'as findings of anemone.analyze/1',
    ('anemone.convert/1', 'inputs[]'): 'as inputs of anemone.analyze/1',
    ('anemone.convert/1', 'outputs[]'): 'as inputs of anemone.analyze/1',
    ('anemone.analyze/1', 'outputs[]'): 'as inputs',
}
names = {str: 'text', bool: 'true or false', int: 'number', float: 'number', type(None): 'null', dict: 'object'}

(scratch / 'dynamic.onnx').write_bytes(lzma.open(data / 'ort/star_dyn.onnx.xz').read())
for name, line in {
    'relu': 'y = relu(x = x)',
    'tanh': 'y = tanh(x = x)',
    'nan': 'a = sub(x = x, y = fp32(2)); y = sqrt(x = a)',
}.items():
    (scratch / f'{name}.mil').write_text(f'func main<ios17>(tensor<fp32, [1, 3]> x) {{ {line}; }} -> (y);\n')
(scratch / 'detect.json').write_text('{"schema": "anemone.detect/1", "fps": 1.5}')
(scratch / 'verify.json').write_text('{"schema": "anemone.verify/1", "landmarks": {"nme_percent": 0.01}}')


def walk(schema, value, path, found):
    """Adds 'path: type' of everything inside `value`."""
    if isinstance(value, list):
        found.setdefault(path, set()).add('list')
        for each in value:
            walk(schema, each, path + '[]', found)
        return
    kind = documents.get((schema, path))
    found.setdefault(path, set()).add(f'object, {kind}' if kind else names[type(value)])
    if not isinstance(value, dict) or kind:
        return
    for key, each in value.items():
        inside = f'{path}.*' if path.split('.')[-1] in maps else f'{path}.{key}'.lstrip('.')
        walk(schema, each, inside, found)


def types(words):
    """'list' stands alone where what is in it has a row of its own."""
    return ' or '.join(sorted(words, key=lambda w: (w == 'null', w)))


def inner(path, rows):
    """Whether rows below say all of it."""
    return any(each.startswith((path + '.', path + '[].')) for each in rows)


def short(found):
    """Lists of plain values are one row: 'list of text'."""
    out = {}
    for path, words in found.items():
        inside = {p for p in found if p.startswith(path + '[]')}
        plain = inside == {path + '[]'} and found[path + '[]'] != {'object'}
        if path.endswith('[]') and path[:-2] in out and out[path[:-2]].startswith('list of'):
            continue
        out[path] = f'list of {types(found[path + "[]"])}' if plain else types(words)
    return {p: t for p, t in out.items() if not (t in ('object', 'list') and (p.endswith('[]') or inner(p, out)))}


sections = {}  # of the page: schema -> {path: [words of the type, how often]}
order = {}
for section, lines in commands.items():
    for line in lines:
        done = subprocess.run(
            f"'{anemone}' {line} --json",
            shell=True,
            cwd=scratch,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, 'VIRTUAL_ENV': sys.prefix},  # whose onnxruntime `bench --peer` finds
        )
        try:
            document = json.loads(done.stdout)
        except ValueError:
            check(f'{line}: one JSON object', False, done.stdout[:200] + done.stderr[-200:])
            continue
        check(f'{line}: the first key', next(iter(document)) == 'schema', list(document)[:2])
        schema = document.pop('schema')
        at = sections.setdefault(schema, {'found': {}, 'seen': {}, 'documents': 0})
        order.setdefault(schema, section)
        here = {}
        walk(schema, document, '', here)
        here.pop('', None)
        at['documents'] += 1
        for path, words in here.items():
            at['found'].setdefault(path, set()).update(words)
            at['seen'][path] = at['seen'].get(path, 0) + 1

text = page.read_text()
shown = {}  # schema -> {path: (type, meaning)}
for schema, table in re.findall(r'^### (anemone\.\S+)\n(.*?)(?=^##|\Z)', text, re.M | re.S):
    shown[schema] = {m[0]: (m[1], m[2]) for m in re.findall(r'^\| `(.*?)` \| (.*?) \| (.*?) \|$', table, re.M)}
if not retinaface:
    skip(len(shown.pop('anemone.detect/1', {})), "detect: RetinaFace's checkpoint is not here")
check('every schema has a table', sorted(shown) == sorted(sections), set(shown) ^ set(sections))
for schema, at in sections.items():
    rows = short(at['found'])
    known = shown.get(schema, {})
    check(f'{schema}: the keys', list(known) == list(rows), list(set(known) ^ set(rows))[:5] or 'their order')
    for path, kind in rows.items():
        old = known.get(path, ('', ''))
        if kind == 'list' and old[0].startswith('list of '):  # empty today
            rows[path] = kind = old[0]
        check(f'{schema}: {path} is {kind}', old[0] == kind, old[0])
        check(f'{schema}: {path} has a meaning', old[1].strip() not in ('', '…'))
    table = '| key | type | what it is |\n|---|---|---|\n'
    table += ''.join(f'| `{p}` | {k} | {known.get(p, ("", ""))[1].strip() or "…"} |\n' for p, k in rows.items())
    if update:
        heading = f'### {schema}\n'
        if heading in text:
            section = rf'(^### {re.escape(schema)}\n(?:(?!\|).*\n)*?)(\|.*\n)+'
            text = re.sub(section, lambda m: m[1] + table, text, count=1, flags=re.M)
        else:
            text += f'\n{heading}\n{table}'
if update:
    page.write_text(text)
finish()
