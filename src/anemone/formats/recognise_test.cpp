// Files are called what they are, by content alone.
#include "anemone/formats/recognise.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;

FileIdentity identify_text(const std::string& bytes) { return identify(std::as_bytes(std::span(bytes))); }

TEST(Recognise, WhatIsRead) {
  const auto kind = [](const std::string& bytes) { return identify_text(bytes).kind; };
  EXPECT_EQ(kind("PK\x03\x04..."), FileKind::torch_zip);
  EXPECT_EQ(kind("\x80\x02\x8a\x0a"), FileKind::torch_pickle);
  EXPECT_EQ(kind("\x80\x04\x95"), FileKind::torch_pickle);
  EXPECT_EQ(kind(std::string("\x08\x07\x12\0", 4)), FileKind::coreml_model);
  EXPECT_EQ(kind(std::string("\x08\x08\x3a\x05", 4)), FileKind::onnx) << "even when it is cut off";
  EXPECT_EQ(kind(std::string("\x08\x08\x12\x03pyt\x42\x02\x10\x11\x3a\0", 13)), FileKind::onnx);
  for (const char* text : {"program(1.3)", "\n  func main", "// a comment", "{\n  func main"}) {
    EXPECT_EQ(kind(text), FileKind::mil_text) << text;
  }
}

TEST(Recognise, WhatIsNot) {
  const std::pair<std::string, std::string> kFiles[] = {
      {"", "E0502: this is an empty file"},
      {"PK\x05\x06", "E0508: this is an empty zip archive"},
      {"version https://git-lfs.github.com/spec/v1\noid", "E0503: this is a Git LFS pointer"},
      {"\xef\xbb\xbf<!DoCtYpE html>", "E0506: this is a web page"},
      {"<html>", "E0506: this is a web page"},
      {"<?xml version=\"1.0\"?><Error>", "E0506: this is an XML file"},
      {"{\"detail\": \"not found\"}", "E0506: this is a JSON file"},
      {"[1, 2]", "E0506: this is a JSON file"},
      {"hello", "E0506: this is a text file ('hello')"},
      {"\x1b[31mred", "E0506: this is a text file ('\\x1b[31mred')"},
      {"\x1f\x8b\x08", "E0508: this is a gzip file"},
      {"\x28\xb5\x2f\xfd", "E0508: this is a zstd file"},
      {"GGUF\x03", "E0508: this is a GGUF file"},
      {std::string("\x1c\0\0\0TFL3", 8), "E0508: this is a TensorFlow Lite model"},
      {"\x89PNG\r\n", "E0508: this is a PNG image"},
      {std::string("\x06\x07\x12\0\x01", 5), "E0501: this is a file of no known kind: it begins with the bytes 06 07"},
      {"\x80\x01", "E0501"},
  };
  for (const auto& [bytes, wanted] : kFiles) {
    const FileIdentity identity = identify_text(bytes);
    EXPECT_EQ(identity.kind, FileKind::foreign) << wanted;
    const Diagnostic d = refuse(identity, "f", "not a checkpoint");
    const std::string shown = fmt::format("{}: {}", text_of(d.code), d.message);
    EXPECT_TRUE(shown.starts_with(wanted)) << shown;
  }
  EXPECT_EQ(refuse(identify_text("\x80\x02"), "f", "not a model file").message,
            "this is a Python pickle, not a model file");
}

TEST(Recognise, Folders) {
  const fs::path folder = fs::temp_directory_path() / "anemone_recognise_test";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto with = [&](const char* file) {
    const fs::path inside = folder / fs::path(file).filename().replace_extension() / file;
    fs::create_directories(inside.parent_path());
    std::ofstream(inside) << "x";
    return identify(folder / fs::path(file).filename().replace_extension())->kind;
  };
  EXPECT_EQ(with("Manifest.json"), FileKind::coreml_package);
  EXPECT_EQ(with("model.mil"), FileKind::coreml_compiled);
  EXPECT_EQ(with("coremldata.bin"), FileKind::foreign);
  EXPECT_EQ(with("data.pkl"), FileKind::torch_folder);
  EXPECT_EQ(identify(folder / "data")->kind, FileKind::torch_folder);
  fs::create_directories(folder / "outer");
  fs::rename(folder / "data", folder / "outer" / "archive");
  EXPECT_EQ(identify(folder / "outer")->kind, FileKind::torch_folder);
  EXPECT_EQ(identify(folder)->code, "E0803");
  EXPECT_EQ(identify(folder / "absent").error().front().blame, Blame::input);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace anemone::formats
