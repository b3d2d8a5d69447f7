// Globals, and what calling one means: plain containers are built here, the rest is up to the hooks.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/torch/pickle.h"
#include "anemone/support/utf8.h"

namespace anemone::pickle {

namespace {

/// Plain containers that the machine builds by itself.
bool is_plain(std::string_view global) {
  constexpr std::string_view kNames[] = {"collections.OrderedDict", "collections.Counter", "collections.defaultdict",
                                         "builtins.dict",           "__builtin__.dict",    "builtins.set",
                                         "__builtin__.set"};
  return std::find(std::begin(kNames), std::end(kNames), global) != std::end(kNames);
}

}  // namespace

Result<void> Machine::push_global(std::string_view module, std::string_view name, const Hooks& hooks) {
  std::string full = fmt::format("{}.{}", module, name);
  if (!is_plain(full) && !hooks.allows(full)) {
    return error("E0522",
                 fmt::format("the pickle asks for '{}', which is not on the list of harmless names", printable(full)),
                 kSaveStateDict);
  }
  // One copy of each name lives as long as the machine.
  const auto known = globals_.insert(std::move(full)).first;
  stack_.push_back(heap_.add_view(Kind::global, *known));
  return {};
}

Result<void> Machine::stack_global(const Hooks& hooks) {
  TRY(const Value name, pop());
  TRY(const Value module, pop());
  if (!name.is(Kind::text) || !module.is(Kind::text)) {
    return error("E0523", fmt::format("a global is named by {} and {}, not by two strings", describe(heap_, module),
                                      describe(heap_, name)));
  }
  if (heap_.text(name).find('.') != std::string_view::npos) {
    return error("E0522",
                 fmt::format("the pickle asks for the attribute path '{}' of '{}'", printable(heap_.text(name)),
                             printable(heap_.text(module))),
                 kSaveStateDict);
  }
  return push_global(heap_.text(module), heap_.text(name), hooks);
}

Result<void> Machine::call(Hooks& hooks) {
  TRY(const Value arguments, pop());
  TRY(const Value function, pop());
  if (!function.is(Kind::global) || !arguments.is(Kind::tuple)) {
    return error("E0523", fmt::format("{} is called with {}", describe(heap_, function), describe(heap_, arguments)));
  }
  const std::string_view global = heap_.text(function);
  TRY(const Value result, is_plain(global) ? call_plain(global, arguments) : hooks.call(heap_, global, arguments));
  stack_.push_back(result);
  return {};
}

/// Containers: empty, from a dict, or from a list of pairs (as Python 2 wrote them).
Result<Value> Machine::call_plain(std::string_view global, Value arguments) {
  const bool set = global.ends_with(".set");
  const auto bad = [&] {
    return error("E0526", fmt::format("{} cannot be made from {}", global, describe(heap_, arguments)));
  };
  const std::size_t given = heap_.items(arguments).size();
  if (global == "collections.defaultdict") return heap_.add_dict({}, true);
  if (given > 1) return bad();
  if (given == 0) return set ? heap_.add_sequence(Kind::set, {}) : heap_.add_dict({}, true);
  const Value source = heap_.items(arguments)[0];
  if (source.is(Kind::dict) && !set) {
    TRY_VOID(spend(heap_.pairs(source).size()));
    return heap_.add_dict(std::vector<Pair>(heap_.pairs(source)), true);
  }
  if (!source.is(Kind::list)) return bad();
  TRY_VOID(spend(heap_.items(source).size()));
  if (set) return heap_.add_sequence(Kind::set, std::vector<Value>(heap_.items(source)));
  const Value dict = heap_.add_dict({}, true);
  for (const Value pair : std::vector<Value>(heap_.items(source))) {
    if (!(pair.is(Kind::list) || pair.is(Kind::tuple)) || heap_.items(pair).size() != 2) return bad();
    const Value items[] = {heap_.items(pair)[0], heap_.items(pair)[1]};
    TRY_VOID(set_items(dict, items));
  }
  return dict;
}

/// Attributes of an OrderedDict (a state dict's `_metadata`) are of no use here and dropped.
Result<void> Machine::build() {
  TRY(const Value state, pop());
  TRY(const Value target, top());
  if (target.is(Kind::dict) && target.tag == 1 && (state.is(Kind::dict) || state.is(Kind::tuple))) return {};
  return error("E0528", fmt::format("attributes are set on {}", describe(heap_, target)), kSaveStateDict);
}

}  // namespace anemone::pickle
