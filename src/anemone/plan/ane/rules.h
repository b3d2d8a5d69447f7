#pragma once
// The rules as data: what is checked, why, what to write instead, on what evidence.
#include <span>
#include <string_view>

#include "anemone/plan/plan.h"

namespace anemone::ane {

enum class Effect : std::uint8_t {
  leaves_engine,  ///< the operation runs elsewhere
  slower,         ///< it stays and costs more
  hazard,         ///< its numbers may go wrong in fp16
  advice,
};
std::string_view name(Effect effect);

struct Rule {
  std::string_view code, name, what, why, instead;
  Effect effect = Effect::leaves_engine;
  std::string_view severity;  ///< error, warn, info
  Trust trust = Trust::reported;
  std::string_view source;
  std::string_view command{};  ///< the anemone command that applies the fix, if there is one
  bool needs_data = false;     ///< activations would have to be known: reported as not checked
};
std::span<const Rule> rules();
const Rule& rule(std::string_view code);  ///< the code must exist
const Rule* find_rule(std::string_view code);

}  // namespace anemone::ane
