// Executes a model once and writes what came out.
#include "anemone/toolchain/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "anemone/toolchain/arrays.h"
#include "anemone/toolchain/line_file.h"
#include "anemone/toolchain/onnx_model.h"

namespace anemone::toolchain {
namespace {

RunOutput describe_output(const std::string& name, const Array& array) {
  RunOutput out;
  out.name = name;
  out.dtype = std::string(anemone::name(array.dtype));
  out.shape = array.dims;
  double sum = 0;
  std::int64_t finite = 0;
  for (double v : array.data) {
    if (!std::isfinite(v)) {
      ++out.not_finite;
      continue;
    }
    out.min = finite == 0 ? v : std::min(out.min, v);
    out.max = finite == 0 ? v : std::max(out.max, v);
    ++finite;
    sum += v;
  }
  if (finite > 0) out.mean = sum / static_cast<double>(finite);
  return out;
}

// What Core ML answers: a label and a probability for each label.
void classify(const Array& probabilities, const std::vector<std::string>& labels, RunResult& result) {
  for (std::size_t i = 0; i < std::min(labels.size(), probabilities.data.size()); ++i)
    result.probabilities.emplace_back(labels[i], probabilities.data[i]);
  std::stable_sort(result.probabilities.begin(), result.probabilities.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (!result.probabilities.empty()) result.label = result.probabilities[0].first;
}

// What took the time: one line, and with -vv every step.
void tell(const Session& session, double seconds) {
  const Talk& talk = session.model().talk;
  std::vector<runtime::StepTiming> steps = session.timings();
  talk.detail(fmt::format("executed {} steps in {:.1f} ms", steps.size(), 1e3 * seconds));
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.ms > b.ms; });
  for (const runtime::StepTiming& step : steps)
    talk.more(fmt::format("step {} {}: {:.3f} ms", step.type, step.name, step.ms));
}

}  // namespace

Result<RunResult> run(const Model& model, const std::vector<InputFile>& inputs, const std::filesystem::path& folder,
                      const SessionOptions& options, int steps) {
  TRY(Session session, Session::open(model, inputs, options));
  TRY(std::vector<Array> arrays, session.bind(inputs));
  TRY_VOID(session.compile());
  const Stopwatch watch;
  std::vector<Array> results;
  for (int step = 0; step < std::max(steps, 1); ++step) {
    TRY(results, session.run(arrays));
    model.talk.at("running", static_cast<std::uint64_t>(step) + 1, static_cast<std::uint64_t>(steps));
  }
  const double seconds = watch.seconds();
  tell(session, seconds);

  TRY_VOID(make_folder(folder));
  RunResult result;
  result.model = model.path.string();
  result.folder = folder.string();
  result.notes = session.notes();
  result.seconds = seconds;
  std::set<std::string> taken;
  const auto& outputs = session.function().body.outputs();
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::string name = outputs[i]->name;
    restore_port(model, name, results[i]);
    RunOutput out = describe_output(name, results[i]);
    if (out.name == session.probabilities()) classify(results[i], session.labels(), result);
    out.file = file_name(out.name, taken);
    TRY_VOID(write_array(folder / out.file, results[i]));
    result.outputs.push_back(std::move(out));
  }
  return result;
}

}  // namespace anemone::toolchain
