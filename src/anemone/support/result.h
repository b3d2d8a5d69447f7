#pragma once
// Result<T>: a value, or the diagnostics that say why there is none. No exception crosses a library boundary.
#include <tl/expected.hpp>
#include <utility>

#include "anemone/support/diagnostic.h"

namespace anemone {

template <class T = void>
struct [[nodiscard]] Result : tl::expected<T, Diagnostics> {
  using tl::expected<T, Diagnostics>::expected;
  Result(Diagnostic d) : tl::expected<T, Diagnostics>(tl::unexpect, Diagnostics{std::move(d)}) {}
  Result(Diagnostics d) : tl::expected<T, Diagnostics>(tl::unexpect, std::move(d)) {}
};

}  // namespace anemone

#define ANEMONE_CONCAT_(a, b) a##b
#define ANEMONE_CONCAT(a, b) ANEMONE_CONCAT_(a, b)
#define ANEMONE_TRY_(temporary, declaration, expression) \
  auto temporary = (expression);                         \
  if (!temporary) return std::move(temporary).error();   \
  declaration = *std::move(temporary)
/// TRY(auto x, f()): x = the value of f(), or return its error. Several statements: brace the bodies of if and for.
#define TRY(declaration, expression) ANEMONE_TRY_(ANEMONE_CONCAT(try_, __LINE__), declaration, expression)
/// The same for a Result<void>.
#define TRY_VOID(expression)                                                               \
  do {                                                                                     \
    if (auto try_result = (expression); !try_result) return std::move(try_result).error(); \
  } while (false)
