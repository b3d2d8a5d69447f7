#pragma once
// ONNX files: read, made a program of, shown, counted.
#include <filesystem>

#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/analysis.h"
#include "anemone/toolchain/inputs.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/results.h"

namespace anemone::toolchain {

/// The graph of a file with its types inferred. `warnings`: where the file contradicts itself.
Result<onnx::Model> load_onnx(const std::filesystem::path& path, Diagnostics& warnings);

/// Gives the model, whose graph has been read, its program and ports at the sizes that are asked for.
Result<void> lower_onnx(Model& model, const std::filesystem::path& path, const LoadOptions& options);

/// What a value of the ONNX graph is called in the program; the name itself for models of other formats.
std::string program_name(const Model& model, const std::string& name);
/// A result as the ONNX graph has it: its name, int64 and bool where the program has int32, scalars of no dimension.
void restore_port(const Model& model, std::string& name, Array& array);
/// The inputs in the form that the program takes. Errors: E0705, numbers beyond what 32 bits hold.
Result<void> fit_ports(const Model& model, const Function& function, std::vector<Array>& arrays);

using anemone::brief;
/// "an ONNX model (opset 17) of 1211 nodes, 402 initialisers; inputs: float[1,3,256,256] x".
std::string brief(const onnx::Model& model);

/// What `analyze` says beside the program: what the graph was, and what fixed shapes made of it.
void note_onnx(const Model& model, Analysis& out);
/// What `analyze` says of a file of which no program can be made: its operations counted.
Analysis describe_onnx(const onnx::Model& model, const Diagnostics& warnings);

/// Operations, inputs and outputs of a file that was written.
void describe_onnx(const onnx::Model& model, ConvertResult& result);

}  // namespace anemone::toolchain
