// Videos and cameras for the media module.
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <new>
#include <opencv2/core.hpp>
#include <opencv2/videoio.hpp>
#include <string>

#include "anemone/formats/image/media_module.h"

namespace anemone::formats {
namespace {

struct Reader {
  cv::VideoCapture capture;
  double last_ms = -1;
};

struct Writer {
  cv::VideoWriter video;
  cv::Size size;
};

constexpr const char* kCannotOpen = "the video cannot be opened: the file is damaged, or of a format that is not known";

/// OpenCV's own AVI reader tells stderr about damage, whatever its log level is.
bool open_quietly(cv::VideoCapture& capture, const char* path) {
  const int errors = ::dup(STDERR_FILENO), nowhere = ::open("/dev/null", O_WRONLY);
  if (errors >= 0 && nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  const bool opened = capture.open(path, cv::CAP_OPENCV_MJPEG);
  if (errors >= 0) ::dup2(errors, STDERR_FILENO);
  for (const int descriptor : {errors, nowhere}) {
    if (descriptor >= 0) ::close(descriptor);
  }
  return opened;
}

const char* open_video(const char* path, std::int32_t camera, MediaVideo* video) {
  try {
    auto reader = std::make_unique<Reader>();
    cv::VideoCapture& capture = reader->capture;
    // Motion JPEG first by the decoder that pictures go through: FFmpeg's own differs in the colours by up to 31 levels.
    if (!path) {
      if (!capture.open(camera)) return "the camera cannot be opened";
    } else if (!open_quietly(capture, path) && !capture.open(path)) {
      return kCannotOpen;
    }
    video->width = static_cast<std::int32_t>(capture.get(cv::CAP_PROP_FRAME_WIDTH));
    video->height = static_cast<std::int32_t>(capture.get(cv::CAP_PROP_FRAME_HEIGHT));
    video->fps = capture.get(cv::CAP_PROP_FPS);
    const double frames = path ? capture.get(cv::CAP_PROP_FRAME_COUNT) : -1;
    video->frames = frames > 0 && frames < 1e12 ? static_cast<std::int64_t>(frames) : -1;
    video->handle = reader.release();
    return nullptr;
  } catch (...) {
    return kCannotOpen;
  }
}

const char* read_frame(void* handle, MediaSink pixels, std::int32_t* width, std::int32_t* height, double* ms,
                       std::int32_t* end) {
  try {
    auto& [capture, last_ms] = *static_cast<Reader*>(handle);
    cv::Mat frame;
    *end = !capture.read(frame) || frame.empty();
    if (*end) return nullptr;
    if (frame.type() != CV_8UC3) return "the video's frames are not 8-bit colour";
    // This decoder counts the next frame's time; FFmpeg tells the time of the one it gave.
    const double fps = capture.get(cv::CAP_PROP_FPS), frame_ms = fps > 0 ? 1e3 / fps : 0;
    *ms = capture.get(cv::CAP_PROP_POS_MSEC) - (capture.getBackendName() == "CV_MJPEG" ? frame_ms : 0);
    // FFmpeg has no times for the frames that it held back until the end: they follow at the video's rate.
    if (*ms <= last_ms) *ms = last_ms + frame_ms;
    last_ms = *ms;
    std::uint8_t* out = pixels.allocate(pixels.context, frame.total() * 3);
    if (out == nullptr) return "there is not enough memory for a frame";
    frame.copyTo(cv::Mat(frame.rows, frame.cols, CV_8UC3, out));
    *width = frame.cols;
    *height = frame.rows;
    return nullptr;
  } catch (...) {
    return "a frame cannot be decoded";
  }
}

void close_video(void* handle) { delete static_cast<Reader*>(handle); }

const char* create_video(const char* path, std::int32_t width, std::int32_t height, double fps, void** writer) {
  try {
    const std::string name = path;
    const bool mp4 = name.size() > 4 && name.compare(name.size() - 4, 4, ".mp4") == 0;
    auto made = std::make_unique<Writer>();
    made->size = {width, height};
    const int codec = mp4 ? cv::VideoWriter::fourcc('m', 'p', '4', 'v') : cv::VideoWriter::fourcc('M', 'J', 'P', 'G');
    const bool good = mp4 ? made->video.open(name, codec, fps, made->size)
                          : made->video.open(name, cv::CAP_OPENCV_MJPEG, codec, fps, made->size);
    if (!good) return "the video cannot be created";
    *writer = made.release();
    return nullptr;
  } catch (...) {
    return "the video cannot be created";
  }
}

const char* write_frame(void* handle, const std::uint8_t* bgr) {
  try {
    Writer& writer = *static_cast<Writer*>(handle);
    writer.video.write(cv::Mat(writer.size, CV_8UC3, const_cast<std::uint8_t*>(bgr)));
    return nullptr;
  } catch (...) {
    return "a frame cannot be written";
  }
}

const char* close_writer(void* handle) {
  try {
    delete static_cast<Writer*>(handle);
    return nullptr;
  } catch (...) {
    return "the video cannot be finished";
  }
}

}  // namespace

MediaFunctions with_video(MediaFunctions functions) {
  functions.open_video = open_video;
  functions.read_frame = read_frame;
  functions.close_video = close_video;
  functions.create_video = create_video;
  functions.write_frame = write_frame;
  functions.close_writer = close_writer;
  return functions;
}

}  // namespace anemone::formats
