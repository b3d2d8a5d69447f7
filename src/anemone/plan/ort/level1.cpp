// The order of the passes, and what they share.
#include "anemone/plan/ort/level1.h"

#include <algorithm>
#include <array>

#include "anemone/onnx/opsets.h"
#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

struct Pass {
  std::string_view name;
  bool (*run)(const Level1&);
  int since = 19;
  bool once = false;  ///< in the first round only
};
constexpr Pass kPasses[] = {
    {"rewrite rules", apply_rewrite_rules},
    {"constant sharing", share_constants, 19, true},
    {"common subexpressions", eliminate_common_subexpressions},
    {"constant folding", fold_constants},
    {"MatMul + Add", fuse_matmul_add},
    {"reshape fusion", fuse_reshape},
    {"Gelu", fuse_gelu, 20},
    {"LayerNormalization", fuse_layer_normalization, 20},
};

constexpr int kMostRounds = 10;  // the session option max_num_graph_transformation_steps

}  // namespace

std::vector<PassCount> optimize_level1(Model& model, int version) {
  load_as_ort(model);
  infer_types(model, infer_options());
  std::vector<PassCount> counts;
  for (const Pass& pass : kPasses) counts.push_back({std::string(pass.name), 0});
  const Level1 level{model, version};
  bool changed = true;
  for (int round = 0; round < kMostRounds && changed; ++round) {
    changed = false;
    for (std::size_t i = 0; i < std::size(kPasses); ++i) {
      if (version < kPasses[i].since || (kPasses[i].once && round > 0)) continue;
      const auto before = static_cast<std::ptrdiff_t>(model.graph->nodes().size());
      changed |= kPasses[i].run(level);
      counts[i].removed += before - static_cast<std::ptrdiff_t>(model.graph->nodes().size());
    }
  }
  return counts;
}

Walk::Walk(Graph& graph) {
  order_.reserve(graph.nodes().size());
  for (const auto& node : graph.nodes()) order_.push_back(node.get());
}

Node* Walk::next() {
  while (at_ < order_.size()) {
    if (Node* node = order_[at_++]) return node;
  }
  return nullptr;
}

void Walk::erase(Node& node) {
  if (places_.empty()) {  // most walks erase nothing
    places_.reserve(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) places_.emplace(order_[i], i);
  }
  if (const auto found = places_.find(&node); found != places_.end()) {
    order_[found->second] = nullptr;
    places_.erase(found);
  }
  node.graph().erase(node);
}

bool apply_rewrite_rules(const Level1& level) {
  static const auto kByType = [] {
    std::unordered_map<std::string_view, std::vector<const RewriteRule*>> map;
    for (const auto rules : {elimination_rules(), fusion_rules(), window_fusion_rules()}) {
      for (const RewriteRule& rule : rules) {
        for (const std::string_view op : rule.ops) {
          if (!op.empty()) map[op].push_back(&rule);
        }
      }
    }
    return map;
  }();
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) {
    const auto found = kByType.find(node->op_type);
    if (found == kByType.end() || !node->domain.empty()) continue;
    for (const RewriteRule* rule : found->second) {
      const Applied effect = rule->apply(level, *node, walk);
      changed |= effect != Applied::none;
      if (effect == Applied::removed) break;
    }
  }
  return changed;
}

bool is_deterministic(const Node& node) {
  constexpr std::array<std::string_view, 6> kRandom{"RandomUniform",    "RandomNormal", "RandomUniformLike",
                                                    "RandomNormalLike", "Multinomial",  "Dropout"};
  if (node.domain == "com.microsoft") return node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
  return node.domain.empty() && std::find(kRandom.begin(), kRandom.end(), node.op_type) == kRandom.end();
}

bool can_remove(const Node& node) {
  if (gives_graph_output(node)) return false;
  int used = 0;
  for (std::size_t i = 0; i < node.output_count(); ++i) used += node.output(i) && !node.output(i)->uses().empty();
  return used <= 1 && (edges_in(node) == 1 || node.input_count() == 1);
}

void remove(Node& node, Walk& walk) {
  Value* passed = node.input(0);
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (producer(node, i)) passed = node.input(i);
  }
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (node.output(i)) node.graph().replace_uses(*node.output(i), *passed);
  }
  walk.erase(node);
}

void remove_upwards(Node& from, Walk& walk) {
  if (edges_out(from) > 1 || gives_graph_output(from)) return;
  std::vector<Node*> todo{&from};
  while (!todo.empty()) {
    Node& node = *todo.back();
    todo.pop_back();
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      if (!node.output(i)) continue;
      while (!node.output(i)->uses().empty()) {
        const onnx::Use use = node.output(i)->uses().back();
        use.node->set_input(use.index, nullptr);
      }
    }
    std::vector<Node*> above;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (Node* up = producer(node, i); up && std::find(above.begin(), above.end(), up) == above.end())
        above.push_back(up);
    }
    walk.erase(node);
    for (Node* up : above) {
      if (edges_out(*up) == 0 && !gives_graph_output(*up) && std::find(todo.begin(), todo.end(), up) == todo.end())
        todo.push_back(up);
    }
  }
}

void merge_into(Node& first, Node& second, Walk& walk) {
  Value& result = *second.output(0);
  Value& mine = *first.output(0);
  for (std::size_t i = 0; i < second.input_count(); ++i) {
    if (second.input(i) == &mine) second.set_input(i, nullptr);
  }
  mine.type = result.type;
  first.graph().replace_uses(result, mine);
  walk.erase(second);
}

Node& add_instead(Graph& graph, const std::string& op, std::vector<Value*> inputs, Node& replaced, const Node* before) {
  Value& old = *replaced.output(0);
  Value& result = *graph.add_value(graph.free_name(old.name()));
  result.type = old.type;
  Node& node = graph.add_node(op, std::move(inputs), {&result}, before);
  node.name = replaced.name;
  graph.replace_uses(old, result);
  return node;
}

const onnx::Shape* shape_of(const Value* value) {
  return value && value->type.kind == onnx::Type::Kind::tensor && value->type.shape ? &*value->type.shape : nullptr;
}

std::optional<std::vector<std::int64_t>> known_dims(const Value* value) {
  const onnx::Shape* shape = shape_of(value);
  if (!shape) return std::nullopt;
  std::vector<std::int64_t> dims;
  for (const onnx::Dimension& dimension : *shape) {
    if (onnx::extent(dimension) < 0) return std::nullopt;
    dims.push_back(onnx::extent(dimension));
  }
  return dims;
}

}  // namespace anemone::plan::ort
