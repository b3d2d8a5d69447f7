// Storages and tensors of a checkpoint's pickle (torch/_utils.py and torch/serialization.py say what they mean).
#include "anemone/formats/torch/torch_objects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "anemone/formats/wire/strided.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

using pickle::Heap;
using pickle::Kind;
using pickle::Value;

namespace {

constexpr std::size_t kMaxRank = 64;

struct StorageClass {
  std::string_view name;
  ScalarType dtype;
};
constexpr std::array<StorageClass, 15> kStorageClasses{{
    {"torch.FloatStorage", ScalarType::float32},
    {"torch.DoubleStorage", ScalarType::float64},
    {"torch.HalfStorage", ScalarType::float16},
    {"torch.BFloat16Storage", ScalarType::bfloat16},
    {"torch.LongStorage", ScalarType::int64},
    {"torch.IntStorage", ScalarType::int32},
    {"torch.ShortStorage", ScalarType::int16},
    {"torch.CharStorage", ScalarType::int8},
    {"torch.ByteStorage", ScalarType::uint8},
    {"torch.BoolStorage", ScalarType::boolean},
    {"torch.ComplexFloatStorage", ScalarType::complex64},
    {"torch.ComplexDoubleStorage", ScalarType::complex128},
    {"torch.QInt8Storage", ScalarType::int8},  // of quantised tensors: the integers
    {"torch.QUInt8Storage", ScalarType::uint8},
    {"torch.QInt32Storage", ScalarType::int32},
}};

std::optional<ScalarType> storage_type(std::string_view global) {
  if (global == "torch.storage.UntypedStorage") return ScalarType::uint8;
  for (const StorageClass& c : kStorageClasses) {
    if (c.name == global) return c.dtype;
  }
  return std::nullopt;
}

/// "torch.float16" -> float16.
std::optional<ScalarType> torch_dtype(std::string_view global) {
  constexpr std::string_view kPrefix = "torch.";
  return global.starts_with(kPrefix) ? scalar_type_from(global.substr(kPrefix.size())) : std::nullopt;
}

Diagnostic bad_tensor(std::string message) { return bad_input(ErrorCode::tensor_kind, std::move(message)); }

/// A tuple or list of numbers that are not negative.
Result<std::vector<std::int64_t>> extents(const Heap& heap, Value v, std::string_view what) {
  if (!v.is(Kind::tuple) && !v.is(Kind::list)) {
    return bad_tensor(fmt::format("the {} of a tensor is {}", what, describe(heap, v)));
  }
  const std::vector<Value>& items = heap.items(v);
  if (items.size() > kMaxRank) return bad_tensor(fmt::format("a tensor has {} dimensions", items.size()));
  std::vector<std::int64_t> numbers;
  for (const Value item : items) {
    if (!item.is(Kind::integer) || item.number < 0) {
      return bad_tensor(fmt::format("the {} of a tensor contains {}", what, describe(heap, item)));
    }
    numbers.push_back(item.number);
  }
  return numbers;
}

/// For people: what the integers of a quantised tensor stand for.
std::string quantisation(const Heap& heap, Value parameters) {
  std::string text = "quantised";
  if (!parameters.is(Kind::tuple)) return text;
  const auto& items = heap.items(parameters);
  if (!items.empty() && items[0].is(Kind::global)) {
    const std::string_view scheme = heap.text(items[0]);
    text += fmt::format(" {}", scheme.substr(scheme.rfind('.') + 1));
  }
  if (items.size() == 3 && items[1].is(Kind::real) && items[2].is(Kind::integer)) {
    text += fmt::format(", scale {:.6g}, zero point {}", std::bit_cast<double>(items[1].number), items[2].number);
  }
  return text;
}

/// Index of the last element that the view reaches, or nothing when it does not fit in 63 bits. No extent is 0.
std::optional<std::int64_t> last_element(const TensorRecord& t) {
  std::int64_t last = t.offset;
  for (std::size_t i = 0; i < t.shape.size(); ++i) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(t.shape[i] - 1, t.stride[i], &step) || __builtin_add_overflow(last, step, &last)) {
      return std::nullopt;
    }
  }
  return last;
}

}  // namespace

