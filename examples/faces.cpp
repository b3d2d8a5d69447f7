// Faces of one picture: what README.md shows. usage: faces_example FACES LANDMARKS PICTURE
#include <cstdio>

#include "anemone/face.h"

int main(int, char** argv) {
  auto pipeline = anemone::FacePipeline::open({.faces = argv[1], .landmarks = argv[2]});
  if (!pipeline) return std::fputs(render(pipeline.error()).c_str(), stderr), exit_code(pipeline.error());
  const auto image = anemone::formats::decode_image(argv[3]);  // or pixels of your own: pointer, size, stride, format
  if (!image) return std::fputs(render(image.error()).c_str(), stderr), exit_code(image.error());
  const auto faces = pipeline->find({image->bgr.data(), image->width, image->height, 3 * image->width});
  if (!faces) return std::fputs(render(faces.error()).c_str(), stderr), exit_code(faces.error());
  for (const anemone::Face& face : *faces) {
    std::printf("score %.4f, %zu landmarks\n", face.score, face.landmarks.size());  // 98 of WFLW, 68 of 300W …
    for (const anemone::Point& point : face.landmarks) std::printf("  %.1f %.1f\n", point.x, point.y);
  }
}
