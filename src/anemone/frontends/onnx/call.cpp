// What a lowering function asks about its node.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "anemone/frontends/onnx/lowering.h"
#include "anemone/onnx/opsets.h"

namespace anemone::onnx {
namespace {

MilValue* widened(Emit& emit, MilValue* value) {
  const DType dtype = value->type.dtype;
  return is_integer(dtype) ? emit.cast(value, DType::int32) : value;
}

}  // namespace

Call::Call(Lowering& lowering, const Node& node) : lowering_(&lowering), node_(&node) {}

std::int64_t Call::opset() const { return std::max<std::int64_t>(opset_of(lowering_->model(), *node_), 1); }
Target Call::target() const { return lowering_->options().target; }
Emit& Call::emit() const { return lowering_->emit(); }

const Lowered& Call::lowered(std::size_t input) const {
  const Value* value = node_->input(input);
  if (!value) refuse(fmt::format("input {} is left out", input));
  const Lowered* lowered = lowering_->find(*value);
  if (!lowered) throw Poisoned{};
  return *lowered;
}

MilValue* Call::raw(std::size_t input) const {
  const Lowered& value = lowered(input);
  if (value.is_sequence) refuse(fmt::format("input {} is a sequence", input));
  return value.items[0];
}
MilValue* Call::in(std::size_t input) const { return widened(emit(), raw(input)); }
MilValue* Call::real(std::size_t input) const {
  MilValue* value = in(input);
  return is_float(value->type.dtype) ? value : emit().cast(value, DType::fp32);
}
DataType Call::dtype(std::size_t input) const { return lowered(input).dtype; }

const Dims& Call::dims(std::size_t input) const {
  const MilValue* value = raw(input);
  if (!value->type.is_fixed()) {
    refuse(fmt::format("the shape of '{}' depends on data", node_->input(input)->name()),
           "end the network before it with --outputs, and do the rest in the application");
  }
  return value->type.dims;
}

ConstantPtr Call::known(std::size_t input) const { return has(input) ? emit().known(raw(input)) : nullptr; }

namespace {
ConstantPtr required(const Call& call, std::size_t input) {
  ConstantPtr content = call.known(input);
  if (!content) {
    Call::refuse(fmt::format("'{}' is computed from the network's input, and has to be known before",
                             call.has(input) ? call.node().input(input)->name() : "an input"));
  }
  return content;
}
}  // namespace

Dims Call::ints(std::size_t input) const { return to_ints(*required(*this, input)); }
std::vector<double> Call::numbers(std::size_t input) const { return to_doubles(*required(*this, input)); }

std::optional<Dims> Call::ints(std::size_t input, std::string_view attribute) const {
  if (has(input)) return ints(input);
  if (has_attribute(attribute)) return list(attribute);
  return std::nullopt;
}

std::size_t Call::axis(std::int64_t axis, std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n) refuse(fmt::format("there is no axis {} in rank {}", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

namespace {
std::int64_t in_32_bits(std::int64_t value) {
  return std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int32_t>::max());
}
}  // namespace

std::int64_t Call::integer(std::string_view name, std::int64_t fallback) const {
  return in_32_bits(node_->integer(name, fallback));
}
Dims Call::list(std::string_view name) const {
  Dims values = node_->integers(name);
  std::transform(values.begin(), values.end(), values.begin(), in_32_bits);
  return values;
}
std::vector<float> Call::floats(std::string_view name) const {
  const Attribute* found = node_->attribute(name);
  const auto* list = found ? std::get_if<std::vector<float>>(&found->value) : nullptr;
  return list ? *list : std::vector<float>();
}
std::vector<std::string> Call::words(std::string_view name) const {
  const Attribute* found = node_->attribute(name);
  const auto* list = found ? std::get_if<std::vector<std::string>>(&found->value) : nullptr;
  return list ? *list : std::vector<std::string>();
}
const Graph& Call::body(std::string_view name) const {
  for (const auto& [attribute, graph] : node_->bodies) {
    if (attribute == name) return *graph;
  }
  refuse(fmt::format("the graph '{}' is missing", name));
}

bool Call::wants(std::size_t output) const {
  const Value* value = node_->output(output);
  return value && !value->uses().empty();
}

void Call::give(std::size_t output, MilValue* mil) {
  const Value* value = node_->output(output);
  if (!value) return;
  Lowered lowered{value->type.dtype, {mil}, false};
  if (lowered.dtype == DataType::undefined) {
    const DType dtype = mil->type.dtype;
    lowered.dtype = dtype == DType::boolean ? DataType::boolean
                    : dtype == DType::fp16  ? DataType::float16
                    : dtype == DType::fp32  ? DataType::float32
                                            : DataType::int64;
  }
  give(output, std::move(lowered));
}

void Call::give(std::size_t output, Lowered lowered) {
  const Value* value = node_->output(output);
  if (!value) return;
  if (!lowered.is_sequence) lowering_->take_name(*lowered.items[0], value->name());
  lowering_->set(*value, std::move(lowered));
}

}  // namespace anemone::onnx
