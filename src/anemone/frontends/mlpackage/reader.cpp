// ML Programs from their protobuf form: values by name, constants with their payload as views.
#include "anemone/frontends/mlpackage/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "anemone/formats/coreml/package.h"
#include "anemone/formats/coreml/spec.h"
#include "anemone/frontends/mlpackage/interface.h"
#include "anemone/support/utf8.h"

namespace anemone::mlpackage {
namespace {

namespace milspec = formats::milspec;

Result<Type> read_type(const milspec::ValueType& from, const std::string& place) {
  const auto extent = [](const milspec::Dimension& d) {
    return d.size ? static_cast<std::int64_t>(*d.size) : kUnknown;
  };
  Type to;
  for (const milspec::ValueType& part : from.parts) {
    TRY(Type inner, read_type(part, place));
    to.elements.push_back(std::move(inner));
  }
  switch (from.kind) {
    case milspec::ValueType::Kind::tensor: {
      const auto dtype = dtype_from_mil(static_cast<int>(from.tensor.dtype));
      if (!dtype) {
        return bad_input(ErrorCode::unknown_data_type,
                         fmt::format("data type {} does not exist in MIL", static_cast<int>(from.tensor.dtype)), place);
      }
      to.dtype = *dtype;
      to.ranked = !from.tensor.unknown_rank;
      for (const milspec::Dimension& d : from.tensor.dims) {
        if (d.variadic) to.ranked = false;
        to.dims.push_back(extent(d));
      }
      if (!to.ranked) to.dims.clear();
      return to;
    }
    case milspec::ValueType::Kind::list:
      to.kind = Type::Kind::list;
      to.length = extent(from.length);
      return to;
    case milspec::ValueType::Kind::tuple:
      to.kind = Type::Kind::tuple;
      return to;
    case milspec::ValueType::Kind::dictionary:
      to.kind = Type::Kind::dictionary;
      return to;
    case milspec::ValueType::Kind::state:
      to.kind = Type::Kind::state;
      return to;
  }
  return to;
}

bool is_constexpr(std::string_view type) { return type.starts_with("constexpr_"); }

class Reader {
 public:
  Reader(const formats::Package& package, Program& program, std::vector<std::string>& missing)
      : place_(package.model_path.string()), weights_(package), program_(program), missing_(missing) {}

  Result<void> program(const milspec::Model& model) {
    if (model.program.version != 1) {
      return bad_input(ErrorCode::unknown_program_version,
                       fmt::format("the ML Program has version {}, and 1 is known", model.program.version), place_);
    }
    program_.specification = model.specification_version;
    program_.doc = model.program.doc;
    TRY(program_.attributes, attributes(model.program.attributes));
    if (model.description.metadata) program_.metadata = read_metadata(*model.description.metadata);
    if (!model.description.default_function_name.empty())
      program_.default_function = model.description.default_function_name;
    for (const auto& entry : model.program.functions) TRY_VOID(function(model, entry));
    if (program_.functions.empty()) return bad_input(ErrorCode::no_function, "the ML Program has no function", place_);
    if (!program_.find(program_.default_function)) program_.default_function = program_.functions.front()->name;
    return {};
  }

 private:
  using Scope = std::unordered_map<std::string, Value*>;

  Result<void> function(const milspec::Model& model, const milspec::Entry<milspec::Function>& entry) {
    const auto opset = target_from_opset(entry.value.opset);
    if (!opset) {
      return bad_input(ErrorCode::unknown_opset,
                       fmt::format("function '{}' has the opset '{}', and CoreML3 to CoreML9 are known", entry.key,
                                   entry.value.opset),
                       place_);
    }
    const milspec::Block* body = milspec::find(entry.value.block_specializations, entry.value.opset);
    if (!body) {
      return bad_input(ErrorCode::no_block_for_opset,
                       fmt::format("function '{}' has no block for its opset '{}'", entry.key, entry.value.opset),
                       place_);
    }
    Function& function = program_.add_function(entry.key, *opset);
    TRY(function.attributes, attributes(entry.value.attributes));
    const milspec::Interface* interface = &model.description.interface;
    for (const auto& listed : model.description.functions) {
      if (listed.key == entry.key) interface = &listed.value;
    }
    TRY(function.interface, read_interface(*interface, place_));
    scopes_.clear();
    scopes_.emplace_back();
    for (const milspec::NamedValueType& input : entry.value.inputs) {
      TRY(Type type, read_type(input.type, place_));
      TRY_VOID(define(function.body.add_input(input.name, std::move(type))));
    }
    TRY_VOID(block(*body, function.body));
    // Literals have no names of their own: they get one when all others are known.
    for (auto& [value, wish] : inline_values_) value->name = function.unique_name(wish);
    inline_values_.clear();
    return {};
  }

