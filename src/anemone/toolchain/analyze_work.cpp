// Work, bytes and memory, operation by operation.
#include <fmt/format.h>
#include <algorithm>

#include <unordered_map>
#include <unordered_set>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

constexpr std::size_t kLargest = 10;

std::int64_t bytes_of(const Value& value) {
  const Type& type = value.type.tensor_part();
  return type.is_tensor() ? byte_count(type.dtype, type.dims).value_or(0) : 0;
}

/// Bytes that are stored for a value known at compile time: the packed ones of a compressed constant.
std::int64_t stored_bytes(const Value& value) {
  if (value.constant) return bytes_of(value);
  std::int64_t bytes = 0;
  for (const Operand& operand : value.producer->operands()) {
    for (const Value* part : operand.values) {
      if (part->constant) add(bytes, bytes_of(*part));
    }
  }
  return bytes;
}

/// A program has no modules; its stages are the sizes of its maps.
std::string size_stage(const Node& node) {
  if (node.outputs.empty()) return "other";
  const Type& type = node.output()->type;
  if (!type.is_tensor() || type.rank() != 4 || !type.is_fixed()) return "other";
  return fmt::format("{}x{}", type.dims[2], type.dims[3]);
}

void keep_largest(std::vector<TensorRow>& rows, std::size_t most = kLargest) {
  std::stable_sort(rows.begin(), rows.end(), [](const TensorRow& a, const TensorRow& b) { return a.bytes > b.bytes; });
  if (rows.size() > most) rows.resize(most);
}

TensorRow row_of(const Value& value) {
  std::string made_by = value.producer ? value.producer->type : value.constant ? "constant" : "input";
  return {value.name, brief(value.type), std::move(made_by), bytes_of(value)};
}

/// Values that an operation reads, those of its blocks included.
void for_each_read(const Node& node, const std::function<void(const Value*)>& visit) {
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) visit(value);
  }
  for (const auto& block : node.blocks) {
    for (const Node& inner : block->nodes) for_each_read(inner, visit);
    for (const Value* value : block->outputs()) visit(value);
  }
}

void find_peak(const Function& function, Analysis& out) {
  std::unordered_map<const Value*, std::size_t> last_use;
  std::size_t index = 0;
  for (const Node& node : function.body.nodes) {
    for_each_read(node, [&](const Value* value) { last_use[value] = index; });
    ++index;
  }
  for (const Value* value : function.body.outputs()) last_use[value] = index;
  std::unordered_set<const Value*> live;
  std::int64_t bytes = 0;
  const auto begin = [&](const Value& value) {
    if (live.insert(&value).second) add(bytes, bytes_of(value));
  };
  std::vector<std::vector<const Value*>> ends(index + 1);
  for (const auto& [value, at] : last_use) ends[at].push_back(value);
  for (const auto& input : function.body.inputs) begin(*input);
  std::size_t peak_at = 0;
  const auto walk = [&](std::int64_t stop) {
    index = 0;
    for (const Node& node : function.body.nodes) {
      if (!is(node, kConstexpr)) {
        for (const auto& value : node.outputs) begin(*value);
      }
      if (stop >= 0 && static_cast<std::size_t>(stop) == index) return;
      if (bytes > out.peak.bytes) {
        out.peak.bytes = bytes;
        out.peak.at = node.outputs.empty() ? node.name : node.output()->name;
        peak_at = index;
      }
      for (const Value* value : ends[index]) {
        if (live.erase(value) != 0) bytes -= bytes_of(*value);
      }
      for (const auto& value : node.outputs) {  // never used
        if (!last_use.contains(value.get()) && live.erase(value.get()) != 0) bytes -= bytes_of(*value);
      }
      ++index;
    }
  };
  walk(-1);
  if (out.peak.bytes == 0) return;
  live.clear();
  bytes = 0;
  for (const auto& input : function.body.inputs) begin(*input);
  walk(static_cast<std::int64_t>(peak_at));
  for (const Value* value : live) out.peak.live.push_back(row_of(*value));
  std::sort(out.peak.live.begin(), out.peak.live.end(), [](const TensorRow& a, const TensorRow& b) {
    return std::tie(b.bytes, a.name) < std::tie(a.bytes, b.name);
  });
  if (out.peak.live.size() > kLargest) out.peak.live.resize(kLargest);
}

}  // namespace

void describe_work(const Model& model, const Function& function, Analysis& out) {
  std::map<std::string, WorkRow> kinds, stages;
  std::vector<std::string> stage_order;
  std::unordered_set<const Value*> seen;
  std::int64_t macs = 0;
  for_each_node(function.body, [&](const Node& node) {
    if (is(node, kConstexpr)) return;
    const std::string stage = size_stage(node);
    if (!stages.contains(stage)) stage_order.push_back(stage);
    WorkRow work{{}, 1, node.def && node.def->macs ? node.def->macs(node) : 0, 0, 0};
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (!is_static(value) || !is_weight(*value)) continue;
        if (!seen.insert(value).second) continue;
        const std::int64_t bytes = stored_bytes(*value);
        add(work.weight_bytes, bytes);
        out.largest_weights.push_back({value->name, brief(value->type), node.type, bytes});
      }
    }
    for (const auto& value : node.outputs) {
      add(work.activation_bytes, bytes_of(*value));
      out.largest_activations.push_back(row_of(*value));
    }
    add(macs, work.macs);
    for (WorkRow* row : {&kinds[node.type], &stages[stage]}) {
      row->ops += work.ops;
      add(row->macs, work.macs);
      add(row->weight_bytes, work.weight_bytes);
      add(row->activation_bytes, work.activation_bytes);
    }
    if (out.largest_weights.size() > 4096) keep_largest(out.largest_weights);
    if (out.largest_activations.size() > 4096) keep_largest(out.largest_activations);
  });
  keep_largest(out.largest_weights);
  keep_largest(out.largest_activations);
  for (auto& [type, row] : kinds) {
    row.name = type;
    out.by_kind.push_back(row);
  }
  std::stable_sort(out.by_kind.begin(), out.by_kind.end(), [](const WorkRow& a, const WorkRow& b) {
    return std::pair(a.macs, a.activation_bytes) > std::pair(b.macs, b.activation_bytes);
  });
  if (!model.network) {
    out.macs = macs;
    for (LayerKind& kind : out.layers.composition) {
      for (const WorkRow& row : out.by_kind) add(kind.macs, kind_of_op(row.name) == kind.kind ? row.macs : 0);
    }
    out.stage_basis = "height x width of the map";
    for (const std::string& stage : stage_order) {
      stages[stage].name = stage;
      out.by_stage.push_back(stages[stage]);
    }
  }
  find_peak(function, out);
}

}  // namespace anemone::toolchain::analysis
