// The list of families; the order is the order of the reference page.
#include "anemone/ops/ops.h"

#include <array>

#include "anemone/ops/families.h"

namespace anemone::ops {

const OpTable& table() {
  static const OpTable kTable = [] {
    const std::array families{constant(),
                              convolution(),
                              normalization(),
                              activation(),
                              elementwise_unary(),
                              elementwise_binary(),
                              reduction(),
                              pool(),
                              resize(),
                              shape(),
                              slice(),
                              join(),
                              rearrange(),
                              space(),
                              gather(),
                              scatter(),
                              sort(),
                              generate(),
                              random(),
                              linear(),
                              attention(),
                              recurrent(),
                              quantize(),
                              sample(),
                              control(),
                              detection(),
                              state()};
    return OpTable(families);
  }();
  return kTable;
}

}  // namespace anemone::ops
