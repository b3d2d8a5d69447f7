// Constants, and tensors made of shapes and numbers.
#include <fmt/format.h>

#include <cmath>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

const Tensor* tensor_attribute(const Call& c, std::string_view name) {
  const Attribute* found = c.node().attribute(name);
  const auto* list = found ? std::get_if<std::vector<Tensor>>(&found->value) : nullptr;
  return list && !list->empty() ? &list->front() : nullptr;
}

void lower_constant(Call& c) {
  Emit& emit = c.emit();
  if (const Tensor* tensor = tensor_attribute(c, "value")) {
    count_of(tensor->dims);
    MilValue* value = emit.constant(to_mil(*tensor, c.lowering().options().folder));
    return c.give(0, Lowered{tensor->dtype, {value}, false});
  }
  const auto give = [&](DataType dtype, ConstantPtr constant) {
    c.give(0, Lowered{dtype, {emit.constant(std::move(constant))}, false});
  };
  if (c.has_attribute("value_float"))
    return give(DataType::float32, make_scalar(DType::fp32, c.number("value_float", 0)));
  if (c.has_attribute("value_int"))
    return give(DataType::int64, make_scalar(DType::int32, static_cast<double>(c.integer("value_int", 0))));
  if (c.has_attribute("value_floats")) {
    const std::vector<float> values = c.floats("value_floats");
    return give(DataType::float32,
                make_constant(DType::fp32, {static_cast<std::int64_t>(values.size())}, std::span<const float>(values)));
  }
  if (c.has_attribute("value_ints")) return give(DataType::int64, make_ints(c.list("value_ints")));
  Call::refuse("a constant that is sparse, or of strings");
}

void lower_constant_of_shape(Call& c) {
  const Tensor* tensor = tensor_attribute(c, "value");
  const DataType dtype = tensor ? tensor->dtype : DataType::float32;
  const double value = tensor ? scalar(*to_mil(*tensor, c.lowering().options().folder)) : 0;
  c.give(0, Lowered{dtype, {c.emit().fill(mil_dtype(dtype), c.ints(0), value)}, false});
}

void lower_shape(Call& c) {
  const Dims& dims = c.dims(0);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto clamped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t begin = clamped(c.integer("start", 0)), end = clamped(c.integer("end", rank));
  c.give(0, Lowered{DataType::int64,
                    {c.emit().ints(begin < end ? Dims(dims.begin() + begin, dims.begin() + end) : Dims{})},
                    false});
}
void lower_size(Call& c) {
  c.give(0, Lowered{DataType::int64,
                    {c.emit().constant(make_scalar(DType::int32, static_cast<double>(count_of(c.dims(0)))))},
                    false});
}

void lower_range(Call& c) {
  const double start = c.numbers(0).at(0), limit = c.numbers(1).at(0), step = c.numbers(2).at(0);
  if (step == 0) Call::refuse("a step of 0");
  const double count = std::max(0.0, std::ceil((limit - start) / step));
  if (!(count <= 1 << 20)) Call::refuse(fmt::format("a range of {} numbers", count));
  std::vector<double> values;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i)
    values.push_back(start + static_cast<double>(i) * step);
  c.give(c.emit().constant(
      make_constant(c.in(0)->type.dtype, {static_cast<std::int64_t>(count)}, std::span<const double>(values))));
}

void lower_eye_like(Call& c) {
  const Dims& dims = c.dims(0);
  if (dims.size() != 2) Call::refuse("an input that is no matrix");
  const auto dtype = static_cast<DataType>(c.integer("dtype", static_cast<std::int64_t>(c.dtype(0))));
  const std::int64_t k = c.integer("k", 0);
  std::vector<double> values;
  values.reserve(table_size(dims));
  for (std::int64_t i = 0; i < dims[0]; ++i) {
    for (std::int64_t j = 0; j < dims[1]; ++j) values.push_back(j - i == k);
  }
  MilValue* eye = c.emit().constant(make_constant(mil_dtype(dtype), dims, std::span<const double>(values)));
  c.give(0, Lowered{dtype, {eye}, false});
}

