// Gives equal constants one definition.
// before:  %s1 = const([1, 1])   %s2 = const([1, 1])   conv(strides=%s1)   conv(strides=%s2)
// after:   %s1 = const([1, 1])   conv(strides=%s1)   conv(strides=%s1)
// only if: type and content are equal, and neither is an output (outputs have names to keep)
// why:     every parameter of every operation is a constant; STAR has 27 different ones in 1,255 places
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> const_deduplication(Block& block, PassContext& context) {
  bool changed = false;
  std::unordered_multimap<std::uint64_t, Value*> seen;
  for (auto at = block.constants.begin(); at != block.constants.end();) {
    Value& constant = **at++;
    if (constant.output_uses > 0 || constant.is_inline || !payload(&constant)) continue;
    const std::uint64_t hash = content_hash(*constant.constant);
    const auto [first, last] = seen.equal_range(hash);
    Value* twin = nullptr;
    for (auto it = first; it != last && !twin; ++it) {
      if (same_content(*it->second->constant, *constant.constant)) twin = it->second;
    }
    if (!twin) {
      seen.emplace(hash, &constant);
      continue;
    }
    replace_uses(constant, *twin);
    block.erase_constant(constant);
    context.count("constants shared");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
