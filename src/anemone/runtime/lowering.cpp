// Walks the needed nodes in order, asks the kernel table for each, and keeps the books of buffers and their uses.
#include "anemone/runtime/lowering.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ops/execute.h"
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/kernel_table.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

constexpr int kDeepestConstant = 8;  // compressed constants made of compressed constants

bool is_constexpr(const Node& node) { return node.def && node.def->is(kConstexpr); }

}  // namespace

Lowering::Lowering(const Function& function, const EngineOptions& options)
    : function_(&function), options_(options), references_(std::make_unique<Program>(*function.program->ops)) {
  references_->add_function("references", function.opset);
}

bool Lowering::rounds(const Type& type) const {
  if (!is_float(type.dtype) || options_.precision == Precision::fp32) return false;
  return type.dtype == DType::fp16 || options_.precision == Precision::fp16;
}

const Node* Lowering::only_user(const Value& value) const {
  if (value.output_uses > 0) return nullptr;
  const Node* only = nullptr;
  for (const Use& use : value.uses) {
    if (!needed_.contains(use.node)) continue;
    if (only) return nullptr;
    only = use.node;
  }
  return only;
}

bool Lowering::is_known(const Value* value) const {
  return value && (value->constant || (value->producer && is_constexpr(*value->producer)));
}

bool Lowering::is_ready(const Value& value) const { return is_known(&value) || places_.contains(&value); }

const DelayedNorm* Lowering::delayed(const Value& value) const {
  const auto found = delayed_.find(&value);
  return found == delayed_.end() ? nullptr : &found->second;
}

Result<Array> Lowering::known_array(const Value& value, int depth) const {
  if (value.constant) return to_array(*value.constant);
  const Node& node = *value.producer;
  if (depth >= kDeepestConstant) {
    return refuse(node, "E0709", fmt::format("is the end of a chain of more than {} compressed constants", depth));
  }
  std::unordered_map<const Value*, Array> operands;
  for (const Operand& operand : node.operands()) {
    for (const Value* v : operand.values) {
      TRY_VOID(check_operand(*v, node));
      if (!is_known(v)) return refuse(node, "E0704", fmt::format("is made from '{}', which is not constant", v->name));
      TRY(operands[v], known_array(*v, depth + 1));
    }
  }
  if (!node.def->eval) return refuse(node, "E0701", "can be read and written, but not executed");
  TRY(std::vector<Array> results, ops::evaluate_node(node, [&](const Value& v) -> const Array* {
        const auto found = operands.find(&v);
        return found == operands.end() ? nullptr : &found->second;
      }));
  for (std::size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
    if (node.outputs[i].get() == &value) return std::move(results[i]);
  }
  return own_bug(fmt::format("{} has no output '{}'", describe(node), value.name));
}

Result<std::vector<float>> Lowering::known_floats(const Value* value) {
  std::vector<float> floats;
  if (!value) return floats;
  if (value->constant) {
    floats = to_floats(*value->constant);
  } else {
    TRY(const Array array, known_array(*value));
    floats.assign(array.data.begin(), array.data.end());
  }
  if (options_.precision == Precision::fp16) {
    for (float& x : floats) x = round_to_half(x);
  }
  return floats;
}

Ref Lowering::constant(FloatBuffer data) {
  const Ref ref{Ref::Space::constant, constants_.size(), 0, static_cast<std::int64_t>(data.size())};
  constant_bytes_ += data.size() * sizeof(float);
  const float* at = data.data();
  constants_.push_back({std::move(data), nullptr, at});
  return ref;
}

