#pragma once
// What rules have found: one finding a rule, many places in it.
#include <string>
#include <string_view>
#include <vector>

#include "anemone/plan/plan.h"

namespace anemone::plan {

enum class Effect : std::uint8_t {
  leaves_engine,    ///< the operation runs elsewhere
  leaves_provider,  ///< ONNX Runtime runs it on the CPU
  slower,           ///< it stays and costs more
  hazard,           ///< its numbers may go wrong in fp16
  compilation,      ///< it may not compile, or not in reasonable time
};
std::string_view name(Effect effect);  ///< "leaves the engine"

/// What a rule says to people.
struct RuleText {
  std::string_view code, name, what, why, instead;
  Effect effect = Effect::leaves_engine;
  std::string_view severity;  ///< error, warn, info
  Trust trust = Trust::reported;
  std::string_view source;
  std::string_view command{};  ///< the anemone command that applies the fix, if there is one
  bool needs_data = false;     ///< activations would have to be known: reported as not checked
};

/// Collects one finding a rule; several places become one list of operations.
class Findings {
 public:
  Finding& at(const RuleText& rule);
  Finding& open(const RuleText& rule);  ///< a second finding of the rule, for what could not be checked
  std::vector<Finding> take();          ///< most expensive first, then by severity

 private:
  struct Entry {
    const RuleText* rule;
    Finding finding;
  };
  std::vector<Entry> list_;
};

/// Where one rule's check writes.
class Report {
 public:
  Report(Findings& all, const RuleText& rule) : all_(&all), rule_(&rule) {}
  Finding& finding() { return all_->at(*rule_); }
  Finding& at(std::string op);  ///< the finding, with one more operation (the name of its first output)
  Finding& open() { return all_->open(*rule_); }
  void cost(double us);  ///< adds

 private:
  Findings* all_;
  const RuleText* rule_;
};

}  // namespace anemone::plan
