#!/usr/bin/env python3
"""The pages of `plan --html` and `report` in a real browser, at 1280 and 400 pixels, light and dark: they load nothing,
write no errors, fit their window, and search, groups and sorting do what they say; axe-core finds nothing serious. What
stands on a report can be read without scripts. With a folder as argument, pictures are left there.

axe-core is where ./test installs it, or at $ANEMONE_AXE."""

import html
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys

from lib import anemone, check, data, finish, root, run, scratch, skip

pictures = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None

# A report tells the whole story, and a reader without scripts has all of it.
star, package, report = scratch / 'star.pkl', scratch / 'star.mlpackage', scratch / 'report.html'
baseline = scratch / 'before.onnx'
baseline.write_bytes(lzma.open(data / 'ort/star_dyn.onnx.xz').read())
run('synth', 'star', '-o', star, '--heads', root / 'examples/probe_pd_heads')
done = run('convert', star, '-o', package, '--verify', '--plan', '--report', scratch / 'chain.html')
check(
    'convert --verify --plan --report says all in one document',
    done and done['verify']['pass'] and done['plan']['partitions'] == 1 and done['report']['verified'],
    done,
)
targets, measured = root / 'targets/star.toml', root / 'examples/device.json'
story = ('--baseline', baseline, '--targets', targets, '--measured', measured)
made = run('report', package, '-o', report, '--against', star, *story)
text = report.read_text()
check('the report is made', made and made['schema'] == 'anemone.report/1' and made['verified'] is True, made)
check('it is small', len(text) <= 3_000_000, len(text))
elsewhere = re.findall(r'(?:src|href)="(?!data:)[^"]*"|@import|url\(', text)
check('nothing is loaded from elsewhere', elsewhere == [], elsewhere)
plain = re.sub(r'<[^>]*>', ' ', re.sub(r'<(script|style)>.*?</\1>', '', text, flags=re.S))
for words in (
    'ONNX Runtime 1.19/neuralnetwork',
    '82.6 % (706 of 855)',
    '99.8 % (533 of 534)',
    'verified: the numbers agree',
    'measured on Apple M1 (invented)',
    '11.3 ms',
    'anemone report',
    'Nothing here ran on an Apple device but what is marked as measured',
    'accuracy_loss_percent',
    'How far the points moved',
    'Points within a distance',
):
    check(f'the report says {words}', words in plain)
pieces = re.search(r'pieces there \(predicted\).*?</tr>', text)
check('18 pieces before, 1 after', pieces and re.findall(r'>(\d+)<', pieces[0]) == ['18', '1'], pieces and pieces[0])
check('pictures with points', text.count('data:image/jpeg;base64,') >= 3 and text.count('<circle') >= 6 * 98)
check('what was measured has a column of its own', '<button>measured</button>' in text)
check('no address of this machine', str(pathlib.Path.home()) + '/' not in text)
old = report.read_bytes()
run('report', scratch / 'nothing.mlpackage', '-o', report, expect=3)
check('a report that fails leaves the old page', report.read_bytes() == old)
# Nor does a page take the place of what was read for it, whichever way that is named.
before = {file: file.read_bytes() for file in (star, baseline)}
inside = sorted(package.rglob('*'))
link = scratch / 'link.pkl'
link.symlink_to(star)
own_targets = scratch / 'own.toml'
shutil.copy(targets, own_targets)
for words in (
    ('report', package, '-o', package),
    ('report', package, '-o', f'{package}/'),
    ('report', package, '-o', scratch / 'nowhere/..' / package.name),
    ('report', package, '-o', star, '--against', star),
    ('report', package, '-o', star, '--against', link),
    ('report', package, '-o', baseline, '--baseline', baseline),
    ('report', package, '-o', own_targets, '--targets', own_targets),
    ('report', package, '-o', own_targets, '--measured', measured, '--measured', own_targets),
    ('report', package, '-o', own_targets, '--against', star, '--verify', own_targets),
    ('plan', package, '--html', package),
    ('plan', package, '--html', star, '--compare', star),
    ('plan', package, '--html', scratch / 'both', '--svg', scratch / 'both'),
    ('convert', star, '-o', scratch / 'new.onnx', '--report', star),
    ('convert', star, '-o', scratch / 'new.onnx', '--report', scratch / './new.onnx'),
):
    run(*words, expect=2)
