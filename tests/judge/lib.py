"""What the Python judges of this folder share: the binary, the data, counting."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
anemone = os.environ.get('ANEMONE') or str(root / 'build/release/anemone')
data = root / 'tests/data'  # the project's own files, always there
# Files of third parties, which the project does not hold; None where they are absent, and then skip().
_shared = (
    pathlib.Path(os.environ['ANEMONE_SHARED'] or '/nowhere')
    if 'ANEMONE_SHARED' in os.environ
    else root.parent / 'shared'
)
shared = _shared if _shared.is_dir() else None
scratch = pathlib.Path(tempfile.mkdtemp(prefix='judge-'))

_counts = {'passed': 0, 'failed': 0, 'skipped': 0}


def check(name, good, detail=''):
    """Counts one result; a failure is shown with what was measured."""
    _counts['passed' if good else 'failed'] += 1
    if not good:
        print(f'FAIL {name}: {detail}')
    return good


def skip(count, reason):
    _counts['skipped'] += count
    print(f'SKIPPED {reason}')


def run(*args, expect=0):
    """Runs the binary; its JSON, or None (counted as a failure) when the exit code is not the expected one."""
    command = [anemone, *map(str, args), '--json']
    process = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    codes = expect if isinstance(expect, tuple) else (expect,)
    if process.returncode not in codes:
        check(' '.join(map(str, args)), False, f'exit {process.returncode}: {process.stderr.strip()[-600:]}')
        return None
    return json.loads(process.stdout) if process.stdout.strip() else {}


def finish():
    import shutil

    shutil.rmtree(scratch, ignore_errors=True)
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**_counts))
    sys.exit(1 if _counts['failed'] else 0)
