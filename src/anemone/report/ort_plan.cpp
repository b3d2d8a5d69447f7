// Plans for ONNX Runtime as text and JSON.
#include "anemone/report/ort_plan.h"

#include <numeric>

#include <fmt/format.h>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using namespace plan::ort;

constexpr std::string_view kNotTheEngine =
    "Supported by the provider is not on the Neural Engine: each partition becomes a Core ML model of its own, and Core ML "
    "decides where that runs.";

std::string sizes(const std::vector<PartitionPlan>& partitions, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < partitions.size() && i < most; ++i)
    text += fmt::format("{}{}", i > 0 ? ", " : "", partitions[i].nodes);
  return partitions.size() > most ? text + fmt::format(" and {} more", partitions.size() - most) : text;
}

std::string times(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string table(const toolchain::OrtPlans& plans) {
  std::string out = fmt::format("{}\n\n{:<19} {:>5} {:>9} {:>8} {:>10}  {}\n", escaped(plans.model), "ONNX Runtime",
                                "nodes", "supported", "coverage", "partitions", "sizes");
  for (const ProviderPlan& plan : plans.plans) {
    out += fmt::format("{:<19} {:>5} {:>9} {:>6.1f} % {:>10}  {}{}\n", to_text(plan.target), plan.nodes, plan.supported,
                       plan.coverage_percent(), plan.partitions.size(), sizes(plan.partitions, 8),
                       plan.notes.empty() ? "" : "  (!)");
  }
  for (const ProviderPlan& plan : plans.plans) {
    for (const std::string& note : plan.notes) out += fmt::format("(!) {}: {}\n", to_text(plan.target), escaped(note));
  }
  return out + "\n" + std::string(kNotTheEngine) + "\n";
}

std::string rejections(const ProviderPlan& plan, bool per_node) {
  std::string out = fmt::format("\nrefused: {}; * stands between supported nodes and costs partitions\n",
                                times(plan.rejected.size(), "node"));
  if (per_node) {
    for (const RejectedNode& node : plan.rejected)
      out += fmt::format("  {} {} {:<22} {}: {}\n", node.separates ? '*' : ' ', node.code, escaped(node.op),
                         escaped(node.node), escaped(node.reason));
    return out;
  }
  for (const RejectedGroup& group : plan.groups) {
    out += fmt::format("  {} {:>5}  {:<22} {}  {}{}\n", group.separating > 0 ? '*' : ' ', group.count,
                       escaped(group.op), group.code, escaped(group.reason), group.count > 1 ? ", …" : "");
  }
  return out;
}

std::string borders(const ProviderPlan& plan) {
  std::string out = "\nwhat crosses the borders\n";
  constexpr std::size_t kMost = 24;
  for (std::size_t i = 0; i < plan.partitions.size() && i < kMost; ++i) {
    const PartitionPlan& p = plan.partitions[i];
    out += fmt::format("  {:>3}  {:>10}  in: {}\n{:>17}out: {}\n", i + 1, times(p.nodes, "node"), joined(p.inputs, 3),
                       "", joined(p.outputs, 3));
  }
  if (plan.partitions.size() > kMost) out += fmt::format("  and {} more\n", plan.partitions.size() - kMost);
  return out;
}

std::string merging(const ProviderPlan& plan, const std::string& model) {
  std::string out;
  if (plan.fixed) {
    const FixedShapes& fixed = *plan.fixed;
    out += fmt::format("\nwith every free extent of the inputs fixed ({}): {} nodes, {} supported, {}\n",
                       joined(fixed.extents, 3), fixed.nodes, fixed.supported, times(fixed.partitions, "partition"));
  }
  if (plan.changes.empty()) return out;
  out += fmt::format("\nwhat merges the partitions: {} stand between supported nodes, and each must go\n",
                     times(std::accumulate(plan.changes.begin(), plan.changes.end(), std::size_t{0},
                                           [](std::size_t n, const Change& c) { return n + c.nodes; }),
                           "node"));
  std::size_t number = 0;
  for (const Change& change : plan.changes) {
    out += fmt::format("  {:>2}. {:<27} -> {:<14} {}: {}\n", ++number,
                       fmt::format("{} {}", change.nodes, escaped(change.op)), times(change.partitions, "partition"),
                       change.code, change.instead);
  }
  return out +
         fmt::format(
             "  'anemone explain CODE' says why; 'anemone export {} --for ort-coreml' makes what it can of them\n",
             escaped(model));
}

Json as_json(const ProviderPlan& plan, bool details) {
  Json out{{"target", to_text(plan.target)},
           {"version", fmt::format("1.{}", plan.target.version)},
           {"format", name(plan.target.format)},
           {"prediction", true},
           {"nodes", {{"total", plan.nodes}, {"supported", plan.supported}, {"in_file", plan.nodes_in_file}}},
           {"coverage_percent", thousandths(plan.coverage_percent())},
           {"partitions", plan.partitions.size()}};
  Json list = Json::array(), borders = Json::array();
  for (const PartitionPlan& p : plan.partitions) {
    list.push_back(p.nodes);
    borders.push_back({{"nodes", p.nodes}, {"inputs", p.inputs}, {"outputs", p.outputs}});
  }
  out["partition_sizes"] = list;
  out["static_input_shapes"] = plan.static_input_shapes;
  out["notes"] = plan.notes;
  if (!details) return out;
  out["engine"] = plan.engine;
  out["borders"] = borders;
  Json level1 = Json::object(), rejected = Json::array(), groups = Json::array(), changes = Json::array();
  for (const PassCount& pass : plan.level1) level1[pass.name] = pass.removed;
  for (const RejectedNode& n : plan.rejected)
    rejected.push_back({{"node", n.node},
                        {"op", n.op},
                        {"reason", n.reason},
                        {"code", n.code},
                        {"instead", n.instead},
                        {"separates", n.separates}});
  for (const RejectedGroup& g : plan.groups)
    groups.push_back(
        {{"op", g.op}, {"code", g.code}, {"count", g.count}, {"separating", g.separating}, {"reason", g.reason}});
  for (const Change& c : plan.changes)
    changes.push_back(
        {{"op", c.op}, {"code", c.code}, {"nodes", c.nodes}, {"partitions", c.partitions}, {"instead", c.instead}});
  out["level1"] = level1;
  out["rejected"] = rejected;
  out["rejected_groups"] = groups;
  out["changes"] = changes;
  if (plan.fixed)
    out["fixed"] = {{"inputs", plan.fixed->extents},
                    {"nodes", plan.fixed->nodes},
                    {"supported", plan.fixed->supported},
                    {"partitions", plan.fixed->partitions}};
  return out;
}

}  // namespace