bool TorchObjects::knows(std::string_view global) const {
  constexpr std::string_view kNames[] = {"torch._utils._rebuild_tensor",
                                         "torch._utils._rebuild_tensor_v2",
                                         "torch._utils._rebuild_tensor_v3",
                                         "torch._utils._rebuild_parameter",
                                         "torch._utils._rebuild_parameter_with_state",
                                         "torch._utils._rebuild_qtensor",
                                         "torch._utils._rebuild_sparse_tensor",
                                         "torch._utils._rebuild_sparse_csr_tensor",
                                         "torch._tensor._rebuild_from_type_v2",
                                         "torch._tensor._rebuild_from_type",
                                         "torch.serialization._get_layout",
                                         "torch.nn.parameter.Parameter",
                                         "torch.nn.parameter.Buffer",
                                         "torch.Size",
                                         "torch.device",
                                         "torch.storage.TypedStorage"};
  return std::find(std::begin(kNames), std::end(kNames), global) != std::end(kNames) || storage_type(global) ||
         torch_dtype(global);
}

StorageRecord* TorchObjects::find(const std::string& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &storages_[found->second];
}

/// ('storage', class, key, device, count) and, in the legacy container, a sixth item: None or (key, offset, count).
Result<Value> TorchObjects::persistent(Heap& heap, Value id) {
  const auto bad = [&](std::string message) { return bad_input(ErrorCode::storage_reference, std::move(message)); };
  const std::size_t count = id.is(Kind::tuple) ? heap.items(id).size() : 0;
  if (count == 0 || count > 16) return bad(fmt::format("a storage is named by {}", describe(heap, id)));
  const std::vector<Value> items = heap.items(id);
  if (!items[0].is(Kind::text) || heap.text(items[0]) != "storage") {
    const bool module = items[0].is(Kind::text) && heap.text(items[0]) == "module";
    if (!module) return bad(fmt::format("a persistent id begins with {}", describe(heap, items[0])));
    Diagnostic d = bad("the file holds a pickled module with its source code, which would have to be run");
    d.help = "where the file was made: torch.save(model.state_dict(), FILE)";
    return d;
  }
  if (items.size() != 5 && items.size() != 6)
    return bad(fmt::format("a storage is described by {} items", items.size()));
  StorageRecord storage;
  const auto dtype = items[1].is(Kind::global) ? storage_type(heap.text(items[1])) : std::nullopt;
  // Of a class that is not known: its tensors become inert, the others can be had.
  if (!dtype && items[1].is(Kind::global) && heap.text(items[1]).ends_with("Storage"))
    return heap.add_inert(heap.text(items[1]), {});
  if (!dtype) return bad(fmt::format("the class of a storage is {}", describe(heap, items[1])));
  storage.dtype = *dtype;
  if (items[2].is(Kind::text)) {
    storage.key = heap.text(items[2]);
  } else if (items[2].is(Kind::integer)) {
    storage.key = std::to_string(items[2].number);
  } else {
    return bad(fmt::format("the key of a storage is {}", describe(heap, items[2])));
  }
  if (!items[4].is(Kind::integer) || items[4].number < 0 || items[4].number > kMaxElements) {
    return bad(fmt::format("the size of storage '{}' is {}", printable(storage.key), describe(heap, items[4])));
  }
  storage.count = items[4].number;
  TRY(std::size_t index, add_storage(storage));
  if (items.size() == 6 && !items[5].is(Kind::none)) {
    TRY(index, add_view(heap, items[5], index));
  }
  return Value{Kind::object, kStorage, static_cast<std::int64_t>(index)};
}

Result<std::size_t> TorchObjects::add_storage(const StorageRecord& storage) {
  const auto [at, is_new] = by_key_.emplace(storage.key, storages_.size());
  if (is_new) {
    storages_.push_back(storage);
    storages_.back().root = at->second;
    return at->second;
  }
  const StorageRecord& known = storages_[at->second];
  if (known.dtype == storage.dtype && known.count == storage.count) return at->second;
  return bad_input(
      ErrorCode::storage_twice,
      fmt::format("storage '{}' is described twice differently: {} x {} and {} x {}", printable(storage.key),
                  known.count, name(known.dtype), storage.count, name(storage.dtype)));
}

