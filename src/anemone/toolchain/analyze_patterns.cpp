// What stands out in the operations of a program: run-time shapes, interpolation, concats, pads, changes of layout.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

class Groups {
 public:
  void add(std::string what, const Node& node) {
    auto& ops = groups_[what];
    if (ops.empty()) order_.push_back(what);
    ops.push_back(node.outputs.empty() ? node.name : node.output()->name);
  }
  /// Largest groups first.
  std::vector<OpGroup> take() {
    std::vector<OpGroup> out;
    for (const std::string& what : order_) out.push_back({what, std::move(groups_[what])});
    std::stable_sort(out.begin(), out.end(),
                     [](const OpGroup& a, const OpGroup& b) { return a.ops.size() > b.ops.size(); });
    return out;
  }

 private:
  std::map<std::string, std::vector<std::string>> groups_;
  std::vector<std::string> order_;
};

/// Operands that decide extents: constant in a program of fixed shapes.
const std::set<std::string_view>& shaping_params() {
  static const std::set<std::string_view> kParams{"shape",
                                                  "begin",
                                                  "end",
                                                  "size",
                                                  "reps",
                                                  "pad",
                                                  "perm",
                                                  "axes",
                                                  "k",
                                                  "scale_factor_height",
                                                  "scale_factor_width",
                                                  "target_size_height",
                                                  "target_size_width",
                                                  "resized_dims",
                                                  "target_height",
                                                  "target_width",
                                                  "start",
                                                  "step",
                                                  "stride",
                                                  "num_splits",
                                                  "split_sizes"};
  return kParams;
}

bool unknown_extent(const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [](const auto& value) {
    const Type& type = value->type.tensor_part();
    return type.is_tensor() && !type.is_fixed();
  });
}

bool is_resampling(std::string_view type) { return kind_of_op(type) == "Resampling"; }

std::string interpolation(const Node& node) {
  const ConstantView view(node);
  std::string text = node.type;
  for (const std::string_view param : {"scale_factor_height", "scale_factor_width"}) {
    const Constant* factor = node.constant(param);
    if (factor) text += fmt::format("{}{:g}", param == "scale_factor_height" ? " " : "x", scalar(*factor));
  }
  for (const std::string_view param : {"interpolation_mode", "sampling_mode"}) {
    if (node.constant(param)) text += fmt::format(", {}", view.text(param));
  }
  for (const std::string_view param : {"align_corners", "half_pixel_centers"}) {
    if (node.constant(param)) text += fmt::format(", {} {}", param, view.flag(param) ? "yes" : "no");
  }
  return text;
}

std::string concat_pattern(const Node& node) {
  const ConstantView view(node);
  const Operand* values = node.operand("values");
  if (!values || values->values.empty()) return "nothing";
  const std::int64_t rank = values->values[0]->type.rank();
  std::int64_t axis = view.integer("axis");
  if (axis < 0) axis += rank;
  std::string parts;
  const std::size_t shown = std::min<std::size_t>(values->values.size(), 6);
  for (std::size_t i = 0; i < shown; ++i) {
    const Dims& dims = values->values[i]->type.dims;
    const bool known =
        axis >= 0 && axis < static_cast<std::int64_t>(dims.size()) && dims[static_cast<std::size_t>(axis)] >= 0;
    parts += fmt::format("{}{}", i ? "+" : "", known ? std::to_string(dims[static_cast<std::size_t>(axis)]) : "?");
  }
  if (values->values.size() > shown) parts += fmt::format("+… ({} parts)", values->values.size());
  return fmt::format("{} on axis {} of {}: {}", node.type, axis, rank, parts);
}

std::string pad_pattern(const Node& node) {
  const ConstantView view(node);
  if (node.type == "pad") return fmt::format("pad, {}", view.text("mode"));
  if (view.text("pad_type") != "custom") return {};
  const Dims pad = view.ints("pad");
  for (std::size_t i = 0; i + 1 < pad.size(); i += 2) {
    if (pad[i] != pad[i + 1]) return fmt::format("{} with unequal padding {}", node.type, brief(pad));
  }
  return {};
}

bool changes_layout(std::string_view type) {
  for (const std::string_view name :
       {"transpose", "reshape", "reshape_like", "expand_dims", "squeeze", "flatten2d", "space_to_depth",
        "depth_to_space", "pixel_shuffle", "pixel_unshuffle", "space_to_batch", "batch_to_space", "sliding_windows"}) {
    if (type == name) return true;
  }
  return false;
}

}  // namespace

void find_dynamic(const Function& function, Analysis& out) {
  Groups groups;
  for_each_node(function.body, [&](const Node& node) {
    if (is(node, kConstexpr)) return;
    if (node.type == "shape" || node.type == "non_zero") return groups.add(node.type, node);
    if (!node.blocks.empty()) return groups.add(node.type + ": control flow", node);
    for (const Operand& operand : node.operands()) {
      const bool at_run_time = !std::all_of(operand.values.begin(), operand.values.end(), is_static);
      if (at_run_time && shaping_params().contains(operand.param))
        return groups.add(fmt::format("{} takes its {} at run time", node.type, operand.param), node);
    }
    if (unknown_extent(node)) groups.add("has an extent that is not known", node);
  });
  out.dynamic = groups.take();
}

void describe_patterns(const Function& function, Analysis& out) {
  Groups interpolations, concats, pads, layouts;
  for_each_node(function.body, [&](const Node& node) {
    if (is_resampling(node.type)) interpolations.add(interpolation(node), node);
    if (node.type == "concat" || node.type == "stack") concats.add(concat_pattern(node), node);
    if (const std::string pad = pad_pattern(node); !pad.empty()) pads.add(pad, node);
    if (changes_layout(node.type)) layouts.add(node.type, node);
  });
  out.interpolation = interpolations.take();
  out.concats = concats.take();
  out.pads = pads.take();
  out.layouts = layouts.take();
}

}  // namespace anemone::toolchain::analysis
