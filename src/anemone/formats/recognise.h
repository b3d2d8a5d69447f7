#pragma once
// What a file or folder is, by its content: one list for every door of the program.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "anemone/support/result.h"

namespace anemone::formats {

enum class FileKind : std::uint8_t {
  torch_zip,  ///< or another zip: its entries tell, and the checkpoint reader reads them
  torch_pickle,
  torch_folder,  ///< a zip checkpoint that was unpacked
  onnx,
  coreml_package,
  coreml_compiled,  ///< with its MIL text
  coreml_model,
  mil_text,
  foreign,  ///< known or not, but nothing that is read here
};

struct FileIdentity {
  FileKind kind = FileKind::foreign;
  std::string what;  ///< with its article, for "this is …": "a web page", "an ONNX model"
  std::string help;  ///< what to do when this is not what is wanted
  ErrorCode code;    ///< of the refusal: E0501 to E0508, E0802, E0803; of kinds that are read, E0508
};

/// By the first 512 bytes; protobuf files by the numbers of their outermost fields.
FileIdentity identify(std::span<const std::byte> file);
/// Also of folders. Errors: the path cannot be read.
Result<FileIdentity> identify(const std::filesystem::path& path);

/// "this is a web page", with its help; of kinds that are read elsewhere also what was wanted: "not a checkpoint".
Diagnostic refuse(const FileIdentity& identity, const std::string& name, std::string_view wanted = {});

/// The Git LFS pointers that a clone without LFS leaves in place of large files.
bool is_lfs_pointer(std::span<const std::byte> file);

}  // namespace anemone::formats
