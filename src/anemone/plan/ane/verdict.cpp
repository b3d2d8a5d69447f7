// Types first, then sizes, then the table, then what particular operations ask for.
#include "anemone/plan/ane/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/support_table.h"

namespace anemone::ane {
namespace {

using Refusal = std::optional<Verdict>;

Verdict refuse(std::string_view code, std::string reason, std::optional<Trust> trust = {}) {
  const Rule& r = rule(code);
  return {Support::no, std::string(code), std::move(reason), std::string(r.instead), trust.value_or(r.trust)};
}

std::vector<const Value*> runtime_values(const Node& node) {
  std::vector<const Value*> values = runtime_operands(node);
  for (const auto& output : node.outputs) values.push_back(output.get());
  return values;
}

Refusal check_types(const Node& node, const Device& device) {
  const bool cast = node.type == "cast";
  for (const Value* value : runtime_values(node)) {
    const Type& type = value->type.tensor_part();
    if (!type.is_tensor())
      return refuse("ANE003", fmt::format("'{}' is {}, not a tensor", value->name, to_string(value->type)));
    switch (type.dtype) {
      case DType::fp32:
      case DType::fp64:
      case DType::bf16:
        if (cast && type.dtype == DType::fp32 && device.limits.casts_float) break;
        return refuse("ANE001", fmt::format("'{}' is {}", value->name, name(type.dtype)),
                      !cast                                  ? Trust::documented
                      : device.generation == Generation::h13 ? Trust::reported  // by inference, from an M1 Pro's counts
                                                             : Trust::guessed);
      case DType::int32:
      case DType::int64:
      case DType::uint32:
      case DType::uint64:
      case DType::string:
        return refuse("ANE002", fmt::format("'{}' is {}", value->name, name(type.dtype)));
      default:
        break;
    }
  }
  return std::nullopt;
}

// N, C, H, W from the right: a tensor [1, 16800, 4] has a height of 16800.
Refusal check_sizes(const Node& node, const Device& device) {
  for (const Value* value : runtime_values(node)) {
    const Type& type = value->type.tensor_part();
    if (!type.ranked) return refuse("ANE006", fmt::format("not even the rank of '{}' is known", value->name));
    if (type.rank() > device.limits.rank)
      return refuse("ANE004", fmt::format("'{}' is {}: rank {} of at most {}", value->name, brief(type), type.rank(),
                                          device.limits.rank));
    for (std::size_t i = 0; i < type.dims.size(); ++i) {
      const std::int64_t extent = type.dims[i];
      if (extent == kUnknown) return refuse("ANE006", fmt::format("'{}' is {}", value->name, brief(type)));
      if (extent == 0) return refuse("ANE006", fmt::format("'{}' is {}: an empty axis", value->name, brief(type)));
      const bool spatial = i + 2 >= type.dims.size();
      const std::int64_t most = spatial ? device.limits.height_width : device.limits.channels;
      if (extent > most) {
        return refuse("ANE005", fmt::format("'{}' is {}: {} {} of at most {}", value->name, brief(type),
                                            i + 1 == type.dims.size() ? "width"
                                            : spatial                 ? "height"
                                                                      : "extent",
                                            extent, most));
      }
    }
  }
  return std::nullopt;
}

Refusal check_conv(const Node& node, const Device& device) {
  const Value* weight = node.input("weight");
  if (!weight || weight->type.rank() < 3) return std::nullopt;
  const Limits& limits = device.limits;
  const std::int64_t width = weight->type.dims.back();
  const std::int64_t height = weight->type.rank() > 3 ? weight->type.dims[weight->type.dims.size() - 2] : 1;
  if (width > limits.conv_kernel_width || height > limits.conv_kernel_height ||
      std::min(width, height) > limits.conv_kernel_square) {
    return refuse("ANE007", fmt::format("the kernel is {}x{} (height x width) of at most {}x{}", height, width,
                                        limits.conv_kernel_height, limits.conv_kernel_width));
  }
  const bool constant = weight->constant || (weight->producer && weight->producer->type.starts_with("constexpr_"));
  if (!constant && device.generation < Generation::h16)
    return refuse("ANE003", "the weight comes at run time, which only M4 and later were seen to take", Trust::guessed);
  return std::nullopt;
}

Refusal check_pool(const Node& node, const Device& device) {
  const Constant* kernel = node.constant("kernel_sizes");
  if (!kernel || node.type != "max_pool") return std::nullopt;
  const Dims sizes = to_ints(*kernel);
  if (sizes.empty() || sizes.back() <= device.limits.max_pool_width) return std::nullopt;
  return refuse("ANE008",
                fmt::format("the kernel is {} wide, of at most {}", sizes.back(), device.limits.max_pool_width));
}

Refusal check_inner(const Node& node, const Device& device) {
  const Value* x = node.input("x");
  if (!x || x->type.dims.empty()) return std::nullopt;
  const bool transposed = node.type == "matmul" && ConstantView(node).flag("transpose_x", false) && x->type.rank() > 1;
  const std::int64_t inner = x->type.dims[x->type.dims.size() - (transposed ? 2 : 1)];
  if (inner <= device.limits.matmul_inner) return std::nullopt;
  return refuse("ANE005", fmt::format("the inner extent is {}, of at most {}", inner, device.limits.matmul_inner));
}

Refusal check_pad(const Node& node, const Device& device) {
  const ConstantView view(node);
  const std::string mode = view.text("mode", "constant");
  if (mode == "constant" && view.number("constant_val", 0) != 0)
    return refuse("ANE003", "padding with a constant other than 0");
  if (mode != "constant" && !device.limits.texture_engine)
    return refuse("ANE003", fmt::format("'{}' padding needs a unit that this generation lacks", mode));
  return std::nullopt;
}

// Operations that take a compile-time operand on the engine, and another one elsewhere.
Refusal check_constant(const Node& node, std::string_view param, std::string_view code) {
  const Value* value = node.input(param);
  if (!value || value->constant) return std::nullopt;
  return refuse(code, fmt::format("'{}' comes at run time", param));
}

bool makes_indices(std::string_view type) {
  return type == "one_hot" || type == "reduce_argmax" || type == "reduce_argmin" || type == "argsort" ||
         type == "topk" || type == "non_maximum_suppression";
}

Refusal check_operation(const Node& node, const Device& device) {
  const std::string& t = node.type;
  if (t == "conv") return check_conv(node, device);
  if (t == "max_pool") return check_pool(node, device);
  if (t == "matmul" || t == "linear") return check_inner(node, device);
  if (t == "pad") return check_pad(node, device);
  if (t == "gather" || t == "gather_nd" || t == "gather_along_axis") return check_constant(node, "indices", "ANE028");
  if (t == "slice_by_index" || t == "slice_by_size") return check_constant(node, "begin", "ANE002");
  if (t == "reshape") return check_constant(node, "shape", "ANE006");
  return std::nullopt;
}

}  // namespace

std::vector<const Value*> runtime_operands(const Node& node) {
  std::vector<const Value*> values;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!value->constant && !(value->producer && value->producer->type.starts_with("constexpr_")))
        values.push_back(value);
    }
  }
  return values;
}

