// Losses, which exported training graphs keep.
#include <fmt/format.h>

#include "anemone/frontends/onnx/fused.h"

namespace anemone::onnx {
namespace {

// The loss of log-probabilities [N, C, …] for the targets [N, …].
void give_loss(Call& c, MilValue* log_probabilities, std::size_t targets, std::size_t weights) {
  Emit& emit = c.emit();
  const Dims x = log_probabilities->type.dims;
  if (x.size() < 2) Call::refuse("no classes");
  const DType dtype = log_probabilities->type.dtype;
  Dims classes(x.size(), 1);
  classes[1] = x[1];
  std::vector<double> numbers;
  for (std::size_t i = 0, n = table_size({x[1]}); i < n; ++i) numbers.push_back(static_cast<double>(i));
  MilValue* target = emit.add("expand_dims", {{"x", c.in(targets)}, {"axes", {1}}});
  MilValue* is_target =
      emit.add("equal", {{"x", target}, {"y", make_constant(DType::int32, classes, std::span<const double>(numbers))}});
  if (c.has_attribute("ignore_index")) {
    MilValue* counts =
        emit.add("not_equal",
                 {{"x", target}, {"y", make_scalar(DType::int32, static_cast<double>(c.integer("ignore_index", 0)))}});
    is_target = emit.add("logical_and", {{"x", is_target}, {"y", counts}});
  }
  MilValue* weight = c.has(weights) ? emit.reshape(c.real(weights), classes) : emit.fill(dtype, classes, 1);
  const auto at_target = [&](MilValue* value) {  // [N, …]
    MilValue* chosen =
        emit.add("select", {{"cond", is_target}, {"a", emit.broadcast(value, x)}, {"b", emit.number(value, 0)}});
    return emit.add("reduce_sum", {{"x", chosen}, {"axes", {1}}, {"keep_dims", false}});
  };
  MilValue* loss = at_target(emit.mul(emit.mul(log_probabilities, weight), -1));
  const std::string reduction = c.text("reduction", "mean");
  const auto total = [&](MilValue* value) { return emit.add("reduce_sum", {{"x", value}, {"keep_dims", false}}); };
  if (reduction == "none") return c.give(0, loss);
  if (reduction == "sum") return c.give(0, total(loss));
  c.give(0, emit.add("real_div", {{"x", total(loss)}, {"y", total(at_target(weight))}}));
}

void lower_negative_log_likelihood(Call& c) { give_loss(c, c.real(0), 1, 2); }
void lower_softmax_cross_entropy(Call& c) {
  MilValue* log_probabilities = log_softmax(c.emit(), c.real(0), 1);
  c.dims(0);
  if (c.wants(1)) c.give(1, log_probabilities);
  give_loss(c, log_probabilities, 1, 2);
}

constexpr Row kRows[] = {
    {"NegativeLogLikelihoodLoss", 12, lower_negative_log_likelihood},
    {"SoftmaxCrossEntropyLoss", 12, lower_softmax_cross_entropy},
};

}  // namespace

std::span<const Row> loss_lowerings() { return kRows; }

}  // namespace anemone::onnx
