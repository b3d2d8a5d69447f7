#pragma once
// A rewrite that is built, looked at, and then kept or undone without a trace.
#include <functional>
#include <utility>
#include <vector>

#include "anemone/ir/builder.h"

namespace anemone {

/// Builds a replacement beside what it replaces, which stays as it is until the trial is kept:
///
///   Trial trial(norm);
///   Value* y = trial.builder().add("mul", {{"x", x}, {"y", scale}});
///   trial.replace(*norm.output(), *y);
///   if (trial.keep_if_cheaper(context.costs())) context.count("norms rewritten");
///
/// A trial only adds, through its builder; so taking back what was added leaves the program as it was: text, order, use
/// lists, and the names that will be given next. Several may be open at a time that use nothing of each other.
class Trial {
 public:
  using Cost = std::function<double(const Node&)>;
  /// New nodes stand before this one; builder().move_before() goes elsewhere in the block.
  explicit Trial(Node& before);
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() { undo(); }

  Builder& builder() { return builder_; }
  /// When the trial is kept, `to` takes the uses and the name of `from`, of the same type.
  void replace(Value& from, Value& to) { replacements_.emplace_back(&from, &to); }

  double cost_of_new(const Cost& cost) const;
  /// Of the nodes that die with what is replaced: those that make it, and whatever only they use.
  double cost_of_old(const Cost& cost) const;

  /// Replaces, and erases the nodes that die; whoever walks the block holds none of them. False, and all is undone: the
  /// builder had an error, a type would change, or an output of the function would lose its name.
  bool keep();
  bool keep_if_cheaper(const Cost& cost);
  void undo();

 private:
  bool can_keep();
  std::vector<Node*> dying() const;

  Block& block_;
  Made made_;
  Builder builder_;
  std::vector<std::pair<Value*, Value*>> replacements_;
  bool open_ = true;
};

}  // namespace anemone
