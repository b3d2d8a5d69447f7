#pragma once
// Elements of a repeated numeric field, gathered from however many pieces the file has them in.
#include <cstddef>
#include <vector>

#include "anemone/support/bytes.h"

namespace anemone::formats::protobuf {

/// Element bytes that stay a view while they come in one piece.
class Elements {
 public:
  void add_view(const Bytes& bytes) {
    if (data_.size() == 0 && pieces_.empty()) {
      data_ = bytes;
    } else {
      own();
      pieces_.insert(pieces_.end(), bytes.view.begin(), bytes.view.end());
    }
  }
  template <class T>
  void add(T element) {
    own();
    const auto* bytes = reinterpret_cast<const std::byte*>(&element);
    pieces_.insert(pieces_.end(), bytes, bytes + sizeof element);
  }
  Bytes take() { return pieces_.empty() ? std::move(data_) : Bytes::owned(std::move(pieces_)); }

 private:
  void own() {
    if (data_.size() == 0) return;
    pieces_.assign(data_.view.begin(), data_.view.end());
    data_ = {};
  }
  Bytes data_;
  std::vector<std::byte> pieces_;
};

}  // namespace anemone::formats::protobuf
