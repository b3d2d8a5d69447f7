// Reads and writes .npy files. The header is a Python dict literal; only the three keys of the format are understood.
#include "anemone/formats/wire/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "anemone/formats/wire/strided.h"
#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 64;

struct Row {
  std::string_view descr;
  ScalarType dtype;
};
constexpr std::array<Row, 12> kTypes{{
    {"|b1", ScalarType::boolean},
    {"|i1", ScalarType::int8},
    {"<i2", ScalarType::int16},
    {"<i4", ScalarType::int32},
    {"<i8", ScalarType::int64},
    {"|u1", ScalarType::uint8},
    {"<u2", ScalarType::uint16},
    {"<u4", ScalarType::uint32},
    {"<u8", ScalarType::uint64},
    {"<f2", ScalarType::float16},
    {"<f4", ScalarType::float32},
    {"<f8", ScalarType::float64},
}};

struct Header {
  std::string_view descr;
  bool column_major = false;
  std::vector<std::int64_t> shape;
};

/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } with any spacing and order, each key once.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  /// Nothing when the text is not such a dict; position() is where it stops being one.
  std::optional<Header> run() {
    Header header;
    bool descr = false, order = false, shape = false;
    if (!take('{')) return {};
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':')) return {};
      if (*key == "descr" && !descr) {
        const auto value = string();
        if (!value) return {};
        header.descr = *value;
        descr = true;
      } else if (*key == "fortran_order" && !order) {
        header.column_major = word("True");
        if (!header.column_major && !word("False")) return {};
        order = true;
      } else if (*key == "shape" && !shape) {
        if (!tuple(header.shape)) return {};
        shape = true;
      } else {
        return {};
      }
      if (!take(',')) {
        if (!take('}')) return {};
        break;
      }
    }
    skip_space();
    if (position_ != text_.size() || !descr || !order || !shape) return {};
    return header;
  }

  std::size_t position() const { return position_; }

 private:
  void skip_space() { position_ = std::min(text_.size(), text_.find_first_not_of(" \t\r\n", position_)); }
  bool take(char c) {
    skip_space();
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  bool word(std::string_view w) {
    skip_space();
    if (!text_.substr(position_).starts_with(w)) return false;
    position_ += w.size();
    return true;
  }
  std::optional<std::string_view> string() {
    skip_space();
    if (position_ == text_.size() || (text_[position_] != '\'' && text_[position_] != '"')) return {};
    const std::size_t begin = position_ + 1, end = text_.find(text_[position_], begin);
    if (end == std::string_view::npos) return {};
    position_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  bool tuple(std::vector<std::int64_t>& numbers) {
    if (!take('(')) return false;
    while (!take(')')) {
      skip_space();
      const std::size_t begin = position_;
      std::int64_t number = 0;
      while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
        if (number > INT64_MAX / 10 - 1) return false;
        number = number * 10 + (text_[position_++] - '0');
      }
      if (position_ == begin || numbers.size() == kMaxRank) return false;
      word("L");  // written by Python 2
      numbers.push_back(number);
      if (!take(',')) return take(')');
    }
    return true;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

Result<ScalarType> find_type(std::string_view descr, const std::string& place) {
  for (const Row& row : kTypes) {
    if (row.descr == descr) return row.dtype;
    // One-byte types have no byte order, and '=' is that of the machine.
    const bool order = descr.size() == row.descr.size() && (descr[0] == '<' || descr[0] == '|' || descr[0] == '=');
    if (order && descr.substr(1) == row.descr.substr(1) && (descr[0] != '|' || row.descr[0] == '|')) return row.dtype;
  }
  const bool big = descr.starts_with('>');
  return bad_input(
      ErrorCode::npy_unsupported,
      fmt::format("arrays of type '{}' are not supported{}", printable(descr, 30), big ? ": big-endian" : ""), place,
      "convert it in Python: np.save(FILE, array.astype('<f4'))");
}

Result<NpyArray> parse(const Bytes& file, const std::string& name) {
  const std::string_view all(reinterpret_cast<const char*>(file.data()), file.size());
  const auto at = [&](std::size_t i) { return fmt::format("{}: byte {}", name, i); };
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(file.view[i]); };
  if (!all.starts_with(kMagic)) {
    return bad_input(ErrorCode::not_npy, "this is not a NumPy array: it does not begin with '\\x93NUMPY'", name,
                     "write it with np.save");
  }
  if (all.size() < 10)
    return bad_input(ErrorCode::npy_ends, fmt::format("the file ends after {} bytes", all.size()), name);
  const std::size_t version = byte(6), width = version == 1 ? 2 : 4;
  if (version < 1 || version > 3 || byte(7) != 0) {
    return bad_input(ErrorCode::npy_unsupported,
                     fmt::format("version {}.{} of the format is not known", version, byte(7)), at(6));
  }
  if (all.size() < 8 + width)
    return bad_input(ErrorCode::npy_ends, fmt::format("the file ends after {} bytes", all.size()), name);
  std::size_t length = 0;
  for (std::size_t i = width; i-- > 0;) length = length << 8 | byte(8 + i);
  const std::size_t begin = 8 + width;
  if (length > all.size() - begin) {
    return bad_input(ErrorCode::npy_ends, fmt::format("the header has {} bytes and the file {}", length, all.size()),
                     at(8));
  }
  HeaderParser parser(all.substr(begin, length));
  const std::optional<Header> header = parser.run();
  if (!header) {
    // Structured types have a list of fields for a descr.
    return bad_input(ErrorCode::npy_header, "the header is not that of a plain array", at(begin + parser.position()),
                     "write it with np.save; arrays of records are not supported");
  }
  TRY(const ScalarType dtype, find_type(header->descr, at(begin)));
  const std::int64_t count = checked_count(header->shape);
  const std::size_t element = byte_size(dtype), data_at = begin + length;
  const std::size_t size = static_cast<std::size_t>(std::max<std::int64_t>(count, 0)) * element;
  if (count < 0 || size != all.size() - data_at) {
    return bad_input(
        ErrorCode::npy_size,
        fmt::format("the array {} ({}) needs {}, and {} bytes follow the header", header->shape, formats::name(dtype),
                    count < 0 ? "too much" : fmt::format("{} bytes", size), all.size() - data_at),
        at(data_at), "download or write the file again");
  }
  const Bytes data = file.part(data_at, size);
  if (!header->column_major || header->shape.size() < 2) return NpyArray{dtype, header->shape, data};
  // Strides of the first extent are smallest: those of the reversed shape, reversed.
  std::vector<std::int64_t> reversed(header->shape.rbegin(), header->shape.rend());
  std::vector<std::int64_t> stride = contiguous_strides(reversed);
  std::reverse(stride.begin(), stride.end());
  return NpyArray{dtype, header->shape, Bytes::owned(gather_row_major(data.view, element, 0, header->shape, stride))};
}

}  // namespace

