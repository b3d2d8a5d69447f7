// Recognises foreign files by their first bytes.
#include "anemone/formats/torch/foreign_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/wire/utf8.h"

namespace anemone {

Diagnostic explain_foreign_file(std::span<const std::byte> file, const std::string& name) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 512));
  if (head.empty()) {
    return bad_input("E0502", "the file is empty", name, "download or copy it again");
  }
  if (head.starts_with("version https://git-lfs")) {
    return bad_input("E0503", "this is a Git LFS pointer, not the file it stands for", name,
                     "run 'git lfs pull' in the repository, or download the file from its web page");
  }
  if (head.size() >= 262 && head.substr(257, 5) == "ustar") {
    return bad_input("E0505", "this is a tar archive (a checkpoint of PyTorch before 0.1.11, or a packed one)", name,
                     "unpack it; or load it with PyTorch and save it again with torch.save");
  }
  const std::string_view text = head.substr(std::min(head.size(), head.find_first_not_of(" \t\r\n")));
  if (text.starts_with("<!DOCTYPE") || text.starts_with("<!doctype") || text.starts_with("<html") ||
      text.starts_with("<HTML")) {
    return bad_input(
        "E0506", "this is a web page, not a checkpoint", name,
        "the download was answered with a page, for instance a login or a confirmation; fetch the file with "
        "a browser");
  }
  if (head.size() > 9 && head[8] == '{' && (head[9] == '"' || head[9] == ' ' || head[9] == '}')) {
    return bad_input("E0508", "this is a safetensors file, not a checkpoint of torch.save", name,
                     "convert it in Python: torch.save(safetensors.torch.load_file(IN), OUT)");
  }
  if (head.starts_with("\x89HDF")) {
    return bad_input("E0508", "this is an HDF5 file (Keras weights?), not a checkpoint of torch.save", name);
  }
  if (head.starts_with("\x93NUMPY")) {
    return bad_input("E0508", "this is a NumPy array, not a checkpoint of torch.save", name);
  }
  if (head.starts_with("\x1f\x8b"))
    return bad_input("E0508", "this is a gzip file", name, "unpack it with gunzip first");
  // A cut at 512 bytes may split a character; control characters are what texts do not have.
  const bool is_text = std::none_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
  if (is_text) {
    return bad_input("E0506", fmt::format("this is a text file ('{}'), not a checkpoint", printable(head, 30)), name);
  }
  std::string first;
  for (const std::byte b : file.first(std::min<std::size_t>(file.size(), 8))) {
    first += fmt::format("{}{:02x}", first.empty() ? "" : " ", static_cast<unsigned>(b));
  }
  return bad_input("E0501", fmt::format("this is not a PyTorch checkpoint: it begins with the bytes {}", first), name,
                   "checkpoints are what torch.save writes: a zip, or a pickle in versions before 1.6");
}

}  // namespace anemone
