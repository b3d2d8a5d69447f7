// The list of what files are known to begin with.
#include "anemone/formats/recognise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "anemone/formats/wire/protobuf.h"
#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr const char* kUnpack = "unpack it first";
constexpr const char* kDownload = "fetch the file itself: with a browser, or from the page's download link";
constexpr const char* kModels =
    "a model is a checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file, an ONNX file or MIL text";

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  ErrorCode code;
  const char* what;
  const char* help;
};
constexpr Magic kForeign[] = {
    {0, "version https://git-lfs"sv, ErrorCode::lfs_pointer, "a Git LFS pointer, not the file it stands for",
     "run 'git lfs pull' in the repository, or download the file from its web page"},
    {257, "ustar"sv, ErrorCode::tar_archive, "a tar archive (a checkpoint of PyTorch before 0.1.11, or a packed one)",
     "unpack it; or load it with PyTorch and save it again with torch.save"},
    {0, "\x1f\x8b"sv, ErrorCode::foreign_format, "a gzip file", "unpack it with gunzip first"},
    {0,
     "\xfd"
     "7zXZ"sv,
     ErrorCode::foreign_format, "an xz file", kUnpack},
    {0, "BZh"sv, ErrorCode::foreign_format, "a bzip2 file", kUnpack},
    {0, "\x28\xb5\x2f\xfd"sv, ErrorCode::foreign_format, "a zstd file", kUnpack},
    {0, "7z\xbc\xaf\x27\x1c"sv, ErrorCode::foreign_format, "a 7z archive", kUnpack},
    {0, "Rar!"sv, ErrorCode::foreign_format, "a rar archive", kUnpack},
    {0, "PK\x05\x06"sv, ErrorCode::foreign_format, "an empty zip archive", ""},
    {0, "\x89HDF"sv, ErrorCode::foreign_format, "an HDF5 file (Keras weights?)", ""},
    {0, "\x93NUMPY"sv, ErrorCode::foreign_format, "a NumPy array", ""},
    {0, "GGUF"sv, ErrorCode::foreign_format, "a GGUF file (llama.cpp)", ""},
    {4, "TFL3"sv, ErrorCode::foreign_format, "a TensorFlow Lite model", ""},
    {4, "PTMF"sv, ErrorCode::foreign_format, "a mobile TorchScript module",
     "give the checkpoint that it was made from"},
    {0, "\x89PNG"sv, ErrorCode::foreign_format, "a PNG image", ""},
    {0, "\xff\xd8\xff"sv, ErrorCode::foreign_format, "a JPEG image", ""},
    {0, "%PDF"sv, ErrorCode::foreign_format, "a PDF document", ""},
    {0,
     "\x7f"
     "ELF"sv,
     ErrorCode::foreign_format, "a program or library", ""},
};

/// The fields of a protobuf message at its outermost level, as far as it can be read.
template <class Wanted>
bool any_field(std::span<const std::byte> file, Wanted&& wanted) {
  protobuf::Document document;
  document.file = {nullptr, file};
  bool found = false;
  // A file that is cut off is still of its kind: what was found before the error counts.
  (void)protobuf::parse(std::move(document), {}, [&](protobuf::Message& message) {
    while (!found && message.next()) {
      found = wanted(message.field());
      if (!found) message.skip();
    }
    return true;
  });
  return found;
}

/// Fields of ONNX's ModelProto that no Core ML model has at its outermost level.
bool looks_like_onnx(std::span<const std::byte> file) {
  constexpr std::uint32_t kGraph = 7, kOpsetImport = 8;
  return any_field(file, [](std::uint32_t tag) {
    return tag == protobuf::bytes_field(kGraph) || tag == protobuf::bytes_field(kOpsetImport);
  });
}

bool begins(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

std::string_view without_leading_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n\f")));
  return text;
}

bool looks_like_json(std::string_view text) {
  if (text.empty() || (text[0] != '{' && text[0] != '[')) return false;
  const std::string_view rest = without_leading_space(text.substr(1));
  return rest.empty() || rest[0] == '"' || rest[0] == '}' || rest[0] == ']' ||
         (text[0] == '[' && (rest[0] == '{' || rest[0] == '[' || std::isdigit(static_cast<unsigned char>(rest[0]))));
}

/// Nothing that only binary files have. A cut at 512 bytes may split a character.
bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b';
  });
}

