// "input1-candidate-x.npy", "layer1-reference-pre_2.npy" …
#include "anemone/toolchain/saved_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "anemone/toolchain/arrays.h"
#include "anemone/toolchain/layers.h"
#include "anemone/toolchain/line_file.h"

namespace anemone::toolchain {
namespace {

constexpr std::size_t kLayers = 3;

class Folder {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}

  /// `group`: "input1", "layer2".
  Result<void> add(const std::string& group, SavedArray entry, const Array& array) {
    entry.file = file_name(
        fmt::format("{}-{}{}-{}", group, entry.what == "operand" ? "operand-" : "", entry.side, entry.name), taken_);
    entry.dtype = std::string(name(array.dtype));
    entry.shape = array.dims;
    TRY_VOID(write_array(path_ / entry.file, array));
    saved_.push_back(std::move(entry));
    return {};
  }
  std::vector<SavedArray> done() { return std::move(saved_); }

 private:
  std::filesystem::path path_;
  std::set<std::string> taken_;
  std::vector<SavedArray> saved_;
};

Result<void> save_side(Folder& folder, const std::string& group, const Session& session, const SessionOptions& options,
                       const Comparison& comparison, const std::string& side) {
  const std::string& label = comparison.input.label;
  TRY(const std::vector<Array> given, arrays_for(session, comparison.input, comparison.candidate.function()));
  for (std::size_t i = 0; i < given.size(); ++i)
    TRY_VOID(folder.add(group, {{}, "input", side, session.function().body.inputs[i]->name, label, {}, {}}, given[i]));
  SessionOptions as_it_is = options;
  as_it_is.outputs.clear();
  TRY(Session again, Session::open(session.model(), {}, as_it_is));
  TRY(const std::vector<Array> got, again.run(given));
  for (std::size_t i = 0; i < got.size(); ++i)
    TRY_VOID(folder.add(group, {{}, "output", side, again.function().body.outputs()[i]->name, label, {}, {}}, got[i]));
  return {};
}

}  // namespace

Result<std::vector<SavedArray>> save_arrays(const std::vector<Comparison>& comparisons,
                                            const std::optional<Layers>& layers, const std::filesystem::path& path) {
  TRY_VOID(make_folder(path));
  std::error_code ignored;
  std::filesystem::remove(path / "index.json", ignored);
  Folder folder(path);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& c = comparisons[i];
    const std::string group = fmt::format("input{}", i + 1);
    TRY_VOID(save_side(folder, group, c.candidate, c.options, c, "candidate"));
    TRY_VOID(save_side(folder, group, c.reference, c.reference_options, c, "reference"));
  }
  if (!layers) return folder.done();
  for (std::size_t i = 0; i < std::min(kLayers, layers->ranked.size()); ++i) {
    const LayerError& layer = layers->ranked[i];
    const std::string group = fmt::format("layer{}", i + 1);
    TRY(const LayerArrays arrays, layer_arrays(comparisons[0], layer.name));
    TRY_VOID(folder.add(group, {{}, "layer", "candidate", layer.name, layers->input, {}, {}}, arrays.candidate));
    TRY_VOID(folder.add(group, {{}, "layer", "local", layer.name, layers->input, {}, {}}, arrays.local));
    TRY_VOID(
        folder.add(group, {{}, "layer", "reference", layer.reference_name, layers->input, {}, {}}, arrays.reference));
    for (const auto& [operand, array] : arrays.operands)
      TRY_VOID(folder.add(group, {{}, "operand", "reference", operand, layers->input, {}, {}}, array));
  }
  return folder.done();
}

}  // namespace anemone::toolchain
