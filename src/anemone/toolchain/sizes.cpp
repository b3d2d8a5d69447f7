// Several input sizes in one package: unknown extents where the programs agree, a function each where they do not.
#include "anemone/toolchain/sizes.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/ops/specialize.h"

namespace anemone::toolchain {
namespace {

Diagnostic depends_on_size(std::string_view what) {
  return bad_input(ErrorCode::depends_on_size,
                   fmt::format("{} depends on the input's size, so one graph cannot take several sizes", what), {},
                   "use '--target ios18', which makes one function a size, or convert once a size");
}

// Makes `a` the type of both: extents that differ become unknown. False when more than extents differ.
bool merge_types(Type& a, const Type& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.ranked != b.ranked || a.dims.size() != b.dims.size()) return false;
  for (std::size_t i = 0; i < a.dims.size(); ++i) {
    if (a.dims[i] != b.dims[i]) a.dims[i] = kUnknown;
  }
  return true;
}

Result<void> merge_node(Node& a, const Node& b) {
  if (a.type != b.type || a.operands().size() != b.operands().size() || a.outputs.size() != b.outputs.size())
    return depends_on_size(describe(a));
  for (const Operand& operand : a.operands()) {
    const Operand* other = b.operand(operand.param);
    if (!other || other->values.size() != operand.values.size()) return depends_on_size(describe(a));
    for (std::size_t i = 0; i < operand.values.size(); ++i) {
      const ConstantPtr &x = operand.values[i]->constant, &y = other->values[i]->constant;
      if (!x != !y || (x && !same_content(*x, *y)))
        return depends_on_size(fmt::format("'{}' of {}", operand.param, describe(a)));
    }
  }
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if (!merge_types(a.outputs[i]->type, b.outputs[i]->type)) return depends_on_size(describe(a));
  }
  return {};
}

Result<void> merge_bodies(Block& a, const Block& b) {
  if (a.nodes.size() != b.nodes.size()) return depends_on_size("the number of operations");
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    if (!merge_types(a.inputs[i]->type, b.inputs[i]->type)) return depends_on_size("the type of an input");
  }
  auto other = b.nodes.begin();
  for (Node& node : a.nodes) TRY_VOID(merge_node(node, *other++));
  return {};
}

// The first program's features list all sizes; its own stays the default.
void list_sizes(Interface& interface, const std::vector<Interface>& all) {
  for (std::size_t i = 0; i < interface.inputs.size(); ++i) {
    Feature& feature = interface.inputs[i];
    for (const Interface& one : all) {
      const Feature& other = one.inputs[i];
      if (feature.kind == Feature::Kind::image) feature.sizes.emplace_back(other.width, other.height);
      if (feature.kind == Feature::Kind::array) feature.shapes.push_back(other.shape);
    }
    const bool one_shape =
        std::all_of(feature.shapes.begin(), feature.shapes.end(), [&](const Dims& s) { return s == feature.shape; });
    if (one_shape) feature.shapes.clear();
  }
}

std::string list(const std::vector<Dims>& shapes) {
  constexpr std::size_t kShown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, shapes.size()); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", brief(shapes[i]));
  if (shapes.size() > kShown) out += fmt::format(" and {} more", shapes.size() - kShown);
  return out;
}

std::string range_words(const SizeRange& range) {
  if (range.upper < 0) return fmt::format("{} or more", range.lower);
  return range.lower == range.upper ? fmt::format("{}", range.lower)
                                    : fmt::format("{} to {}", range.lower, range.upper);
}

bool lies_in(const SizeRange& range, std::int64_t extent) {
  return extent >= range.lower && (range.upper < 0 || extent <= range.upper);
}

}  // namespace

Result<void> check_admitted(const Feature& feature, const Dims& shape) {
  const bool image = feature.kind == Feature::Kind::image;
  std::vector<Dims> listed = feature.shapes;
  for (const auto& [width, height] : feature.sizes) listed.push_back({height, width});
  std::vector<SizeRange> ranges = feature.ranges;
  if (image && feature.size_range) ranges = {feature.size_range->second, feature.size_range->first};
  const auto refused = [&](std::string what) {
    return bad_input(ErrorCode::inputs_do_not_fit,
                     fmt::format("the input '{}' does not take the shape {}", feature.name, brief(shape)), {},
                     fmt::format("it takes {}", what));
  };
  if (!listed.empty()) {
    if (std::find(listed.begin(), listed.end(), shape) != listed.end()) return {};
    return refused(list(listed));
  }
  if (ranges.empty()) return {};
  std::string words;
  bool inside = ranges.size() == shape.size();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    inside = inside && lies_in(ranges[i], shape[i]);
    words += fmt::format("{}{}", i == 0 ? "[" : ", ", range_words(ranges[i]));
  }
  if (inside) return {};
  return refused(words + "]");
}

