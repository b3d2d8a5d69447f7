// Globals, and what calling one means: plain containers are built here, the rest is up to the hooks.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "anemone/formats/torch/pickle.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::pickle {

namespace {

/// Plain containers that the machine builds by itself.
bool is_plain(std::string_view global) {
  constexpr std::string_view kNames[] = {"collections.OrderedDict", "collections.Counter", "collections.defaultdict",
                                         "builtins.dict",           "__builtin__.dict",    "builtins.set",
                                         "__builtin__.set"};
  return std::find(std::begin(kNames), std::end(kNames), global) != std::end(kNames);
}

/// Names that run commands, open files, reach into other objects or load more pickles. No data needs them, attacks do.
/// A module stands for all in it; "builtins" has harmless names too, which are listed.
bool is_dangerous(std::string_view module, std::string_view name) {
  constexpr std::string_view kModules[] = {"os",
                                           "posix",
                                           "nt",
                                           "subprocess",
                                           "sys",
                                           "shutil",
                                           "socket",
                                           "ctypes",
                                           "_ctypes",
                                           "importlib",
                                           "imp",
                                           "runpy",
                                           "pty",
                                           "commands",
                                           "popen2",
                                           "webbrowser",
                                           "code",
                                           "codeop",
                                           "pdb",
                                           "bdb",
                                           "timeit",
                                           "marshal",
                                           "pickle",
                                           "_pickle",
                                           "cPickle",
                                           "dill",
                                           "cloudpickle",
                                           "pip",
                                           "urllib",
                                           "requests",
                                           "torch.serialization",
                                           "torch.hub",
                                           "torch.utils.cpp_extension"};
  const auto is_in = [&](std::string_view known) {
    return module == known || (module.starts_with(known) && module[known.size()] == '.');
  };
  if (module == "torch.serialization" && name == "_get_layout") return false;  // of sparse tensors
  if (std::any_of(std::begin(kModules), std::end(kModules), is_in)) return true;
  if (module == "io" || module == "_io") return name == "open" || name == "FileIO";
  if (module == "types") return name == "FunctionType" || name == "CodeType" || name == "LambdaType";
  if (module == "torch.storage") return name == "_load_from_bytes";
  if (module == "torch" || module == "numpy") return name == "load";
  if (module != "builtins" && module != "__builtin__") return false;
  constexpr std::string_view kHarmless[] = {
      "set",      "frozenset", "dict",       "list",        "tuple",   "object",   "int",
      "long",     "float",     "str",        "unicode",     "bytes",   "bool",     "slice",
      "type",     "range",     "xrange",     "bytearray",   "complex", "Ellipsis", "NotImplemented",
      "property", "Exception", "ValueError", "RuntimeError"};
  return std::find(std::begin(kHarmless), std::end(kHarmless), name) == std::end(kHarmless);
}

/// Python 2 and 3 rebuild objects of plain classes by it: (class, base, state).
bool is_reconstructor(std::string_view global) {
  return global == "copyreg._reconstructor" || global == "copy_reg._reconstructor" || global == "copyreg.__newobj__" ||
         global == "copyreg.__newobj_ex__";
}

}  // namespace

Result<void> Machine::push_global(std::string_view module, std::string_view name) {
  std::string full = fmt::format("{}.{}", module, name);
  if (is_dangerous(module, name)) {
    return error(ErrorCode::pickle_forbidden,
                 fmt::format("the pickle asks for '{}', which no checkpoint needs and attacks use", printable(full)),
                 kNothingWasRun);
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
    return error(ErrorCode::pickle_stack, fmt::format("a global is named by {} and {}, not by two strings",
                                                      describe(heap_, module), describe(heap_, name)));
  }
  // A class within a class has dots in its name; a path through a class that is known here leads to its methods.
  const std::string_view path = heap_.text(name);
  const std::string outer = fmt::format("{}.{}", heap_.text(module), path.substr(0, path.find('.')));
  if (path.find('.') != std::string_view::npos && (is_plain(outer) || hooks.knows(outer))) {
    return error(ErrorCode::pickle_forbidden,
                 fmt::format("the pickle asks for the attribute path '{}' of '{}'", printable(path),
                             printable(heap_.text(module))),
                 kNothingWasRun);
  }
  return push_global(heap_.text(module), path);
}