  Result<void> block(const milspec::Block& from, Block& to) {
    TRY(to.attributes, attributes(from.attributes));
    for (const milspec::NamedValueType& input : from.inputs) {
      TRY(Type type, read_type(input.type, place_));
      TRY_VOID(define(to.add_input(input.name, std::move(type))));
    }
    for (const milspec::Operation& operation : from.operations) {
      if (operation.type == "const") {
        TRY_VOID(constant(operation, to));
      } else {
        TRY_VOID(node(operation, to));
      }
    }
    std::vector<Value*> outputs;
    for (const std::string& name : from.outputs) {
      TRY(Value * value, lookup(name, "the outputs of the block"));
      outputs.push_back(value);
    }
    to.set_outputs(std::move(outputs));
    return {};
  }

  Result<void> constant(const milspec::Operation& operation, Block& to) {
    const milspec::Value* value = milspec::find(operation.attributes, "val");
    if (!value || operation.outputs.size() != 1) {
      return bad_input(ErrorCode::const_malformed,
                       fmt::format("const '{}' needs one output and the attribute 'val'",
                                   operation.outputs.empty() ? "" : operation.outputs[0].name),
                       place_);
    }
    TRY(ConstantPtr payload, read_value(*value));
    TRY(Type declared, read_type(operation.outputs[0].type, place_));
    if (declared != payload->type) {
      return bad_input(ErrorCode::const_type_differs,
                       fmt::format("const '{}' is declared {} and its value is {}", operation.outputs[0].name,
                                   to_string(declared), to_string(payload->type)),
                       place_);
    }
    return define(to.add_constant(operation.outputs[0].name, std::move(payload)));
  }

  Result<void> node(const milspec::Operation& operation, Block& to) {
    Node& node = to.insert(to.nodes.end(), operation.type, program_.ops->find(operation.type));
    const std::string what =
        fmt::format("{} '{}'", operation.type, operation.outputs.empty() ? "" : operation.outputs[0].name);
    for (const auto& input : operation.inputs) {
      std::vector<Value*> values;
      for (const milspec::Binding& binding : input.value) {
        if (binding.value) {
          TRY(ConstantPtr literal, read_value(*binding.value));
          values.push_back(inline_constant(to, std::move(literal), input.key));
        } else {
          TRY(Value * value, lookup(binding.name, fmt::format("{} of {}", input.key, what)));
          values.push_back(value);
        }
      }
      node.set(input.key, std::move(values));
    }
    for (const auto& attribute : operation.attributes) {
      TRY(ConstantPtr value, read_value(attribute.value));
      if (attribute.key == "name" && value->strings.size() == 1) {
        node.name = value->strings[0];
      } else if (is_constexpr(operation.type)) {  // up to CoreML7 their parameters are attributes
        node.set(attribute.key, inline_constant(to, std::move(value), attribute.key));
      } else {
        node.attributes.emplace_back(attribute.key, std::move(value));
      }
    }
    for (const milspec::Block& inner : operation.blocks) {
      scopes_.emplace_back();
      TRY_VOID(block(inner, node.add_block()));
      scopes_.pop_back();
    }
    for (const milspec::NamedValueType& output : operation.outputs) {
      TRY(Type type, read_type(output.type, place_));
      TRY_VOID(define(node.add_output(output.name, std::move(type))));
    }
    return {};
  }

  Value* inline_constant(Block& to, ConstantPtr literal, const std::string& param) {
    Value* value = to.add_constant({}, std::move(literal));
    value->is_inline = true;
    inline_values_.emplace_back(value, param);
    return value;
  }

  Result<void> define(Value* value) {
    if (!scopes_.back().emplace(value->name, value).second) {
      return bad_input(ErrorCode::defined_twice, fmt::format("'{}' is defined twice", value->name), place_);
    }
    return {};
  }

