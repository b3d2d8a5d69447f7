// Features from the types of values.
#include "anemone/ir/derive_interface.h"

namespace anemone {
namespace {

Feature derive_feature(const Value& value) {
  Feature f;
  f.name = value.name;
  const Type& type = value.type.tensor_part();
  if (type.kind == Type::Kind::dictionary) {
    f.kind = Feature::Kind::dictionary;
    f.string_keys = !type.elements.empty() && type.elements[0].dtype == DType::string;
  } else if (type.kind == Type::Kind::list) {
    f.kind = Feature::Kind::sequence;
    f.string_keys = !type.elements.empty() && type.elements[0].dtype == DType::string;
  } else if (type.is_tensor() && type.dtype == DType::string) {
    f.kind = Feature::Kind::string;
  } else if (type.is_tensor() && type.dtype == DType::int64 && type.ranked && type.dims.empty()) {
    f.kind = Feature::Kind::int64;
  } else if (type.is_tensor()) {
    f.kind = value.type.kind == Type::Kind::state ? Feature::Kind::state : Feature::Kind::array;
    f.dtype = type.dtype;
  }
  return f;
}

}  // namespace

Interface derive_interface(const Function& function) {
  Interface interface;
  for (const auto& input : function.body.inputs) {
    Feature f = derive_feature(*input);
    const Type& type = input->type.tensor_part();
    if (f.kind == Feature::Kind::array || f.kind == Feature::Kind::state) {
      f.shape = type.dims;
      if (!type.is_fixed()) {
        for (std::int64_t& extent : f.shape) {
          f.ranges.push_back(extent == kUnknown ? SizeRange{1, -1} : SizeRange{extent, extent});
          if (extent == kUnknown) extent = 1;
        }
      }
    }
    (f.kind == Feature::Kind::state ? interface.states : interface.inputs).push_back(std::move(f));
  }
  for (const Value* output : function.body.outputs()) {
    if (!output) continue;
    Feature f = derive_feature(*output);
    if (f.kind == Feature::Kind::array && output->type.is_fixed()) f.shape = output->type.dims;
    interface.outputs.push_back(std::move(f));
  }
  return interface;
}

}  // namespace anemone
