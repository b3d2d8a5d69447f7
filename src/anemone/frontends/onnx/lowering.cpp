// The walk over the nodes, and the account of what is refused.
#include "anemone/frontends/onnx/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "anemone/onnx/opsets.h"

namespace anemone::onnx {
namespace {

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto family :
       {activation_lowerings(), attention_lowerings(),   control_lowerings(),       conv_lowerings(),
        creation_lowerings(),   elementwise_lowerings(), gather_lowerings(),        loss_lowerings(),
        microsoft_lowerings(),  movement_lowerings(),    normalization_lowerings(), pool_lowerings(),
        product_lowerings(),    quantize_lowerings(),    recurrent_lowerings(),     reduction_lowerings(),
        resize_lowerings(),     sample_lowerings(),      sequence_lowerings(),      slice_lowerings()})
    rows.insert(rows.end(), family.begin(), family.end());
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.domain, a.op, a.since) < std::tie(b.domain, b.op, b.since);
  });
  return rows;
}
const std::vector<Row>& rows() {
  static const std::vector<Row> table = all_rows();
  return table;
}

// The node of the main graph that a node of a body belongs to.
const Node* outermost(const Node* node) {
  while (node->graph().owner()) node = node->graph().owner();
  return node;
}

}  // namespace

const Row* find_lowering(std::string_view domain, std::string_view op, std::int64_t opset) {
  const Row* found = nullptr;
  for (const Row& row : rows()) {
    if (row.domain == domain && row.op == op && row.since <= opset) found = &row;
  }
  return found;
}

std::vector<SupportRow> support_table() {
  std::vector<SupportRow> table;
  for (const Row& row : rows()) table.push_back({row.domain, row.op, row.since, row.limits});
  return table;
}

Lowering::Lowering(const Model& model, const LowerOptions& options, anemone::Function& function)
    : model_(&model), options_(&options), function_(&function), emit_(function.body) {
  budget(*model.graph);
}

// External numbers are not looked for here: what is not read costs nothing.
void Lowering::budget(const Graph& graph) {
  const auto add = [&](const Tensor& tensor) {
    const auto count = onnxspec::element_count(tensor.dims);
    if (!tensor.external && count && *count < std::int64_t{1} << 40) emit_.add_budget(*count);
  };
  for (const auto& value : graph.values()) {
    if (value->tensor) add(*value->tensor);
  }
  emit_.add_budget(0, static_cast<std::int64_t>(graph.nodes().size()));
  for (const auto& node : graph.nodes()) {
    for (const Attribute& attribute : node->attributes) {
      if (const auto* tensors = std::get_if<std::vector<Tensor>>(&attribute.value))
        std::for_each(tensors->begin(), tensors->end(), add);
    }
    for (const auto& [name, body] : node->bodies) budget(*body);
  }
}

Lowered* Lowering::find(const Value& value) {
  if (const auto found = values_.find(&value); found != values_.end()) return &found->second;
  if (!value.tensor) {
    if (value.sparse) throw Refused{"sparse tensors are not read", {}};
    return nullptr;
  }
  const std::int64_t count = count_of(value.tensor->dims);
  if (value.tensor->external) emit_.add_budget(count);  // the bytes are there
  Lowered lowered{value.tensor->dtype, {emit_.constant(to_mil(*value.tensor, options_->folder))}, false};
  take_name(*lowered.items[0], value.name());
  return &(values_[&value] = std::move(lowered));
}

void Lowering::take_name(MilValue& value, const std::string& name) {
  if (!value.producer || !named_.insert(&value).second) return;
  value.name = function_->unique_name(name);
  if (value.producer->output() == &value) value.producer->name = value.name;
}

void Lowering::refuse(const Node& node, const Refused& why) {
  const std::string what = node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
  auto group = std::find_if(refused_.begin(), refused_.end(), [&](const Group& g) {
    return g.what == what && g.reason == why.reason && g.help == why.help;
  });
  if (group == refused_.end()) group = refused_.insert(group, {what, why.reason, why.help, {}});
  group->nodes.push_back(display_name(node));
}

void Lowering::lower_node(const Node& node) {
  const std::int64_t opset = std::max<std::int64_t>(opset_of(*model_, node), 1);
  const Row* row = find_lowering(node.domain, node.op_type, opset);
  if (!row) return refuse(node, {"not an operation that this version translates", {}});
  emit_.begin(
      fmt::format("{}: node '{}'", std::filesystem::path(model_->file).filename().string(), display_name(node)));
  Call call(*this, node);
  try {
    row->lower(call);
  } catch (const Refused& why) {
    refuse(node, why);
  } catch (const std::out_of_range&) {
    refuse(node, {"an operand, attribute or result is missing, or has fewer numbers than the operation needs", {}});
  } catch (const Poisoned&) {
  }
}

void Lowering::lower_body(const Graph& graph) {
  for (const auto& node : graph.nodes()) lower_node(*node);
  for (const Value* output : graph.outputs()) {
    if (!find(*output)) throw Poisoned{};
  }
}

void Lowering::lower_main(const Graph& graph, const std::vector<const Value*>& outputs) {
  std::unordered_set<const Node*> needed;
  for (const Value* output : outputs) needed.insert(output->producer());
  for (auto at = graph.nodes().rbegin(); at != graph.nodes().rend(); ++at) {
    const Node& node = **at;
    for (std::size_t i = 0; i < node.output_count() && !needed.contains(&node); ++i) {
      if (!node.output(i)) continue;
      for (const Use& use : node.output(i)->uses()) {
        if (use.node && needed.contains(outermost(use.node))) needed.insert(&node);
      }
    }
  }
  for (const auto& node : graph.nodes()) {
    if (!needed.contains(node.get())) {
      ++unneeded;
      continue;
    }
    lower_node(*node);
    const auto found = node->output(0) ? values_.find(node->output(0)) : values_.end();
    if (found == values_.end() || found->second.is_sequence || node->op_type == "Constant") continue;
    computed += found->second.items[0]->constant != nullptr;
  }
}

Diagnostics Lowering::refusals() const {
  if (refused_.empty()) return {};
  std::size_t nodes = 0;
  for (const Group& group : refused_) nodes += group.nodes.size();
  Diagnostic error = bad_input(
      ErrorCode::onnx_not_read,
      fmt::format("{} of the ONNX graph cannot be said in MIL", nodes == 1 ? "a node" : fmt::format("{} nodes", nodes)),
      model_->file, "'--outputs NAME,…' ends the network before them; 'anemone ops --onnx' lists what is understood");
  constexpr std::size_t kNamed = 4;
  for (const Group& group : refused_) {
    std::string names;
    for (std::size_t i = 0; i < std::min(kNamed, group.nodes.size()); ++i)
      names += fmt::format("{}'{}'", i > 0 ? ", " : "", group.nodes[i]);
    if (group.nodes.size() > kNamed) names += fmt::format(" and {} more", group.nodes.size() - kNamed);
    error.notes.push_back(
        fmt::format("{} {}: {}{}{}", group.what, names, group.reason, group.help.empty() ? "" : "; ", group.help));
  }
  return {std::move(error)};
}

}  // namespace anemone::onnx