std::string ort_plan_text(const toolchain::OrtPlans& plans, bool per_node) {
  if (plans.plans.size() > 1) return table(plans);
  const ProviderPlan& plan = plans.plans.front();
  std::string out = fmt::format(
      "{}\nfor ONNX Runtime 1.{}, CoreML provider, {} (a prediction)\n\n  nodes        {} after level 1, of {} in the file\n"
      "  supported    {} ({:.1f} %)\n  partitions   {}{}\n",
      escaped(plans.model), plan.target.version, name(plan.target.format), plan.nodes, plan.nodes_in_file,
      plan.supported, plan.coverage_percent(), plan.partitions.size(),
      plan.partitions.empty() ? "" : ": " + sizes(plan.partitions, 40));
  out += "\n" + fmt::format("{} {}\n", kNotTheEngine, plan.engine);
  for (const auto& notes : {plan.notes, plans.notes}) {
    for (const std::string& note : notes) out += "note: " + escaped(note) + "\n";
  }
  if (!plan.rejected.empty()) out += rejections(plan, per_node);
  if (plans.rewritten)
    out += fmt::format("\nas 'anemone export --for ort-coreml' writes it: {} nodes, {} supported, {}\n",
                       plans.rewritten->nodes, plans.rewritten->supported,
                       times(plans.rewritten->partitions, "partition"));
  out += merging(plan, plans.model);
  if (plan.partitions.size() > 1) out += borders(plan);
  return out;
}

std::string ort_plan_json(const toolchain::OrtPlans& plans) {
  if (plans.plans.size() > 1) {
    Json out{{"schema", "anemone.plan-ort-table/1"}, {"model", plans.model}, {"targets", Json::array()}};
    for (const ProviderPlan& plan : plans.plans) out["targets"].push_back(as_json(plan, false));
    out["notes"] = plans.notes;
    return dump(out);
  }
  Json out{{"schema", "anemone.plan-ort/1"}, {"model", plans.model}};
  out.update(as_json(plans.plans.front(), true));
  for (const std::string& note : plans.notes) out["notes"].push_back(note);
  if (plans.rewritten)
    out["rewritten"] = {{"nodes", plans.rewritten->nodes},
                        {"supported", plans.rewritten->supported},
                        {"partitions", plans.rewritten->partitions}};
  out["seconds"] = plans.seconds;
  return dump(out);
}

}  // namespace anemone::report