/// INST and OBJ of Python 2: the class, a mark, and the arguments above it.
Result<void> Machine::instance(bool class_on_stack, Hooks& hooks) {
  if (!class_on_stack) {
    TRY(const std::string_view module, take_line());
    TRY(const std::string_view name, take_line());
    TRY(std::vector<Value> items, pop_to_mark());
    TRY_VOID(push_global(module, name));
    TRY(const Value function, pop());
    return call(function, heap_.add_sequence(Kind::tuple, std::move(items)), hooks);
  }
  TRY(std::vector<Value> items, pop_to_mark());
  if (items.empty()) return error(ErrorCode::pickle_stack, "an object is made of no class");
  const Value function = items.front();
  items.erase(items.begin());
  return call(function, heap_.add_sequence(Kind::tuple, std::move(items)), hooks);
}

/// REDUCE, NEWOBJ, and NEWOBJ_EX, whose keywords are kept as one more argument.
Result<void> Machine::call(bool with_keywords, Hooks& hooks) {
  std::optional<Value> keywords;
  if (with_keywords) {
    TRY(keywords, pop());
  }
  TRY(Value arguments, pop());
  TRY(const Value function, pop());
  if (keywords && arguments.is(Kind::tuple) && !(keywords->is(Kind::dict) && heap_.pairs(*keywords).empty())) {
    std::vector<Value> all = heap_.items(arguments);
    TRY_VOID(spend(all.size()));
    all.push_back(*keywords);
    arguments = heap_.add_sequence(Kind::tuple, std::move(all));
  }
  return call(function, arguments, hooks);
}

Result<void> Machine::call(Value function, Value arguments, Hooks& hooks) {
  const bool named = function.is(Kind::global), inert = function.is(Kind::inert);
  if ((!named && !inert) || !arguments.is(Kind::tuple)) {
    return error(ErrorCode::pickle_stack,
                 fmt::format("{} is called with {}", describe(heap_, function), describe(heap_, arguments)));
  }
  std::string_view global = named ? heap_.text(function) : heap_.inert(function).name;
  Value result;
  if (named && is_plain(global)) {
    TRY(result, call_plain(global, arguments));
  } else if (named && hooks.knows(global)) {
    TRY(result, hooks.call(heap_, global, arguments));
  } else {
    std::vector<Value> given = heap_.items(arguments);
    TRY_VOID(spend(given.size()));
    if (is_reconstructor(global) && !given.empty() && given[0].is(Kind::global)) {
      global = heap_.text(given[0]);
      given.erase(given.begin());
    }
    result = heap_.add_inert(global, std::move(given));
  }
  stack_.push_back(result);
  return {};
}

/// Containers: empty, from a dict, or from a list of pairs (as Python 2 wrote them).
Result<Value> Machine::call_plain(std::string_view global, Value arguments) {
  const bool set = global.ends_with(".set");
  const auto bad = [&] {
    return error(ErrorCode::pickle_arguments,
                 fmt::format("{} cannot be made from {}", global, describe(heap_, arguments)));
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

/// Attributes of an OrderedDict (a state dict's `_metadata`) and of tensors are of no use here and dropped; inert
/// objects keep theirs, for there may be tensors in them.
Result<void> Machine::build() {
  TRY(const Value state, pop());
  TRY(const Value target, top());
  if (target.is(Kind::inert)) {
    heap_.inert(target).state.push_back(state);
    return {};
  }
  const bool attributes = state.is(Kind::dict) || state.is(Kind::tuple);
  if (attributes && ((target.is(Kind::dict) && target.tag == 1) || target.is(Kind::object))) return {};
  return error(ErrorCode::pickle_attributes, fmt::format("attributes are set on {}", describe(heap_, target)),
               kNothingWasRun);
}

}  // namespace anemone::formats::pickle