Result<std::size_t> TorchObjects::add_view(Heap& heap, Value view, std::size_t root) {
  const StorageRecord whole = storages_[root];
  const auto bad = [&](std::string message) {
    return bad_input(ErrorCode::storage_reference,
                     fmt::format("a view of storage '{}' {}", printable(whole.key), message));
  };
  if (!view.is(Kind::tuple) || heap.items(view).size() != 3) {
    return bad(fmt::format("is described by {}", describe(heap, view)));
  }
  const Value key = heap.items(view)[0], offset = heap.items(view)[1], count = heap.items(view)[2];
  const bool numbers = offset.is(Kind::integer) && count.is(Kind::integer);
  if (!numbers || offset.number < 0 || count.number < 0 || offset.number > whole.count ||
      count.number > whole.count - offset.number) {
    return bad(fmt::format("takes {} elements from {} on, of {}", count.number, offset.number, whole.count));
  }
  if (!key.is(Kind::text) && !key.is(Kind::integer)) return bad(fmt::format("is named by {}", describe(heap, key)));
  const std::string name = key.is(Kind::text) ? std::string(heap.text(key)) : std::to_string(key.number);
  const auto [at, is_new] = by_view_key_.emplace(name, storages_.size());
  StorageRecord record = whole;
  record.count = count.number;
  record.root = root;
  record.base = offset.number * static_cast<std::int64_t>(byte_size(whole.dtype));
  if (is_new) {
    storages_.push_back(std::move(record));
  } else if (const StorageRecord& known = storages_[at->second];
             known.root != root || known.base != record.base || known.count != record.count) {
    return bad("is described twice differently");
  }
  return at->second;
}

Result<Value> TorchObjects::call(Heap& heap, std::string_view global, Value arguments) {
  const auto bad = [&]() -> Result<Value> {
    return bad_input(ErrorCode::pickle_arguments,
                     fmt::format("'{}' is called with {}", global, describe(heap, arguments)));
  };
  const std::size_t count = heap.items(arguments).size();
  if (count == 0 || count > 16) return bad();
  const std::vector<Value> given = heap.items(arguments);
  if (global == "torch.Size") {
    // Tuples do not change: the argument itself will do.
    return given[0].is(Kind::tuple) || given[0].is(Kind::list) ? Result<Value>(given[0]) : bad();
  }
  if (global == "torch.device") return given[0];
  if (global == "torch.serialization._get_layout") return given[0];
  if (global == "torch.nn.parameter.Buffer") return given[0];
  if (global.starts_with("torch._utils._rebuild_parameter") || global == "torch.nn.parameter.Parameter") {
    if (given[0].is(Kind::inert)) return given[0];
    TensorRecord* record = tensor(given[0]);
    if (!record) return bad();
    record->parameter = true;
    return given[0];
  }
  if (global.starts_with("torch._tensor._rebuild_from_type")) return from_type(heap, given);
  if (global.starts_with("torch._utils._rebuild_sparse")) return sparse(heap, global, given);
  if (given[0].is(Kind::inert)) return heap.add_inert(global, given);  // a tensor of a storage that is not known
  if (global == "torch._utils._rebuild_qtensor" && (count == 6 || count == 7)) {
    TRY(const Value value, rebuild(heap, global, given));
    tensor(value)->kind = quantisation(heap, given[4]);
    return value;
  }
  if (global == "torch._utils._rebuild_tensor" && count == 4) return rebuild(heap, global, given);
  if (global == "torch._utils._rebuild_tensor_v2" && (count == 6 || count == 7)) return rebuild(heap, global, given);
  if (global == "torch._utils._rebuild_tensor_v3" && (count == 7 || count == 8)) return rebuild(heap, global, given);
  return bad();
}

TensorRecord* TorchObjects::tensor(Value value) {
  const bool is_one = value.is(Kind::object) && value.tag == kTensor;
  return is_one ? &tensors_[static_cast<std::size_t>(value.number)] : nullptr;
}

/// (function, class, arguments, state): a subclass of Tensor, or a parameter with attributes. The tensor is the same.
Result<Value> TorchObjects::from_type(Heap& heap, const std::vector<Value>& given) {
  const bool readable = given.size() >= 3 && given[0].is(Kind::global) && given[2].is(Kind::tuple) &&
                        knows(heap.text(given[0])) && !heap.text(given[0]).starts_with("torch._tensor.");
  if (!readable) {
    const bool named = given.size() > 1 && given[1].is(Kind::global);
    return heap.add_inert(named ? heap.text(given[1]) : std::string_view("torch.Tensor"), given);
  }
  TRY(const Value value, call(heap, heap.text(given[0]), given[2]));
  if (given[1].is(Kind::global) && heap.text(given[1]) == "torch.nn.parameter.Parameter") {
    if (TensorRecord* record = tensor(value)) record->parameter = true;
  }
  return value;
}

