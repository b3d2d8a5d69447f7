#pragma once
// A model made ready to execute: inputs from files, one fixed shape, the outputs asked for, an engine.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/runtime/engine.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/model.h"

namespace anemone {

/// One `--input`: "NAME=FILE", or "FILE" where there is one input.
struct InputFile {
  std::string name;  ///< empty: the only input
  std::filesystem::path file;
  bool is_image = false;          ///< decoded; else an .npy
  Array array;                    ///< the tensor of an .npy
  std::vector<std::uint8_t> bgr;  ///< an image: height·width·3, as decoded (gray is repeated)
  std::int64_t width = 0, height = 0;
};
Result<InputFile> read_input(const std::string& word);

/// Pixels (0…255) that were not read from a file: for seeded inputs.
InputFile make_image(std::vector<std::uint8_t> bgr, std::int64_t width, std::int64_t height);

struct SessionOptions {
  std::optional<std::string> network;
  std::vector<std::string> outputs;             ///< names of any values; empty = the model's outputs
  std::optional<runtime::Precision> precision;  ///< default: as stored
  bool half_sums = false;                       ///< sums inside an operation in half precision as well
  bool resize = false;                          ///< images of another size are resized (bilinear) instead of refused
  int threads = 0;
};

class Session {
 public:
  /// `inputs` decide the shape: a checkpoint is built at their size, a flexible program specialised to it. Without
  /// inputs the default shape is used.
  static Result<Session> open(const std::filesystem::path& model, const std::vector<InputFile>& inputs,
                              const SessionOptions& options);

  const Model& model() const { return model_; }
  const Function& function() const { return model_.program->main(); }
  const std::vector<std::string>& notes() const { return notes_; }
  std::vector<runtime::StepTiming> timings() const {
    return engine_ ? engine_->timings() : std::vector<runtime::StepTiming>();
  }
  /// Nothing when shapes depend on data.
  std::optional<runtime::PlanListing> plan() const { return engine_ ? std::optional(engine_->plan()) : std::nullopt; }
  int threads() const { return pool_ ? pool_->threads() : 1; }
  runtime::EngineMemory memory() const { return engine_ ? engine_->memory() : runtime::EngineMemory(); }
  std::optional<LandmarkInfo> landmarks() const { return landmarks_; }

  /// The arrays of the function's inputs, in its order. Images go through the image input; where the function takes a
  /// tensor, through the preprocessing the network was trained with (checkpoints only).
  Result<std::vector<Array>> bind(const std::vector<InputFile>& inputs) const;
  Result<std::vector<Array>> run(const std::vector<Array>& inputs);

 private:
  Session() = default;
  Model model_;
  SessionOptions options_;
  std::vector<std::string> notes_;
  std::optional<LandmarkInfo> landmarks_;
  std::unique_ptr<runtime::ThreadPool> pool_;  // before engine_: must outlive it
  std::optional<runtime::Engine> engine_;      ///< none: shapes depend on data, and the reference executor runs
};

Result<Array> read_array(const std::filesystem::path& npy);
Result<void> write_array(const std::filesystem::path& npy, const Array& array);

}  // namespace anemone
