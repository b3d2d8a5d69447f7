// Values are looked at in groups of a few million numbers, in program order.
#include "anemone/toolchain/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/toolchain/seeded_inputs.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {
namespace {

constexpr std::int64_t kNumbersAtOnce = std::int64_t{1} << 24;
constexpr double kLargestHalf = 65504, kLeastNormal = 6.103515625e-05;

// What a value looks like on one input, added to what it looked like on those before.
void look(const Array& array, ValueRange& range) {
  std::vector<double> magnitudes;
  magnitudes.reserve(array.data.size());
  std::size_t small = 0;
  for (const double v : array.data) {
    range.overflows = range.overflows || !(std::abs(v) <= kLargestHalf);
    if (!std::isfinite(v)) continue;
    range.min = std::min(range.min, v);
    range.max = std::max(range.max, v);
    small += v != 0 && std::abs(v) < kLeastNormal;
    magnitudes.push_back(std::abs(v));
  }
  if (magnitudes.empty()) return;
  const auto place = magnitudes.begin() + static_cast<std::ptrdiff_t>(magnitudes.size() - 1 - magnitudes.size() / 1000);
  std::nth_element(magnitudes.begin(), place, magnitudes.end());
  range.p999 = std::max(range.p999, *place);
  range.subnormal = std::max(range.subnormal, static_cast<double>(small) / static_cast<double>(magnitudes.size()));
}

struct Group {
  std::vector<std::string> names, types;
};

std::vector<Group> groups_of(const Function& function) {
  std::vector<Group> groups;
  std::int64_t numbers = kNumbersAtOnce;
  for (const Node& node : function.body.nodes) {
    if (!node.blocks.empty() || is(node, kConstexpr)) continue;
    for (const auto& output : node.outputs) {
      const Type& type = output->type;
      if (!type.is_tensor() || !is_float(type.dtype) || !type.is_fixed()) continue;
      if (numbers >= kNumbersAtOnce) {
        groups.emplace_back();
        numbers = 0;
      }
      numbers += element_count(type.dims).value_or(0);
      groups.back().names.push_back(output->name);
      groups.back().types.push_back(node.type);
    }
  }
  return groups;
}

}  // namespace

Result<std::vector<ValueRange>> value_ranges(const Model& model, std::span<const InputFile> inputs, int threads) {
  std::vector<ValueRange> ranges;
  for (const Group& group : groups_of(model.program->main())) {
    SessionOptions options;
    options.outputs = group.names;
    options.precision = runtime::Precision::fp32;
    options.threads = threads;
    TRY(Session session, Session::open(model, {}, options));
    const std::size_t first = ranges.size();
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      ValueRange& range = ranges.emplace_back();
      range.name = group.names[i];
      range.type = group.types[i];
    }
    for (const InputFile& input : inputs) {
      TRY(const std::vector<Array> arrays, session.bind({input}));
      TRY(const std::vector<Array> values, session.run(arrays));
      for (std::size_t i = 0; i < values.size(); ++i) look(values[i], ranges[first + i]);
    }
  }
  return ranges;
}

Result<std::vector<InputFile>> calibration_inputs(const Model& model, const std::string& folder) {
  TRY(Session session, Session::open(model, {}, {}));
  if (!takes_pixels(session))
    return bad_usage("calibration runs pictures through the network, and this one does not take any",
                     "leave --calibrate and '--precision auto' out");
  const Dims& dims = session.function().body.inputs[0]->type.dims;
  const std::int64_t height = dims[dims.size() - 2], width = dims[dims.size() - 1];
  if (folder.empty()) return seeded_images(width, height, 1);
  TRY(const auto files, pictures_in(folder));
  std::vector<InputFile> inputs;
  for (const auto& file : files) {
    TRY(InputFile input, read_input(file.string()));
    if (input.height != height || input.width != width) {
      TRY(input, resized(input, width, height));
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::string damage(const ValueRange& range) {
  if (range.overflows) return fmt::format("it reaches {:.4g} in calibration, and fp16 ends at 65504", range.largest());
  if (range.p999 > 0 && range.p999 < kLeastNormal)
    return fmt::format("its numbers end at {:.3g} in calibration, below fp16's normal range", range.p999);
  return {};
}

}  // namespace anemone::toolchain
