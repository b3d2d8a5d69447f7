// Normalisations and softmax.
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/batch_norm.h"
#include "anemone/runtime/cpu/norm.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

const Kernel kChannelAffine{"channel_affine", [](const Bound& b) {
                              const auto& p = get<AxisParameters>(b);
                              cpu::channel_affine(b.in(0), b.out(3), p.outer, p.extent, p.inner, b.in(1), b.in(2),
                                                  p.relu, b.pool);
                            }};

const Kernel kInstanceNorm{"instance_norm", [](const Bound& b) {
                             const auto& p = get<AxisParameters>(b);
                             cpu::instance_norm(b.in(0), b.out(3), p.outer, p.extent, p.inner, b.in(1), b.in(2),
                                                p.epsilon, p.relu, b.pool);
                           }};

const Kernel kLayerNorm{"layer_norm", [](const Bound& b) {
                          const auto& p = get<AxisParameters>(b);
                          cpu::layer_norm(b.in(0), b.out(3), p.outer, p.inner, b.in(1), b.in(2), p.epsilon, b.pool);
                        }};

const Kernel kSoftmax{"softmax", [](const Bound& b) {
                        const auto& p = get<AxisParameters>(b);
                        cpu::softmax(b.in(0), b.out(1), p.outer, p.extent, p.inner, b.pool);
                      }};

Result<void> plan_batch_norm(const Group& g, Planner& p) {
  TRY(ChannelAffine affine, affine_of(*g.node, p));
  TRY(const Ref from, p.read(g.in()));
  const Ref scale = p.constant(std::move(affine.scale)), shift = p.constant(std::move(affine.shift));
  AxisParameters parameters = axis_of(g.in().type.dims, 1);
  parameters.relu = g.activation != nullptr;
  p.add(g.out(), Rounding::needed,
        {.kernel = &kChannelAffine,
         .parameters = parameters,
         .operands = {read("x", from), read("scale", scale), read("shift", shift), write("out", p.define(g.out()))},
         .overwrites = {0},
         .elementwise = true});
  return {};
}

Result<void> plan_instance_norm(const Group& g, Planner& p) {
  TRY(const Ref gamma, p.read_maybe(g.node->input("gamma")));
  TRY(const Ref beta, p.read_maybe(g.node->input("beta")));
  TRY(const Ref from, p.read(g.in()));
  AxisParameters parameters = axis_of(g.in().type.dims, 1);
  parameters.epsilon = number(*g.node, "epsilon");
  parameters.relu = g.activation != nullptr;
  p.add(g.out(), Rounding::needed,
        {.kernel = &kInstanceNorm,
         .parameters = parameters,
         .operands = {read("x", from), read("gamma", gamma), read("beta", beta), write("out", p.define(g.out()))},
         .overwrites = {0},
         .elementwise = true});
  return {};
}

/// The first of the last dimensions that `axes` names in their order; nothing when it names others.
std::optional<std::size_t> first_axis(const Node& node) {
  const ConstantView v(node);
  const std::int64_t rank = node.input("x")->type.rank();
  if (!v.has("axes")) return 0;
  const Dims axes = v.ints("axes");
  const std::int64_t first = rank - static_cast<std::int64_t>(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (static_cast<std::int64_t>(ops::wrap_axis(axes[i], rank)) != first + static_cast<std::int64_t>(i)) return {};
  }
  return static_cast<std::size_t>(first);
}
bool covers_layer_norm(const Node& node, const GraphView&) { return first_axis(node).has_value(); }

Result<void> plan_layer_norm(const Group& g, Planner& p) {
  TRY(const Ref gamma, p.read_maybe(g.node->input("gamma")));
  TRY(const Ref beta, p.read_maybe(g.node->input("beta")));
  TRY(const Ref from, p.read(g.in()));
  AxisParameters parameters;
  parameters.inner = count_of(std::span(g.in().type.dims).subspan(*first_axis(*g.node)));
  parameters.outer = from.count / parameters.inner;
  parameters.epsilon = number(*g.node, "epsilon");
  p.add(g.out(), Rounding::needed,
        {.kernel = &kLayerNorm,
         .parameters = parameters,
         .operands = {read("x", from), read("gamma", gamma), read("beta", beta), write("out", p.define(g.out()))}});
  return {};
}

bool covers_softmax(const Node& node, const GraphView&) { return !node.input("x")->type.dims.empty(); }

Result<void> plan_softmax(const Group& g, Planner& p) {
  const Type& type = g.in().type;
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::needed,
        {.kernel = &kSoftmax,
         .parameters = axis_of(type.dims, ops::wrap_axis(ConstantView(*g.node).integer("axis"), type.rank())),
         .operands = {read("x", from), write("out", p.define(g.out()))},
         .overwrites = {0},
         .elementwise = true});
  return {};
}

/// The channels lie in the third dimension from the right. The mean of the squares of a window over them is what an
/// average pool makes of planes [channels, pixels] that counts padding.
Result<void> plan_local_response_norm(const Group& g, Planner& p) {
  const Dims& dims = g.in().type.dims;
  const AxisParameters axis = axis_of(dims, dims.size() - 3);
  const std::int64_t size = ConstantView(*g.node).integer("size");
  TRY(const Ref from, p.read(g.in()));
  const Ref squares = p.scratch(from.count), means = p.scratch(from.count);
  const Dims flat{from.count};
  p.add_part(g.out(), {.kernel = &kUnaryKernel,
                       .parameters = UnaryParameters{cpu::Unary::square},
                       .operands = {read("x", from), write("out", squares)}});
  PoolParameters window;
  window.window = {.kernel_height = size, .pad_top = size / 2};
  window.shape = {axis.outer, axis.extent, axis.inner, axis.extent, axis.inner};
  p.add_part(g.out(),
             {.kernel = &kAvgPoolKernel, .parameters = window, .operands = {read("x", squares), write("out", means)}});
  p.add_part(g.out(),
             {.kernel = &kUnaryKernel,
              .parameters = UnaryParameters{cpu::Unary::linear, number(*g.node, "alpha"), number(*g.node, "k")},
              .operands = {read("x", means), write("out", means)}});
  p.add_part(g.out(), {.kernel = &kBinaryKernel,
                       .parameters = BinaryParameters{cpu::Binary::pow, flat, {}},
                       .operands = {read("x", means), read("y", p.constant(std::vector{number(*g.node, "beta")})),
                                    write("out", means)}});
  p.add(g.out(), Rounding::needed,
        {.kernel = &kBinaryKernel,
         .parameters = BinaryParameters{cpu::Binary::real_div, flat, flat},
         .operands = {read("x", from), read("y", means), write("out", p.define(g.out()))},
         .layout = Layout::any,
         .overwrites = {0},
         .elementwise = true});
  return {};
}

constexpr KernelRow kRows[] = {{.type = "batch_norm", .plan = plan_batch_norm, .fuses = Fuses::relu},
                               {.type = "instance_norm", .plan = plan_instance_norm, .fuses = Fuses::relu},
                               {.type = "layer_norm", .plan = plan_layer_norm, .covers = covers_layer_norm},
                               {.type = "local_response_norm", .plan = plan_local_response_norm},
                               {.type = "softmax", .plan = plan_softmax, .covers = covers_softmax}};

}  // namespace

std::span<const KernelRow> norm_kernels() { return kRows; }

}  // namespace anemone::runtime
