// Any ONNX file as `plan --ort` reads it: what a release of ONNX Runtime would take of it has an answer for every graph
// that can be built, and its numbers agree with one another.
#include <cstdlib>
#include <numeric>

#include "anemone/onnx/graph.h"
#include "anemone/plan/ort/provider_plan.h"
#include "fuzz/onnx_mutator.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  const auto spec = formats::onnxspec::read_model(Bytes::copy_of(std::span(data, size)), "fuzz");
  if (!spec) return 0;
  const auto all = plan::ort::targets();
  for (const plan::ort::Target target : {all.front(), all.back()}) {
    auto model = onnx::build_model(formats::onnxspec::Model(*spec), "fuzz");
    if (!model) return 0;
    (void)plan::ort::fix_extents(*model);
    const plan::ort::ProviderPlan plan = plan::ort::plan_for_provider(*std::move(model), target);
    const std::size_t inside =
        std::accumulate(plan.partitions.begin(), plan.partitions.end(), std::size_t{0},
                        [](std::size_t sum, const plan::ort::PartitionPlan& each) { return sum + each.nodes; });
    require(inside == plan.supported && plan.supported + plan.rejected.size() == plan.nodes);
  }
  return 0;
}