kept = all(file.read_bytes() == old for file, old in before.items()) and sorted(package.rglob('*')) == inside
check('no input was touched', kept and own_targets.read_text() == targets.read_text())
check('and nothing was written', not (scratch / 'both').exists() and not (scratch / 'new.onnx').exists())
# What `verify` found is on a page without another run; files that are none, or of other models, are refused.
verified, again = scratch / 'verified.json', scratch / 'again.html'
found = run('verify', package, '--against', star)
verified.write_text(json.dumps(found))
made = run('report', package, '-o', again, '--against', star, *story, '--verify', verified)
check('a page of an earlier verification', made and made['verified'] is True, made)
other = again.read_text()
chart = r'<figure><svg viewBox="0 0 560 264".*?</figure>'
figures = re.compile(r'mean \d\.\d{4} px, max \d\.\d{4} px, NME \d\.\d{4} %|' + chart, re.S)
same = set(figures.findall(other)) <= set(figures.findall(text))
check('its figures and charts are those of a run', same and len(figures.findall(other)) == 3, other[:200])
check('it says where they are from', 'Read from' in other and '<image' not in other and 'verified.json' in other)
points = found['landmarks']
check('as many distances as points', len(points['distances_px']) == 98 * points['inputs'], points)
for change, code in (
    ({'candidate': 'other.mlpackage'}, 'E0842'),
    ({'reference': 'other.pkl'}, 'E0842'),
    ({'schema': 'anemone.bench/1'}, 'E0841'),
    ({'pass': 1}, 'E0841'),
    ({'outputs': 1}, 'E0841'),
):
    (scratch / 'altered.json').write_text(json.dumps({**found, **change}))
    words = [anemone, 'report', package, '-o', again, '--against', star, '--verify', scratch / 'altered.json']
    refused = subprocess.run(words, capture_output=True, text=True)
    check(f'{change} is refused', refused.returncode == 3 and code in refused.stderr, refused.stderr)
run('report', package, '-o', again, '--against', star, '--verify', verified, '--images', scratch, expect=2)
wrong = scratch / 'wrong.mlpackage'
run('convert', star, '-o', wrong, '--color', 'rgb')
made = run('report', wrong, '-o', scratch / 'wrong.html', '--against', star, expect=1)
check('a package that differs is a no, on a page', made and not made['verified'] and 'not verified' in (
    scratch / 'wrong.html').read_text())

browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
if not browser:
    skip(1, 'the pages in a browser: no chromium; apt-get install chromium')
    finish()
axe = pathlib.Path(os.environ.get('ANEMONE_AXE', root / '.venv/node_modules/axe-core/axe.min.js'))
if not axe.is_file():
    skip(12, 'accessibility of the pages: axe-core is not installed; ./test does it where there is npm')
