// The places of values, and the calls, one after the other.
#include "anemone/runtime/planner.h"

#include <fmt/format.h>

#include "anemone/runtime/kernel_table.h"
#include "anemone/runtime/known_values.h"

namespace anemone::runtime {

Planner::Planner(const GraphView& graph) : graph_(graph) {
  plan_.reference_program = std::make_unique<Program>(*graph.function().program->ops);
  plan_.reference_program->add_function("references", graph.function().opset);
  for (const auto& input : graph.function().body.inputs) {
    if (is_real(*input)) {
      define(*input);
    } else {
      place_integers(*input);
    }
  }
}

void Planner::begin(const Group& group) {
  group_ = &group;
  narrows_ = graph_.narrows(*group.node);
}

Ref Planner::new_buffer(std::int64_t count) {
  plan_.buffers.push_back({count});
  return {Ref::Space::arena, plan_.buffers.size() - 1, 0, count};
}

Ref Planner::define(const Value& out) { return places_[&out] = new_buffer(element_count(out.type.dims).value_or(0)); }

Ref Planner::scratch(std::int64_t count) { return new_buffer(count); }

Ref Planner::place_integers(const Value& value) {
  const Ref ref{Ref::Space::integers, plan_.integers.size(), 0, element_count(value.type.dims).value_or(0)};
  plan_.integers.push_back({value.type.dtype, value.type.dims, {}});
  return places_[&value] = ref;
}

Ref Planner::constant(FloatBuffer data) {
  const Ref ref{Ref::Space::constant, plan_.constants.size(), 0, static_cast<std::int64_t>(data.size())};
  const float* at = data.data();
  const std::size_t bytes = data.size() * sizeof(float);
  plan_.constants.push_back({std::move(data), nullptr, at, bytes});
  plan_.constant_bytes += bytes;
  return ref;
}

Ref Planner::constant(const std::vector<float>& data) {
  FloatBuffer buffer(data.size());
  std::copy(data.begin(), data.end(), buffer.data());
  return constant(std::move(buffer));
}

Result<std::vector<float>> Planner::known_floats(const Value* value) const {
  return runtime::known_floats(value, graph_.options().precision);
}

Result<Ref> Planner::place_constant(const Value& value) {
  const Constant* c = value.constant.get();
  if (const auto found = constant_places_.find(c); c && found != constant_places_.end()) return found->second;
  Ref ref;
  if (!is_real(value)) {
    TRY(Array array, known_array(value));
    ref = {Ref::Space::integers, plan_.integers.size(), 0, array.count()};
    plan_.constant_bytes += array.data.size() * sizeof(double);
    plan_.integers.push_back(std::move(array));
  } else if (c && c->type.dtype == DType::fp32 && graph_.options().precision != Precision::fp16 &&
             reinterpret_cast<std::uintptr_t>(c->data.data()) % alignof(float) == 0) {
    ref = {Ref::Space::constant, plan_.constants.size(), 0, c->count()};
    plan_.constants.push_back({FloatBuffer(), value.constant, elements_as<float>(*c).data(), c->data.size()});
    plan_.constant_bytes += c->data.size();
  } else {
    TRY(const std::vector<float> floats, known_floats(&value));
    ref = constant(floats);
  }
  if (c) constant_places_[c] = ref;
  return ref;
}

Result<Ref> Planner::place(const Value& value) {
  if (const auto found = places_.find(&value); found != places_.end()) return found->second;
  if (!is_static(&value)) return own_bug(fmt::format("the value '{}' is used before it is made", value.name));
  TRY(const Ref ref, place_constant(value));
  return places_[&value] = ref;
}

Result<Ref> Planner::read(const Value& value) {
  TRY(const Ref ref, place(value));
  if (ref.space == Ref::Space::integers) {
    return own_bug(fmt::format("the integers of '{}' are read as floats", value.name));
  }
  return ref;
}

Result<Ref> Planner::read_maybe(const Value* value) {
  if (!value) return Ref{};
  return read(*value);
}

void Planner::alias(const Value& out, const Ref& ref) {
  if (!narrows_ || !graph_.rounds(out)) {
    places_[&out] = ref;
    return;
  }
  add(out, Rounding::exact,
      {.kernel = &kCopyKernel,
       .parameters = CopyParameters{.parts = {{.shape = {ref.count}, .from = {1}, .to = {1}}}},
       .operands = {runtime::read("x", ref), write("out", define(out))},
       .layout = Layout::any});
}

void Planner::add(const Value& out, Rounding rounding, Call call) {
  call.name = out.name;
  if (call.ops.empty()) call.ops = group_->ops();
  call.rounds = (rounding == Rounding::needed || narrows_) && graph_.rounds(out);
  plan_.calls.push_back(std::move(call));
}

void Planner::add_part(const Value& out, Call call) {
  call.name = out.name;
  call.ops = group_->node->type;
  plan_.calls.push_back(std::move(call));
}

Result<Plan> Planner::finish() {
  const auto add_port = [&](const Value& value, std::vector<Port>& ports) -> Result<void> {
    TRY(const Ref ref, place(value));
    ports.push_back({{value.name, value.type.dtype, value.type.dims}, ref, graph_.rounds(value)});
    return {};
  };
  const Block& body = graph_.function().body;
  for (const auto& input : body.inputs) TRY_VOID(add_port(*input, plan_.inputs));
  for (const Value* output : body.outputs()) TRY_VOID(add_port(*output, plan_.outputs));
  return std::move(plan_);
}

}  // namespace anemone::runtime
