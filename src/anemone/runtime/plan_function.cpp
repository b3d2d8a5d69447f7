// The order of the stages.
#include "anemone/runtime/plan_function.h"

#include "anemone/runtime/kernel_table.h"
#include "anemone/runtime/place.h"
#include "anemone/runtime/planner.h"

namespace anemone::runtime {

Result<Plan> plan_function(const Function& function, const EngineOptions& options) {
  TRY(const GraphView graph, GraphView::of(function, options));
  const std::vector<Group> groups = match(graph);  // which operations go together
  Planner planner(graph);
  for (const Group& group : groups) {
    planner.begin(group);
    if (group.is_empty) {
      for (const auto& out : group.node->outputs) planner.define(*out);
    } else if (group.row) {
      TRY_VOID(group.row->plan(group, planner));  // which kernel, in which layout, by which algorithm
    } else {
      TRY_VOID(planner.add_reference(*group.node));
    }
  }
  TRY(Plan plan, planner.finish());
  drop_unread(plan);
  TRY_VOID(place(plan));
  return plan;
}

}  // namespace anemone::runtime
