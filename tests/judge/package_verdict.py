#!/usr/bin/env python3
"""Judge .mlpackage files with Apple's coremltools, on any system, without Core ML itself.

usage: package_verdict.py [--json FILE] [--residual] [--roundtrip DIR] [-q] A.mlpackage [B.mlpackage ...]

Checks in this order; the first that fails makes the package INVALID, lesser findings are warnings:
  manifest    Manifest.json is sound, its items exist, and Apple's ModelPackage library finds the root model
  spec        the model parses, is an ML Program with an opset that its specification version allows, and every
              value is defined once and before its use
  interface   the description's inputs, states and outputs are those of the function: names, types, shapes
  blobs       every value in the weight file is read by Apple's storage reader and has as many elements as its shape
  milproto    coremltools rebuilds the program: every operation exists in the opset and takes these inputs, and type
              inference arrives at the output types that are written down
  validate    coremltools' own validation of the rebuilt program
  roundtrip   only with --roundtrip: coremltools writes the rebuilt program into DIR
Exit status: 0 when every package is VALID, 1 otherwise (NOT JUDGED: coremltools cannot load such a program),
2 on a usage error.
"""

import argparse
import collections
import contextlib
import io
import json
import logging
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

logging.getLogger('coremltools').setLevel(logging.CRITICAL)  # it complains about everything that is not macOS
warnings.simplefilter('ignore')

try:
    import coremltools as ct
    import numpy as np
    from coremltools import proto
    from coremltools.converters.mil.converter import mil_convert
    from coremltools.converters.mil.frontend.milproto.helper import proto_to_types
    from coremltools.converters.mil.frontend.milproto.load import load as rebuild
    from coremltools.converters.mil.mil import types
    from coremltools.converters.mil.mil.passes.pass_pipeline import PassPipelineManager
    from coremltools.libmilstoragepython import _BlobStorageReader as BlobReader
    from coremltools.libmodelpackage import ModelPackage
except ImportError as error:
    print(
        f'package_verdict.py needs the Python packages coremltools (tried with 9.0) and numpy: {error}', file=sys.stderr
    )
    sys.exit(2)

ARRAY = proto.FeatureTypes_pb2.ArrayFeatureType
IMAGE = proto.FeatureTypes_pb2.ImageFeatureType
ARRAY_TYPE = {
    ARRAY.FLOAT32: 'fp32',
    ARRAY.DOUBLE: 'fp64',
    ARRAY.INT32: 'int32',
    ARRAY.FLOAT16: 'fp16',
    ARRAY.INT8: 'int8',
}
CHANNELS = {IMAGE.GRAYSCALE: 1, IMAGE.GRAYSCALE_FLOAT16: 1, IMAGE.RGB: 3, IMAGE.BGR: 3}
READER = {'fp16': 'read_fp16_data', 'fp32': 'read_float_data'} | {
    t: f'read_{t}_data'
    for t in (
        'uint1',
        'uint2',
        'uint3',
        'uint4',
        'uint6',
        'uint8',
        'uint16',
        'uint32',
        'int4',
        'int8',
        'int16',
        'int32',
    )
}
OPSET_VERSION = {opset: version for version, opset in ct._OPSET.items()}


class Invalid(Exception):
    """Invalid(stage, message)"""


def dtype_and_shape(mil_type) -> tuple[str, list[int | None]]:
    """Of a tensor or scalar; None for a dimension that is not fixed."""
    if types.is_state(mil_type):
        mil_type = mil_type.wrapped_type()
    if not types.is_tensor(mil_type):
        return types.builtin_to_string(mil_type), []
    shape = [int(d) if isinstance(d, (int, np.integer)) else None for d in mil_type.get_shape()]
    return types.builtin_to_string(mil_type.get_primitive()), shape


def type_text(mil_type) -> str:
    try:
        dtype, shape = dtype_and_shape(mil_type)
    except Exception:  # lists, dictionaries
        return str(mil_type)
    return dtype + ('[' + ','.join('?' if d is None else str(d) for d in shape) + ']' if shape else '')


def op_counts(histogram: dict[str, int]) -> dict[str, int]:
    const, total = histogram.get('const', 0), sum(histogram.values())
    constexpr = sum(n for op, n in histogram.items() if op.startswith('constexpr_'))
    return {'all': total, 'const': const, 'constexpr': constexpr, 'runtime': total - const - constexpr}