Result<Ref> Lowering::place_constant(const Value& value) {
  const Constant* c = value.constant.get();
  if (const auto found = constant_places_.find(c); c && found != constant_places_.end()) return found->second;
  Ref ref;
  if (!is_real(value)) {
    TRY(Array array, known_array(value));
    ref = {Ref::Space::integers, integers_.size(), 0, array.count()};
    constant_bytes_ += array.data.size() * sizeof(double);
    integers_.push_back(std::move(array));
  } else if (c && c->type.dtype == DType::fp32 && options_.precision != Precision::fp16 &&
             reinterpret_cast<std::uintptr_t>(c->data.data()) % alignof(float) == 0) {
    ref = {Ref::Space::constant, constants_.size(), 0, c->count()};
    constant_bytes_ += c->data.size();
    constants_.push_back({FloatBuffer(), value.constant, elements_as<float>(*c).data()});
  } else {
    TRY(const std::vector<float> floats, known_floats(&value));
    FloatBuffer data(floats.size());
    std::copy(floats.begin(), floats.end(), data.data());
    ref = constant(std::move(data));
  }
  if (c) constant_places_[c] = ref;
  return ref;
}

Result<Ref> Lowering::place(const Value& value) {
  if (const auto found = places_.find(&value); found != places_.end()) return found->second;
  if (!is_known(&value)) return own_bug(fmt::format("the value '{}' is used before it is made", value.name));
  TRY(const Ref ref, place_constant(value));
  return places_[&value] = ref;
}

Result<Ref> Lowering::read(const Value& value) {
  TRY(const Ref ref, place(value));
  if (ref.space == Ref::Space::integers) {
    return own_bug(fmt::format("the integers of '{}' are read as floats", value.name));
  }
  return ref;
}

std::int64_t Lowering::pending_uses(const Value& value) const {
  const auto needed = [&](const Use& use) { return needed_.contains(use.node); };
  return value.output_uses + std::count_if(value.uses.begin(), value.uses.end(), needed);
}

Ref Lowering::new_buffer(std::int64_t count, std::int64_t pending) {
  buffers_.push_back({count, -1, -1, pending});
  return {Ref::Space::arena, buffers_.size() - 1, 0, count};
}

Ref Lowering::define(const Value& out) {
  const Ref ref = new_buffer(element_count(out.type.dims).value_or(0), pending_uses(out));
  places_[&out] = ref;
  return ref;
}

Ref Lowering::scratch(std::int64_t count) { return new_buffer(count, 0); }

void Lowering::alias(const Value& out, const Ref& ref) {
  if (!mixed_ || !rounds(out)) return share(out, ref);
  const Ref to = define(out);
  add(out.producer->type, out, to, {ref}, Rounding::exact,
      [=](Frame& f) { std::copy_n(f.read(ref), ref.count, f.write(to)); });
}

void Lowering::share(const Value& out, const Ref& ref) {
  places_[&out] = ref;
  if (ref.space == Ref::Space::arena) buffers_[ref.index].pending += pending_uses(out);
}

bool Lowering::may_overwrite(const Value& over, const Value& out, bool elementwise) const {
  const auto found = places_.find(&over);
  if (found == places_.end() || found->second.space != Ref::Space::arena) return false;
  const Ref& ref = found->second;
  if (ref.count != element_count(out.type.dims)) return false;
  std::int64_t uses = 0;
  for (const Node* node : group_) {
    for (const Operand& operand : node->operands()) {
      for (const Value* value : operand.values) {
        const auto at = places_.find(value);
        if (at == places_.end() || at->second.space != Ref::Space::arena || at->second.index != ref.index) continue;
        if (at->second != ref) return false;  // another view of the same buffer
        ++uses;
      }
    }
  }
  return buffers_[ref.index].pending == uses && (uses == 1 || elementwise);
}

Ref Lowering::define_over(const Value& out, std::initializer_list<const Value*> over, bool elementwise) {
  for (const Value* value : over) {
    if (!may_overwrite(*value, out, elementwise)) continue;
    const Ref ref = places_[value];
    share(out, ref);
    return ref;
  }
  return define(out);
}