FileIdentity identify_text(std::string_view head) {
  const std::string_view text = without_leading_space(head);
  for (const std::string_view start : {"<!doctype"sv, "<html"sv, "<head"sv, "<body"sv, "<script"sv}) {
    if (!begins(text, start)) continue;
    return {FileKind::foreign, "a web page",
            "the download was answered with a page, for instance a login or a confirmation; fetch the file with a "
            "browser",
            ErrorCode::text_or_page};
  }
  if (text.starts_with("<?xml") || text.starts_with("<Error"))
    return {FileKind::foreign, "an XML file (the error of a download?)", kDownload, ErrorCode::text_or_page};
  if (looks_like_json(text)) {
    return {FileKind::foreign, fmt::format("a JSON file ('{}')", printable(text, 30)),
            "JSON holds no weights: a server's answer, or a configuration that lies beside the model",
            ErrorCode::text_or_page};
  }
  for (const std::string_view start : {"program"sv, "func"sv, "//"sv, "{"sv}) {
    if (text.starts_with(start)) return {FileKind::mil_text, "MIL text", {}, ErrorCode::foreign_format};
  }
  return {FileKind::foreign, fmt::format("a text file ('{}')", printable(head, 30)), kModels, ErrorCode::text_or_page};
}

/// The folder itself, or its only folder: unpackers differ.
bool is_unpacked_checkpoint(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / "data.pkl", error)) return true;
  std::size_t count = 0;
  bool inside = false;
  for (fs::directory_iterator it(path, error), end; !error && it != end && count < 3; it.increment(error)) {
    ++count;
    inside |= it->is_directory(error) && fs::exists(it->path() / "data.pkl", error);
  }
  return inside && count == 1;
}

FileIdentity identify_folder(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / "Manifest.json", error))
    return {FileKind::coreml_package, "a Core ML package", {}, ErrorCode::foreign_format};
  if (fs::exists(path / "model.mil", error))
    return {FileKind::coreml_compiled, "a compiled Core ML model", {}, ErrorCode::foreign_format};
  if (fs::exists(path / "coremldata.bin", error)) {
    return {FileKind::foreign, "a compiled Core ML model without MIL text (model.mil), which cannot be read",
            "give the .mlpackage that it was compiled from", ErrorCode::compiled_without_text};
  }
  if (is_unpacked_checkpoint(path))
    return {FileKind::torch_folder, "an unpacked checkpoint", {}, ErrorCode::foreign_format};
  return {FileKind::foreign, "a folder that is neither a .mlpackage (no Manifest.json) nor a .mlmodelc",
          "name the file in it that holds the model", ErrorCode::foreign_folder};
}

}  // namespace

FileIdentity identify(std::span<const std::byte> file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 512));
  if (head.empty()) return {FileKind::foreign, "an empty file", "download or copy it again", ErrorCode::empty_file};
  if (head.starts_with("PK\x03\x04")) return {FileKind::torch_zip, "a zip archive", {}, ErrorCode::foreign_format};
  // PROTO, the first opcode of every pickle since 2003.
  if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return {FileKind::torch_pickle, "a Python pickle", {}, ErrorCode::foreign_format};
  for (const Magic& magic : kForeign) {
    if (head.size() >= magic.offset + magic.bytes.size() &&
        head.substr(magic.offset, magic.bytes.size()) == magic.bytes)
      return {FileKind::foreign, magic.what, magic.help, magic.code};
  }
  if (head.size() > 9 && head[8] == '{' && (head[9] == '"' || head[9] == ' ' || head[9] == '}')) {
    return {FileKind::foreign, "a safetensors file",
            "convert it in Python: torch.save(safetensors.torch.load_file(IN), OUT)", ErrorCode::foreign_format};
  }
  if (is_text(head)) return identify_text(head);
  if (looks_like_onnx(file)) return {FileKind::onnx, "an ONNX model", {}, ErrorCode::foreign_format};
  if (head[0] == '\x08')
    return {FileKind::coreml_model, "a Core ML model file", {}, ErrorCode::foreign_format};  // specificationVersion
  std::string first;
  for (const char c : head.substr(0, 8)) {
    first += fmt::format("{}{:02x}", first.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return {FileKind::foreign, fmt::format("a file of no known kind: it begins with the bytes {}", first), kModels,
          ErrorCode::not_a_checkpoint};
}

Result<FileIdentity> identify(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return identify_folder(path);
  TRY(const Bytes file, map_file(path));
  return identify(file.view);
}

Diagnostic refuse(const FileIdentity& identity, const std::string& name, std::string_view wanted) {
  const bool say = identity.kind != FileKind::foreign && !wanted.empty();
  return bad_input(identity.code, fmt::format("this is {}{}{}", identity.what, say ? ", " : "", say ? wanted : ""),
                   name, identity.help);
}

bool is_lfs_pointer(std::span<const std::byte> file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 64));
  return head.starts_with(kForeign[0].bytes);
}

}  // namespace anemone::formats
