#pragma once
// The options of every verb that reads a model.
#include <optional>
#include <string>

#include "anemone/cli/verb.h"
#include "anemone/toolchain/model.h"

namespace anemone::cli {

struct ModelFlags {
  std::optional<std::string> network, weights;
  std::optional<std::int64_t> part;

  void declare(Options& options) {
    options.value("--network", "NAME", network, "the checkpoint's network, when it is not recognised");
    options.value("--weights", "NAME", weights, "of a checkpoint: the part to take, net_ema or model/ema");
    options.value("--part", "N", part, "of a pipeline: the model to look at, when it holds several ML Programs",
                  {.at_least = 1, .at_most = 1000});
  }
  toolchain::LoadOptions load(Call& call, bool one_of_several = false) const {
    return {
        .network = network, .weights = weights, .part = part, .one_of_several = one_of_several, .talk = call.talk()};
  }
};

}  // namespace anemone::cli
