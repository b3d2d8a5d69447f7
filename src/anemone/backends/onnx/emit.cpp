// Values, constants and nodes; numbers of large constants are made last.
#include "anemone/backends/onnx/emit.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::onnx::exporting {
namespace {

Dimension dimension(std::int64_t extent) {
  Dimension d;
  if (extent != kUnknown) d.value = extent;
  return d;
}

/// The numbers in the element type of the tensor; the same bytes where that is the constant's own.
Bytes packed(const Constant& constant, DataType dtype) {
  if (constant.type.dtype == DType::fp16 && dtype == DataType::float32) {
    std::vector<float> wide = to_floats(constant);
    auto owner = std::make_shared<const std::vector<float>>(std::move(wide));
    return {owner, std::as_bytes(std::span(*owner))};
  }
  return constant.data;
}

template <class T>
Attribute attribute_of(std::string name, Attribute::Kind kind, T value) {
  Attribute a;
  a.name = std::move(name);
  a.kind = kind;
  a.value = std::move(value);
  return a;
}

std::size_t byte_width(DataType dtype) { return onnxspec::bits_of(dtype) / 8; }

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* at = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), at, at + sizeof(T));
}

Bytes bytes_of(DataType dtype, const std::vector<double>& values) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size() * byte_width(dtype));
  if (dtype == DataType::float16)
    return make_constant(DType::fp16, {static_cast<std::int64_t>(values.size())}, std::span<const double>(values))
        ->data;
  for (const double v : values) {
    switch (dtype) {
      case DataType::int64:
        append(bytes, static_cast<std::int64_t>(v));
        break;
      case DataType::int32:
        append(bytes, static_cast<std::int32_t>(v));
        break;
      case DataType::int16:
        append(bytes, static_cast<std::int16_t>(v));
        break;
      case DataType::uint16:
        append(bytes, static_cast<std::uint16_t>(v));
        break;
      case DataType::uint32:
        append(bytes, static_cast<std::uint32_t>(v));
        break;
      case DataType::int8:
        append(bytes, static_cast<std::int8_t>(v));
        break;
      case DataType::uint8:
      case DataType::boolean:
        append(bytes, static_cast<std::uint8_t>(v));
        break;
      case DataType::float64:
        append(bytes, v);
        break;
      default:
        append(bytes, static_cast<float>(v));
        break;
    }
  }
  return Bytes::owned(std::move(bytes));
}

}  // namespace

DataType data_type(DType dtype, const RaiseOptions& options) {
  switch (dtype) {
    case DType::boolean:
      return DataType::boolean;
    case DType::string:
      return DataType::string;
    case DType::fp16:
      return options.widen ? DataType::float32 : DataType::float16;
    case DType::fp32:
      return DataType::float32;
    case DType::fp64:
      return DataType::float64;
    case DType::bf16:
      return DataType::bfloat16;
    case DType::int8:
      return DataType::int8;
    case DType::int16:
      return DataType::int16;
    case DType::int32:
      return DataType::int32;
    case DType::int64:
      return DataType::int64;
    case DType::uint8:
      return DataType::uint8;
    case DType::uint16:
      return DataType::uint16;
    case DType::uint32:
      return DataType::uint32;
    case DType::uint64:
      return DataType::uint64;
    default:
      return DataType::undefined;
  }
}

onnx::Type tensor_type(const MilType& from, const RaiseOptions& options) {
  const MilType& type = from.tensor_part();
  onnx::Type out;
  if (!type.is_tensor()) return out;
  out.kind = onnx::Type::Kind::tensor;
  out.dtype = data_type(type.dtype, options);
  if (!type.ranked) return out;
  out.shape.emplace();
  for (const std::int64_t extent : type.dims) out.shape->push_back(dimension(extent));
  return out;
}

Attribute attr(std::string name, std::int64_t value) {
  return attribute_of(std::move(name), Attribute::Kind::integer, value);
}
Attribute attr(std::string name, double value) {
  return attribute_of(std::move(name), Attribute::Kind::number, static_cast<float>(value));
}
Attribute attr(std::string name, Dims value) {
  return attribute_of(std::move(name), Attribute::Kind::integers, std::move(value));
}
Attribute attr(std::string name, std::string value) {
  return attribute_of(std::move(name), Attribute::Kind::string, std::move(value));
}
Attribute attr(std::string name, Tensor value) {
  return attribute_of(std::move(name), Attribute::Kind::tensor, std::vector<Tensor>{std::move(value)});
}

