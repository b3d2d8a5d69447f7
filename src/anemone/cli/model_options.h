#pragma once
// The options of every verb that reads a model.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "anemone/cli/verb.h"
#include "anemone/toolchain/model.h"

namespace anemone::cli {

/// "256x256": height and width.
Result<std::pair<std::int64_t, std::int64_t>> parse_size(const std::string& word);
/// "image=1x3x256x256": the whole shape of an input of an ONNX graph; "1x3x8x112x112" is that of its only one.
Result<std::pair<std::string, Dims>> parse_shape(const std::string& word);
/// Says more than height and width.
bool is_whole_shape(const std::string& word);

struct ModelFlags {
  std::optional<std::string> network, weights;
  std::optional<std::int64_t> part;
  std::optional<std::pair<std::int64_t, std::int64_t>> size;
  std::map<std::string, Dims> shapes;
  std::int64_t batch = 1;

  /// With --shapes for one size; `convert` has one for several.
  void declare(Options& options) {
    declare_common(options);
    options.value(
        "--shapes", "HxW",
        [this](std::string_view word) -> Result<void> {
          if (!is_whole_shape(std::string(word))) {
            TRY(size, parse_size(std::string(word)));
            return {};
          }
          return add_shapes(word);
        },
        "height and width of the input, where the model can have several; of an ONNX file also whole shapes, "
        "[NAME=]1x3x16x112x112,…");
  }
  void declare_common(Options& options) {
    options.value("--network", "NAME", network, "the checkpoint's network, when it is not recognised");
    options.value("--weights", "NAME", weights, "of a checkpoint: the part to take, net_ema or model/ema");
    options.value("--part", "N", part, "of a pipeline: the model to look at, when it holds several ML Programs",
                  {.at_least = 1, .at_most = 1000});
    options.value("--batch", "N", batch,
                  "samples at a time: of a checkpoint's network, or of an ONNX file that leaves their number open",
                  {.at_least = 1, .at_most = 65536});
  }
  toolchain::LoadOptions load(Call& call, bool one_of_several = false) const {
    toolchain::LoadOptions options{.network = network,
                                   .weights = weights,
                                   .batch = batch,
                                   .part = part,
                                   .one_of_several = one_of_several,
                                   .talk = call.talk()};
    if (size) std::tie(options.height, options.width) = *size;
    options.input_shapes = shapes;
    options.shapes_asked = !shapes.empty();
    return options;
  }
  /// Of "a=1x3x8x8,b=2x4".
  Result<void> add_shapes(std::string_view words);
};

}  // namespace anemone::cli
