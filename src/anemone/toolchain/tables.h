#pragma once
// The tables that users can look at: operations, passes, rules. The generated reference pages come from here too.
#include <string>
#include <vector>

#include "anemone/support/result.h"

namespace anemone::toolchain {

struct ParamRow {
  std::string name, types, fallback;
  bool required = false, constant = false, list = false;
};
struct FormRow {
  std::string since;
  std::vector<ParamRow> params;
};
struct OpRow {
  std::string name, summary;
  std::vector<FormRow> forms;
  bool executes = false, fast = false;  ///< has a meaning; has a kernel
};
std::vector<OpRow> op_rows();

struct PassRow {
  std::string name, summary, numerics;
  std::vector<std::string> pipelines;  ///< that contain it
};
std::vector<PassRow> pass_rows();
struct PipelineRow {
  std::string name;
  std::vector<std::string> passes;
};
std::vector<PipelineRow> pipeline_rows();

/// An ONNX operation that becomes MIL.
struct OnnxRow {
  std::string domain, op;
  std::int64_t since = 1;  ///< the opset from which the translation speaks
  std::string limits;      ///< what of it is refused; empty: nothing
};
std::vector<OnnxRow> onnx_rows();

/// A rule of a planner.
struct RuleRow {
  std::string code, name, what, why, instead, effect, severity, trust, source, command;
  std::string applies;      ///< rules of ONNX Runtime's provider: in which versions and formats
  std::string operations;   ///< … and about which operations; empty: all
  bool needs_data = false;  ///< activations would have to be known: reported as not checked
};
/// What is known of an operation type: "yes", "no", "if", "lowered" or "?" for each generation.
struct EngineTypeRow {
  std::string type, h13, h14, h15, h16, trust, sources;
};
/// What the short name of a source stands for.
struct SourceRow {
  std::string name, what;
};
struct RuleTables {
  std::vector<RuleRow> rules;           ///< of the Neural Engine
  std::vector<RuleRow> provider_rules;  ///< of ONNX Runtime's CoreML provider
  std::vector<EngineTypeRow> types;
  std::vector<SourceRow> sources;
};
RuleTables rule_tables();
/// In any case ("ane013"). An unknown code is wrong usage, with the nearest one.
Result<RuleRow> rule_row(const std::string& code);

}  // namespace anemone::toolchain
