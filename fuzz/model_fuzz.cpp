// Any bytes as a model through every verb: a Core ML model file, MIL text, a checkpoint, ONNX. Behind the words
// "@weights" stand the bytes of a weight file, and then both make a package. libFuzzer's own changes mostly break the
// encoding, so every second time a model file is decoded and told a lie.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string_view>

#include "anemone/ops/ops.h"
#include "tests/support/every_verb.h"
#include "tests/support/lies.h"

namespace {

namespace fs = std::filesystem;
using namespace anemone;

constexpr std::string_view kWeights = "@weights";

void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// The file as it is, or the package that it says.
fs::path laid_out(std::string_view bytes, const fs::path& scratch) {
  const std::size_t marker = bytes.find(kWeights);
  if (marker == bytes.npos) {
    write_file(scratch / "model.mlmodel", bytes);
    return scratch / "model.mlmodel";
  }
  const fs::path package = scratch / "model.mlpackage", folder = package / "Data/com.apple.CoreML";
  fs::create_directories(folder / "weights");
  write_file(package / "Manifest.json", R"({"fileFormatVersion": "1.0.0", "rootModelIdentifier": "A",
    "itemInfoEntries": {"A": {"path": "com.apple.CoreML/model.mlmodel"}, "B": {"path": "com.apple.CoreML/weights"}}})");
  write_file(folder / "model.mlmodel", bytes.substr(0, marker));
  write_file(folder / "weights/weight.bin", bytes.substr(marker + kWeights.size()));
  return package;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most) __attribute__((weak));

/// Also what the plain replay damages its inputs with, see replay_main.cpp.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  static const std::vector<std::string> op_types = [] {
    std::vector<std::string> names;
    for (const OpDef* op : ops::table().all()) names.emplace_back(op->name);
    return names;
  }();
  if (seed % 2 == 0 && LLVMFuzzerMutate) return LLVMFuzzerMutate(data, size, most);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find(kWeights), size);
  auto model = formats::milspec::read_model(Bytes::copy_of(std::span<const std::uint8_t>(data, end)), "input");
  if (!model) return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, most) : size;
  test::Liar(*model, seed).lie(op_types);
  auto lie = formats::milspec::write_model(*model);
  if (!lie) return size;
  lie->append(bytes.substr(end));
  if (lie->size() > most) return size;
  std::memcpy(data, lie->data(), lie->size());
  return lie->size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::Scratch scratch;
  if (size > 1 << 16) return 0;
  const fs::path model = laid_out({reinterpret_cast<const char*>(data), size}, scratch.path);
  if (const std::string complaint = test::every_verb(model.string(), scratch.path); !complaint.empty()) {
    std::cerr << complaint << std::endl;
    std::abort();
  }
  return 0;
}
