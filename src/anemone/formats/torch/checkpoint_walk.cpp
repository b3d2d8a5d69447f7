// Walks the dicts, lists and tuples of a checkpoint with a stack of its own. Containers without tensors are visited
// once, however often they are referred to; a budget bounds the others.
#include "anemone/formats/torch/checkpoint_walk.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "anemone/formats/torch/torch_objects.h"
#include "anemone/support/utf8.h"

namespace anemone {

using pickle::Heap;
using pickle::Kind;
using pickle::Value;

namespace {

constexpr std::size_t kMaxDepth = 100, kMaxPath = 4096, kMaxTensors = 200'000;

/// As Python's str(), and repr() inside tuples.
std::string key_text(const Heap& heap, Value key, bool quoted = false) {
  switch (key.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return key.number ? "True" : "False";
    case Kind::integer:
      return std::to_string(key.number);
    case Kind::real: {
      std::string text = fmt::format("{}", std::bit_cast<double>(key.number));
      if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
      return text;
    }
    case Kind::text:
      return quoted ? fmt::format("'{}'", heap.text(key)) : std::string(heap.text(key));
    case Kind::tuple: {
      std::string text = "(";
      for (const Value item : heap.items(key)) {
        if (text.size() > kMaxPath) break;  // the caller refuses it
        if (text.size() > 1) text += ", ";
        text += item.is(Kind::tuple) ? "(...)" : key_text(heap, item, true);
      }
      return text + (heap.items(key).size() == 1 ? ",)" : ")");
    }
    default:
      return "?";
  }
}

/// What Python compares: 1, 1.0 and True are one key.
std::string key_identity(const Heap& heap, Value key) {
  if (key.is(Kind::text)) return fmt::format("s{}", heap.text(key));
  if (key.is(Kind::boolean)) key.kind = Kind::integer;
  if (key.is(Kind::real)) {
    const double value = std::bit_cast<double>(key.number);
    if (value >= -1e15 && value <= 1e15 && value == static_cast<double>(static_cast<std::int64_t>(value))) {
      return fmt::format("n{}", static_cast<std::int64_t>(value));
    }
  }
  return fmt::format("{}{}", key.is(Kind::integer) ? 'n' : 'o', key_text(heap, key));
}

class Walk {
 public:
  Walk(const Heap& heap, const std::string& file) : heap_(heap), file_(file) {}

  Result<std::vector<FoundTensor>> run(Value root) {
    TRY_VOID(enter(root, 0));
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.items.size()) {
        leave();
        continue;
      }
      auto& [key, value] = frame.items[frame.next++];
      path_.resize(frame.path_length);
      TRY_VOID(visit(std::move(key), value));
    }
    return std::move(found_);
  }

 private:
  enum class State : std::uint8_t { open, without_tensors, with_tensors };
  struct Frame {
    std::uint64_t id = 0;
    std::size_t path_length = 0, found_before = 0, next = 0;
    std::vector<std::pair<std::string, Value>> items;
  };

  static std::uint64_t id_of(Value v) { return static_cast<std::uint64_t>(v.number) * 2 + (v.is(Kind::dict) ? 1 : 0); }

  Diagnostic error(std::string message) const {
    return bad_input("E0541", std::move(message), fmt::format("{}: at '{}'", file_, printable(path_)),
                     "save the weights alone: torch.save(model.state_dict(), FILE)");
  }

  Result<void> visit(std::string key, Value value) {
    const bool tensor = value.is(Kind::object) && value.tag == TorchObjects::kTensor;
    if (!tensor && !value.is(Kind::dict) && !value.is(Kind::list) && !value.is(Kind::tuple)) return {};
    if (path_.size() + key.size() + 1 > kMaxPath) {
      return error(fmt::format("the names of nested keys have more than {} bytes", kMaxPath));
    }
    if (!path_.empty()) path_ += '/';
    path_ += key;
    if (!tensor) return enter(value, path_.size());
    if (found_.size() == kMaxTensors) return error(fmt::format("there are more than {} tensors", kMaxTensors));
    found_.push_back({path_, static_cast<std::size_t>(value.number)});
    return {};
  }

  Result<void> enter(Value container, std::size_t path_length) {
    const auto [state, is_new] = states_.emplace(id_of(container), State::open);
    if (!is_new && state->second == State::without_tensors) return {};
    if (!is_new && state->second == State::open) return error("a list or dict contains itself");
    state->second = State::open;
    if (frames_.size() == kMaxDepth) return error(fmt::format("the nesting is deeper than {}", kMaxDepth));
    Frame frame;
    frame.id = id_of(container);
    frame.path_length = path_length;
    frame.found_before = found_.size();
    const std::size_t size = container.is(Kind::dict) ? heap_.pairs(container).size() : heap_.items(container).size();
    TRY_VOID(spend(size));
    if (container.is(Kind::dict)) {
      TRY_VOID(add_pairs(heap_.pairs(container), frame));
    } else {
      for (std::size_t i = 0; i < size; ++i) {
        const Value item = heap_.items(container)[i];
        if (may_hold_tensor(item)) frame.items.emplace_back(std::to_string(i), item);
      }
    }
    frames_.push_back(std::move(frame));
    return {};
  }

  static bool may_hold_tensor(Value v) {
    return v.is(Kind::object) || v.is(Kind::dict) || v.is(Kind::list) || v.is(Kind::tuple);
  }

  /// A key that is set again keeps its place and gets the last value, as in Python.
  Result<void> add_pairs(const std::vector<pickle::Pair>& pairs, Frame& frame) {
    std::unordered_map<std::string, std::size_t> places;
    places.reserve(pairs.size());
    for (const auto& [key, value] : pairs) {
      std::string identity = key_identity(heap_, key);
      TRY_VOID(spend(identity.size() / 8));
      const auto [place, is_new] = places.emplace(std::move(identity), frame.items.size());
      if (is_new) {
        frame.items.emplace_back(key_text(heap_, key), value);
      } else {
        frame.items[place->second].second = value;
      }
    }
    return {};
  }

  Result<void> spend(std::size_t items) {
    visited_ += static_cast<std::int64_t>(items);
    if (visited_ <= pickle::kMaxOperations) return {};
    return error(fmt::format("lists and dicts that are used several times unfold to more than {} items",
                             pickle::kMaxOperations));
  }

  void leave() {
    const Frame& frame = frames_.back();
    states_[frame.id] = found_.size() > frame.found_before ? State::with_tensors : State::without_tensors;
    frames_.pop_back();
  }

  const Heap& heap_;
  const std::string& file_;
  std::vector<Frame> frames_;
  std::string path_;
  std::vector<FoundTensor> found_;
  std::unordered_map<std::uint64_t, State> states_;
  std::int64_t visited_ = 0;
};

}  // namespace

Result<std::vector<FoundTensor>> find_tensors(const Heap& heap, Value root, const std::string& file) {
  if (!root.is(Kind::dict)) {
    return bad_input("E0540", fmt::format("the saved object is {}, not a dict of tensors", describe(heap, root)), file,
                     "save the weights: torch.save(model.state_dict(), FILE)");
  }
  return Walk(heap, file).run(root);
}

}  // namespace anemone
