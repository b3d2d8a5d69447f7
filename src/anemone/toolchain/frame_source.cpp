// Inputs one after the other.
#include "anemone/toolchain/frame_source.h"

#include <fmt/format.h>
#include <glob.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "anemone/formats/image/image_size.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/inputs.h"

namespace anemone::toolchain {

namespace fs = std::filesystem;

namespace {

constexpr int kLargestRawSide = 32768;

bool is_picture(const std::string& path) {
  const auto file = map_file(path);
  return file && formats::is_image(*file);
}

bool is_pattern(const std::string& word) { return word.find_first_of("*?[") != std::string::npos; }

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> found;
  glob_t result{};
  if (::glob(pattern.c_str(), 0, nullptr, &result) == 0) {
    for (std::size_t i = 0; i < result.gl_pathc; ++i) found.emplace_back(result.gl_pathv[i]);
  }
  ::globfree(&result);
  return found;
}

// JSON has no bytes that are not UTF-8.
std::string as_logged(const std::string& name) {
  using Json = nlohmann::json;
  return Json::parse(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

std::optional<int> camera_number(const std::string& word) {
  constexpr std::string_view kPrefix = "camera:";
  if (!word.starts_with(kPrefix)) return std::nullopt;
  int number = 0;
  const char* end = word.data() + word.size();
  const auto read = std::from_chars(word.data() + kPrefix.size(), end, number);
  return read.ec == std::errc() && read.ptr == end && number >= 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<RawFrames> parse_raw_frames(const std::string& word, double fps) {
  RawFrames raw;
  raw.fps = fps;
  const char* end = word.data() + word.size();
  const auto width = std::from_chars(word.data(), end, raw.width);
  const bool cross = width.ec == std::errc() && width.ptr != end && *width.ptr == 'x';
  const auto height = cross ? std::from_chars(width.ptr + 1, end, raw.height) : width;
  const std::string_view format = height.ptr == end ? ":bgr24" : std::string_view(height.ptr);
  const bool sized = cross && height.ec == std::errc() && std::min(raw.width, raw.height) > 0 &&
                     std::max(raw.width, raw.height) <= kLargestRawSide;
  struct Known {
    std::string_view word;
    face::PixelFormat format;
  };
  constexpr Known kKnown[] = {{":bgr24", face::PixelFormat::bgr},
                              {":rgb24", face::PixelFormat::rgb},
                              {":bgra", face::PixelFormat::bgra},
                              {":rgba", face::PixelFormat::rgba},
                              {":gray", face::PixelFormat::gray}};
  const auto known =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return k.word == format; });
  if (!sized || known == std::end(kKnown))
    return bad_usage(fmt::format("'{}' is no size and format of raw frames", word),
                     "WIDTHxHEIGHT[:bgr24|rgb24|bgra|rgba|gray], as 640x360:rgb24");
  raw.format = known->format;
  return raw;
}

Result<FrameSource> FrameSource::open(const std::vector<std::string>& words, std::optional<RawFrames> raw) {
  FrameSource source;
  source.raw_ = raw;
  const auto add_file = [&](const std::string& path) {
    source.inputs_.push_back({path, is_picture(path) ? Input::Kind::picture : Input::Kind::video});
  };
  for (const std::string& word : words) {
    std::error_code error;
    if (word == "-") {
      if (!raw) return bad_usage("raw frames on standard input need --raw", "'--raw 640x360:rgb24'");
      source.inputs_.push_back({word, Input::Kind::raw});
      source.endless_ = true;
    } else if (const auto camera = camera_number(word)) {
      source.inputs_.push_back({word, Input::Kind::camera, *camera});
      source.endless_ = true;
    } else if (fs::is_directory(word, error)) {
      TRY(const std::vector<fs::path> pictures, pictures_in(word));
      for (const fs::path& picture : pictures) source.inputs_.push_back({picture.string(), Input::Kind::picture});
    } else if (is_pattern(word) && !fs::exists(word, error)) {
      const std::vector<std::string> found = matches(word);
      if (found.empty())
        return bad_usage(fmt::format("nothing matches '{}'", word), "quotes keep a shell from expanding");
      std::for_each(found.begin(), found.end(), add_file);
    } else {
      TRY_VOID(map_file(word));
      add_file(word);
    }
  }
  std::set<std::string> seen;
  std::erase_if(source.inputs_, [&](const Input& input) { return !seen.insert(input.name).second; });
  if (raw && !source.endless_) return bad_usage("--raw is of frames on standard input", "give - as the input");
  return source;
}

std::set<std::string> FrameSource::names() const {
  std::set<std::string> names;
  for (const Input& input : inputs_) names.insert(input.name);
  return names;
}

void FrameSource::skip(const std::string& file, std::int64_t frames) {
  for (Input& input : inputs_) {
    if (as_logged(input.name) == file) input.skip = frames;
  }
}

std::optional<std::int64_t> FrameSource::expected() const {
  std::int64_t frames = 0;
  for (const Input& input : inputs_) {
    if (input.kind == Input::Kind::picture) {
      ++frames;
    } else if (input.kind == Input::Kind::video) {
      const auto video = formats::VideoReader::open(input.name);
      if (video && !video->frames()) return std::nullopt;
      if (video) frames += *video->frames();
    } else {
      return std::nullopt;
    }
  }
  return frames;
}

SourceFrame FrameSource::failed(Diagnostics problem) {
  SourceFrame frame{.file = inputs_[at_].name, .index = index_, .problem = std::move(problem)};
  video_.reset();
  ++at_;
  index_ = 0;
  return frame;
}

std::optional<SourceFrame> FrameSource::next_raw(const Input& input) {
  const int bytes = face::bytes_per_pixel(raw_->format);
  const std::size_t pixels = static_cast<std::size_t>(raw_->width) * static_cast<std::size_t>(raw_->height);
  std::vector<std::uint8_t> buffer(pixels * static_cast<std::size_t>(bytes));
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    constexpr int kPatience = 200;  // ms: a signal may wake another thread than this
    pollfd input_fd{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input_fd, 1, kPatience);
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
      if (stop_ && stop_()) return std::nullopt;
      continue;
    }
    const ssize_t got = ::read(STDIN_FILENO, buffer.data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed({system_error("read", "standard input", errno)});
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled == 0) return std::nullopt;
  if (filled < buffer.size())
    return failed({bad_input(
        ErrorCode::frames_cut_off,
        fmt::format("standard input ends {} bytes into frame {}, and a frame has {}", filled, index_, buffer.size()),
        {}, "check the size and format that --raw names")});
  SourceFrame frame{.file = input.name,
                    .index = index_,
                    .ms = 1e3 * static_cast<double>(index_) / raw_->fps,
                    .is_video = true,
                    .fps = raw_->fps};
  frame.image = std::make_shared<formats::Image>(formats::Image{raw_->width, raw_->height, 3, {}});
  const bool rgb = raw_->format == face::PixelFormat::rgb || raw_->format == face::PixelFormat::rgba;
  if (raw_->format == face::PixelFormat::bgr) {
    frame.image->bgr = std::move(buffer);
  } else {
    frame.image->bgr.resize(3 * pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::uint8_t* from = buffer.data() + i * static_cast<std::size_t>(bytes);
      for (std::size_t c = 0; c < 3; ++c) frame.image->bgr[3 * i + c] = from[bytes == 1 ? 0 : rgb ? 2 - c : c];
    }
  }
  ++index_;
  return frame;
}

std::optional<SourceFrame> FrameSource::next_of_video(const Input& input) {
  if (!video_) {
    auto opened = input.kind == Input::Kind::camera ? formats::VideoReader::open_camera(input.camera)
                                                    : formats::VideoReader::open(input.name);
    if (!opened) return failed(std::move(opened).error());
    video_.emplace(*std::move(opened));
  }
  for (;;) {
    auto next = video_->next();
    if (!next) return failed(std::move(next).error());
    if (!*next) {
      // Two frames in a hundred are no damage.
      const bool is_cut = video_->length() == formats::VideoLength::cut_off,
                 counted = video_->length() == formats::VideoLength::counted;
      const std::int64_t wanted = is_cut || counted ? video_->frames().value_or(0) : 0;
      if (is_cut || index_ < wanted - std::max<std::int64_t>(1, wanted / 50))
        return failed({bad_input(ErrorCode::video_cut_off,
                                 wanted > index_ ? fmt::format("the video ends after {} of {} frames", index_, wanted)
                                                 : fmt::format("the file is cut off, after {} frames of video", index_),
                                 input.name, "what was found in them is kept; copy or download it again")});
      return std::nullopt;
    }
    const std::int64_t index = index_++;
    if (index < input.skip) continue;
    SourceFrame frame{.file = input.name, .index = index, .ms = (*next)->ms, .is_video = true, .fps = video_->fps()};
    frame.image = std::make_shared<formats::Image>(std::move((*next)->image));
    return frame;
  }
}

std::optional<SourceFrame> FrameSource::next() {
  while (at_ < inputs_.size()) {
    const Input& input = inputs_[at_];
    std::optional<SourceFrame> frame;
    if (input.kind == Input::Kind::picture) {
      if (index_ == 0 && input.skip == 0) {
        auto image = formats::decode_image(fs::path(input.name));
        if (!image) return failed(std::move(image).error());
        frame.emplace(SourceFrame{.file = input.name});
        frame->image = std::make_shared<formats::Image>(*std::move(image));
        index_ = 1;
      }
    } else {
      frame = input.kind == Input::Kind::raw ? next_raw(input) : next_of_video(input);
    }
    if (frame) return frame;
    video_.reset();
    ++at_;
    index_ = 0;
  }
  return std::nullopt;
}

}  // namespace anemone::toolchain
