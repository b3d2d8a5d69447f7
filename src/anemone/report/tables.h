#pragma once
// The tables of operations and passes: for the terminal, for machines, and as the reference pages.
#include <string>

#include "anemone/toolchain/tables.h"

namespace anemone::report {

std::string ops_text(const std::vector<toolchain::OpRow>& rows);
std::string ops_json(const std::vector<toolchain::OpRow>& rows);
std::string ops_markdown(const std::vector<toolchain::OpRow>& rows);
std::string onnx_text(const std::vector<toolchain::OnnxRow>& rows);
std::string onnx_markdown(const std::vector<toolchain::OnnxRow>& rows);
std::string passes_text(const std::vector<toolchain::PassRow>& rows,
                        const std::vector<toolchain::PipelineRow>& pipelines);
std::string passes_json(const std::vector<toolchain::PassRow>& rows,
                        const std::vector<toolchain::PipelineRow>& pipelines);
std::string passes_markdown(const std::vector<toolchain::PassRow>& rows,
                            const std::vector<toolchain::PipelineRow>& pipelines);

}  // namespace anemone::report
