// ML Programs to their protobuf form: every constant becomes a `const` just before its first user.
#include "anemone/backends/mlpackage/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "anemone/backends/mlpackage/interface.h"
#include "anemone/formats/coreml/package.h"

namespace anemone::mlpackage {
namespace {

namespace milspec = formats::milspec;
using formats::PackageWriter;

// Constants of at least this many elements go to the weight file, as coremltools and ONNX Runtime do it.
constexpr std::int64_t kBlobFrom = 10;

milspec::ValueType write_type(const Type& from) {
  const auto extent = [](std::int64_t e) {
    milspec::Dimension d;
    if (e != kUnknown) d.size = static_cast<std::uint64_t>(e);
    return d;
  };
  milspec::ValueType to;
  to.kind = static_cast<milspec::ValueType::Kind>(from.kind);
  if (from.is_tensor()) {
    to.tensor.dtype = static_cast<milspec::DataType>(mil_number(from.dtype));
    to.tensor.unknown_rank = !from.ranked;
    for (std::int64_t e : from.dims) to.tensor.dims.push_back(extent(e));
    if (!from.ranked) to.tensor.dims.push_back({{}, true});
  }
  if (from.kind == Type::Kind::list) to.length = extent(from.length);
  for (const Type& inner : from.elements) to.parts.push_back(write_type(inner));
  return to;
}
static_assert(static_cast<int>(Type::Kind::state) == static_cast<int>(milspec::ValueType::Kind::state));

class Writer {
 public:
  Writer(const Program& program, PackageWriter& package) : program_(program), package_(package) {}

  Result<milspec::Model> model() {
    milspec::Model to;
    to.specification_version = program_.specification;
    to.program.doc = program_.doc;
    TRY(to.program.attributes, attributes(program_.attributes));
    if (!(program_.metadata == Metadata{})) to.description.metadata = write_metadata(program_.metadata);
    const bool several = program_.functions.size() > 1 || program_.functions.front()->name != "main";
    for (const auto& function : program_.functions) {
      if (specification_version(function->opset) > program_.specification) {
        return bad_input(
            ErrorCode::opset_needs_specification,
            fmt::format("function '{}' has the opset {}, which needs specification version {}, not {}", function->name,
                        opset_name(function->opset), specification_version(function->opset), program_.specification));
      }
      TRY(milspec::Function written, this->function(*function));
      to.program.functions.push_back({function->name, std::move(written)});
      if (several) to.description.functions.push_back({function->name, write_interface(function->interface)});
    }
    if (several) {
      to.description.default_function_name = program_.default_function;
    } else {
      to.description.interface = write_interface(program_.functions.front()->interface);
    }
    return to;
  }

 private:
  Result<milspec::Function> function(const Function& from) {
    milspec::Function to;
    to.opset = std::string(opset_name(from.opset));
    opset_ = from.opset;
    for (const auto& input : from.body.inputs) to.inputs.push_back({input->name, write_type(input->type)});
    TRY(to.attributes, attributes(from.attributes));
    TRY(milspec::Block body, block(from.body));
    body.inputs.clear();  // those of the body are the function's
    to.block_specializations.push_back({to.opset, std::move(body)});
    return to;
  }

  Result<milspec::Block> block(const Block& from) {
    milspec::Block to;
    TRY(to.attributes, attributes(from.attributes));
    for (const auto& input : from.inputs) to.inputs.push_back({input->name, write_type(input->type)});
    for (const auto& constant : from.constants) places_.emplace(constant.get(), places_.size());
    for (const Node& node : from.nodes) {
      TRY_VOID(constants_of(node, from, to));
      TRY_VOID(this->node(node, to));
    }
    for (const auto& constant : from.constants) {  // block outputs, and those that nobody uses
      TRY_VOID(emit_constant(*constant, to));
    }
    for (const Value* output : from.outputs()) to.outputs.push_back(output->name);
    return to;
  }

  // Those constants of block `home` that the node or the blocks inside it use, in the order they have in the program:
  // what is read and written again comes out the same.
  Result<void> constants_of(const Node& node, const Block& home, milspec::Block& to) {
    std::vector<const Value*> constants;
    collect_constants(node, home, constants);
    std::stable_sort(constants.begin(), constants.end(),
                     [&](const Value* a, const Value* b) { return places_.at(a) < places_.at(b); });
    for (const Value* value : constants) TRY_VOID(emit_constant(*value, to));
    return {};
  }

  static void collect_constants(const Node& node, const Block& home, std::vector<const Value*>& constants) {
    const auto take = [&](const Value* value) {
      if (value->constant && value->block == &home) constants.push_back(value);
    };
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) take(value);
    }
    for (const auto& inner : node.blocks) {
      for (const Node& nested : inner->nodes) collect_constants(nested, home, constants);
      for (const Value* output : inner->outputs()) take(output);
    }
  }

  Result<void> emit_constant(const Value& value, milspec::Block& to) {
    if (value.is_inline || !emitted_.insert(&value).second) return {};
    milspec::Operation operation;
    operation.type = "const";
    operation.outputs.push_back({value.name, write_type(value.type)});
    TRY(milspec::Value payload, this->value(*value.constant));
    operation.attributes.push_back({"name", text(value.name)});
    operation.attributes.push_back({"val", std::move(payload)});
    to.operations.push_back(std::move(operation));
    return {};
  }