def literals(block) -> Iterator[tuple]:
    """(operation, where, Value) of every value written down in the block and the blocks inside it."""
    for op in block.operations:
        for key, attribute in op.attributes.items():
            yield op, f'attribute {key}', attribute
        for key, argument in op.inputs.items():
            for binding in argument.arguments:
                if binding.WhichOneof('binding') == 'value':
                    yield op, f'input {key}', binding.value
        for inner in op.blocks:
            yield from literals(inner)


class Judge:
    """The checks of one package; `report` collects what they find."""

    def __init__(self, path: Path, residual: bool, roundtrip: Path | None):
        self.path, self.residual, self.roundtrip = path, residual, roundtrip
        self.warnings: list[str] = []
        self.report: dict = {'package': str(path), 'warnings': self.warnings}

    def check(self) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self.path.name
            self.check_manifest(copy)
            self.check_spec(copy)
        self.check_interface()
        self.check_blobs()
        program = self.check_program()
        if self.roundtrip:
            self.write_again(program)
        if self.residual:
            self.optimise_again(program)
        return self.report

    def check_manifest(self, copy: Path) -> None:
        if not self.path.is_dir():
            raise Invalid('manifest', 'not a directory')
        try:
            manifest = json.loads((self.path / 'Manifest.json').read_text())
            items = [entry['path'] for entry in manifest['itemInfoEntries'].values()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Invalid('manifest', f'Manifest.json: {error!r}') from None
        data = self.path / 'Data'
        for item in items:
            if not (data / item).exists():
                raise Invalid('manifest', f'Manifest.json names {item}, which is not in the package')
        # Apple's library writes Manifest.json again when it opens a package, so it gets one of its own
        copy.mkdir()
        shutil.copyfile(self.path / 'Manifest.json', copy / 'Manifest.json')
        (copy / 'Data').symlink_to(data.resolve())
        try:
            ModelPackage(str(copy)).getRootModel().path()
        except Exception as error:
            raise Invalid('manifest', f'{type(error).__name__}: {error}') from None
        files = [f for f in self.path.rglob('*') if f.is_file()]
        for file in files:
            if file.is_relative_to(data) and not any(file.is_relative_to(data / item) for item in items):
                self.warnings.append(f'file {file.relative_to(self.path)} is not in the manifest')
        self.report['bytes'] = sum(f.stat().st_size for f in files)

    def check_spec(self, copy: Path) -> None:
        try:
            self.spec = spec = ct.models.MLModel(str(copy), skip_model_load=True).get_spec()
        except Exception as error:
            raise Invalid('spec', f'MLModel(): {type(error).__name__}: {error}') from None
        if spec.WhichOneof('Type') != 'mlProgram':
            raise Invalid('spec', f'the model type is {spec.WhichOneof("Type")}')
        functions = spec.mlProgram.functions
        self.name = 'main' if 'main' in functions else spec.description.defaultFunctionName
        if self.name not in functions:
            raise Invalid('spec', 'no function main')
        self.function = functions[self.name]
        opset, version = self.function.opset, spec.specificationVersion
        if opset not in self.function.block_specializations:
            raise Invalid('spec', f'no block for opset {opset}')
        if opset not in OPSET_VERSION:
            raise Invalid('spec', f'unknown opset {opset}')
        if OPSET_VERSION[opset] > version:
            raise Invalid(
                'spec', f'opset {opset} needs specification version {OPSET_VERSION[opset]}, the model says {version}'
            )
        if OPSET_VERSION[opset] < version:
            self.warnings.append(f'opset {opset} is older than specification version {version}')
        self.block = self.function.block_specializations[opset]
        histogram = collections.Counter(op.type for op in self.block.operations)
        self.report |= {
            'spec_version': version,
            'functions': sorted(functions),
            'opset': opset,
            'histogram': dict(histogram.most_common()),
            'counts': op_counts(histogram),
        }
        self.check_names()

    def check_names(self) -> None:
        defined = {i.name for i in self.function.inputs}
        used = set(self.block.outputs)
        for op in self.block.operations:
            for key, argument in op.inputs.items():
                for binding in argument.arguments:
                    if binding.WhichOneof('binding') == 'name':
                        used.add(binding.name)
                        if binding.name not in defined:
                            outputs = ', '.join(o.name for o in op.outputs)
                            raise Invalid(
                                'spec', f'{op.type} {outputs}: {key} = {binding.name} is not defined before its use'
                            )
            for output in op.outputs:
                if output.name in defined:
                    raise Invalid('spec', f'value {output.name} is defined twice')
                defined.add(output.name)
        for name in self.block.outputs:
            if name not in defined:
                raise Invalid('spec', f'output {name} is not defined')
        dead = collections.Counter(
            op.type for op in self.block.operations if op.outputs and not any(o.name in used for o in op.outputs)
        )
        if dead:
            self.warnings.append(
                f'{dead.total()} operations have no use: ' + ' '.join(f'{op}:{n}' for op, n in dead.most_common(6))
            )

    def check_interface(self) -> None:
        value_type = {i.name: i.type for i in self.function.inputs}
        for op in self.block.operations:
            value_type |= {o.name: o.type for o in op.outputs}
        description = self.spec.description
        if self.name != 'main' or description.functions:
            described = [f for f in description.functions if f.name == self.name]
            if not described:
                raise Invalid('interface', f'function {self.name} is not described')
            description = described[0]
        inputs = [*description.input, *description.state]
        self.report['io'] = {'input': [], 'output': []}
        for kind, features, names in (
            ('input', inputs, [i.name for i in self.function.inputs]),
            ('output', list(description.output), list(self.block.outputs)),
        ):
            described = [f.name for f in features]
            repeated = [n for n, count in collections.Counter(described).items() if count > 1]
            if repeated:
                self.warnings.append(f'{kind} names repeat in the description: {repeated}')
            if set(described) != set(names):
                raise Invalid(
                    'interface',
                    f'{kind}s differ: only in the description {sorted(set(described) - set(names))}, '
                    f'only in {self.name} {sorted(set(names) - set(described))}',
                )
            if described != names:
                self.warnings.append(f'{kind}s are in another order in the description than in {self.name}')
            for feature in features:
                entry = self.check_feature(kind, feature, proto_to_types(value_type[feature.name]))
                self.report['io'][kind].append(entry)

    def check_feature(self, kind: str, feature, mil_type) -> dict:
        who = f'{kind} {feature.name}'
        form = feature.type.WhichOneof('Type')
        dtype, shape, flexible = None, None, None
        array = feature.type.stateType.arrayType if form == 'stateType' else feature.type.multiArrayType
        if form in ('multiArrayType', 'stateType'):
            if array.dataType not in ARRAY_TYPE:
                raise Invalid('interface', f'{who}: array data type {array.dataType} is not a type')
            dtype, shape = ARRAY_TYPE[array.dataType], [int(d) for d in array.shape]
            flexible = array.WhichOneof('ShapeFlexibility')
        elif form == 'imageType':
            image = feature.type.imageType
            if image.colorSpace not in CHANNELS:
                raise Invalid('interface', f'{who}: the image has no colour space')
            form = f'image {IMAGE.ColorSpace.Name(image.colorSpace)}'
            dtype = 'fp16' if image.colorSpace == IMAGE.GRAYSCALE_FLOAT16 else 'fp32'
            shape = [1, CHANNELS[image.colorSpace], int(image.height), int(image.width)]
            flexible = image.WhichOneof('SizeFlexibility')
        entry = {
            'name': feature.name,
            'feature': form,
            'dtype': dtype,
            'shape': shape,
            'flexibility': flexible,
            'mil': type_text(mil_type),
        }
        if dtype is None:
            return entry
        mil_dtype, mil_shape = dtype_and_shape(mil_type)
        if mil_dtype != dtype:
            message = f'{who}: the description says {dtype}, {self.name} says {mil_dtype}'
            if not form.startswith('image'):
                raise Invalid('interface', message)
            self.warnings.append(message)
        if (
            shape
            and not flexible
            and (len(shape) != len(mil_shape) or any(m not in (None, d) for d, m in zip(shape, mil_shape)))
        ):
            raise Invalid('interface', f'{who}: the description says {shape}, {self.name} says {type_text(mil_type)}')
        if not shape and kind == 'output':
            self.warnings.append(f'{who}: the description gives no shape')
        return entry

    def weights(self) -> Path:
        return self.path / 'Data' / 'com.apple.CoreML' / 'weights'

    def check_blobs(self) -> None:
        readers: dict[Path, BlobReader] = {}
        payload: dict[tuple[Path, int], int] = {}
        number = 0
        for op, where, value in literals(self.block):
            if value.WhichOneof('value') != 'blobFileValue':
                continue
            number += 1
            blob = value.blobFileValue
            who = f'{op.type} {op.outputs[0].name if op.outputs else ""} {where}'
            if not blob.fileName.startswith('@model_path/'):
                self.warnings.append(f'{who}: file name {blob.fileName} does not start with @model_path/')
            file = self.weights() / Path(blob.fileName).name
            if not file.is_file():
                raise Invalid('blobs', f'{who}: {blob.fileName} is missing')
            mil_type = proto_to_types(value.type)
            if not types.is_tensor(mil_type):
                raise Invalid('blobs', f'{who}: not a tensor')
            dtype, shape = dtype_and_shape(mil_type)
            if dtype not in READER:
                raise Invalid('blobs', f'{who}: {dtype} cannot be in a weight file')
            if blob.offset % 64:
                raise Invalid('blobs', f'{who}: offset {blob.offset} is not a multiple of 64')
            try:
                if file not in readers:
                    readers[file] = BlobReader(str(file))
                data = getattr(readers[file], READER[dtype])(blob.offset)
            except Exception as error:
                raise Invalid('blobs', f'{who} at {blob.offset}: {type(error).__name__}: {error}') from None
            if data.size != np.prod(shape, dtype=np.int64):
                raise Invalid('blobs', f'{who} at {blob.offset}: {data.size} elements in the file for shape {shape}')
            if dtype == 'fp16':
                data = data.view(np.float16)
            if dtype in ('fp16', 'fp32') and not np.isfinite(data).all():
                self.warnings.append(f'{who}: {np.count_nonzero(~np.isfinite(data))} values are not finite')
            payload[file, blob.offset] = data.nbytes
        size = sum(file.stat().st_size for file in readers)
        self.report['blobs'] = {
            'values': number,
            'distinct': len(payload),
            'file_bytes': size,
            'payload_bytes': sum(payload.values()),
        }
        # a header of 64 bytes; 64 of metadata and less than 64 of padding per value
        extra = size - sum(payload.values()) - 64 - 128 * len(payload)
        if number and extra > 0:
            self.warnings.append(f'the weight file has about {extra} bytes that nothing refers to')

    def check_program(self):
        """Lets coremltools rebuild the program."""
        started = time.perf_counter()
        try:
            program = rebuild(
                self.spec, specification_version=self.spec.specificationVersion, file_weights_dir=str(self.weights())
            )
        except NotImplementedError:
            raise
        except Exception as error:
            at = self.operation_being_rebuilt(error)
            raise Invalid('milproto', f'{type(error).__name__}: {str(error)[:600]}{at}') from None
        self.report['load_s'] = round(time.perf_counter() - started, 2)
        counts = self.report['pymil_counts'] = op_counts(self.histogram(program))
        if counts['runtime'] != self.report['counts']['runtime']:
            self.warnings.append(
                f'the rebuilt program has {counts["runtime"]} run-time operations, '
                f'the file {self.report["counts"]["runtime"]}'
            )
        try:
            program.validate()
        except Exception as error:
            raise Invalid('validate', f'{type(error).__name__}: {error}') from None
        program.skip_all_passes = False
        program.default_function_name = self.name
        return program

    def histogram(self, program) -> collections.Counter:
        return collections.Counter(op.op_type for op in program.functions[self.name].operations)

    @staticmethod
    def operation_being_rebuilt(error: Exception) -> str:
        """From the frames of the error."""
        found = ''
        step = error.__traceback__
        while step:
            op = step.tb_frame.f_locals.get('op_spec')
            if op is not None:
                found = f' at {op.type} -> ' + ', '.join(
                    f'{o.name}: {type_text(proto_to_types(o.type))}' for o in op.outputs
                )
            step = step.tb_next
        return found

    def write_again(self, program) -> None:
        target = self.roundtrip / self.path.name
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # progress bars
                model = mil_convert(
                    program,
                    convert_from='milinternal',
                    convert_to='mlprogram',
                    compute_units=ct.ComputeUnit.CPU_ONLY,
                    model_description=self.spec.description,
                    specification_version=self.spec.specificationVersion,
                    pass_pipeline=ct.PassPipeline.EMPTY,
                    skip_model_load=True,
                )
                model.save(str(target))
        except Exception as error:
            raise Invalid('roundtrip', f'{type(error).__name__}: {str(error)[:400]}') from None
        self.report['roundtrip'] = str(target)

    def optimise_again(self, program) -> None:
        """What coremltools' default passes still change; nothing is the best result."""
        before = self.histogram(program)
        pipeline = ct.PassPipeline.DEFAULT
        pipeline.remove_passes({'common::add_fp16_cast', 'common::add_int16_cast'} & set(pipeline.passes))
        with contextlib.redirect_stderr(io.StringIO()):
            PassPipelineManager.apply_pipeline(program, pipeline)
        after = self.histogram(program)
        difference = {
            op: after[op] - before[op] for op in sorted(before | after) if op != 'const' and after[op] != before[op]
        }
        self.report['residual'] = {'runtime_after': op_counts(after)['runtime'], 'diff': difference}


def judge(path: Path, options: argparse.Namespace) -> dict:
    checks = Judge(path, options.residual, options.roundtrip)
    failed = {'package': str(path), 'verdict': 'INVALID', 'warnings': checks.warnings}
    try:
        return checks.check() | {'verdict': 'VALID'}
    except Invalid as invalid:
        stage, message = invalid.args
        return failed | {'stage': stage, 'error': message}
    except NotImplementedError as error:  # such as tensors of unknown rank
        return failed | {'verdict': 'NOT JUDGED', 'stage': 'coremltools', 'error': str(error)}
    except Exception as error:
        return failed | {
            'stage': 'unexpected',
            'error': f'{type(error).__name__}: {error}',
            'traceback': traceback.format_exc(),
        }


def print_report(report: dict, quiet: bool) -> None:
    path = report['package']
    if report['verdict'] != 'VALID':
        print(f'{path}: {report["verdict"]} ({report["stage"]}): {report["error"]}')
        if 'traceback' in report and not quiet:
            print(report['traceback'])
        return
    counts, notes = report['counts'], report['warnings']
    if quiet:
        print(
            f'{path}: VALID  {counts["runtime"]} run-time operations (+{counts["constexpr"]} constexpr, '
            f'{counts["const"]} const), {report["bytes"]} bytes' + (f', {len(notes)} warnings' if notes else '')
        )
        return
    print(
        f'{path}\n  specification version {report["spec_version"]}, opset {report["opset"]}, '
        f'functions {", ".join(report["functions"])}, {report["bytes"]} bytes'
    )
    for kind, features in report['io'].items():
        for f in features:
            flexible = f' {f["flexibility"]}' if f['flexibility'] else ''
            print(
                f'  {kind:6} {f["name"]}: {f["feature"]} {f["dtype"]} {f["shape"]}{flexible}, in the program {f["mil"]}'
            )
    print('  operations: {all}, const {const}, constexpr {constexpr}, run-time {runtime}'.format(**counts))
    print('   ', ' '.join(f'{op}:{n}' for op, n in report['histogram'].items()))
    print(
        '  blobs: {values} values at {distinct} offsets, {payload_bytes} of {file_bytes} bytes'.format(
            **report['blobs']
        )
    )
    if 'residual' in report:
        print(
            '  residual: coremltools\' default passes leave {runtime_after} run-time operations, '
            'change {diff}'.format(**report['residual'])
        )
    for note in notes:
        print('  warning:', note)
    print('  VALID')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('packages', nargs='+', type=Path, metavar='A.mlpackage')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write one object per package')
    parser.add_argument(
        '--residual', action='store_true', help='report what coremltools\' default passes would still change'
    )
    parser.add_argument('--roundtrip', type=Path, metavar='DIR', help='write each rebuilt package into DIR')
    parser.add_argument('-q', action='store_true', help='one line per package')
    options = parser.parse_args()
    reports = []
    for path in options.packages:
        reports.append(judge(path, options))
        print_report(reports[-1], options.q)
    if options.json:
        options.json.write_text(json.dumps(reports, indent=1))
    return 0 if all(r['verdict'] == 'VALID' for r in reports) else 1


if __name__ == '__main__':
    sys.exit(main())