namespace {

// Every input of four dimensions with this height and width. E0705 where the function does not take them.
Result<std::map<std::string, Dims>> shapes_of_size(const Function& function, std::int64_t height, std::int64_t width) {
  std::map<std::string, Dims> shapes;
  for (const auto& input : function.body.inputs) {
    if (input->type.rank() != 4) continue;
    Dims dims = input->type.dims;
    const bool fits = (dims[2] == kUnknown || dims[2] == height) && (dims[3] == kUnknown || dims[3] == width);
    if (!fits)
      return bad_input(ErrorCode::inputs_do_not_fit,
                       fmt::format("the input '{}' does not have {}x{} (height x width)", input->name, height, width),
                       {}, fmt::format("it has {}x{}", dims[2], dims[3]));
    dims[2] = height;
    dims[3] = width;
    if (const Feature* feature = function.interface.input(input->name))
      TRY_VOID(check_admitted(*feature, feature->kind == Feature::Kind::image ? Dims{height, width} : dims));
    shapes[input->name] = std::move(dims);
  }
  if (shapes.empty())
    return bad_input(ErrorCode::inputs_do_not_fit, "no input has a height and a width", {}, "leave the size out");
  return shapes;
}

}  // namespace

Result<std::unique_ptr<Program>> program_at_size(const Program& program, std::int64_t height, std::int64_t width) {
  auto shapes = shapes_of_size(program.main(), height, width);
  const Function* chosen = &program.main();
  std::string taken;
  for (const auto& function : program.functions) {
    if (shapes) break;
    auto other = shapes_of_size(*function, height, width);
    if (!other)
      taken += fmt::format("{}'{}': {}", taken.empty() ? "" : "; ", function->name, other.error().front().help);
    if (!other) continue;
    shapes = std::move(other);
    chosen = function.get();
  }
  if (!shapes) {
    Diagnostic& problem = shapes.error().front();
    problem.blame = Blame::usage;
    if (program.functions.size() > 1) problem.help = taken;
    return std::move(shapes).error();
  }
  return ops::specialize(program, chosen->name, *shapes);
}

Result<std::unique_ptr<Program>> merge_sizes(std::vector<std::unique_ptr<Program>> programs) {
  std::unique_ptr<Program> merged = std::move(programs.front());
  if (programs.size() == 1) return merged;
  Function& main = merged->main();
  std::vector<Interface> interfaces{main.interface};
  for (std::size_t i = 1; i < programs.size(); ++i) {
    TRY_VOID(merge_bodies(main.body, programs[i]->main().body));
    interfaces.push_back(programs[i]->main().interface);
  }
  list_sizes(main.interface, interfaces);
  for (Feature& output : main.interface.outputs) {
    for (const Value* value : main.body.outputs()) {
      if (value->name == output.name && !value->type.is_fixed())
        output.shape.clear();  // a wrong fixed shape pads at run time
    }
  }
  return merged;
}

Result<std::unique_ptr<Program>> functions_by_size(std::vector<std::unique_ptr<Program>> programs) {
  if (programs.size() == 1) return std::move(programs.front());
  std::unique_ptr<Program> joined = std::move(programs.front());
  for (std::size_t i = 0; i < programs.size(); ++i) {
    Program& from = i == 0 ? *joined : *programs[i];
    std::unique_ptr<Function> function = std::move(from.functions.front());
    const Feature& input = function->interface.inputs.front();
    const bool image = input.kind == Feature::Kind::image;
    function->name =
        fmt::format("size_{}x{}", image ? input.height : input.shape[2], image ? input.width : input.shape[3]);
    function->program = joined.get();
    if (i == 0) {
      joined->default_function = function->name;
      joined->functions.front() = std::move(function);
    } else {
      joined->functions.push_back(std::move(function));
    }
  }
  return joined;
}

}  // namespace anemone::toolchain