std::int64_t bytes_of(const Value& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 44;
  const Type& type = value.type.tensor_part();
  return std::min(kMost, byte_count(type.dtype, type.dims).value_or(0));
}

Verdict verdict(const Node& node, const Device& device, const std::vector<std::string>& off) {
  if (std::find(off.begin(), off.end(), node.type) != off.end()) {
    return {Support::no,
            "WHATIF",
            fmt::format("'{}' is taken off the engine as a hypothesis", node.type),
            {},
            Trust::guessed};
  }
  if (!node.blocks.empty()) return refuse("ANE003", "control flow");
  // The type of the operation explains more than the types of its numbers where both speak against it.
  const SupportRow* row = find_support(node.type);
  const char letter = row ? takes(*row, device.generation) : 'u';
  if (!row)
    return {Support::unknown, "ANE003", fmt::format("nothing is known about '{}'", node.type), {}, Trust::guessed};
  if (auto refusal = check_types(node, device)) {
    if (refusal->code == "ANE002" && makes_indices(node.type)) refusal = refuse("ANE028", refusal->reason, row->trust);
    return *refusal;
  }
  if (letter == 'n') {
    return refuse(makes_indices(node.type) ? "ANE028" : "ANE003",
                  fmt::format("{} does not take '{}'", device.chip, node.type), row->trust);
  }
  if (letter == 'u')
    return {Support::unknown,
            "ANE003",
            fmt::format("it is not known whether {} takes '{}'", device.chip, node.type),
            {},
            Trust::guessed};
  if (auto refusal = check_sizes(node, device)) return *refusal;
  if (auto refusal = check_operation(node, device)) return *refusal;
  Verdict yes;
  yes.trust = letter == 'l' ? Trust::guessed : row->trust;
  if (letter == 'l') yes.reason = "lowered to other operations on this generation";
  return yes;
}

}  // namespace anemone::ane
