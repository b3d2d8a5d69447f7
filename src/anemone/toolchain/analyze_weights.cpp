// What rounding to fp16 does to the weights, read in blocks so that memory stays bounded.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "anemone/formats/coreml/package.h"
#include "anemone/support/half.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;

void take(ScannedTensor& t, std::span<const float> values) {
  // Counted without branches, so that the compiler vectorises it.
  std::uint32_t overflow = 0, subnormal = 0, zeroed = 0, not_finite = 0, largest = 0;
  for (const float value : values) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7fffffffu;
    const std::uint32_t half = half_from_float(value) & 0x7fffu;
    const bool finite = magnitude < 0x7f800000u;
    not_finite += !finite;
    overflow += static_cast<std::uint32_t>(finite) & static_cast<std::uint32_t>(half == 0x7c00u);
    zeroed += static_cast<std::uint32_t>(magnitude != 0) & static_cast<std::uint32_t>(half == 0);
    subnormal += static_cast<std::uint32_t>(half - 1u < 0x3ffu);
    largest = std::max(largest, finite ? magnitude : 0u);
  }
  t.elements += static_cast<std::int64_t>(values.size());
  t.overflow += overflow;
  t.subnormal += subnormal;
  t.zeroed += zeroed;
  t.not_finite += not_finite;
  t.largest = std::max(t.largest, static_cast<double>(std::bit_cast<float>(largest)));
}

/// What is half already cannot overflow any more; the bits say the rest.
void take(ScannedTensor& t, std::span<const std::uint16_t> halves) {
  std::uint32_t subnormal = 0, not_finite = 0;
  std::uint16_t largest = 0;
  for (const std::uint16_t half : halves) {
    const auto magnitude = static_cast<std::uint16_t>(half & 0x7fff);
    const bool finite = magnitude < 0x7c00;
    not_finite += !finite;
    subnormal += static_cast<std::uint16_t>(magnitude - 1) < 0x3ff;
    largest = std::max(largest, finite ? magnitude : std::uint16_t{0});
  }
  t.elements += static_cast<std::int64_t>(halves.size());
  t.subnormal += subnormal;
  t.not_finite += not_finite;
  t.largest = std::max(t.largest, static_cast<double>(float_from_half(largest)));
}

/// `block` is aligned as its elements are, or copied.
template <class T>
void take_as(ScannedTensor& t, std::span<const std::byte> block) {
  const std::size_t count = block.size() / sizeof(T);
  if (reinterpret_cast<std::uintptr_t>(block.data()) % alignof(T) == 0)
    return take(t, std::span(reinterpret_cast<const T*>(block.data()), count));
  std::vector<T> copy(count);
  std::memcpy(copy.data(), block.data(), count * sizeof(T));
  take(t, std::span<const T>(copy));
}

void take(ScannedTensor& t, DType dtype, std::span<const std::byte> block) {
  if (dtype == DType::fp32) take_as<float>(t, block);
  if (dtype == DType::fp16) take_as<std::uint16_t>(t, block);
}