/// (layout, (indices…, values, size, …)): the dense parts by their names; there is no dense tensor to give.
Value TorchObjects::sparse(Heap& heap, std::string_view global, const std::vector<Value>& given) {
  const bool has_parts = given.size() >= 2 && given[1].is(Kind::tuple);
  const std::vector<Value> parts = has_parts ? heap.items(given[1]) : std::vector<Value>();
  std::string_view layout =
      has_parts && (given[0].is(Kind::global) || given[0].is(Kind::text)) ? heap.text(given[0]) : "";
  layout = layout.substr(layout.rfind('.') + 1);
  std::vector<std::string_view> names;
  if (layout == "sparse_coo") names = {"indices", "values"};
  if (layout == "sparse_csr" || layout == "sparse_bsr") names = {"crow_indices", "col_indices", "values"};
  if (layout == "sparse_csc" || layout == "sparse_bsc") names = {"ccol_indices", "row_indices", "values"};
  if (names.empty() || parts.size() <= names.size()) return heap.add_inert(global, given);
  const auto size = extents(heap, parts[names.size()], "size");
  const Value result = heap.add_inert(layout, {});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Value key = heap.add_text(std::string(names[i]));
    heap.inert(result).pairs.emplace_back(key, parts[i]);
    if (TensorRecord* record = tensor(parts[i]))
      record->kind = fmt::format("{} of a {} tensor{}", names[i], layout,
                                 size ? fmt::format(" [{}]", fmt::join(*size, ", ")) : "");
  }
  return result;
}

/// (storage, offset, size, stride [, requires_grad, hooks [, dtype of v3 | metadata of v2]])
Result<Value> TorchObjects::rebuild(Heap& heap, std::string_view global, const std::vector<Value>& given) {
  if (!given[0].is(Kind::object) || given[0].tag != kStorage) {
    return bad_input(ErrorCode::pickle_arguments,
                     fmt::format("a tensor is made from {}, not from a storage", describe(heap, given[0])));
  }
  TensorRecord tensor;
  tensor.storage = static_cast<std::size_t>(given[0].number);
  tensor.dtype = storages_[tensor.storage].dtype;
  if (global.ends_with("_v3")) {
    const auto dtype = given[6].is(Kind::global) ? torch_dtype(heap.text(given[6])) : std::nullopt;
    if (!dtype) return bad_tensor(fmt::format("the type of a tensor is {}", describe(heap, given[6])));
    tensor.dtype = *dtype;
  }
  if (!given[1].is(Kind::integer) || given[1].number < 0) {
    return bad_tensor(fmt::format("the offset of a tensor in its storage is {}", describe(heap, given[1])));
  }
  tensor.offset = given[1].number;
  TRY(tensor.shape, extents(heap, given[2], "shape"));
  TRY(tensor.stride, extents(heap, given[3], "stride"));
  TRY_VOID(check(tensor));
  tensors_.push_back(std::move(tensor));
  return Value{Kind::object, kTensor, static_cast<std::int64_t>(tensors_.size() - 1)};
}

Result<void> TorchObjects::check(const TensorRecord& t) const {
  if (t.shape.size() != t.stride.size()) {
    return bad_tensor(fmt::format("a tensor has {} extents and {} strides", t.shape.size(), t.stride.size()));
  }
  const StorageRecord& storage = storages_[t.storage];
  const std::int64_t count = checked_count(t.shape);
  if (count < 0) return bad_tensor(fmt::format("the shape [{}] has too many elements", fmt::join(t.shape, ", ")));
  const std::int64_t available = storage.size() / static_cast<std::int64_t>(byte_size(t.dtype));
  const auto last = count == 0 ? std::optional<std::int64_t>(t.offset - 1) : last_element(t);
  if (last && *last < available) return {};
  return bad_input(
      ErrorCode::tensor_outside,
      fmt::format("a tensor [{}] with strides [{}] from element {} on reaches {} of storage '{}', which "
                  "has {}",
                  fmt::join(t.shape, ", "), fmt::join(t.stride, ", "), t.offset,
                  last ? fmt::format("element {}", *last) : "far past the end", printable(storage.key), available));
}

}  // namespace anemone::formats
