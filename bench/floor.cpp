// The least work any converter must do: read the checkpoint, round the live weights to half, write them. Nothing else.
// usage: convert_floor CHECKPOINT FLOATS OUT   prints milliseconds and peak memory as JSON
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <vector>

#include "anemone/support/half.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto start = std::chrono::steady_clock::now();
  const std::size_t count = std::stoull(argv[2]);
  std::ifstream in(argv[1], std::ios::binary | std::ios::ate);
  std::vector<char> bytes(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::vector<float> values(count);
  std::memcpy(values.data(), bytes.data(), std::min(bytes.size(), count * sizeof(float)));
  std::vector<std::uint16_t> halves(count);
  anemone::half_from_float(values, halves.data());
  std::ofstream out(argv[3], std::ios::binary);
  out.write(reinterpret_cast<const char*>(halves.data()), static_cast<std::streamsize>(count * 2));
  out.close();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{{\"ms\": {:.3f}, \"peak_kb\": {}}}\n", elapsed.count(), usage.ru_maxrss);
  return in && out ? 0 : 1;
}