  Result<void> node(const Node& from, milspec::Block& to) {
    milspec::Operation operation;
    operation.type = from.type;
    const bool parameters_are_attributes = from.type.starts_with("constexpr_") && opset_ < Target::ios18;
    for (const Operand& operand : from.operands()) {
      if (parameters_are_attributes && operand.values.size() == 1 && operand.values[0]->constant) {
        TRY(milspec::Value payload, value(*operand.values[0]->constant));
        operation.attributes.push_back({operand.param, std::move(payload)});
        continue;
      }
      std::vector<milspec::Binding> bindings;
      for (const Value* bound : operand.values) {
        milspec::Binding binding;
        if (bound->constant && bound->is_inline) {
          TRY(milspec::Value payload, value(*bound->constant));
          binding.value = std::move(payload);
        } else {
          binding.name = bound->name;
        }
        bindings.push_back(std::move(binding));
      }
      operation.inputs.push_back({operand.param, std::move(bindings)});
    }
    for (const auto& output : from.outputs) operation.outputs.push_back({output->name, write_type(output->type)});
    for (const auto& inner : from.blocks) {
      TRY(milspec::Block written, block(*inner));
      operation.blocks.push_back(std::move(written));
    }
    TRY(milspec::Map<milspec::Value> own, attributes(from.attributes));
    for (auto& entry : own) operation.attributes.push_back(std::move(entry));
    const std::string& name = !from.name.empty() || from.outputs.empty() ? from.name : from.outputs[0]->name;
    if (!name.empty()) operation.attributes.push_back({"name", text(name)});
    to.operations.push_back(std::move(operation));
    return {};
  }

  Result<milspec::Map<milspec::Value>> attributes(const Attributes& from) {
    milspec::Map<milspec::Value> to;
    for (const auto& [key, constant] : from) {
      TRY(milspec::Value payload, value(*constant));
      to.push_back({key, std::move(payload)});
    }
    return to;
  }

  static milspec::Value text(const std::string& content) {
    milspec::Value to;
    to.type = write_type(Type::tensor(DType::string, {}));
    to.strings = {content};
    return to;
  }

  bool goes_to_file(const Constant& from) const {
    if (!from.type.is_tensor() || from.count() < kBlobFrom) return false;
    switch (from.type.dtype) {
      case DType::fp16:
      case DType::fp32:
      case DType::int8:
      case DType::uint8:
        return true;
      case DType::int16:
      case DType::uint16:
      case DType::int32:
      case DType::uint32:
      case DType::int4:
      case DType::uint1:
      case DType::uint2:
      case DType::uint3:
      case DType::uint4:
      case DType::uint6:
        return program_.specification >= specification_version(Target::ios18);
      default:
        return false;
    }
  }

  Result<milspec::Value> value(const Constant& from) {
    if (!from.missing.empty()) {
      return bad_input(ErrorCode::weights_missing_to_write,
                       fmt::format("the weights in '{}' are missing, so the model cannot be written", from.missing), {},
                       "put the weight file back into the package");
    }
    milspec::Value to;
    to.type = write_type(from.type);
    switch (from.type.kind) {
      case Type::Kind::list:
        to.kind = milspec::Value::Kind::list;
        break;
      case Type::Kind::tuple:
        to.kind = milspec::Value::Kind::tuple;
        break;
      case Type::Kind::dictionary:
        to.kind = milspec::Value::Kind::dictionary;
        break;
      case Type::Kind::tensor:
      case Type::Kind::state:
        break;
    }
    for (const Constant& inner : from.elements) {
      TRY(milspec::Value item, value(inner));
      to.items.push_back(std::move(item));
    }
    to.strings = from.strings;
    if (!goes_to_file(from)) {
      to.data = from.data;
      return to;
    }
    to.kind = milspec::Value::Kind::blob;
    to.blob.file_name = formats::kWeightFileName;
    TRY(to.blob.offset, package_.weights().append(*formats::blob_type(to.type.tensor.dtype),
                                                  static_cast<std::uint64_t>(from.count()), from.data.view));
    return to;
  }

  const Program& program_;
  PackageWriter& package_;
  Target opset_ = Target::ios17;
  std::unordered_set<const Value*> emitted_;
  std::unordered_map<const Value*, std::size_t> places_;  ///< of the constants of a block, in its order
};

}  // namespace

Result<WrittenPackage> write_mlpackage(const Program& program, const std::filesystem::path& target) {
  TRY(PackageWriter package, PackageWriter::create(target));
  TRY(milspec::Model model, Writer(program, package).model());
  TRY_VOID(package.finish(model));
  WrittenPackage written;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(target, ignored)) {
    if (!entry.is_regular_file(ignored)) continue;
    const std::uint64_t size = entry.file_size(ignored);
    written.bytes += size;
    if (entry.path().filename() == "weight.bin") written.weight_bytes = size;
  }
  return written;
}

}  // namespace anemone::mlpackage
