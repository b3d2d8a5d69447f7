#pragma once
// Uninitialised float32 memory on cache-line boundaries.
#include <cstddef>
#include <new>
#include <utility>

namespace anemone::runtime {

/// Owns `size` floats; their values are indeterminate. Throws std::bad_alloc like any container.
class FloatBuffer {
 public:
  static constexpr std::size_t kAlignment = 128;  // two lines: what x86 prefetches in pairs, one line of Apple's cores

  FloatBuffer() = default;
  explicit FloatBuffer(std::size_t size)
      : data_(size ? static_cast<float*>(::operator new (size * sizeof(float), std::align_val_t{kAlignment}))
                   : nullptr),
        size_(size) {}
  FloatBuffer(FloatBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  FloatBuffer& operator=(FloatBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~FloatBuffer() { ::operator delete (data_, std::align_val_t{kAlignment}); }

  float* data() { return data_; }
  const float* data() const { return data_; }
  std::size_t size() const { return size_; }
  float& operator[](std::size_t i) { return data_[i]; }
  float operator[](std::size_t i) const { return data_[i]; }

 private:
  float* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace anemone::runtime
