#pragma once
// The passes of level 1. Each is one file; it says whether it changed anything.
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>

#include "anemone/plan/ort/edges.h"
#include "anemone/plan/ort/level1.h"

namespace anemone::plan::ort {

/// The nodes of the main graph as they were when a pass began, in order. A node that is erased on the way is skipped, one
/// that is added is not visited.
class Walk {
 public:
  explicit Walk(Graph& graph);
  /// Null at the end.
  Node* next();
  void erase(Node& node);

 private:
  std::vector<Node*> order_;
  std::unordered_map<const Node*, std::size_t> places_;
  std::size_t at_ = 0;
};

struct Level1 {
  Model& model;
  int version;  ///< of 1.19
  Graph& graph() const { return *model.graph; }
};

void load_as_ort(Model& model);  ///< what loading does: constants become initialisers, some functions their nodes
bool apply_rewrite_rules(const Level1& level);
bool share_constants(const Level1& level);
bool eliminate_common_subexpressions(const Level1& level);
bool fold_constants(const Level1& level);
bool fuse_matmul_add(const Level1& level);
bool fuse_reshape(const Level1& level);
bool fuse_gelu(const Level1& level);
bool fuse_layer_normalization(const Level1& level);

/// One rule of the first pass: tried at every node of its types.
enum class Applied : std::uint8_t { none, changed, removed };
struct RewriteRule {
  std::string_view name;
  std::array<std::string_view, 4> ops;
  Applied (*apply)(const Level1&, Node&, Walk&);
};
std::span<const RewriteRule> elimination_rules();
std::span<const RewriteRule> fusion_rules();
std::span<const RewriteRule> window_fusion_rules();

/// Whether the same answer comes every time: what may be folded or shared.
bool is_deterministic(const Node& node);
/// A node that only passes one edge on can go: one of its outputs is used, by nodes only.
bool can_remove(const Node& node);
void remove(Node& node, Walk& walk);
/// Erases `from` and the nodes before it that are used by nothing else.
void remove_upwards(Node& from, Walk& walk);
/// `second` reads `first` alone and is dropped: `first` gives its result.
void merge_into(Node& first, Node& second, Walk& walk);
/// A new node before `before` that gives the result of `replaced`, which loses its uses.
Node& add_instead(Graph& graph, const std::string& op, std::vector<Value*> inputs, Node& replaced, const Node* before);

const onnx::Shape* shape_of(const Value* value);
/// All extents known; absent otherwise.
std::optional<std::vector<std::int64_t>> known_dims(const Value* value);

}  // namespace anemone::plan::ort