BASE = [browser, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--enable-logging=stderr']
DARK = ['--blink-settings=preferredColorScheme=0']

# Uses the page as a person would, and leaves what it saw where --dump-dom shows it.
PROBE = """
<script>{
const seen={}, one=s=>document.querySelector(s), all=s=>[...document.querySelectorAll(s)];
const shown=()=>all('.ops tbody tr:not(.group)');
const type=(t,v)=>{t.value=v;t.dispatchEvent(new Event('input'));t.dispatchEvent(new Event('change'))};
const column=i=>shown().map(r=>r.cells[i].textContent);
seen.width=[innerWidth,document.documentElement.scrollWidth];
seen.outside=all('body *:not(svg *)').filter(e=>e.getBoundingClientRect().right>innerWidth+1).length;
seen.rows=shown().length; seen.groups=all('.group').length;
type(one('#find'),'conv');
seen.found=[shown().length,shown().every(r=>r.textContent.toLowerCase().includes('conv')),one('#count').textContent];
type(one('#find'),'no such operation'); seen.none=shown().length; type(one('#find'),'');
type(one('#by'),''); seen.ungrouped=all('.group').length;
const click=i=>all('.ops th button')[i].click();
click(3); let us=column(3).map(Number); seen.dear_first=us.every((v,i)=>i==0||us[i-1]>=v);
click(3); us=column(3).map(Number); seen.cheap_first=us.every((v,i)=>i==0||us[i-1]<=v);
click(1); let types=column(1); seen.by_type=types.every((v,i)=>i==0||types[i-1].localeCompare(v)<=0);
type(one('#by'),'unit'); seen.units=all('.group').map(r=>r.textContent);
all('details').forEach(d=>d.open=true);
seen.open_width=document.documentElement.scrollWidth;
seen.loaded=performance.getEntriesByType('resource').length;
parent.document.body.dataset.seen=JSON.stringify(seen);
}</script>
"""


AXE = """
<script>
axe.run(document,{resultTypes:['violations']}).then(r=>{parent.document.body.dataset.axe=JSON.stringify(
  r.violations.map(v=>[v.impact,v.id,v.nodes.length,v.nodes[0].html.slice(0,120)]))});
</script>
"""


def show(text, width, *options):
    """The page in a frame of that width: browsers do not open windows as narrow as a telephone."""
    frame = scratch / 'frame.html'
    frame.write_text('<!doctype html><body style="margin:0"><iframe style="border:0;height:1600px;'
                     f'width:{width}px" srcdoc="{html.escape(text)}"></iframe></body>')
    process = subprocess.run([*BASE, f'--window-size={max(width, 500)},1600', *options, frame.as_uri()],
                             capture_output=True, text=True, timeout=120)
    complaints = [line for line in process.stderr.splitlines() if ':CONSOLE' in line]
    return process.stdout, complaints


def judge_in_browser(name, page):
    text = page.read_text()
    rows = text.count('<tr data-cause')
    for width in (1280, 400):
        what = f'{name} at {width}'
        dom, complaints = show(text.replace('</body>', PROBE + '</body>'), width, '--dump-dom')
        match = re.search(r'data-seen="([^"]*)"', dom)
        if not check(f'{what}: it runs', bool(match), complaints or dom[:400]):
            continue
        seen = json.loads(html.unescape(match[1]))
        check(f'{what}: no word on the console', not complaints, complaints)
        check(f'{what}: nothing is loaded', seen['loaded'] == 0, seen['loaded'])
        check(f'{what}: the window is as wide as asked', seen['width'][0] == width, seen['width'])
        check(f'{what}: it fits', seen['width'][1] <= width and seen['outside'] == 0, seen)
        check(f'{what}: it fits with every finding open', seen['open_width'] <= width, seen['open_width'])
        check(f'{what}: all rows, grouped', seen['rows'] == rows and seen['groups'] >= 2, seen)
        check(f'{what}: search', 0 < seen['found'][0] < rows and seen['found'][1], seen['found'])
        check(f'{what}: the count', seen['found'][2] == f"{seen['found'][0]} of {rows} operations", seen['found'])
        check(f'{what}: nothing found', seen['none'] == 0, seen['none'])
        check(f'{what}: program order has no groups', seen['ungrouped'] == 0, seen['ungrouped'])
        check(f'{what}: sorted both ways', seen['dear_first'] and seen['cheap_first'] and seen['by_type'], seen)
        check(f'{what}: by unit', len(seen['units']) == 2, seen['units'])
        for mode, look in (('light', []), ('dark', DARK)):
            if pictures:
                pictures.mkdir(parents=True, exist_ok=True)
                show(text, width, f'--screenshot={pictures / f"{name}-{width}-{mode}.png"}', *look)
            if not axe.is_file():
                continue
            scripted = text.replace('</body>', f'<script>{axe.read_text()}</script>{AXE}</body>')
            dom, _ = show(scripted, width, '--virtual-time-budget=60000', '--dump-dom', *look)
            match = re.search(r'data-axe="([^"]*)"', dom)
            if not check(f'{what}, {mode}: axe-core runs', bool(match)):
                continue
            found = [v for v in json.loads(html.unescape(match[1])) if v[0] in ('serious', 'critical')]
            check(f'{what}, {mode}: nothing serious for axe-core', found == [], found)


for name in ('star_17out', 'retinaface_640'):
    subprocess.run(['tar', '-xf', data / 'ane' / f'{name}.mlpackage.tar.xz', '-C', scratch], check=True)
    page = scratch / f'{name}.html'
    subprocess.run(
        [anemone, 'plan', scratch / f'{name}.mlpackage', '--html', page, '-q'], check=True, stdout=subprocess.DEVNULL
    )
    judge_in_browser(name, page)
judge_in_browser('report', report)
finish()
