// Places and sizes of every call, in words.
#include "anemone/runtime/listing.h"

#include <fmt/format.h>

#include "anemone/runtime/plan.h"

namespace anemone::runtime {
namespace {

std::string place_of(const Ref& ref) {
  switch (ref.space) {
    case Ref::Space::none:
      return "";
    case Ref::Space::integers:
      return fmt::format("integers {}", ref.index);
    case Ref::Space::arena:
    case Ref::Space::constant:
      break;
  }
  const std::string place = fmt::format("{} {}", ref.space == Ref::Space::arena ? "buffer" : "constant", ref.index);
  return ref.offset == 0 ? place : fmt::format("{} from {}", place, ref.offset);
}

}  // namespace

PlanListing list(const Plan& plan) {
  PlanListing out;
  out.arena_bytes = plan.arena_bytes;
  out.constant_bytes = plan.constant_bytes;
  for (const Call& call : plan.calls) {
    ListedCall& row = out.calls.emplace_back();
    row.name = call.name;
    row.ops = call.ops;
    row.kernel = call.kernel->name;
    row.algorithm = call.algorithm;
    row.layout = call.layout == Layout::any ? "any" : "row major";
    row.parameters = to_text(call.parameters);
    row.macs = call.macs;
    for (const Access& operand : call.operands) {
      if (operand.ref.space == Ref::Space::none) continue;
      const bool floats = operand.ref.space != Ref::Space::integers;
      const auto bytes = static_cast<std::uint64_t>(operand.ref.count) * (floats ? sizeof(float) : sizeof(double));
      row.operands.push_back({operand.role, place_of(operand.ref), bytes, operand.use == Access::Use::write});
      row.bytes += bytes;
    }
  }
  return out;
}

}  // namespace anemone::runtime
