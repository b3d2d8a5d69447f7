// The pixels that networks take.
#include "anemone/toolchain/face_pixels.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/frontends/models/retinaface.h"
#include "anemone/ir/op_def.h"

namespace anemone::toolchain {
namespace {

/// What the graph does first with its input: x·scale + bias[c].
struct Affine {
  double scale = 1;
  std::array<double, 3> bias{};
  bool found = false;
};

/// One number, or one a channel.
std::optional<std::array<double, 3>> constant_of(const Node& node, const Value& through) {
  const Value* x = node.input("x");
  const Value* y = node.input("y");
  const Value* other = x == &through ? y : x;
  if (!other || !other->constant) return std::nullopt;
  const std::int64_t count = element_count(other->type.dims).value_or(0);
  if (count != 1 && count != 3) return std::nullopt;
  std::array<double, 3> out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = scalar(*other->constant, count == 1 ? 0 : static_cast<std::int64_t>(c));
  return out;
}

/// One number a channel; `fallback` where the parameter is absent, nothing where it comes at run time.
std::optional<std::array<double, 3>> channels_of(const Node& node, std::string_view param, double fallback) {
  const Value* value = node.input(param);
  if (!value) return std::array{fallback, fallback, fallback};
  if (!value->constant || element_count(value->type.dims).value_or(0) != 3) return std::nullopt;
  return std::array{scalar(*value->constant, 0), scalar(*value->constant, 1), scalar(*value->constant, 2)};
}

/// The optimiser says the scale of an image as a batch_norm. False: it is none that scales all channels alike.
bool add_batch_norm(Affine& out, const Node& node) {
  const auto mean = channels_of(node, "mean", 0), variance = channels_of(node, "variance", 1);
  const auto gamma = channels_of(node, "gamma", 1), beta = channels_of(node, "beta", 0);
  if (!mean || !variance || !gamma || !beta) return false;
  const Value* given = node.input("epsilon");
  if (given && !given->constant) return false;
  const double epsilon = given ? scalar(*given->constant) : 1e-5;
  const auto scale = [&](std::size_t c) { return (*gamma)[c] / std::sqrt((*variance)[c] + epsilon); };
  if (scale(0) != scale(1) || scale(1) != scale(2)) return false;
  out.scale *= scale(0);
  for (std::size_t c = 0; c < 3; ++c) out.bias[c] = (out.bias[c] - (*mean)[c]) * scale(c) + (*beta)[c];
  return true;
}

Affine first_operations(const Function& function) {
  Affine out;
  const Value* at = function.body.inputs.front().get();
  while (at->has_single_use() && !at->uses.empty()) {
    const Node& node = *at->uses.front().node;
    if (node.type == "batch_norm") {
      if (!add_batch_norm(out, node)) break;
      out.found = true;
    } else if (node.type != "cast" && node.type != "identity") {
      const auto number = constant_of(node, *at);
      const bool forward = node.input("x") == at;
      if (node.type == "mul" && number && (*number)[0] == (*number)[1] && (*number)[1] == (*number)[2]) {
        out.scale *= (*number)[0];
        for (double& bias : out.bias) bias *= (*number)[0];
      } else if (number && (node.type == "add" || (node.type == "sub" && forward))) {
        for (std::size_t c = 0; c < 3; ++c) out.bias[c] += (node.type == "add" ? 1 : -1) * (*number)[c];
      } else if (number && node.type == "real_div" && forward && (*number)[0] == (*number)[1]) {
        out.scale /= (*number)[0];
        for (double& bias : out.bias) bias /= (*number)[0];
      } else {
        break;
      }
      out.found = true;
    }
    at = node.output();
  }
  return out;
}

models::Preprocessing of_kind(FaceNetworkKind kind) {
  if (kind == FaceNetworkKind::detector) return models::retinaface_preprocessing();
  return {Color::bgr, 2.0 / 255, {-1, -1, -1}};  // STAR; a checkpoint says it itself
}

face::InputForm form_of(const models::Preprocessing& trained) {
  face::InputForm form{trained.color == Color::rgb, static_cast<float>(trained.scale), {}};
  for (std::size_t c = 0; c < 3 && !trained.bias.empty(); ++c)
    form.bias[c] = static_cast<float>(trained.bias[std::min(c, trained.bias.size() - 1)]);
  return form;
}

const Feature* image_input(const Model& model) {
  const Function& main = model.program->main();
  if (main.body.inputs.empty()) return nullptr;
  const Feature* feature = main.interface.input(main.body.inputs.front()->name);
  return feature && feature->kind == Feature::Kind::image ? feature : nullptr;
}

std::string text_of(Color color, double scale, const std::array<double, 3>& bias) {
  return fmt::format("{}, scale {:.5g}, bias {:.5g} {:.5g} {:.5g}", name(color), scale, bias[0], bias[1], bias[2]);
}

}  // namespace

Result<face::InputForm> input_form(const Model& model, FaceNetworkKind kind) {
  const models::Preprocessing trained = trained_preprocessing(model).value_or(of_kind(kind));
  const face::InputForm wanted = form_of(trained);
  const Feature* image = image_input(model);
  const Affine affine = first_operations(model.program->main());
  if (!image && !affine.found) return wanted;  // normalised numbers; else the graph normalises pixels itself
  const Color color = image ? image->color : trained.color;
  std::array<double, 3> bias{};
  for (std::size_t c = 0; c < 3; ++c) bias[c] = wanted.bias[c];
  // A per cent of a grey level over the whole range; fp16 keeps scale and bias to 1/2048.
  bool same = color == trained.color;
  if (affine.found) {
    same = same && std::abs(affine.scale - trained.scale) <= 1e-3 * trained.scale;
    for (std::size_t c = 0; c < 3; ++c) same = same && std::abs(affine.bias[c] - bias[c]) <= 1e-3 * std::abs(bias[c]);
  }
  if (!same) {
    const std::string found =
        affine.found ? text_of(color, affine.scale, affine.bias) : fmt::format("{} pixels", name(color));
    return bad_input(ErrorCode::pixels_differ,
                     fmt::format("the {} input takes {}; the network was trained with {}", image ? "image" : "array",
                                 found, text_of(trained.color, trained.scale, bias)),
                     model.path.string(), "convert the checkpoint with anemone, without --color, --scale and --bias");
  }
  return face::InputForm{color == Color::rgb, 1, {}};
}

std::string unproved_pixels(const Model& model) {
  const bool image = image_input(model) != nullptr;
  if (first_operations(model.program->main()).found || trained_preprocessing(model)) return {};
  if (image)
    return fmt::format("'{}' takes pixels, and its graph does not show their scale and bias: it is taken to be right",
                       model.path.string());
  return fmt::format("'{}' takes an array and does not say which numbers: it gets those of the training, from BGR",
                     model.path.string());
}

}  // namespace anemone::toolchain
