// Feeds a corpus to a fuzz entry without libFuzzer: every file as it is, and damaged in ways that a seed decides.
// A crash ends the process, as it should; the input that did it is named on the last line and left in a file.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
/// Of entries that have one.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed)
    __attribute__((weak));

namespace fs = std::filesystem;

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutations = 100;
constexpr std::size_t kLargestMutated = 1 << 16;
constexpr std::chrono::seconds kSlow{10};  ///< one input; sanitizers included

/// Where the current input is kept while it runs, so that it can be looked at after a crash.
void feed(const Input& input, const fs::path& witness) {
  {
    std::ofstream out(witness, std::ios::binary);
    out.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }
  const auto begin = std::chrono::steady_clock::now();
  // An exact allocation, so that a sanitizer sees the first byte that is read too far.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  if (std::chrono::steady_clock::now() - begin > kSlow) {
    std::cout << "one input took more than " << kSlow.count() << " seconds: " << witness.string() << std::endl;
    std::abort();
  }
}

Input damaged(Input input, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
    const std::size_t at = below(input.size());
    const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<std::uint8_t>(input[at] ^ (1u << below(8)));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<std::uint8_t>(below(2) == 0 ? 0xff : below(256));
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.insert(here, static_cast<std::uint8_t>(below(256)));
        break;
      case 4:
        input.erase(here, here + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(input.size() - at, 16))));
        break;
    }
  }
  return input;
}

/// As the entry itself changes inputs.
Input mutated(Input input, unsigned seed) {
  const std::size_t size = input.size();
  input.resize(size + 4096);
  input.resize(LLVMFuzzerCustomMutator(input.data(), size, input.size(), seed));
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: NAME_replay CORPUS_FOLDER\n";
    return 2;
  }
  std::vector<fs::path> files;
  if (fs::is_directory(argv[1])) {
    for (const auto& entry : fs::recursive_directory_iterator(argv[1])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::cout << "no corpus in " << argv[1] << "\n0 passed, 1 failed, 0 skipped\n";
    return 1;
  }
  const fs::path witness = fs::path(argv[0]).concat(".input");
  std::cout << "after a crash the input is in " << witness.string() << std::endl;
  feed({}, witness);
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const Input input{std::istreambuf_iterator<char>(in), {}};
    std::cout << file.filename().string() << std::endl;
    feed(input, witness);
    if (input.size() > kLargestMutated) continue;
    std::mt19937 random(17);  // the same damage in every run
    for (int i = 0; i < kMutations; ++i) feed(damaged(input, random), witness);
    for (unsigned i = 0; LLVMFuzzerCustomMutator && i < kMutations; ++i) feed(mutated(input, 2 * i + 1), witness);
  }
  fs::remove(witness);
  std::cout << files.size() << " passed, 0 failed, 0 skipped\n";
  return 0;
}
