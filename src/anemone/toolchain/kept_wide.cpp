// Which operations stay fp32, and the words of --keep-fp32 that name nothing.
#include "anemone/toolchain/kept_wide.h"

#include <fmt/format.h>

#include "anemone/ops/ops.h"

namespace anemone::toolchain {

KeptWide::KeptWide(std::span<const std::string> asked, std::span<const ValueRange> ranges)
    : asked_(asked.begin(), asked.end()) {
  for (const ValueRange& range : ranges) {
    if (std::string why = damage(range); !why.empty()) damaged_[range.name] = std::move(why);
  }
}

std::string KeptWide::why(const Node& node) {
  const auto is_asked = [this](std::string_view word) {
    const auto found = asked_.find(word);
    if (found != asked_.end()) met_.insert(*found);
    return found != asked_.end();
  };
  if (is_asked(node.type)) return "asked for";
  for (const auto& output : node.outputs) {
    if (is_asked(output->name)) return "asked for";
    if (const auto found = damaged_.find(output->name); found != damaged_.end()) return found->second;
  }
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (const auto found = damaged_.find(value->name); found != damaged_.end()) return found->second;
    }
  }
  return {};
}

Result<void> KeptWide::check(const Program& program, Diagnostics& warnings) const {
  std::vector<std::string_view> known;
  std::set<std::string_view> names, half;
  for (const Node& node : program.main().body.nodes) {
    for (const auto& output : node.outputs) {
      known.push_back(output->name);
      names.insert(output->name);
      if (output->type.dtype == DType::fp16) half.insert({output->name, node.type});
    }
  }
  for (const OpDef* row : ops::table().all()) known.push_back(row->name);
  for (const std::string& word : asked_) {
    if (met_.contains(word)) continue;
    if (half.contains(word)) {
      Diagnostic warning = bad_usage(fmt::format("--keep-fp32: '{}' is fp16 already, and stays so", word),
                                     "convert the checkpoint, or the fp32 package");
      warning.severity = Severity::warning;
      warnings.push_back(std::move(warning));
    }
    if (names.contains(word) || ops::table().find(word)) continue;
    return bad_usage(
        fmt::format("--keep-fp32: '{}' is neither a type of operation nor a value that is left for fp16", word),
        did_you_mean(word, known, "'anemone print' shows both; passes before may have merged the value into another"));
  }
  return {};
}

}  // namespace anemone::toolchain
