#pragma once
// A model made ready to execute: one fixed shape, the outputs asked for, an engine.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/runtime/engine.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/inputs.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

struct SessionOptions {
  std::vector<std::string> outputs;                       ///< names of any values; empty = the model's outputs
  std::optional<runtime::Precision> precision;            ///< how the engine rounds; default: as stored
  runtime::HalfSums half_sums = runtime::HalfSums::none;  ///< which sums inside operations are in half precision too
  bool resize = false;  ///< images of another size are resized (bilinear) instead of refused
  int threads = 0;
};

class Session {
 public:
  /// `inputs` decide the shape: a checkpoint is built at their size, a flexible program specialised to it. Without
  /// inputs the default shape is used. The model stays as it is. The engine is made by compile(), or by the first run.
  static Result<Session> open(const Model& model, const std::vector<InputFile>& inputs, const SessionOptions& options);

  const Model& model() const { return model_; }  ///< at the session's shape and with its outputs
  const Function& function() const { return model_.program->main(); }
  const std::vector<std::string>& notes() const { return notes_; }
  std::vector<runtime::StepTiming> timings() const {
    return engine_ ? engine_->timings() : std::vector<runtime::StepTiming>();
  }
  /// Nothing when shapes depend on data.
  std::optional<runtime::PlanListing> plan() const { return engine_ ? std::optional(engine_->plan()) : std::nullopt; }
  /// For runs without a detour over double; null when the reference executor runs, or before compile().
  runtime::Engine* engine() { return engine_ ? &*engine_ : nullptr; }
  int threads() const { return pool_ ? pool_->threads() : 1; }
  runtime::EngineMemory memory() const { return engine_ ? engine_->memory() : runtime::EngineMemory(); }
  std::optional<LandmarkInfo> landmarks() const { return landmarks_; }

  /// The labels of a classifier, in the order of its probabilities. Its outputs are the probabilities as a tensor, where
  /// Core ML gives a label and a dictionary.
  const std::vector<std::string>& labels() const { return labels_; }
  const std::string& probabilities() const { return probabilities_; }  ///< name of that output; empty: no classifier

  /// The arrays of the function's inputs, in its order. Images go through the image input; where the function takes a
  /// tensor, through the preprocessing the network was trained with (checkpoints, and packages whose metadata name it).
  Result<std::vector<Array>> bind(const std::vector<InputFile>& inputs) const;
  /// What one grey level of a picture is in the array that bind() makes of it.
  double grey_level() const;
  Result<void> compile();
  Result<std::vector<Array>> run(const std::vector<Array>& inputs);
  /// States begin as zeros and keep what a run writes into them, as Core ML's do, until this is called.
  void forget() { states_.clear(); }
  /// Gives the engine's memory back; the next run makes another one.
  void release();

 private:
  Session() = default;
  Model model_;
  SessionOptions options_;
  std::vector<std::string> notes_;
  std::optional<LandmarkInfo> landmarks_;
  std::vector<Array> states_;  ///< one a state, in the order of the function's inputs; empty: zeros
  std::vector<std::string> labels_;
  std::string probabilities_;
  bool by_definition_ = false;  ///< shapes depend on data, or there is control flow: the reference executor runs
  std::unique_ptr<runtime::ThreadPool> pool_;  // before engine_: must outlive it
  std::optional<runtime::Engine> engine_;
};

/// Some named values of the session's model, in their order, at its shape; a part of the program is run for them.
Result<std::vector<Array>> values_of(const Session& session, SessionOptions options, std::vector<std::string> names,
                                     const std::vector<Array>& inputs);

}  // namespace anemone::toolchain
