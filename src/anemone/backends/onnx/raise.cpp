// The walk over a program: inputs, operations by their rows, outputs, metadata; refusals are collected.
#include "anemone/backends/onnx/raise.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <set>

#include "anemone/backends/onnx/rows.h"
#include "anemone/ir/rewrite.h"
#include "anemone/onnx/infer.h"
#include "anemone/ops/execute.h"

namespace anemone::onnx::exporting {
namespace {

/// The oldest file format that holds the opset.
std::int64_t ir_version(std::int64_t opset) { return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10; }

/// What cannot be said, by operation and reason.
class Refusals {
 public:
  void add(const MilNode& node, const std::string& why, const std::string& help) {
    std::vector<std::string>& names = names_[{node.type, why, help}];
    names.push_back(display_name(node));
  }
  bool empty() const { return names_.empty(); }
  std::size_t count() const {
    std::size_t n = 0;
    for (const auto& [what, names] : names_) n += names.size();
    return n;
  }
  Diagnostic diagnostic(std::size_t operations, std::int64_t opset) const {
    constexpr std::size_t kShown = 3;
    Diagnostic d =
        bad_input(ErrorCode::onnx_cannot_say,
                  fmt::format("{} of {} operations have no equivalent in ONNX (opset {})", count(), operations, opset));
    std::set<std::string> ways_out;
    for (const auto& [what, names] : names_) {
      const auto& [type, why, help] = what;
      std::string shown;
      for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
        shown += fmt::format("{}{}", i > 0 ? ", " : "", names[i]);
      if (names.size() > kShown) shown += ", …";
      d.notes.push_back(fmt::format("{} × {} ({}): {}", names.size(), type, shown, why));
      if (!help.empty()) ways_out.insert(help);
    }
    for (const std::string& way : ways_out) d.help += (d.help.empty() ? "" : "; ") + way;
    if (d.help.empty()) d.help = "'--outputs' can leave out what needs them; 'convert' writes them into a package";
    return d;
  }

 private:
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> names_;
};

class Raiser {
 public:
  Raiser(const Program& program, const RaiseOptions& options)
      : main_(program.main()), program_(program), options_(options), raising_(*model_.graph, options_, walk()) {}

  Result<Model> run() {
    model_.ir_version = ir_version(options_.opset);
    model_.opsets[""] = options_.opset;
    describe();
    TRY_VOID(add_inputs());
    TRY_VOID(raising_.walk(main_.body));
    if (!refusals_.empty()) return refusals_.diagnostic(main_.body.nodes.size(), options_.opset);
    TRY_VOID(add_outputs());
    drop_unused();
    raising_.finish();
    if (Diagnostics problems = infer_types(model_); !problems.empty())
      return own_bug("an exported node contradicts its operands: " + problems[0].message, problems[0].place);
    for (const Value* output : model_.graph->outputs()) {
      if (output->type.shape) continue;
      return bad_input(ErrorCode::onnx_cannot_say,
                       fmt::format("output '{}' has no rank before run time, and ONNX asks for one", output->name()),
                       {}, "give the input a size with --shapes");
    }
    return std::move(model_);
  }

 private:
  Raising::Walk walk() {
    return [this](Raising& scope, const Block& block) -> Result<void> {
      for (const MilNode& node : block.nodes) TRY_VOID(add(scope, node));
      return {};
    };
  }

  static Model empty() {
    Model model;
    model.graph = std::make_unique<Graph>();
    return model;
  }

  void describe() {
    const Metadata& from = program_.metadata;
    model_.producer_name = "anemone";
    model_.producer_version = ANEMONE_VERSION;
    model_.doc = from.description;
    model_.graph->name = main_.name;
    const auto put = [&](const std::string& key, const std::string& value) {
      if (!value.empty()) model_.metadata.push_back({key, value});
    };
    put("author", from.author);
    put("license", from.license);
    put("version", from.version);
    for (const auto& [key, value] : from.user) put(key, value);
    for (const Feature& input : main_.interface.inputs) {
      if (input.kind == Feature::Kind::image)
        put(std::string(kMetaPixels) + input.name, fmt::format("0 to 255, {}, NCHW", name(input.color)));
    }
  }

  Result<void> add_inputs() {
    for (const auto& input : main_.body.inputs) {
      onnx::Type type = tensor_type(input->type, options_);
      if (!input->type.is_tensor() || type.dtype == DataType::undefined) {
        return bad_input(ErrorCode::onnx_cannot_say,
                         fmt::format("input '{}' is {}, which ONNX does not have", input->name, to_string(input->type)),
                         {}, "make it a tensor");
      }
      Value* value = model_.graph->add_value(input->name);
      for (std::size_t d = 0; type.shape && d < type.shape->size(); ++d) {
        if (extent((*type.shape)[d]) < 0) (*type.shape)[d].symbol = fmt::format("{}_{}", input->name, d);
      }
      value->type = std::move(type);
      model_.graph->make_input(*value);
      raising_.set(*input, value);
    }
    return {};
  }

