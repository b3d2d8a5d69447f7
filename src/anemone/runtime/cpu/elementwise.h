#pragma once
// Ops that compute each output element from one element of every input.
#include <cstdint>
#include <span>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

/// Extents, outermost first; empty = a scalar.
using ShapeView = std::span<const std::int64_t>;

enum class Unary : std::uint8_t {
  // vectorised
  identity,
  relu,
  leaky_relu,
  clip,
  linear,
  sigmoid,
  tanh,
  exp,
  silu,
  gelu_tanh,
  gelu_sigmoid,
  abs,
  square,
  sqrt,
  rsqrt,
  inverse,
  sign,
  floor,
  ceil,
  round,
  threshold,
  thresholded_relu,
  clamped_relu,
  sigmoid_hard,
  softsign,
  elu,
  scaled_tanh,
  logical_not,
  // scalar calls of the C library
  gelu,
  erf,
  log,
  exp2,
  softplus,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  atanh,
};

/// in and out may be the same memory. alpha and beta are MIL's parameters of the op:
///   leaky_relu x < 0 ? alpha*x : x       clip min(max(x, alpha), beta)       linear alpha*x + beta
///   threshold max(x, alpha)              thresholded_relu x < alpha ? 0 : x  clamped_relu min(leaky_relu(x), beta)
///   sigmoid_hard clamp(alpha*x+beta,0,1) elu x > 0 ? x : alpha*(exp(x)-1)    scaled_tanh alpha*tanh(beta*x)
///   rsqrt 1/sqrt(x+alpha)  inverse 1/(x+alpha)  log log(x+alpha): alpha is MIL's epsilon
/// round is half to even; logical_not is x == 0 ? 1 : 0. NaN gives NaN everywhere but in logical_not.
/// exp, sigmoid, tanh: within 3 units in the last place of the exact value, subnormal results of exp may be 0.
void unary(Unary op, const float* in, float* out, std::int64_t n, runtime::ThreadPool& pool, float alpha = 0,
           float beta = 0);

enum class Binary : std::uint8_t {
  add,
  sub,
  mul,
  real_div,
  maximum,
  minimum,  // maximum, minimum: NaN wins, as in numpy
  greater,
  greater_equal,
  less,
  less_equal,
  equal,
  not_equal,  // 1 or 0
  logical_and,
  logical_or,
  logical_xor,  // of x != 0; 1 or 0
  pow,
  mod,
  floor_div,  // scalar calls; mod has the divisor's sign
};

/// numpy broadcasting; `out` has the broadcast shape, and may be `a` or `b` where that one has the same shape.
/// The caller has checked that the shapes broadcast.
void binary(Binary op, const float* a, ShapeView a_shape, const float* b, ShapeView b_shape, float* out,
            runtime::ThreadPool& pool);

/// out = condition != 0 ? a : b, everything broadcast to `shape`.
void select(const float* condition, ShapeView condition_shape, const float* a, ShapeView a_shape, const float* b,
            ShapeView b_shape, float* out, ShapeView shape, runtime::ThreadPool& pool);

/// out[n, c, :] = scale[c] * in[n, c, :] + shift[c], then relu when asked. in and out may be the same memory.
void channel_affine(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
                    const float* scale, const float* shift, bool relu, runtime::ThreadPool& pool);

/// out[n, c, :] = in < 0 ? slope[c] * in : in. in and out may be the same memory.
void prelu(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
           const float* slope, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
