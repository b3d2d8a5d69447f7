// Branches and loops: resolved while the graph is read where their conditions are known; a branch that depends on data
// computes both sides and selects.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

constexpr std::size_t kMostSteps = 1024;  // of all loops of a graph together

std::vector<Lowered> run_body(Call& c, const Graph& body) {
  c.lowering().lower_body(body);
  std::vector<Lowered> results;
  for (const Value* output : body.outputs()) results.push_back(*c.lowering().find(*output));
  return results;
}

// What is carried and scanned is matched by place: nothing else says that a body has as many places as its node.
void check_places(const Graph& body, std::size_t inputs, std::size_t outputs) {
  if (body.inputs().size() < inputs || body.outputs().size() < outputs)
    Call::refuse(fmt::format("a body of {} inputs and {} outputs for a node that needs {} and {}", body.inputs().size(),
                             body.outputs().size(), inputs, outputs));
}

void lower_if(Call& c) {
  Emit& emit = c.emit();
  const Graph &then_graph = c.body("then_branch"), &else_graph = c.body("else_branch");
  if (const ConstantPtr known = c.known(0)) {
    std::vector<Lowered> results = run_body(c, scalar(*known) != 0 ? then_graph : else_graph);
    for (std::size_t i = 0; i < results.size(); ++i) c.give(i, std::move(results[i]));
    return;
  }
  const std::vector<Lowered> a = run_body(c, then_graph), b = run_body(c, else_graph);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].is_sequence || b[i].is_sequence || a[i].items[0]->type != b[i].items[0]->type)
      Call::refuse("a condition computed from data, with branches of different shapes");
    MilValue* cond = emit.cast(c.in(0), DType::boolean);
    MilValue *x = a[i].items[0], *y = b[i].items[0];
    if (!cond->type.dims.empty() && cond->type.dims.size() > x->type.dims.size())
      cond = emit.add("squeeze", {{"x", cond}});
    c.give(i, emit.add("select", {{"cond", cond}, {"a", x}, {"b", y}}));
  }
}

void count_step(Call& c) {
  if (++c.lowering().unrolled > kMostSteps) Call::refuse(fmt::format("loops of more than {} steps in all", kMostSteps));
}

void lower_loop(Call& c) {
  Emit& emit = c.emit();
  const Graph& body = c.body("body");
  const ConstantPtr count = c.known(0), start = c.known(1);
  if ((c.has(0) && !count) || (c.has(1) && !start)) Call::refuse("a loop whose number of steps depends on data");
  const std::int64_t trips = count ? to_ints(*count).at(0) : std::numeric_limits<std::int64_t>::max();
  bool runs = !start || scalar(*start) != 0;
  const std::size_t carried = c.inputs() > 2 ? c.inputs() - 2 : 0;
  std::vector<Lowered> state;
  for (std::size_t i = 0; i < carried; ++i) state.push_back(c.lowered(i + 2));
  check_places(body, carried + 2, carried + 1);
  std::vector<std::vector<MilValue*>> scans(body.outputs().size() - 1 - carried);
  std::vector<DataType> scan_types(scans.size(), DataType::undefined);
  for (std::int64_t step = 0; step < trips && runs; ++step) {
    count_step(c);
    c.lowering().set(*body.inputs()[0],
                     {DataType::int64, {emit.constant(make_scalar(DType::int32, static_cast<double>(step)))}, false});
    c.lowering().set(*body.inputs()[1], {DataType::boolean, {emit.constant(make_scalar(DType::boolean, 1))}, false});
    for (std::size_t i = 0; i < carried; ++i) c.lowering().set(*body.inputs()[i + 2], state[i]);
    std::vector<Lowered> results = run_body(c, body);
    const ConstantPtr goes_on = emit.known(results[0].items.at(0));
    if (!goes_on) Call::refuse("a loop whose end depends on data");
    runs = scalar(*goes_on) != 0;
    for (std::size_t i = 0; i < carried; ++i) state[i] = std::move(results[i + 1]);
    for (std::size_t i = 0; i < scans.size(); ++i) {
      scans[i].push_back(results[carried + 1 + i].items.at(0));
      scan_types[i] = results[carried + 1 + i].dtype;
    }
  }
  for (std::size_t i = 0; i < carried; ++i) c.give(i, std::move(state[i]));
  for (std::size_t i = 0; i < scans.size(); ++i) {
    if (!c.wants(carried + i)) continue;
    if (scans[i].empty()) Call::refuse("a loop without a step");
    c.give(carried + i, Lowered{scan_types[i], {emit.add("stack", {{"values", scans[i]}, {"axis", 0}})}, false});
  }
}