  Result<void> add(Raising& scope, const MilNode& node) {
    if (is(node, kConstexpr)) return add_dense(scope, node);
    const RaiseRow* row = node.def ? find_raise_row(node.type) : nullptr;
    Diagnostic refusal;
    if (!row) {
      refusal = bad_input(ErrorCode::onnx_cannot_say, "an operation that anemone does not know");
    } else if (!row->raise) {
      refusal = bad_input(ErrorCode::onnx_cannot_say, std::string(row->onnx));
    } else {
      Emit emit(scope, node);
      const Result<void> raised = row->raise(emit);
      if (raised) return {};
      refusal = raised.error().front();
      if (refusal.code != ErrorCode::onnx_cannot_say) return raised.error();
    }
    refusals_.add(node, refusal.message, refusal.help);
    stand_in(scope, node);
    return {};
  }

  /// For the outputs of a refused operation, so that the walk goes on and finds the others.
  static void stand_in(Raising& scope, const MilNode& node) {
    for (const auto& output : node.outputs) {
      Value* value = scope.graph().add_value(scope.graph().free_name(output->name));
      value->type = tensor_type(output->type, scope.options());
      scope.set(*output, value);
    }
  }

  /// The numbers of a compressed constant.
  static Result<void> add_dense(Raising& scope, const MilNode& node) {
    std::list<Array> operands;
    const auto fetch = [&](const MilValue& value) -> const Array* {
      const ConstantPtr constant = scope.constant_of(value);
      if (!constant) return nullptr;
      operands.push_back({constant->type.dtype, constant->type.dims, to_doubles(*constant)});
      return &operands.back();
    };
    TRY(const std::vector<Array> arrays, ops::evaluate_node(node, fetch));
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      scope.set_dense(*node.output(i), make_constant(arrays[i].dtype, arrays[i].dims, std::span(arrays[i].data)));
    }
    return {};
  }

  Result<void> add_outputs() {
    std::map<const Value*, Value*> renamed;
    for (const MilValue* output : main_.body.outputs()) {
      Value* value = raising_.value_of(*output);
      if (!value) return own_bug(fmt::format("output '{}' was not raised", output->name));
      if (const auto found = renamed.find(value); found != renamed.end()) value = found->second;
      value = output_value(*value, *output, renamed);
      if (output->type.is_tensor()) value->type = tensor_type(output->type, options_);
      for (std::size_t d = 0; value->type.shape && d < value->type.shape->size(); ++d) {
        if (extent((*value->type.shape)[d]) < 0) (*value->type.shape)[d].symbol = fmt::format("{}_{}", output->name, d);
      }
      model_.graph->add_output(*value);
    }
    return {};
  }

  /// The value under the output's name: itself, the result of the same node renamed, or a copy where no node made it
  /// or two outputs are one value.
  Value* output_value(Value& value, const MilValue& output, std::map<const Value*, Value*>& renamed) {
    Graph& graph = *model_.graph;
    const bool is_output = std::find(graph.outputs().begin(), graph.outputs().end(), &value) != graph.outputs().end();
    if (value.producer() && !is_output && value.name() == output.name) return &value;
    Value* named = graph.add_value(graph.free_name(output.name));
    if (value.producer() && !is_output) {
      graph.move_producer(value, *named);
      graph.replace_uses(value, *named);
      return renamed[&value] = named;
    }
    graph.add_node("Identity", {&value}, {named}).name = named->name();
    return named;
  }

  /// Initialisers that were asked for and then not needed.
  void drop_unused() {
    const std::vector<Value*> unused = unused_initializers(*model_.graph);
    raising_.forget(unused);
    for (Value* value : unused) model_.graph->erase(*value);
  }

  const Function& main_;
  const Program& program_;
  RaiseOptions options_;
  Model model_ = empty();
  Raising raising_;
  Refusals refusals_;
};

}  // namespace

Result<Model> raise(const Program& program, const RaiseOptions& options) {
  if (options.opset < kLowestOpset || options.opset > kHighestOpset) {
    return bad_usage(
        fmt::format("opset {}; ONNX is written in opset {} to {}", options.opset, kLowestOpset, kHighestOpset),
        "17 is what most runtimes take");
  }
  return Raiser(program, options).run();
}

}  // namespace anemone::onnx::exporting
