#pragma once
// The architecture as tables (docs/architecture.md), read by tests/tidy_test.cpp: who may include whom, what a folder's
// namespace is, which header speaks for a source without one.
#include <map>
#include <set>
#include <string>
#include <vector>

namespace anemone::tidy {

/// Room -> the rooms that it may include besides itself. A room is a folder; one of its inner folders is a room of its own
/// if it has a row. `formats/*` is every room below formats.
inline const std::map<std::string, std::set<std::string>> kMayInclude{
    {"support", {}},
    {"formats", {"support", "formats/*"}},
    {"formats/wire", {"support"}},
    {"formats/coreml", {"support", "formats", "formats/wire"}},
    {"formats/image", {"support", "formats/wire"}},
    {"formats/onnx", {"support", "formats", "formats/wire"}},
    {"formats/torch", {"support", "formats", "formats/wire"}},
    {"ir", {"support", "ir/text"}},
    {"ir/text", {"support", "ir"}},
    {"ops", {"support", "ir", "ir/text"}},
    {"onnx", {"support", "formats/wire", "formats/onnx"}},
    {"passes", {"support", "ir", "ir/text", "ops"}},
    {"plan", {"support", "ir", "ir/text", "ops"}},
    {"plan/ane", {"support", "ir", "ir/text", "ops", "plan"}},
    {"plan/ort", {"support", "onnx", "plan"}},
    {"runtime", {"support", "ir", "ir/text", "ops", "runtime/base", "runtime/cpu"}},
    {"runtime/base", {"support"}},
    {"runtime/cpu", {"support", "runtime/base"}},
    {"frontends/models", {"support", "ir", "ops", "formats/wire", "formats/torch", "frontends/torch"}},
    {"frontends/torch", {"support", "ir", "ops", "formats/wire", "formats/torch"}},
    {"frontends/mlpackage", {"support", "ir", "ir/text", "ops", "formats/wire", "formats/coreml"}},
    {"frontends/onnx", {"support", "ir", "ops", "onnx", "formats/wire", "formats/onnx"}},
    {"backends/mlpackage", {"support", "ir", "ops", "formats/wire", "formats/coreml"}},
    {"backends/onnx", {"support", "ir", "ir/text", "ops", "onnx", "formats/wire", "formats/onnx"}},
    {"face", {"support", "formats/wire", "formats/image", "runtime"}},
    {"face.h", {"support", "formats/image", "face", "toolchain"}},
    {"toolchain",
     {"support", "formats", "formats/*", "ir", "ir/text", "ops", "onnx", "passes", "plan", "plan/*", "runtime",
      "frontends/*", "backends/*", "face"}},
    {"report", {"support", "plan", "toolchain"}},
    {"cli", {"support", "report", "toolchain"}},
};

/// What each room is for, in the picture of docs/architecture.md (tests/house_picture.cpp).
inline const std::map<std::string, std::string> kJobs{
    {"support", "results, errors with places, mapped files, outputs whole or not at all"},
    {"formats", "bytes and plain structs"},
    {"formats/wire", "zip, protobuf, npy, hashes"},
    {"formats/coreml", "spec, MIL, weight files"},
    {"formats/image", "pixels from files"},
    {"formats/onnx", "messages of a model file"},
    {"formats/torch", "pickles, checkpoints"},
    {"ir", "Program: types, graph, verifier, words for rewriting"},
    {"ir/text", "prints and parses MIL"},
    {"ops", "what each operation is: a row; the reference executor"},
    {"onnx", "the ONNX graph: nodes as ONNX says them, shapes"},
    {"passes", "better programs"},
    {"plan", "what devices do"},
    {"plan/ane", "Neural Engine"},
    {"plan/ort", "ONNX Runtime"},
    {"runtime", "executes, fast"},
    {"runtime/base", "memory, threads"},
    {"runtime/cpu", "kernels"},
    {"frontends", "to a Program"},
    {"frontends/models", "networks"},
    {"frontends/torch", "state dicts"},
    {"frontends/mlpackage", "Core ML"},
    {"frontends/onnx", "ONNX"},
    {"backends", "from a Program"},
    {"backends/mlpackage", "Core ML"},
    {"backends/onnx", "ONNX"},
    {"face", "from a photo to landmarks"},
    {"face.h", "the door for applications"},
    {"toolchain", "the verbs as functions: Model and Session in, plain results out"},
    {"report", "results as text, JSON, Markdown, pictures"},
    {"cli", "options, one call, one print, the exit code"},
};

/// A folder's namespace is anemone:: and its name, that of the folder around it, or one inside these; where it is called
/// otherwise, it stands here (docs/decisions/0007). Tests and their helpers may use anemone::test.
inline const std::map<std::string, std::string> kNamespaces{
    {"support", "anemone"},  // the vocabulary that every file speaks
    {"ir", "anemone"},
    {"face.h", "anemone"},
    {"runtime/cpu", "anemone::cpu"},
};

/// Where a name's prefix is the fact itself: a package says constexpr_ of operations that no row may know.
inline const std::set<std::string> kAsksByPrefix{"frontends/mlpackage/reader.cpp", "backends/mlpackage/writer.cpp"};

/// Sources whose names begin so have no header of their own: one header declares what several of them hold.
struct Part {
  std::string prefix, header;
};
inline const std::vector<Part> kParts{
    {"ops/", "ops/families.h"},               // the rows of a family of operations
    {"passes/", "passes/pass.h"},             // one pass each
    {"plan/ane/rules_", "plan/ane/rules.h"},  // the rules of one kind
    {"plan/ort/rules_", "plan/ort/rules.h"},
    {"plan/ort/level1_", "plan/ort/level1_passes.h"},  // one kind of rewrite each
    {"plan/ane/sources", "plan/ane/support_table.h"},  // where the facts come from
    {"runtime/kernels_", "runtime/kernel_table.h"},    // the kernels of a family
    {"runtime/cpu/conv_", "runtime/cpu/conv.h"},       // one algorithm each
    {"runtime/cpu/binary", "runtime/cpu/elementwise.h"},
    {"runtime/cpu/unary", "runtime/cpu/elementwise.h"},
    {"toolchain/analyze_", "toolchain/analyze_parts.h"},
    {"toolchain/model_", "toolchain/model.h"},
    {"cli/", "cli/verbs.h"},                            // one verb each
    {"formats/coreml/spec_", "formats/coreml/spec.h"},  // two directions
    {"formats/coreml/feature_", "formats/coreml/spec.h"},
    {"formats/coreml/mil_", "formats/coreml/spec.h"},
    {"formats/torch/pickle_", "formats/torch/pickle.h"},
    {"formats/onnx/spec_", "formats/onnx/spec.h"},
    {"frontends/onnx/", "frontends/onnx/lowering.h"},  // the operations of a family
    {"onnx/graph_", "onnx/graph.h"},
    {"onnx/infer_", "onnx/infer.h"},                  // the rows of a family
    {"onnx/evaluate_", "onnx/evaluate.h"},            // likewise
    {"backends/onnx/rows_", "backends/onnx/rows.h"},  // the rows of a family
    {"ir/text/text_reader_", "ir/text/text_reader.h"},
    {"ir/text/program_reader_", "ir/text/program_reader.h"},
};

}  // namespace anemone::tidy