void Lowering::add(std::string type, const Value& out, const Ref& to, std::vector<Ref> reads, Rounding rounding,
                   std::function<void(Frame&)> run, std::int64_t macs) {
  Step step;
  step.name = out.name;
  step.type = std::move(type);
  step.macs = macs;
  step.refs = std::move(reads);
  step.refs.push_back(to);
  const bool round = (rounding == Rounding::needed || mixed_) && rounds(out);
  step.run = [kernel = std::move(run), to, round](Frame& frame) -> Result<void> {
    kernel(frame);
    if (round) round_to_half(frame.write(to), static_cast<std::size_t>(to.count), *frame.pool);
    return {};
  };
  add(std::move(step));
}

void Lowering::add(Step step) {
  const auto now = static_cast<int>(steps_.size());
  for (const Ref& ref : step.refs) {
    if (ref.space != Ref::Space::arena) continue;
    Buffer& buffer = buffers_[ref.index];
    if (buffer.first < 0) buffer.first = now;
    buffer.last = now;
  }
  steps_.push_back(std::move(step));
}

void Lowering::delay(const Value& out, DelayedNorm norm) {
  delayed_[&out] = norm;
  done_.insert(norm.norm);
  if (norm.relu) done_.insert(norm.relu);
  group_.clear();  // they use their operands when the convolution does
}

void Lowering::consume(const Node& node) {
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      const auto at = places_.find(value);
      if (at != places_.end() && at->second.space == Ref::Space::arena) --buffers_[at->second.index].pending;
    }
  }
}

void Lowering::find_needed() {
  const Block& body = function_->body;
  std::vector<const Node*> open;
  const auto want = [&](const Value* value) {
    if (value->producer && needed_.insert(value->producer).second) open.push_back(value->producer);
  };
  for (const Value* output : body.outputs()) want(output);
  for (const Node& node : body.nodes) {
    if (node.def && node.def->is(kEffect) && needed_.insert(&node).second) open.push_back(&node);
  }
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Operand& operand : node->operands()) std::for_each(operand.values.begin(), operand.values.end(), want);
  }
}

bool Lowering::mixes(const Node& node) const {
  bool wide = false, narrow = false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) wide = wide || (is_float(value->type.dtype) && !rounds(*value));
  }
  for (const auto& out : node.outputs) narrow = narrow || rounds(*out);
  return wide && narrow;
}

Result<void> Lowering::lower(const Node& node) {
  if (done_.contains(&node) || is_constexpr(node)) return {};
  group_ = {&node};
  mixed_ = mixes(node);
  bool covered = false;
  if (exact_.contains(&node) && std::all_of(node.outputs.begin(), node.outputs.end(),
                                            [](const auto& out) { return is_real(*out) && is_empty(*out); })) {
    for (const auto& out : node.outputs) define(*out);
    covered = true;
  } else if (suits_kernels(node)) {
    if (const Lower kernel = find_kernel(node.type)) {
      TRY(covered, kernel(node, *this));
    }
  }
  if (!covered) {
    group_ = {&node};
    TRY_VOID(by_reference(node));
  }
  for (const Node* part : group_) {
    done_.insert(part);
    consume(*part);
  }
  return {};
}

Result<void> Lowering::run() {
  find_needed();
  const Block& body = function_->body;
  for (const Node& node : body.nodes) {
    if (needed_.contains(&node)) TRY_VOID(check(node));
  }
  for (const auto& input : body.inputs) {
    if (is_real(*input)) {
      define(*input);
      buffers_.back().first = buffers_.back().last = 0;
    } else {
      places_[input.get()] = {Ref::Space::integers, integers_.size(), 0, element_count(input->type.dims).value_or(0)};
      integers_.push_back({input->type.dtype, input->type.dims, {}});
    }
  }
  for (const Node& node : body.nodes) {
    if (needed_.contains(&node)) TRY_VOID(lower(node));
  }
  const auto end = static_cast<int>(steps_.size());
  for (const Value* output : body.outputs()) {
    TRY(const Ref ref, place(*output));
    if (ref.space != Ref::Space::arena) continue;
    Buffer& buffer = buffers_[ref.index];
    buffer.first = std::max(buffer.first, 0);
    buffer.last = end;
  }
  return {};
}

}  // namespace anemone::runtime