Result<NpyArray> read_npy(const Bytes& file, const std::string& name) {
  try {
    return parse(file, name);
  } catch (const std::bad_alloc&) {
    return bad_environment(ErrorCode::out_of_memory, "not enough memory to read the array", name);
  }
}

Result<NpyArray> read_npy(const std::filesystem::path& path) {
  TRY(const Bytes file, map_file(path));
  return read_npy(file, path.string());
}

std::string npy_header(ScalarType dtype, std::span<const std::int64_t> shape) {
  std::string_view descr;
  for (const Row& row : kTypes) {
    if (row.dtype == dtype) descr = row.descr;
  }
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  // NumPy leaves room for the first extent to grow to 21 digits.
  if (!shape.empty()) text.append(21 - std::to_string(shape[0]).size(), ' ');
  text.append(kAlignment - (kPrefix + text.size() + 1) % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  return header + text;
}

Result<void> write_npy(const std::filesystem::path& path, const NpyArray& array) {
  const bool known = std::any_of(kTypes.begin(), kTypes.end(), [&](const Row& r) { return r.dtype == array.dtype; });
  const std::int64_t count = checked_count(array.shape);
  if (!known || count < 0 || array.shape.size() > kMaxRank ||
      static_cast<std::size_t>(count) * byte_size(array.dtype) != array.bytes.size()) {
    return bad_input(ErrorCode::npy_write,
                     fmt::format("{} bytes of {} {} cannot be written as a NumPy array", array.bytes.size(),
                                 name(array.dtype), array.shape),
                     path.string());
  }
  TRY(PendingOutput pending, PendingOutput::create(path, PendingOutput::Kind::file));
  TRY(FileWriter file, FileWriter::create(pending.path()));
  const std::string header = npy_header(array.dtype, array.shape);
  TRY_VOID(file.append(std::as_bytes(std::span(header))));
  TRY_VOID(file.append(array.bytes.view));
  TRY_VOID(file.close());
  return pending.commit();
}

}  // namespace anemone::formats