Value* Raising::value_of(const MilValue& value) {
  for (Raising* scope = this; scope; scope = scope->around_) {
    if (const auto found = scope->values_.find(&value); found != scope->values_.end()) return found->second;
  }
  const ConstantPtr constant = constant_of(value);
  if (!constant) return nullptr;
  return values_[&value] = initializer(value.name, constant);
}

ConstantPtr Raising::constant_of(const MilValue& value) const {
  for (const Raising* scope = this; scope; scope = scope->around_) {
    if (const auto found = scope->dense_.find(&value); found != scope->dense_.end()) return found->second;
  }
  return value.constant;
}

Value* Raising::initializer(const std::string& name, ConstantPtr constant) {
  Value* value = graph_.add_value(graph_.free_name(name.empty() ? "constant" : name));
  value->type = tensor_type(constant->type, options_);
  value->tensor = std::make_unique<Tensor>();
  value->tensor->name = value->name();
  value->tensor->dtype = value->type.dtype;
  value->tensor->dims = constant->type.dims;
  pending_.push_back({value, std::move(constant)});
  return value;
}

Value* Raising::constant(DataType dtype, const Dims& dims, const std::vector<double>& values, const std::string& name) {
  constexpr std::size_t kShared = 16;
  std::string key;
  if (values.size() <= kShared) {
    key = fmt::format("{} {} {}", static_cast<int>(dtype), fmt::join(dims, ","), fmt::join(values, ","));
    if (const auto found = shared_.find(key); found != shared_.end()) return found->second;
  }
  Value* value = graph_.add_value(graph_.free_name(name));
  value->type.kind = onnx::Type::Kind::tensor;
  value->type.dtype = dtype;
  value->type.shape.emplace();
  for (const std::int64_t extent : dims) value->type.shape->push_back(dimension(extent));
  value->tensor = std::make_unique<Tensor>();
  value->tensor->name = value->name();
  value->tensor->dtype = dtype;
  value->tensor->dims = dims;
  value->tensor->data = bytes_of(dtype, values);
  if (!key.empty()) shared_[key] = value;
  return value;
}

std::vector<Value*> unused_initializers(const Graph& graph) {
  std::vector<Value*> unused;
  for (const auto& value : graph.values()) {
    if (value->is_initializer() && value->uses().empty() && !value->is_input()) unused.push_back(value.get());
  }
  return unused;
}

void Raising::forget(const std::vector<Value*>& values) {
  std::erase_if(pending_, [&](const Pending& pending) {
    return std::find(values.begin(), values.end(), pending.value) != values.end();
  });
}

void Raising::hand_over() {
  around_->pending_.insert(around_->pending_.end(), pending_.begin(), pending_.end());
  pending_.clear();
}

void Raising::finish() {
  for (Pending& pending : pending_) {
    Tensor& tensor = *pending.value->tensor;
    if (pending.constant->is_string()) {
      tensor.strings = pending.constant->strings;
    } else {
      tensor.data = packed(*pending.constant, tensor.dtype);
    }
  }
  pending_.clear();
}

const Constant* Emit::constant(std::string_view param) const {
  const MilValue* value = node().input(param);
  return value ? raising_.constant_of(*value).get() : nullptr;
}

Value* Emit::in(std::string_view param) {
  const MilValue* value = node().input(param);
  return value ? raising_.value_of(*value) : nullptr;
}

Inputs Emit::all(std::string_view param) {
  Inputs out;
  if (const Operand* operand = node().operand(param)) {
    for (const MilValue* value : operand->values) out.push_back(raising_.value_of(*value));
  }
  return out;
}

const MilType& Emit::type(std::string_view param) const {
  static const MilType kNone;
  const MilValue* value = node().input(param);
  return value ? value->type : kNone;
}

std::int64_t Emit::axis(std::string_view param, std::int64_t rank) const {
  const std::int64_t given = integer(param);
  return given < 0 ? given + rank : given;
}

