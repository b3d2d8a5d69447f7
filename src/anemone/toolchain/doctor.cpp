// Everything is tried, nothing is assumed.
#include "anemone/toolchain/doctor.h"

#include <fmt/format.h>

#include <filesystem>

#include "anemone/support/file.h"
#include "anemone/toolchain/bench.h"
#include "anemone/toolchain/face_pictures.h"

namespace anemone::toolchain {
namespace {

DoctorCheck pictures() {
  const auto face = face_pictures(64, 64, 1);
  if (face) return {"pictures", "the media module reads PNG, JPEG, BMP, WebP and PNM", true, {}};
  const Diagnostic& problem = face.error().front();
  return {"pictures", problem.message, false,
          problem.help.empty() ? "install anemone_media beside the program, from the same build" : problem.help};
}

DoctorCheck temporaries() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  const std::filesystem::path probe = folder / ".anemone-doctor";
  const auto written = error ? Result<void>(bad_input({}, error.message())) : write_file(probe, "x");
  std::filesystem::remove(probe, error);
  if (written) return {"temporaries", folder.string() + " can be written", true, {}};
  return {"temporaries", written.error().front().message, false, "set TMPDIR to a folder that can be written"};
}

}  // namespace

DoctorResult doctor(const std::string& version, const std::string& compiler) {
  DoctorResult result;
  result.checks.push_back({"program", fmt::format("anemone {}, built with {}", version, compiler), true, {}});
  result.checks.push_back({"processor", machine(), true, {}});
  result.checks.push_back(pictures());
  result.checks.push_back(temporaries());
  for (const DoctorCheck& check : result.checks) result.healthy = result.healthy && check.good;
  return result;
}

}  // namespace anemone::toolchain
