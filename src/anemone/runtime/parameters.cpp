// How the parameters of a call are shown.
#include "anemone/runtime/parameters.h"

#include <fmt/format.h>

namespace anemone::runtime {
namespace {

std::string size(const cpu::ResizeShape& s) {
  return fmt::format("{} planes {}x{} to {}x{}", s.planes, s.in_height, s.in_width, s.out_height, s.out_width);
}

std::string text(const cpu::Epilogue& e) {
  switch (e.activation) {
    case cpu::Activation::none:
      return "";
    case cpu::Activation::relu:
      return ", relu";
    case cpu::Activation::leaky_relu:
      return fmt::format(", leaky_relu {}", e.alpha);
    case cpu::Activation::clip:
      return fmt::format(", clip {} to {}", e.alpha, e.beta);
  }
  return "";
}

struct Show {
  std::string operator()(const std::monostate&) const { return ""; }
  std::string operator()(const UnaryParameters& p) const {
    return p.alpha == 0 && p.beta == 0 ? "" : fmt::format("{}, {}", p.alpha, p.beta);
  }
  std::string operator()(const BinaryParameters& p) const { return brief(p.x) + " " + brief(p.y); }
  std::string operator()(const SelectParameters& p) const { return brief(p.out); }
  std::string operator()(const AxisParameters& p) const {
    return fmt::format("[{}, {}, {}]{}{}", p.outer, p.extent, p.inner,
                       p.epsilon != 0 ? fmt::format(", epsilon {}", p.epsilon) : "", p.relu ? ", relu" : "");
  }
  std::string operator()(const ReduceParameters& p) const {
    return brief(p.dims) + (p.axes.empty() ? " all axes" : " axes " + brief(p.axes));
  }
  std::string operator()(const PoolParameters& p) const {
    return fmt::format("{}x{} stride {}x{}, {} planes {}x{} to {}x{}", p.window.kernel_height, p.window.kernel_width,
                       p.window.stride_height, p.window.stride_width, p.shape.planes, p.shape.in_height,
                       p.shape.in_width, p.shape.out_height, p.shape.out_width);
  }
  std::string operator()(const BilinearParameters& p) const { return size(p.shape); }
  std::string operator()(const NearestParameters& p) const { return size(p.shape); }
  std::string operator()(const CopyParameters& p) const {
    return p.parts.size() == 1 ? brief(p.parts[0].shape) : fmt::format("{} parts", p.parts.size());
  }
  std::string operator()(const TileParameters& p) const { return brief(p.in) + " to " + brief(p.out); }
  std::string operator()(const PadParameters& p) const { return brief(p.in) + " to " + brief(p.out); }
  std::string operator()(const GatherParameters& p) const {
    return fmt::format("{} of [{}, {}, {}]", p.picks.size(), p.outer, p.extent, p.inner);
  }
  std::string operator()(const ConvParameters& p) const {
    const cpu::ConvParams& c = p.form.params;
    std::string out = fmt::format("{}x{} {}->{} at {}x{}", c.kernel_height, c.kernel_width, c.in_channels,
                                  c.out_channels, p.height, p.width);
    if (p.batch != 1) out = fmt::format("{} of ", p.batch) + out;
    if (c.stride_height != 1 || c.stride_width != 1)
      out += fmt::format(" stride {}x{}", c.stride_height, c.stride_width);
    if (c.dilation_height != 1 || c.dilation_width != 1) {
      out += fmt::format(" dilation {}x{}", c.dilation_height, c.dilation_width);
    }
    if (c.groups != 1) out += fmt::format(" groups {}", c.groups);
    return out + text(p.epilogue);
  }
  std::string operator()(const MatmulParameters& p) const {
    const std::string one = fmt::format("[{}, {}] x [{}, {}]", p.shape.m, p.shape.k, p.shape.k, p.shape.n);
    return (p.batch == 1 ? one : fmt::format("{} of {}", p.batch, one)) + text(p.epilogue);
  }
  std::string operator()(const AttentionParameters& p) const {
    return fmt::format("{} of {} queries, {} keys, {} to {}, {} rows at once", p.batch, p.queries, p.keys, p.depth,
                       p.width, p.batches_at_once * p.rows_at_once);
  }
  std::string operator()(const RecurrentParameters& p) const {
    return fmt::format("{} steps of {}, {} to {}{}", p.steps, p.batch, p.inputs, p.hidden,
                       p.backward ? ", backward" : "");
  }
  std::string operator()(const ReferenceParameters&) const { return ""; }
};

}  // namespace

std::string to_text(const Parameters& parameters) { return std::visit(Show(), parameters); }

}  // namespace anemone::runtime
