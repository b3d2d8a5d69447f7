// Writes the opcodes that CPython's pickler writes for a state dict. What it would find in its memo by identity (class
// names, the strings 'storage' and 'cpu') is taken from the memo here too; everything else is memoized and never used.
#include "anemone/formats/torch/pickle_writer.h"

#include <map>

#include "anemone/formats/wire/strided.h"

namespace anemone::formats {

namespace {

class PickleWriter {
 public:
  std::vector<std::byte> take() { return std::move(bytes_); }

  void op(char opcode) { bytes_.push_back(static_cast<std::byte>(opcode)); }
  void op(unsigned char opcode) { bytes_.push_back(static_cast<std::byte>(opcode)); }

  void text(std::string_view text) {
    op('X');
    number(text.size(), 4);
    raw(text);
    memoize();
  }

  /// A string or class that is one object in Python: written once, then referred to.
  void shared_text(std::string_view value) {
    if (recall(value)) return;
    memo_[std::string(value)] = next_;
    text(value);
  }

  void global(std::string_view module, std::string_view name) {
    std::string line = std::string(module) + '\n' + std::string(name) + '\n';
    if (recall(line)) return;
    op('c');
    raw(line);
    memo_[std::move(line)] = next_;
    memoize();
  }

  void integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value < 1 << 8) {
      op('K');
      number(bits, 1);
    } else if (value < 1 << 16) {
      op('M');
      number(bits, 2);
    } else if (value <= INT32_MAX) {
      op('J');
      number(bits, 4);
    } else {
      std::size_t width = 5;  // LONG1: as few bytes as hold it with a sign bit
      while (width < 8 && bits >> (8 * width - 1) != 0) ++width;
      op(static_cast<unsigned char>(0x8a));
      number(width, 1);
      number(bits, width);
    }
  }

  void tuple(std::span<const std::int64_t> values) {
    if (values.empty()) {
      op(')');
      return;
    }
    if (values.size() > 3) op('(');
    for (const std::int64_t value : values) integer(value);
    op(values.size() > 3 ? static_cast<unsigned char>('t') : static_cast<unsigned char>(0x84 + values.size()));
    memoize();
  }

  void memoize() {
    op(next_ < 256 ? 'q' : 'r');
    number(next_, next_ < 256 ? 1 : 4);
    ++next_;
  }

  void ordered_dict() {
    global("collections", "OrderedDict");
    op(')');
    op('R');
    memoize();
  }

 private:
  bool recall(std::string_view what) {
    const auto known = memo_.find(what);
    if (known == memo_.end()) return false;
    op(known->second < 256 ? 'h' : 'j');
    number(known->second, known->second < 256 ? 1 : 4);
    return true;
  }

  void number(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }

  void raw(std::string_view text) {
    const auto bytes = std::as_bytes(std::span<const char>(text.data(), text.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> bytes_;
  std::map<std::string, std::uint32_t, std::less<>> memo_;
  std::uint32_t next_ = 0;
};

void write_tensor(PickleWriter& out, const PickledTensor& tensor, std::size_t key) {
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= extent;
  out.text(tensor.name);
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.op('(');
  out.op('(');
  out.shared_text("storage");
  out.global("torch", storage_class(tensor.dtype));
  out.text(std::to_string(key));
  out.shared_text("cpu");
  out.integer(count);
  out.op('t');
  out.memoize();
  out.op('Q');
  out.integer(0);  // offset
  out.tuple(tensor.shape);
  out.tuple(contiguous_strides(tensor.shape));
  out.op(static_cast<unsigned char>(0x89));  // requires_grad
  out.ordered_dict();                        // backward hooks
  out.op('t');
  out.memoize();
  out.op('R');
  out.memoize();
}

}  // namespace

std::string_view storage_class(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::boolean:
      return "BoolStorage";
    case ScalarType::uint8:
      return "ByteStorage";
    case ScalarType::int8:
      return "CharStorage";
    case ScalarType::int16:
      return "ShortStorage";
    case ScalarType::int32:
      return "IntStorage";
    case ScalarType::int64:
      return "LongStorage";
    case ScalarType::float16:
      return "HalfStorage";
    case ScalarType::bfloat16:
      return "BFloat16Storage";
    case ScalarType::float32:
      return "FloatStorage";
    case ScalarType::float64:
      return "DoubleStorage";
    case ScalarType::complex64:
      return "ComplexFloatStorage";
    case ScalarType::complex128:
      return "ComplexDoubleStorage";
    default:
      return {};
  }
}

std::vector<std::byte> pickle_state_dict(std::span<const PickledTensor> tensors, std::string_view part) {
  PickleWriter out;
  out.op(static_cast<unsigned char>(0x80));
  out.op(static_cast<unsigned char>(2));
  if (!part.empty()) {
    out.op('}');
    out.memoize();
    out.text(part);
  }
  out.ordered_dict();
  constexpr std::size_t kBatch = 1000;  // CPython's pickler sets so many keys at once
  for (std::size_t i = 0; i < tensors.size(); i += kBatch) {
    const std::size_t end = std::min(tensors.size(), i + kBatch);
    if (end - i > 1) out.op('(');
    for (std::size_t k = i; k < end; ++k) write_tensor(out, tensors[k], k);
    out.op(end - i > 1 ? 'u' : 's');
  }
  if (!part.empty()) out.op('s');
  out.op('.');
  return out.take();
}

}  // namespace anemone::formats