  Result<Value*> lookup(const std::string& name, const std::string& where) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->find(name); found != scope->end()) return found->second;
    }
    return bad_input(ErrorCode::used_before_defined,
                     fmt::format("'{}' is used by {} before it is defined", name, where), place_);
  }

  Result<Attributes> attributes(const milspec::Map<milspec::Value>& from) {
    Attributes to;
    for (const auto& entry : from) {
      TRY(ConstantPtr value, read_value(entry.value));
      to.emplace_back(entry.key, std::move(value));
    }
    return to;
  }

  Result<ConstantPtr> read_value(const milspec::Value& from) {
    auto to = std::make_shared<Constant>();
    TRY(to->type, read_type(from.type, place_));
    to->strings = from.strings;
    for (const milspec::Value& item : from.items) {
      TRY(ConstantPtr inner, read_value(item));
      to->elements.push_back(*inner);
    }
    if (from.kind == milspec::Value::Kind::blob) {
      TRY_VOID(read_blob(from, *to));
    } else {
      to->data = Bytes::copy_of(from.data.view);  // literals are small, and views into the file are not aligned
    }
    return ConstantPtr(std::move(to));
  }

  Result<void> read_blob(const milspec::Value& from, Constant& to) {
    const auto count = to.type.is_fixed() ? element_count(to.type.dims) : std::nullopt;
    if (!count) {
      return bad_input(ErrorCode::weight_without_size,
                       fmt::format("the value at offset {} of '{}' has the type {}, whose size is not known",
                                   from.blob.offset, from.blob.file_name, to_string(to.type)),
                       place_);
    }
    if (std::find(missing_.begin(), missing_.end(), from.blob.file_name) == missing_.end()) {
      TRY(auto bytes, weights_.read(from.blob, from.type.tensor.dtype, static_cast<std::uint64_t>(*count)));
      if (bytes) {
        to.data = *std::move(bytes);
        return {};
      }
      missing_.push_back(from.blob.file_name);
    }
    to.missing = from.blob.file_name;
    return {};
  }

  std::string place_;
  formats::PackageWeights weights_;
  Program& program_;
  std::vector<std::string>& missing_;
  std::vector<Scope> scopes_;
  std::vector<std::pair<Value*, std::string>> inline_values_;  ///< with the names that they would like
};

std::string words(const std::vector<milspec::PipelinePart>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name = parts[i].name.empty() ? "" : fmt::format(" '{}'", printable(parts[i].name));
    out += fmt::format("{}{}{} ({})", i == 0 ? "" : ", ", i + 1, name, parts[i].kind);
  }
  return out;
}

/// The part that was asked for, or the only ML Program.
Result<std::size_t> choose(const std::vector<milspec::PipelinePart>& parts, std::optional<std::int64_t> part,
                           const std::string& place) {
  std::vector<std::size_t> programs;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].model) programs.push_back(i);
  }
  if (part) {
    const auto at = static_cast<std::size_t>(*part) - 1;
    if (std::find(programs.begin(), programs.end(), at) != programs.end()) return at;
    return bad_usage(fmt::format("part {} of this pipeline is no ML Program", *part), "its parts are " + words(parts));
  }
  if (programs.size() == 1) return programs[0];
  if (programs.empty()) {
    return bad_input(ErrorCode::no_program_in_pipeline,
                     "this pipeline holds no ML Program: its parts are " + words(parts), place,
                     "convert the original network again with a target of iOS 15 or newer");
  }
  return bad_input(ErrorCode::several_programs,
                   "this pipeline holds several ML Programs: its parts are " + words(parts), place,
                   fmt::format("choose one: '--part {}'", programs[0] + 1));
}

}  // namespace

Result<ReadPackage> read_mlpackage(const std::filesystem::path& path, const OpTable& ops,
                                   std::optional<std::int64_t> part) {
  TRY(formats::Package package, formats::open_package(path));
  const std::string place = package.model_path.string();
  TRY(std::vector<milspec::PipelinePart> parts, milspec::read_pipeline(package.spec, place));
  ReadPackage result;
  result.program = std::make_unique<Program>(ops);
  if (parts.empty()) {
    if (part) return bad_usage("--part is for pipelines, and this is one model");
    TRY(const milspec::Model model, milspec::read_model(package.spec, place));
    TRY_VOID(Reader(package, *result.program, result.missing_files).program(model));
    return result;
  }
  TRY(const std::size_t at, choose(parts, part, place));
  TRY_VOID(Reader(package, *result.program, result.missing_files).program(*parts[at].model));
  result.part_of = fmt::format("this is part {} of a pipeline: {}", at + 1, words(parts));
  return result;
}

}  // namespace anemone::mlpackage
