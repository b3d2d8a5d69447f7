#pragma once
// How the program was built.
#include <string_view>

namespace anemone::cli {

#ifdef NDEBUG
inline constexpr std::string_view kBuild = "release";
#else
inline constexpr std::string_view kBuild = "checked";
#endif
#if defined(__clang__)
inline constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
inline constexpr std::string_view kCompiler = "g++ " __VERSION__;
#endif
#if defined(__aarch64__)
inline constexpr std::string_view kArchitecture = "aarch64";
#elif defined(__x86_64__)
inline constexpr std::string_view kArchitecture = "x86_64";
#else
inline constexpr std::string_view kArchitecture = "unknown";
#endif

}  // namespace anemone::cli
