# embed(TARGET SYMBOL FILE): the bytes of FILE as std::span<const unsigned char> SYMBOL() in anemone::toolchain.
function(embed target symbol file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded/${symbol}.cpp @ONLY CONTENT [[
// Made by cmake/embed.cmake.
#include <span>
namespace anemone::toolchain {
std::span<const unsigned char> @symbol@();
std::span<const unsigned char> @symbol@() {
  static constexpr unsigned char kBytes[] = {
@bytes@};
  return kBytes;
}
}  // namespace anemone::toolchain
]])
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/embedded/${symbol}.cpp)
endfunction()