// Random numbers depend on a generator that ONNX leaves open, so that no result can be held against another.
void lower_random(Call& c, const Dims& shape, DataType dtype, bool normal) {
  Emit& emit = c.emit();
  const DType mil = mil_dtype(dtype);
  const auto number = [&](std::string_view name, double fallback) {
    return make_scalar(mil, c.number(name, fallback));
  };
  MilValue* value =
      normal ? emit.add("random_normal",
                        {{"shape", shape}, {"mean", number("mean", 0)}, {"stddev", number("scale", 1)}, {"seed", -1}})
             : emit.add("random_uniform",
                        {{"shape", shape}, {"low", number("low", 0)}, {"high", number("high", 1)}, {"seed", -1}});
  c.give(0, Lowered{dtype, {value}, false});
}
DataType random_dtype(const Call& c, DataType fallback) {
  return static_cast<DataType>(c.integer("dtype", static_cast<std::int64_t>(fallback)));
}
void lower_random_uniform(Call& c) { lower_random(c, c.list("shape"), random_dtype(c, DataType::float32), false); }
void lower_random_normal(Call& c) { lower_random(c, c.list("shape"), random_dtype(c, DataType::float32), true); }
void lower_random_uniform_like(Call& c) { lower_random(c, c.dims(0), random_dtype(c, c.dtype(0)), false); }
void lower_random_normal_like(Call& c) { lower_random(c, c.dims(0), random_dtype(c, c.dtype(0)), true); }

// a0 − a1·cos(2πi/n) + a2·cos(4πi/n); n is the size, or one less for a symmetric window.
void give_window(Call& c, double a0, double a1, double a2) {
  const std::int64_t size = c.ints(0).at(0);
  const std::size_t count = table_size({size});
  const double n = static_cast<double>(c.flag("periodic", true) ? size : size - 1);
  const auto dtype = static_cast<DataType>(c.integer("output_datatype", static_cast<std::int64_t>(DataType::float32)));
  std::vector<double> values;
  values.reserve(count);
  for (std::int64_t i = 0; i < size; ++i) {
    const double phase = 2 * M_PI * static_cast<double>(i) / n;
    values.push_back(a0 - a1 * std::cos(phase) + a2 * std::cos(2 * phase));
  }
  c.give(0, Lowered{dtype,
                    {c.emit().constant(make_constant(mil_dtype(dtype), {size}, std::span<const double>(values)))},
                    false});
}
void lower_hann_window(Call& c) { give_window(c, 0.5, 0.5, 0); }
void lower_hamming_window(Call& c) { give_window(c, 25.0 / 46, 21.0 / 46, 0); }
void lower_blackman_window(Call& c) { give_window(c, 0.42, 0.5, 0.08); }

constexpr Row kRows[] = {
    {"Constant", 1, lower_constant, "sparse values, strings"},
    {"ConstantOfShape", 9, lower_constant_of_shape, "a shape computed from data"},
    {"Shape", 1, lower_shape},
    {"Size", 1, lower_size},
    {"Range", 11, lower_range, "bounds computed from data"},
    {"EyeLike", 9, lower_eye_like},
    {"RandomUniform", 1, lower_random_uniform, "the seed: numbers differ from run to run"},
    {"RandomNormal", 1, lower_random_normal, "the seed"},
    {"RandomUniformLike", 1, lower_random_uniform_like, "the seed"},
    {"RandomNormalLike", 1, lower_random_normal_like, "the seed"},
    {"HannWindow", 17, lower_hann_window},
    {"HammingWindow", 17, lower_hamming_window},
    {"BlackmanWindow", 17, lower_blackman_window},
};

}  // namespace

std::span<const Row> creation_lowerings() { return kRows; }

}  // namespace anemone::onnx
