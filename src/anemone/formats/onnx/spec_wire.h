#pragma once
// What reader and writer of ONNX files share. Private to formats/onnx.
#include <charconv>

#include "anemone/formats/onnx/spec.h"
#include "anemone/formats/wire/field_list.h"

namespace anemone::formats::onnxspec::wire {

/// Readers built on Google's library take no larger files, and nest no deeper.
inline constexpr std::uint64_t kMaxBytes = 0x7fffffff;
inline constexpr int kMaxDepth = 100;

[[noreturn]] inline void inconsistent(const std::string& message) {
  throw protobuf::ParseError(ErrorCode::onnx_inconsistent, message);
}

DataType checked_data_type(std::int32_t number);
Property read_property(protobuf::Message& message);
Tensor read_tensor(protobuf::Message& message);
SparseTensor read_sparse_tensor(protobuf::Message& message);
Type read_type(protobuf::Message& message);

}  // namespace anemone::formats::onnxspec::wire
