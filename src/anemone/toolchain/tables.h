#pragma once
// The tables that users can look at: operations and passes. The generated reference pages come from here too.
#include <string>
#include <vector>

namespace anemone {

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

}  // namespace anemone
