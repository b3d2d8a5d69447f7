#pragma once
// How ONNX says each MIL operation: one row an operation. Adding one: its function and its row, in the file of its
// family; tests/coverage_test.cpp asks for a row for every operation of the table in ops/.
#include <span>
#include <string_view>

#include "anemone/backends/onnx/emit.h"

namespace anemone::onnx::exporting {

struct RaiseRow {
  std::string_view mil;
  Result<void> (*raise)(Emit&) = nullptr;  ///< null: ONNX cannot say it
  std::string_view onnx;                   ///< the operations it becomes; without a function, why there are none
};

std::span<const RaiseRow> raise_elementwise();
std::span<const RaiseRow> raise_activation();
std::span<const RaiseRow> raise_window();  ///< convolutions and pools
std::span<const RaiseRow> raise_product();
std::span<const RaiseRow> raise_recurrent();
std::span<const RaiseRow> raise_norm();
std::span<const RaiseRow> raise_reduction();
std::span<const RaiseRow> raise_shape();
std::span<const RaiseRow> raise_slice();
std::span<const RaiseRow> raise_join();  ///< concat, split, tile, pad …
std::span<const RaiseRow> raise_space();
std::span<const RaiseRow> raise_index();  ///< gather, scatter, sort
std::span<const RaiseRow> raise_resize();
std::span<const RaiseRow> raise_sample();    ///< at computed places
std::span<const RaiseRow> raise_constant();  ///< constants, compressed ones, numbers from nothing
std::span<const RaiseRow> raise_control();   ///< blocks, states, classifiers

/// Null for an operation without a row.
const RaiseRow* find_raise_row(std::string_view mil);
/// All, by family.
std::span<const std::span<const RaiseRow>> raise_families();

}  // namespace anemone::onnx::exporting