// One element along an axis, without that axis.
MilValue* element(Emit& emit, MilValue* x, std::size_t axis, std::int64_t index) {
  MilValue* slice = emit.slice(x, static_cast<std::int64_t>(axis), index, index + 1);
  Dims dims = x->type.dims;
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return dims.empty() ? emit.add("squeeze", {{"x", slice}}) : emit.reshape(slice, dims);
}

// From opset 9 on: no batch, an axis for each scanned operand.
void lower_scan(Call& c) {
  Emit& emit = c.emit();
  const Graph& body = c.body("body");
  const auto scanned = static_cast<std::size_t>(c.integer("num_scan_inputs", 0));
  if (scanned == 0 || scanned > c.inputs()) Call::refuse("no scanned operand");
  const std::size_t carried = c.inputs() - scanned;
  check_places(body, c.inputs(), carried);
  const std::size_t scans = body.outputs().size() - carried;
  const auto listed = [](const Dims& list, std::size_t i) { return i < list.size() ? list[i] : 0; };
  const Dims input_axes = c.list("scan_input_axes"), output_axes = c.list("scan_output_axes"),
             input_backward = c.list("scan_input_directions"), output_backward = c.list("scan_output_directions");
  std::vector<Lowered> state;
  for (std::size_t i = 0; i < carried; ++i) state.push_back(c.lowered(i));
  std::vector<std::vector<MilValue*>> results(scans);
  const std::size_t first = Call::axis(listed(input_axes, 0), c.rank(carried));
  const std::int64_t steps = c.dims(carried)[first];
  for (std::int64_t step = 0; step < steps; ++step) {
    count_step(c);
    for (std::size_t i = 0; i < carried; ++i) c.lowering().set(*body.inputs()[i], state[i]);
    for (std::size_t i = 0; i < scanned; ++i) {
      const std::size_t input = carried + i;
      const std::int64_t at = listed(input_backward, i) ? steps - 1 - step : step;
      const std::size_t axis = Call::axis(listed(input_axes, i), c.rank(input));
      if (c.dims(input)[axis] != steps) Call::refuse("scanned operands of different lengths");
      MilValue* x = element(emit, c.in(input), axis, at);
      c.lowering().set(*body.inputs()[input], {c.dtype(input), {x}, false});
    }
    std::vector<Lowered> out = run_body(c, body);
    for (std::size_t i = 0; i < carried; ++i) state[i] = std::move(out[i]);
    for (std::size_t i = 0; i < scans; ++i) results[i].push_back(out[carried + i].items.at(0));
  }
  for (std::size_t i = 0; i < carried; ++i) c.give(i, std::move(state[i]));
  for (std::size_t i = 0; i < scans; ++i) {
    if (results[i].empty()) Call::refuse("a scan without a step");
    if (listed(output_backward, i)) std::reverse(results[i].begin(), results[i].end());
    const std::size_t rank = results[i][0]->type.dims.size() + 1;
    c.give(carried + i,
           emit.add("stack", {{"values", results[i]},
                              {"axis", static_cast<std::int64_t>(Call::axis(listed(output_axes, i), rank))}}));
  }
}

// The body for each element of the sequences; tensors go to every step.
void lower_sequence_map(Call& c) {
  const Graph& body = c.body("body");
  const std::size_t steps = c.lowered(0).items.size();
  check_places(body, c.inputs(), 0);
  std::vector<Lowered> out(body.outputs().size(), Lowered{DataType::undefined, {}, true});
  for (std::size_t step = 0; step < steps; ++step) {
    count_step(c);
    for (std::size_t i = 0; i < c.inputs(); ++i) {
      const Lowered& operand = c.lowered(i);
      const bool each = operand.is_sequence;
      if (each && operand.items.size() != steps) Call::refuse("sequences of different lengths");
      c.lowering().set(*body.inputs()[i], {operand.dtype, {operand.items[each ? step : 0]}, false});
    }
    const std::vector<Lowered> results = run_body(c, body);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].dtype = results[i].dtype;
      out[i].items.push_back(results[i].items.at(0));
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) c.give(i, std::move(out[i]));
}

constexpr Row kRows[] = {
    {"If", 1, lower_if, "a condition computed from data with branches of different shapes"},
    {"Loop", 1, lower_loop, "a number of steps that depends on data; more than 1024 steps"},
    {"Scan", 9, lower_scan, "more than 1024 steps"},
    {"SequenceMap", 17, lower_sequence_map, "more than 1024 steps"},
};

}  // namespace

std::span<const Row> control_lowerings() { return kRows; }

}  // namespace anemone::onnx