/// A weight file of a package, opened beside its mapping: what is read this way does not count as memory of ours.
class WeightFiles {
 public:
  explicit WeightFiles(const Model& model) {
    std::filesystem::path folder;
    if (model.format == ModelFormat::mlmodelc) {
      folder = model.path / "weights";
    } else if (model.format == ModelFormat::mlpackage || model.format == ModelFormat::model_spec) {
      const auto package = formats::open_package(model.path);
      if (!package || !package->weights_folder) return;
      folder = *package->weights_folder;
    }
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (at->is_regular_file(error)) files.push_back(at->path());
    }
    if (files.size() != 1) return;  // which constant is in which of several is not known here
    const auto weights = formats::WeightFile::open(files[0]);
    if (!weights) return;
    const auto offsets = weights->offsets();
    if (!offsets) return;
    for (const std::uint64_t offset : *offsets) {
      if (const auto blob = weights->read(offset)) blobs_[place(blob->data)] = blob->data.size();
    }
    descriptor_ = ::open(files[0].c_str(), O_RDONLY | O_CLOEXEC);
  }
  WeightFiles(const WeightFiles&) = delete;
  WeightFiles& operator=(const WeightFiles&) = delete;
  ~WeightFiles() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Calls visit with blocks of at most 1 MB, from the file where the bytes lie in it.
  void read(const Bytes& data, const std::function<void(std::span<const std::byte>)>& visit) const {
    const auto found = descriptor_ < 0 ? blobs_.end() : blobs_.find(place(data));
    const bool in_file = found != blobs_.end() && found->second == data.size();
    std::vector<std::byte> buffer(in_file ? std::min(kBlock, data.size()) : 0);
    for (std::size_t at = 0; at < data.size(); at += kBlock) {
      const std::size_t size = std::min(kBlock, data.size() - at);
      if (!in_file) {
        visit(data.view.subspan(at, size));
        continue;
      }
      std::size_t done = 0;
      while (done < size) {
        const ssize_t got =
            ::pread(descriptor_, buffer.data() + done, size - done, static_cast<off_t>(found->first + at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        done += static_cast<std::size_t>(got);
      }
      visit(std::span(buffer).first(size));
    }
  }

 private:
  /// Where the bytes lie in their mapping; the owner of mapped bytes is the mapping's first byte (support/file.h).
  static std::uint64_t place(const Bytes& data) {
    return reinterpret_cast<std::uintptr_t>(data.data()) - reinterpret_cast<std::uintptr_t>(data.owner.get());
  }

  int descriptor_ = -1;
  std::map<std::uint64_t, std::size_t> blobs_;
};

bool is_stored(const Value& value) {
  return value.constant && is_weight(value) && value.constant->missing.empty() &&
         (value.type.dtype == DType::fp32 || value.type.dtype == DType::fp16);
}

template <class Visit>
void for_each_weight(const Block& block, const Visit& visit) {
  for (const auto& constant : block.constants) {
    if (is_stored(*constant)) visit(*constant);
  }
  for (const Node& node : block.nodes) {
    for (const auto& inner : node.blocks) for_each_weight(*inner, visit);
  }
}

}  // namespace

void scan_weights(const Model& model, const Function& function, const AnalyzeRequest& request, Analysis& out) {
  WeightScan& scan = out.weights;
  for_each_weight(function.body,
                  [&](const Value& value) { scan.bytes += static_cast<std::int64_t>(value.constant->data.size()); });
  scan.done = request.weights || scan.bytes <= request.scan_limit;
  if (!scan.done) return;
  const WeightFiles files(model);
  for_each_weight(function.body, [&](const Value& value) {
    ScannedTensor t{value.name, std::string(name(value.type.dtype)), 0, 0, 0, 0, 0, 0};
    files.read(value.constant->data, [&](std::span<const std::byte> block) { take(t, value.type.dtype, block); });
    scan.total.elements += t.elements;
    scan.total.overflow += t.overflow;
    scan.total.subnormal += t.subnormal;
    scan.total.zeroed += t.zeroed;
    scan.total.not_finite += t.not_finite;
    scan.total.largest = std::max(scan.total.largest, t.largest);
    if (t.overflow + t.subnormal + t.zeroed + t.not_finite > 0) scan.worst.push_back(std::move(t));
  });
  const auto harm = [](const ScannedTensor& t) {
    return std::pair(t.overflow + t.not_finite, static_cast<double>(t.subnormal + t.zeroed) /
                                                    static_cast<double>(std::max<std::int64_t>(t.elements, 1)));
  };
  std::stable_sort(scan.worst.begin(), scan.worst.end(),
                   [&](const ScannedTensor& a, const ScannedTensor& b) { return harm(a) > harm(b); });
  if (scan.worst.size() > 10) scan.worst.resize(10);
}

}  // namespace anemone::toolchain::analysis
