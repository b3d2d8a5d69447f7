#pragma once
// ONNX Runtime as a peer to be timed against, where it is installed. Opened at run time: nothing of it is needed to build
// (docs/decisions/0011-onnx-runtime-by-dlopen.md).
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

class OrtPeer {
 public:
  /// The library: $ANEMONE_ONNXRUNTIME, else libonnxruntime as the system finds it, else that of the Python package in
  /// $VIRTUAL_ENV. E0040 (environment): there is none, or it is none.
  static Result<OrtPeer> open();
  OrtPeer(OrtPeer&&) noexcept;
  OrtPeer& operator=(OrtPeer&&) noexcept;
  ~OrtPeer();

  const std::string& version() const;
  const std::string& library() const;

  /// A network on the CPU provider with all of its graph optimisations. An error of usage when it does not take it.
  Result<void> load(const std::filesystem::path& onnx, int threads);
  /// The names that the network gives its inputs.
  const std::vector<std::string>& inputs() const;
  /// The values of the inputs, in their order; numbers are converted to the type that the network wants.
  Result<void> give(const std::vector<Array>& arrays);
  /// Once, on these.
  Result<void> run();

 private:
  struct State;
  explicit OrtPeer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace anemone::toolchain
