#!/usr/bin/env python3
"""The page of `plan --html` in a real browser, at 1280 and 400 pixels: it loads nothing, writes no errors, fits its
window, and its search, groups and sorting do what they say. With a folder as argument, pictures are left there."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys

from lib import anemone, check, data, finish, scratch, skip

browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
if not browser:
    skip(1, 'the page in a browser: no chromium; apt-get install chromium')
    finish()
pictures = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
BASE = [browser, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--enable-logging=stderr']

# Uses the page as a person would, and leaves what it saw where --dump-dom shows it.
PROBE = """
<script>{
const seen={}, one=s=>document.querySelector(s), all=s=>[...document.querySelectorAll(s)];
const shown=()=>all('tbody tr:not(.group)');
const type=(t,v)=>{t.value=v;t.dispatchEvent(new Event('input'));t.dispatchEvent(new Event('change'))};
const column=i=>shown().map(r=>r.cells[i].textContent);
seen.width=[innerWidth,document.documentElement.scrollWidth];
seen.outside=all('body *').filter(e=>e.getBoundingClientRect().right>innerWidth+1).length;
seen.rows=shown().length; seen.groups=all('.group').length;
type(one('#find'),'conv');
seen.found=[shown().length,shown().every(r=>r.textContent.toLowerCase().includes('conv')),one('#count').textContent];
type(one('#find'),'no such operation'); seen.none=shown().length; type(one('#find'),'');
type(one('#by'),''); seen.ungrouped=all('.group').length;
const click=i=>all('th button')[i].click();
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


def show(text, width, *options):
    """The page in a frame of that width: browsers do not open windows as narrow as a telephone."""
    frame = scratch / 'frame.html'
    frame.write_text('<!doctype html><body style="margin:0"><iframe style="border:0;height:1600px;'
                     f'width:{width}px" srcdoc="{html.escape(text)}"></iframe></body>')
    process = subprocess.run([*BASE, f'--window-size={max(width, 500)},1600', *options, frame.as_uri()],
                             capture_output=True, text=True, timeout=120)
    complaints = [line for line in process.stderr.splitlines() if ':CONSOLE' in line]
    return process.stdout, complaints


for name in ('star_17out', 'retinaface_640'):
    subprocess.run(['tar', '-xf', data / 'ane' / f'{name}.mlpackage.tar.xz', '-C', scratch], check=True)
    page = scratch / f'{name}.html'
    subprocess.run([anemone, 'plan', scratch / f'{name}.mlpackage', '--html', page, '-q'],
                   check=True, stdout=subprocess.DEVNULL)
    text = page.read_text()
    rows = text.count('<tr') - 1
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
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            show(text, width, f'--screenshot={pictures / f"{name}-{width}.png"}')
finish()
