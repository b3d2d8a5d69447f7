#pragma once
// How the entries that read ONNX files change them: libFuzzer's own changes mostly break the encoding, so every second time
// a file is decoded and told a lie. Defines the mutator of the program that includes it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "anemone/formats/onnx/spec.h"
#include "anemone/frontends/onnx/lower.h"
#include "tests/support/onnx_lies.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most) __attribute__((weak));

/// Also what the plain replay damages its inputs with, see replay_main.cpp.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  using namespace anemone;
  static const std::vector<std::string> op_types = [] {
    std::vector<std::string> names;
    for (const onnx::SupportRow& row : onnx::support_table()) names.emplace_back(row.op);
    return names;
  }();
  const auto blind = [&] { return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, most) : size; };
  if (seed % 2 == 0) return blind();
  auto model = formats::onnxspec::read_model(Bytes::copy_of(std::span<const std::uint8_t>(data, size)), "input");
  if (!model) return blind();
  test::OnnxLiar(*model, seed).lie(op_types);
  const auto lie = formats::onnxspec::write_model(*model);
  if (!lie || lie->size() > most) return size;
  std::memcpy(data, lie->data(), lie->size());
  return lie->size();
}
