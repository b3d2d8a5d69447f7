// Walks the dicts, lists and tuples of a checkpoint with a stack of its own. Containers without tensors are visited
// once, however often they are referred to; a budget bounds the others.
#include "anemone/formats/torch/checkpoint_walk.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "anemone/formats/torch/torch_objects.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

using pickle::Heap;
using pickle::Kind;
using pickle::Value;

namespace {

constexpr std::size_t kMaxDepth = 100, kMaxPath = 4096, kMaxTensors = 200'000;
constexpr std::size_t kMaxPaths = 32 << 20;  // bytes of all paths: 200,000 of 160

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
    case Kind::global:
      return std::string(heap.text(key));
    case Kind::inert:
      return fmt::format("<{}>", heap.inert(key).name);
    default:
      return "?";
  }
}

/// The attribute of a module's state that holds named things: "_parameters", "_buffers", "_modules".
const Value* attribute(const Heap& heap, const pickle::Inert& object, std::string_view name) {
  for (const Value state : object.state) {
    if (!state.is(Kind::dict)) continue;
    for (const auto& [key, value] : heap.pairs(state)) {
      if (key.is(Kind::text) && heap.text(key) == name) return value.is(Kind::dict) ? &value : nullptr;
    }
  }
  return nullptr;
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
      TRY_VOID(visit(std::move(key), value, frame.is_inner_module ? '.' : '/'));
    }
    return std::move(found_);
  }

 private:
  enum class State : std::uint8_t { open, without_tensors, with_tensors };
  struct Frame {
    std::uint64_t id = 0;
    bool is_inert = false, is_module = false, is_inner_module = false;
    std::size_t path_length = 0, found_before = 0, next = 0;
    std::vector<std::pair<std::string, Value>> items;
  };

  static std::uint64_t id_of(Value v) {
    return static_cast<std::uint64_t>(v.number) * 4 + (v.is(Kind::dict) ? 1 : v.is(Kind::inert) ? 2 : 0);
  }

  Diagnostic error(std::string message) const {
    return bad_input(ErrorCode::nested_too_deep, std::move(message),
                     fmt::format("{}: at '{}'", file_, printable(path_)),
                     "save what is needed of it where it was made");
  }

  Result<void> visit(std::string key, Value value, char separator) {
    const bool tensor = value.is(Kind::object) && value.tag == TorchObjects::kTensor;
    if (!tensor && (value.is(Kind::object) || !may_hold_tensor(value))) return {};
    if (path_.size() + key.size() + 1 > kMaxPath) {
      return error(fmt::format("the names of nested keys have more than {} bytes", kMaxPath));
    }
    if (!path_.empty()) path_ += separator;
    path_ += key;
    if (!tensor) return enter(value, path_.size());
    if (found_.size() == kMaxTensors) return error(fmt::format("there are more than {} tensors", kMaxTensors));
    paths_ += path_.size();
    if (paths_ > kMaxPaths) {
      return error(fmt::format("the names of {} tensors take more than {} bytes", found_.size() + 1, kMaxPaths));
    }
    found_.push_back({path_, static_cast<std::size_t>(value.number)});
    return {};
  }

  Result<void> enter(Value container, std::size_t path_length) {
    const auto [state, is_new] = states_.emplace(id_of(container), State::open);
    if (!is_new && state->second == State::without_tensors) return {};
    // Objects refer to each other as they like; each is looked into once.
    if (!is_new && container.is(Kind::inert)) return {};
    if (!is_new && state->second == State::open) {
      if (inert_frames_ > 0) return {};
      return error("a list or dict contains itself");
    }
    state->second = State::open;
    if (frames_.size() == kMaxDepth) return error(fmt::format("the nesting is deeper than {}", kMaxDepth));
    Frame frame;
    frame.id = id_of(container);
    frame.path_length = path_length;
    frame.found_before = found_.size();
    if (container.is(Kind::inert)) {
      TRY_VOID(add_object(heap_.inert(container), frame));
      ++inert_frames_;
      frames_.push_back(std::move(frame));
      return {};
    }
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
    return v.is(Kind::object) || v.is(Kind::dict) || v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::inert);
  }

  Result<void> add_items(const std::vector<Value>& items, Frame& frame) {
    TRY_VOID(spend(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (may_hold_tensor(items[i])) frame.items.emplace_back(std::to_string(i), items[i]);
    }
    return {};
  }

  /// Entries, then attributes, then what the object was made from. Of a module, its parameters, buffers and modules
  /// come under their own names.
  Result<void> add_object(const pickle::Inert& object, Frame& frame) {
    frame.is_inert = true;
    TRY_VOID(spend(object.pairs.size()));
    TRY_VOID(add_pairs(object.pairs, frame));
    TRY_VOID(add_items(object.items, frame));
    const Value* parameters = attribute(heap_, object, "_parameters");
    const Value* modules = attribute(heap_, object, "_modules");
    if (parameters && modules) {
      frame.is_module = true;
      frame.is_inner_module = !frames_.empty() && frames_.back().is_module;
      for (const Value* part : {parameters, attribute(heap_, object, "_buffers"), modules}) {
        if (!part) continue;
        TRY_VOID(spend(heap_.pairs(*part).size()));
        TRY_VOID(add_pairs(heap_.pairs(*part), frame));
      }
      return {};
    }
    for (const Value state : object.state) {
      if (state.is(Kind::dict)) {
        TRY_VOID(spend(heap_.pairs(state).size()));
        TRY_VOID(add_pairs(heap_.pairs(state), frame));
      } else if (may_hold_tensor(state)) {
        frame.items.emplace_back("state", state);
      }
    }
    return add_items(object.arguments, frame);
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
    inert_frames_ -= frame.is_inert ? 1 : 0;
    frames_.pop_back();
  }

  const Heap& heap_;
  const std::string& file_;
  std::vector<Frame> frames_;
  std::string path_;
  std::vector<FoundTensor> found_;
  std::unordered_map<std::uint64_t, State> states_;
  std::int64_t visited_ = 0;
  std::size_t inert_frames_ = 0, paths_ = 0;
};

}  // namespace

Result<std::vector<FoundTensor>> find_tensors(const Heap& heap, Value root, const std::string& file) {
  const auto refuse = [&](std::string message) {
    return bad_input(ErrorCode::no_tensors_in_root, std::move(message), file,
                     "what is read here is a dict, list or tuple with tensors in it");
  };
  if (root.is(Kind::object) && root.tag == TorchObjects::kTensor)
    return std::vector<FoundTensor>{{"tensor", static_cast<std::size_t>(root.number)}};
  if (root.is(Kind::inert)) {
    // Of a whole module the tensors could be named; how they go together is in code that the file asks to run.
    Diagnostic d = refuse(fmt::format("the saved object is {} as a whole, not its weights", describe(heap, root)));
    d.help = "where the file was made: torch.save(model.state_dict(), FILE)";
    return d;
  }
  if (!root.is(Kind::dict) && !root.is(Kind::list) && !root.is(Kind::tuple))
    return refuse(fmt::format("the saved object is {}, in which there can be no tensors", describe(heap, root)));
  TRY(std::vector<FoundTensor> found, Walk(heap, file).run(root));
  if (found.empty() && !root.is(Kind::dict))
    return refuse(fmt::format("the saved object is {} without a tensor in it", describe(heap, root)));
  return found;
}

}  // namespace anemone::formats
