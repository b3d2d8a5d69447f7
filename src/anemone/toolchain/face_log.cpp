// Lines of JSON back into faces.
#include "anemone/toolchain/face_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

using Json = nlohmann::json;

face::Point point_from(const Json& json) { return {json.at(0).get<float>(), json.at(1).get<float>()}; }

face::Face face_from(const Json& json) {
  face::Face face;
  face.id = json.at("id").get<int>();
  const Json& box = json.at("box");
  face.box = {box.at(0).get<float>(), box.at(1).get<float>(), box.at(2).get<float>(), box.at(3).get<float>()};
  face.score = json.at("score").get<float>();
  const Json& five = json.at("points5");
  for (std::size_t i = 0; i < face.points5.size(); ++i) face.points5[i] = point_from(five.at(i));
  for (const Json& point : json.at("landmarks")) face.landmarks.push_back(point_from(point));
  face.tracked = json.value("tracked", false);
  for (const Json& speed : json.value("speeds", Json::array())) face.speeds.push_back(point_from(speed));
  return face;
}

LoggedFrame frame_from(const Json& json) {
  LoggedFrame frame;
  frame.file = json.at("file").get<std::string>();
  frame.index = json.at("index").get<std::int64_t>();
  frame.ms = json.at("ms").get<double>();
  frame.is_video = json.value("video", false);
  for (const Json& face : json.at("faces")) frame.faces.push_back(face_from(face));
  return frame;
}

}  // namespace

Result<FaceLog> read_face_log(const std::filesystem::path& path, LastLine last) {
  TRY(const Bytes file, map_file(path));
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  FaceLog log;
  while (log.bytes < text.size()) {
    std::size_t end = text.find('\n', log.bytes);
    if (end == std::string_view::npos) {
      if (last == LastLine::only_ended) break;
      end = text.size();
    }
    try {
      log.frames.push_back(frame_from(Json::parse(text.substr(log.bytes, end - log.bytes))));
    } catch (const Json::exception&) {
      return bad_input(ErrorCode::annotation_wrong, "the line is no frame of faces",
                       fmt::format("{}: line {}", path.string(), log.frames.size() + 1),
                       "it is to be a faces.jsonl as 'anemone detect -o' writes it");
    }
    log.bytes = std::min(end + 1, text.size());
  }
  return log;
}

}  // namespace anemone::toolchain
