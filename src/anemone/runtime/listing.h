#pragma once
// A plan as rows for a reader: plain text and numbers, nothing to run.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anemone::runtime {

struct Plan;

struct ListedOperand {
  std::string_view role;  ///< "x", "weight", "out"
  std::string place;      ///< "buffer 3", "buffer 3 from 128", "constant 7", "integers 0"
  std::uint64_t bytes = 0;
  bool is_result = false;  ///< written, not read
};

struct ListedCall {
  std::string name;            ///< of the value it makes
  std::string ops;             ///< the operations that it does: "batch_norm+relu+conv+add"
  std::string_view kernel;     ///< "conv2d"; "definition" for reference execution
  std::string_view algorithm;  ///< of kernels that have several: "gemm", "depthwise"; else empty
  std::string_view layout;     ///< "row major", or "any" when it goes element by element
  std::string parameters;      ///< "3x3 64->128 at 32x32, relu"
  std::vector<ListedOperand> operands;
  std::int64_t macs = 0;
  std::uint64_t bytes = 0;  ///< of all operands: what it reads and writes at least
};

struct PlanListing {
  std::vector<ListedCall> calls;
  std::uint64_t arena_bytes = 0, constant_bytes = 0;
};

PlanListing list(const Plan& plan);

}  // namespace anemone::runtime
