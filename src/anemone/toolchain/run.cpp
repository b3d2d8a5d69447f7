// Executes a model once and writes what came out.
#include "anemone/toolchain/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

namespace anemone {
namespace {

// A file name in which every output of a foreign package is safe and different.
std::string file_name(const std::string& output, std::set<std::string>& taken) {
  std::string base;
  for (char c : output) base += c == '/' || c == '\\' || c == '\0' ? '_' : c;
  std::string name = base + ".npy";
  for (int i = 1; !taken.insert(name).second; ++i) name = fmt::format("{}-{}.npy", base, i);
  return name;
}

RunOutput describe_output(const std::string& name, const Array& array) {
  RunOutput out;
  out.name = name;
  out.dtype = std::string(anemone::name(array.dtype));
  out.shape = array.dims;
  double sum = 0;
  if (!array.data.empty()) std::tie(out.min, out.max) = std::pair(array.data[0], array.data[0]);
  for (double v : array.data) {
    out.min = std::min(out.min, v);
    out.max = std::max(out.max, v);
    sum += v;
  }
  if (!array.data.empty()) out.mean = sum / static_cast<double>(array.data.size());
  return out;
}

}  // namespace

Result<RunResult> run(const std::filesystem::path& model, const std::vector<std::string>& inputs,
                      const std::filesystem::path& folder, const SessionOptions& options) {
  std::vector<InputFile> files;
  for (const std::string& word : inputs) {
    TRY(InputFile file, read_input(word));
    files.push_back(std::move(file));
  }
  TRY(Session session, Session::open(model, files, options));
  TRY(std::vector<Array> arrays, session.bind(files));
  const auto start = std::chrono::steady_clock::now();
  TRY(std::vector<Array> results, session.run(arrays));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return bad_environment("E0109", fmt::format("cannot create the folder: {}", error.message()), folder.string());
  RunResult result{model.string(), folder.string(), {}, session.notes(), elapsed.count()};
  std::set<std::string> taken;
  const auto& outputs = session.function().body.outputs();
  for (std::size_t i = 0; i < results.size(); ++i) {
    RunOutput out = describe_output(outputs[i]->name, results[i]);
    out.file = file_name(out.name, taken);
    TRY_VOID(write_array(folder / out.file, results[i]));
    result.outputs.push_back(std::move(out));
  }
  return result;
}

}  // namespace anemone
