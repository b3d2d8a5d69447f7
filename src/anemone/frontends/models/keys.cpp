// Every tensor of the file must be accounted for: used, known to be unused, or named in an error.
#include "anemone/frontends/models/keys.h"

#include <fmt/format.h>

#include <unordered_set>

#include "anemone/frontends/models/likeness.h"

namespace anemone::models {
namespace {

constexpr std::size_t kNamed = 10;  // keys that a message lists before it only counts

std::string listed(const std::vector<std::string>& keys) {
  std::string out;
  for (std::size_t i = 0; i < keys.size() && i < kNamed; ++i) out += fmt::format("{}'{}'", i ? ", " : "", keys[i]);
  if (keys.size() > kNamed) out += fmt::format(" and {} more", keys.size() - kNamed);
  return out;
}

/// "pre.3.skip_layer.conv.weight" → "pre.3.skip_layer": the module that never runs, not its parts.
std::string dead_module(const std::string& key) {
  const std::size_t at = key.rfind(".conv.");
  return key.substr(0, at == std::string::npos ? key.rfind('.') : at);
}

}  // namespace

void add_conv(KeySpecs& specs, const std::string& path, Dims shape, bool bias, KeyRole role) {
  const std::int64_t channels = shape[0];
  specs.push_back({path + ".weight", std::move(shape), role});
  if (bias) specs.push_back({path + ".bias", {channels}, role});
}

void add_batch_norm(KeySpecs& specs, const std::string& path, std::int64_t channels) {
  specs.push_back({path + ".weight", {channels}, KeyRole::parameter});
  specs.push_back({path + ".bias", {channels}, KeyRole::parameter});
  specs.push_back({path + ".running_mean", {channels}, KeyRole::buffer});
  specs.push_back({path + ".running_var", {channels}, KeyRole::buffer});
  specs.push_back({path + ".num_batches_tracked", {}, KeyRole::counter});
}

std::size_t count_present(const formats::StateDict& state, const KeySpecs& specs) {
  std::size_t present = 0;
  for (const KeySpec& spec : specs) present += state.find(spec.key) ? 1 : 0;
  return present;
}

Result<KeyReport> check_keys(const formats::StateDict& state, const KeySpecs& specs, std::string_view network) {
  KeyReport report;
  Diagnostics errors;
  std::vector<std::string> missing, unknown;
  std::unordered_set<std::string_view> known;
  std::size_t wrong_shapes = 0;
  for (const KeySpec& spec : specs) {
    known.insert(spec.key);
    const formats::StoredTensor* tensor = state.find(spec.key);
    if (!tensor) {
      if (spec.is_needed()) missing.push_back(spec.key);
      continue;
    }
    if (tensor->shape != spec.shape) {
      if (++wrong_shapes <= kNamed) {
        errors.push_back(
            bad_input(ErrorCode::key_shape,
                      fmt::format("key '{}' is {}, expected {}", spec.key, brief(tensor->shape), brief(spec.shape)),
                      torch::place_of(state)));
      }
      continue;
    }
    (spec.is_needed() ? report.used : report.unused_known).push_back(spec.key);
    const std::int64_t numbers = *element_count(spec.shape);
    if (spec.role == KeyRole::parameter) report.parameters.live += numbers;
    if (spec.role == KeyRole::dead) {
      report.parameters.dead += numbers;
      const std::string module = dead_module(spec.key);
      if (report.dead_modules.empty() || report.dead_modules.back() != module) report.dead_modules.push_back(module);
    }
  }
  report.parameters.total = report.parameters.live + report.parameters.dead;
  for (const formats::StoredTensor& tensor : state.tensors) {
    if (!known.contains(tensor.path)) unknown.push_back(tensor.path);
  }
  if (wrong_shapes * 2 > specs.size()) {
    errors.front().notes.push_back(
        fmt::format("{} of {} tensors have the names of {} and other shapes: another width of it", wrong_shapes,
                    specs.size(), network));
  }
  if (wrong_shapes > kNamed)
    errors.back().notes.push_back(fmt::format("and {} more of other shapes", wrong_shapes - kNamed));
  if (!missing.empty()) {
    errors.push_back(bad_input(ErrorCode::keys_missing,
                               fmt::format("the state dict lacks {} of the {} tensors of {}: {}", missing.size(),
                                           specs.size(), network, listed(missing)),
                               torch::place_of(state)));
    if (missing.size() * 4 > specs.size()) errors.back().notes = describe_likeness(state, specs, network);
  }
  if (!unknown.empty()) {
    errors.push_back(bad_input(ErrorCode::keys_foreign,
                               fmt::format("{} of the {} tensors do not belong to {}: {}", unknown.size(),
                                           state.tensors.size(), network, listed(unknown)),
                               torch::place_of(state)));
  }
  if (!errors.empty()) return errors;
  return report;
}

}  // namespace anemone::models
