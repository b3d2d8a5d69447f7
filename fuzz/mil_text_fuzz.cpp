// MIL text: whatever is read must print, and what is printed exactly must read back as the same program.
#include <cstdlib>
#include <iostream>

#include "anemone/ir/compare.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  if (size == 0) return 0;
  ParseOptions options;
  options.max_payload = 1 << 20;
  options.trust_types = data[0] == '/';  // a text that begins with a comment
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto program = parse(text, ops::table(), options);
  if (!program) {
    (void)render(program.error());
    return 0;
  }
  (void)verify(**program);
  (void)to_text(**program, {.origins = true});
  const std::string exact = to_text(**program, {.exact = true});
  options.max_payload = std::int64_t{1} << 30;
  const auto again = parse(exact, ops::table(), options);
  std::string difference;
  if (!again || !same_program(**program, **again, &difference)) {
    std::cerr << exact << (again ? difference : render(again.error())) << std::endl;
    std::abort();
  }
  return 0;
}
