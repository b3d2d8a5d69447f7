// Hypotheses, each a change of the request or of a copy of the program.
#include "anemone/toolchain/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/sweep.h"
#include "anemone/plan/ane/planner.h"
#include "anemone/toolchain/plan_edits.h"

namespace anemone::toolchain {
namespace {

namespace ane = plan::ane;

void add(Alternative& alternative, const plan::Plan& plan) {
  alternative.ops += plan.ops.size();
  alternative.on_ane += plan.on_ane;
  alternative.segments += plan.segments.size();
  alternative.planner_ms += plan.planner_ms;
  alternative.low_ms += plan.latency.low;
  alternative.high_ms += plan.latency.high;
  alternative.known = alternative.known && plan.latency.warning.empty();
  alternative.evidence = name(plan.weakest_trust);
}

Value* unread(Block& block, const std::string& wish, DType dtype, Dims dims) {
  return block.add_constant(block.function().unique_name(wish), hypothetical(Type::tensor(dtype, std::move(dims))));
}

/// Weights of convolutions and linear layers as palettes of 2^bits entries, or (bits = 0) as int8 with a scale a channel.
void pack_weights(Function& function, const OpTable& table, int bits) {
  std::vector<Node*> nodes;
  for (Node& node : function.body.nodes) {
    const Value* weight = is(node, kConvolution) || node.type == "linear" ? node.input("weight") : nullptr;
    if (weight && weight->constant && weight->type.dtype == DType::fp16) nodes.push_back(&node);
  }
  for (Node* node : nodes) {
    Block& block = function.body;
    const Type type = node->input("weight")->type;
    const std::int64_t count = element_count(type.dims).value_or(0);
    const std::string_view kind = bits > 0 ? "constexpr_lut_to_dense" : "constexpr_affine_dequantize";
    Node& packed = block.insert(node->position(), std::string(kind), table.find(kind));
    if (bits > 0) {
      packed.set("indices", unread(block, "indices", DType::uint8, {(count * bits + 7) / 8}));
      packed.set("lut", unread(block, "lut", DType::fp16, {std::int64_t{1} << bits}));
      packed.set("shape", unread(block, "shape", DType::uint32, {type.rank()}));
    } else {
      packed.set("quantized_data", unread(block, "quantized", DType::int8, type.dims));
      packed.set("scale", unread(block, "scale", DType::fp16, {type.dims[0]}));
      packed.set("zero_point", unread(block, "zero_point", DType::int8, {}));
      packed.set("axis", block.add_constant(function.unique_name("axis"), make_scalar(DType::int32, 0)));
    }
    node->set("weight", packed.add_output(function.unique_name("packed"), type));
  }
}

/// The part of the program that makes the value, or the part that goes on with it.
std::unique_ptr<Program> half(const Program& program, std::string_view cut, bool first) {
  std::unique_ptr<Program> part = clone(program);
  Function& main = part->main();
  Value* value = find_result(main.body, cut);
  if (first) {
    main.body.set_outputs({value});
  } else {
    Value* input = main.body.add_input(main.unique_name(std::string(cut) + "_in"), value->type);
    replace_uses(*value, *input);
  }
  sweep(main.body);
  return part;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

class Hypotheses {
 public:
  Hypotheses(const Model& model, const PlanRequest& request, const ane::Device& device)
      : model_(model), request_(request), device_(device) {}

  Alternative as_it_is() { return planned("as it is", request_); }

  Result<Alternative> try_one(const std::string& text) {
    const std::size_t at = text.find('=');
    const std::string key = text.substr(0, at), value = at == std::string::npos ? "" : text.substr(at + 1);
    PlanRequest request = request_;
    if (key == "fp16" || key == "fp32") {
      request.precision = key == "fp16" ? PackagePrecision::fp16 : PackagePrecision::fp32;
      return planned(text, request);
    }
    if (key == "outputs" && !value.empty()) {
      request.outputs = {value};
      return planned(text, request);
    }
    if (key == "off" && !value.empty()) {
      request.off.push_back(value);
      return planned(text, request);
    }
    if (key == "target" && target_from(value)) {
      request.target = target_from(value);
      return planned(text, request);
    }
    if (key == "shapes") return resized(text, value);
    if (key == "split" && !value.empty()) return split(text, value);
    if (key == "int8" && value.empty()) return packed(text, 0);
    const std::string_view palettize = "palettize";
    const auto bits =
        key.starts_with(palettize) ? number(std::string_view(key).substr(palettize.size())) : std::nullopt;
    if (bits && (*bits == 1 || *bits == 2 || *bits == 4 || *bits == 6 || *bits == 8)) return packed(text, *bits);
    return bad_usage(
        fmt::format("'{}' is no hypothesis", text),
        "they are fp16, fp32, palettize4, int8, shapes=HxW, outputs=final, target=ios18, off=TYPE, split=NAME");
  }

 private:
  Alternative planned(const std::string& what, const PlanRequest& request) { return planned(what, model_, request); }

  Alternative planned(const std::string& what, const Model& model, const PlanRequest& request) {
    Alternative alternative{.what = what, .problem = {}, .evidence = {}};
    const auto result = plan_model(model, request);
    if (result) {
      add(alternative, result->plans.front());
    } else {
      alternative.problem = result.error().front().message;
    }
    return alternative;
  }

  Alternative resized(const std::string& what, const std::string& value) {
    const std::size_t x = value.find('x');
    const auto height = number(value.substr(0, x)),
               width = x == std::string::npos ? height : number(value.substr(x + 1));
    if (!height || !width) return {.what = what, .problem = "sizes are written HxW", .evidence = {}};
    const auto model = at_size(model_, *height, *width);
    if (!model) return {.what = what, .problem = model.error().front().message, .evidence = {}};
    return planned(what, *model, request_);
  }

  /// A copy of what is planned of the model, for changes of the graph itself.
  Result<std::unique_ptr<Program>> program() {
    TRY(const Planned planned, planned_program(model_, request_));
    return clone(*planned.program);
  }

  plan::Plan plan_of(const Program& changed) {
    plan::ane::PlanOptions options = plan_options(request_);
    options.lint_weights = false;
    return plan::ane::make_plan(changed.main(), device_, options);
  }

  Alternative packed(const std::string& what, int bits) {
    Alternative alternative{.what = what, .problem = {}, .evidence = {}};
    auto changed = program();
    if (!changed) {
      alternative.problem = changed.error().front().message;
      return alternative;
    }
    pack_weights((*changed)->main(), *(*changed)->ops, bits);
    add(alternative, plan_of(**changed));
    return alternative;
  }

  Alternative split(const std::string& what, const std::string& cut) {
    Alternative alternative{.what = what, .problem = {}, .evidence = {}};
    auto whole = program();
    if (!whole) {
      alternative.problem = whole.error().front().message;
    } else if (!find_result((*whole)->main().body, cut)) {
      alternative.problem = fmt::format("there is no value '{}'", cut);
    } else {
      for (const bool first : {true, false}) add(alternative, plan_of(*half(**whole, cut, first)));
    }
    return alternative;
  }

  const Model& model_;
  const PlanRequest& request_;
  const ane::Device& device_;
};

}  // namespace

Result<std::vector<Alternative>> what_if(const Model& model, const PlanRequest& request,
                                         const std::vector<std::string>& hypotheses) {
  TRY(const ane::Device* device, find_device(request.device));
  Hypotheses all(model, request, *device);
  std::vector<Alternative> alternatives{all.as_it_is()};
  for (const std::string& hypothesis : hypotheses) {
    TRY(Alternative alternative, all.try_one(hypothesis));
    alternatives.push_back(std::move(alternative));
  }
  return alternatives;
}

}  // namespace anemone::toolchain
