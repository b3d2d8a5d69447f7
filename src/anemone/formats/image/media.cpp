// Opens the media module, once.
#include "anemone/formats/image/media.h"

#include <dlfcn.h>
#include <fmt/format.h>
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

#include <filesystem>
#include <string>

namespace anemone::formats {

namespace fs = std::filesystem;

namespace {

fs::path program_folder() {
  std::error_code error;
#if defined(__APPLE__)
  std::string name(4096, '\0');
  auto size = static_cast<std::uint32_t>(name.size());
  if (::_NSGetExecutablePath(name.data(), &size) != 0) return {};
  return fs::canonical(fs::path(name.c_str()), error).parent_path();
#else
  return fs::read_symlink("/proc/self/exe", error).parent_path();
#endif
}

Result<const MediaFunctions*> load_module() {
  const fs::path folder = program_folder();
  const fs::path places[] = {folder / "anemone_media.so", folder / "../lib/anemone_media.so",
                             folder / "../lib/anemone/anemone_media.so"};
  std::string tried;
  for (const fs::path& place : places) {
    std::error_code error;
    if (!fs::exists(place, error)) {
      tried += fmt::format("{}{}", tried.empty() ? "" : ", ", place.lexically_normal().string());
      continue;
    }
    // Never closed: decoders keep state of their own until the process ends.
    void* const module = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      const char* reason = ::dlerror();
      return bad_environment(ErrorCode::no_media_module,
                             fmt::format("the media module cannot be loaded: {}", reason ? reason : "unknown reason"),
                             place.string(), "install the OpenCV libraries that the program was built with");
    }
    using Entry = const MediaFunctions* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(module, kMediaEntry));
    const MediaFunctions* functions = entry ? entry() : nullptr;
    if (functions == nullptr || functions->version != kMediaVersion) {
      return bad_environment(ErrorCode::no_media_module, "the media module belongs to another version of the program",
                             place.string(), "install both from the same build");
    }
    return functions;
  }
  return bad_environment(ErrorCode::no_media_module,
                         "the media module, which reads and writes images and videos, is not installed", {},
                         fmt::format("looked for {}; arrays (.npy) work without it", tried));
}

}  // namespace

const Result<const MediaFunctions*>& media() {
  static const Result<const MediaFunctions*> kLoaded = load_module();
  return kLoaded;
}

MediaSink sink(std::vector<std::uint8_t>& bytes) {
  return {&bytes, [](void* context, std::size_t size) -> std::uint8_t* {
            try {
              auto* target = static_cast<std::vector<std::uint8_t>*>(context);
              target->resize(size);
              return target->data();
            } catch (...) {
              return nullptr;
            }
          }};
}

}  // namespace anemone::formats
