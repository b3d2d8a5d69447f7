"""usage: same_verdict.py PACKAGES.PY WRITTEN_FOLDER PACKAGE... – the judge's findings for each package and for what was
written from it (WRITTEN_FOLDER/0.mlpackage, …) must agree wherever it accepts the original."""

import json
import pathlib
import subprocess
import sys
import tempfile

judge, written, packages = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
pairs = list(zip(packages, (str(written / f'{i}.mlpackage') for i in range(len(packages)))))


def reports(paths):
    """The judge holds everything of one call in memory, so it is called in portions, two at a time."""
    portions = [paths[i : i + 120] for i in range(0, len(paths), 120)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(0, len(portions), 2):
            running = []
            for j, portion in enumerate(portions[i : i + 2]):
                file = pathlib.Path(folder) / f'{j}.json'
                running.append(
                    (
                        file,
                        subprocess.Popen(
                            [sys.executable, judge, '-q', '--json', str(file), *portion], stdout=subprocess.DEVNULL
                        ),
                    )
                )
            for file, process in running:
                process.wait()
                found += json.loads(file.read_text())
    return found


passed = failed = not_judged = 0
for before, after in zip(reports([b for b, _ in pairs]), reports([a for _, a in pairs])):
    if before['verdict'] != 'VALID':
        not_judged += 1
        continue
    keys = ('spec_version', 'opset', 'functions', 'histogram', 'counts', 'io', 'pymil_counts')
    different = [k for k in keys if before.get(k) != after.get(k)]
    if after['verdict'] == 'VALID' and not different:
        passed += 1
        continue
    failed += 1
    detail = after.get('error') or '; '.join(f'{k}: {before.get(k)} became {after.get(k)}' for k in different)
    print(f'FAIL {before["package"]}: {after["verdict"]}: {detail}')
print(f'{not_judged} originals are not accepted by the judge themselves')
print(f'{passed} passed, {failed} failed, 0 skipped')
sys.exit(1 if failed else 0)