Dims Emit::axes(std::string_view param, std::int64_t rank) const {
  Dims out = has(param) ? ints(param) : Dims{};
  if (!has(param)) {
    for (std::int64_t d = 0; d < rank; ++d) out.push_back(d);
  }
  for (std::int64_t& axis : out) axis = axis < 0 ? axis + rank : axis;
  return out;
}

bool Emit::is_fixed() const {
  return std::all_of(node().outputs.begin(), node().outputs.end(),
                     [](const auto& output) { return output->type.is_fixed(); });
}

Value* Emit::in_as(std::string_view param, DataType wanted) {
  Value* value = in(param);
  return !value || dtype(param) == wanted ? value : cast(value, wanted);
}

Value* Emit::in_int64(std::string_view param) {
  if (const Constant* known = constant(param)) {
    const Dims values = to_ints(*known);
    return literals(DataType::int64, known->type.dims, std::vector<double>(values.begin(), values.end()));
  }
  return in_as(param, DataType::int64);
}

Value* Emit::per_channel(std::string_view param, std::int64_t rank) {
  const Constant* given = constant(param);
  if (!given) return nullptr;
  auto shaped = std::make_shared<Constant>(*given);
  shaped->type.dims.insert(shaped->type.dims.end(), static_cast<std::size_t>(std::max<std::int64_t>(rank - 2, 0)), 1);
  return raising_.initializer(node().input(param)->name, std::move(shaped));
}

Value* Emit::make(Call call) { return make_several(std::move(call), 1)[0]; }

Inputs Emit::make_several(Call call, std::size_t count) {
  const std::string stem = node().outputs.empty() ? node().name : node().output()->name;
  std::string name = call.op;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  Inputs outputs;
  for (std::size_t i = 0; i < count; ++i)
    outputs.push_back(raising_.graph().add_value(raising_.graph().free_name(stem + "_" + name)));
  Node& made = raising_.graph().add_node(std::move(call.op), std::move(call.inputs), outputs);
  made.name = outputs[0]->name();
  made.attributes = std::move(call.attributes);
  return outputs;
}

Node& Emit::give_node(Call call) {
  Inputs outputs;
  for (const auto& output : node().outputs) {
    Value* value = raising_.graph().add_value(raising_.graph().free_name(output->name));
    value->type = tensor_type(output->type, raising_.options());
    raising_.set(*output, value);
    outputs.push_back(value);
  }
  Node& made = raising_.graph().add_node(std::move(call.op), std::move(call.inputs), std::move(outputs));
  made.name = node().name.empty() ? node().output()->name : node().name;
  made.attributes = std::move(call.attributes);
  return made;
}

Result<void> Emit::give_value(Value* value, std::size_t index) {
  raising_.set(*node().output(index), value);
  return {};
}

Value* Emit::slice(Value* value, const Dims& starts, const Dims& ends, const Dims& axes, const Dims& steps) {
  Inputs inputs{value, int64s(starts), int64s(ends), int64s(axes)};
  if (std::any_of(steps.begin(), steps.end(), [](std::int64_t s) { return s != 1; })) inputs.push_back(int64s(steps));
  return make("Slice", std::move(inputs));
}

Call Emit::reduction(const std::string& op, Value* value, const Dims& axes, bool keep) {
  Call call{op, {value}, {attr("keepdims", std::int64_t{keep})}};
  if (opset() >= (op == "ReduceSum" ? 13 : 18)) {
    call.inputs.push_back(int64s(axes));
  } else {
    call.attributes.push_back(attr("axes", axes));
  }
  return call;
}

Value* Emit::int64s(const Dims& values) {
  return literals(DataType::int64, {static_cast<std::int64_t>(values.size())},
                  std::vector<double>(values.begin(), values.end()));
}

Value* Emit::literal(double value, DataType dtype) { return literals(dtype, {}, {value}); }

Value* Emit::literals(DataType dtype, const Dims& dims, const std::vector<double>& values) {
  const std::string stem = node().outputs.empty() ? "constant" : node().output()->name + "_constant";
  return raising_.constant(dtype, dims, values, stem);
}

Diagnostic Emit::refuse(std::string why, std::string help) const {
  return bad_input(ErrorCode::onnx_cannot_say, std::move(why), {}, std::move(help));
}

}  // namespace anemone::onnx::exporting
