// Opens zip and legacy checkpoints: which entries or pickles there are, in which order, and where the storages lie.
#include "anemone/formats/torch/checkpoint_container.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/formats/recognise.h"
#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/wire/strided.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace fs = std::filesystem;
using pickle::Kind;
using pickle::Machine;
using pickle::Value;

namespace {

constexpr const char* kDownloadAgain = "download or copy the file again";
constexpr const char* kBigEndianHelp =
    "load and save it again with PyTorch on a little-endian machine (any PC, Mac or phone of today)";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

/// Views with strides of 0 can be larger than their storage. Bounds what all tensors take when they are copied out.
Result<void> check_unfolded_size(const OpenedCheckpoint& c, std::size_t file_size) {
  constexpr std::int64_t kAlwaysFine = std::int64_t{1} << 28, kTimesTheFile = 16;
  const std::int64_t limit = std::max(kAlwaysFine, static_cast<std::int64_t>(file_size) * kTimesTheFile);
  std::int64_t total = 0;
  for (const FoundTensor& found : c.tensors) {
    const TensorRecord& t = c.objects.tensors()[found.tensor];
    total += checked_count(t.shape) * static_cast<std::int64_t>(byte_size(t.dtype));
    if (total > limit) {
      return bad_input(ErrorCode::tensors_too_large,
                       fmt::format("the tensors would take more than {} bytes, and the file has {}", limit, file_size),
                       fmt::format("{}: at '{}'", c.name, printable(found.path)),
                       "save expanded tensors with .contiguous(), or without them");
    }
  }
  return {};
}

Result<void> finish(OpenedCheckpoint& c, const Machine& machine, Value object, std::size_t file_size) {
  TRY(c.tensors, find_tensors(machine.heap(), object, c.name));
  c.globals.assign(machine.globals().begin(), machine.globals().end());
  return check_unfolded_size(c, file_size);
}

// --- zip

Diagnostic explain_foreign_zip(const ZipArchive& zip) {
  const auto any = [&](auto&& matches) {
    return std::any_of(zip.entries().begin(), zip.entries().end(), [&](const ZipEntry& e) { return matches(e.name); });
  };
  if (any([](std::string_view n) {
        return n.ends_with("/archive_format") || n == "serialized_exported_program.json";
      })) {
    return bad_input(ErrorCode::foreign_format, "this is an exported program of torch.export, not a checkpoint",
                     zip.name());
  }
  if (any([](std::string_view n) { return n.ends_with(".npy"); })) {
    return bad_input(ErrorCode::foreign_format, "this is a NumPy archive (.npz), not a checkpoint", zip.name(),
                     "save the arrays as tensors with torch.save");
  }
  if (any([](std::string_view n) { return n.ends_with("Manifest.json") || n.ends_with(".mlmodel"); })) {
    return bad_input(ErrorCode::foreign_format, "this is a zipped Core ML package", zip.name(),
                     "unpack it and name the .mlpackage folder");
  }
  for (const ZipEntry& entry : zip.entries()) {
    const fs::path inner = entry.name;
    const std::string end = inner.extension().string();
    constexpr std::string_view kPacked[] = {".pth", ".pt", ".pkl",  ".ckpt",       ".tar",
                                            ".zip", ".gz", ".onnx", ".safetensors"};
    if (std::find(std::begin(kPacked), std::end(kPacked), end) == std::end(kPacked) || entry.name.ends_with("data.pkl"))
      continue;
    return bad_input(
        ErrorCode::foreign_format,
        fmt::format("this is a zip of {} files, among them '{}'", zip.entries().size(), printable(entry.name)),
        zip.name(), "unpack it and name the file in it that holds the model");
  }
  return bad_input(ErrorCode::foreign_zip,
                   fmt::format("a zip of {} entries without 'data.pkl' in one folder: torch.save did not write it",
                               zip.entries().size()),
                   zip.name(), "what torch.save writes is one zip, which holds data.pkl and data/");
}

/// The folder, with its slash, that holds data.pkl.
Result<std::string> find_root(const ZipArchive& zip) {
  std::string root;
  bool found = false;
  for (const ZipEntry& entry : zip.entries()) {
    const std::string_view name = entry.name;
    if (name.ends_with("/constants.pkl")) {
      return bad_input(ErrorCode::torchscript,
                       "this is a TorchScript archive (it holds code, 'constants.pkl'), not a checkpoint", zip.name(),
                       "save the weights in Python: torch.save(model.state_dict(), FILE)");
    }
    constexpr std::string_view kTail = "/data.pkl";
    if (!name.ends_with(kTail) || name.find('/') != name.size() - kTail.size()) continue;
    if (found) {
      return bad_input(ErrorCode::foreign_zip,
                       fmt::format("there are two objects, in '{}' and '{}'", printable(root), printable(name)),
                       zip.name(), "torch.save writes one; do not trust this file");
    }
    root = name.substr(0, name.size() - kTail.size() + 1);
    found = true;
  }
  if (!found) return explain_foreign_zip(zip);
  return root;
}

/// A record of a few characters; what is longer is none, and is not unpacked.
Result<Bytes> read_record(const ZipArchive& zip, const ZipEntry& entry) {
  constexpr std::uint64_t kLongest = 64;
  if (entry.size <= kLongest) return zip.read(entry);
  return bad_input(ErrorCode::checkpoint_version, fmt::format("a record of {} bytes, which takes a few", entry.size),
                   fmt::format("{}: entry '{}'", zip.name(), printable(entry.name)), kDownloadAgain);
}

Result<void> check_records(const ZipArchive& zip, const std::string& root) {
  if (const ZipEntry* order = zip.find(root + "byteorder")) {
    TRY(const Bytes bytes, read_record(zip, *order));
    const std::string_view text = trimmed(as_text(bytes.view));
    if (text != "little") {
      return bad_input(ErrorCode::big_endian,
                       fmt::format("the numbers are stored in byte order '{}'", printable(text, 20)),
                       fmt::format("{}: entry '{}'", zip.name(), printable(order->name)), kBigEndianHelp);
    }
  }
  const ZipEntry* version = zip.find(root + "version");
  if (!version) version = zip.find(root + ".data/version");
  if (!version) return {};
  constexpr std::array<std::string_view, 10> kKnown{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
  TRY(const Bytes bytes, read_record(zip, *version));
  const std::string_view text = trimmed(as_text(bytes.view));
  if (std::find(kKnown.begin(), kKnown.end(), text) == kKnown.end()) {
    return bad_input(ErrorCode::checkpoint_version,
                     fmt::format("container version '{}' is not one of 1 to 10", printable(text, 20)),
                     fmt::format("{}: entry '{}'", zip.name(), printable(version->name)),
                     "save it with a released version of PyTorch");
  }
  return {};
}

/// Every storage that the pickle names has an entry of at least its size, used by a tensor or not.
Result<void> check_storage_entries(const OpenedCheckpoint& c) {
  for (const StorageRecord& storage : c.objects.storages()) {
    const std::string entry_name = c.root + "data/" + storage.key;
    const ZipEntry* entry = c.zip->find(entry_name);
    const auto place = [&] { return fmt::format("{}: entry '{}'", c.name, printable(entry_name)); };
    if (!entry) {
      return bad_input(ErrorCode::storage_missing,
                       fmt::format("storage '{}' is used but not in the file", printable(storage.key)), place(),
                       kDownloadAgain);
    }
    const StorageRecord& root = c.objects.storages()[storage.root];
    if (entry->size >= static_cast<std::uint64_t>(root.size())) continue;
    return bad_input(ErrorCode::storage_size,
                     fmt::format("the storage has {} bytes, but {} x {} take {}", entry->size, root.count,
                                 formats::name(root.dtype), root.size()),
                     place(), kDownloadAgain);
  }
  return {};
}

/// A pickle of a state dict takes some 200 bytes a tensor.
constexpr std::uint64_t kLargestPickle = 128 << 20;

Result<OpenedCheckpoint> open_archive(ZipArchive zip, std::uint64_t size) {
  OpenedCheckpoint c{zip.name(), "zip"};
  const std::string& name = c.name;
  c.zip = std::move(zip);
  TRY(c.root, find_root(*c.zip));
  TRY_VOID(check_records(*c.zip, c.root));
  const std::string part = c.root + "data.pkl";
  const ZipEntry& pickle = *c.zip->find(part);
  if (pickle.size > kLargestPickle) {
    return bad_input(ErrorCode::pickle_limits,
                     fmt::format("the pickle has {} bytes; {} are read", pickle.size, kLargestPickle),
                     fmt::format("{}: entry '{}'", name, printable(part)), "do not trust this file");
  }
  TRY(const Bytes stream, c.zip->read(pickle));
  Machine machine(stream.view, name, printable(part));
  std::size_t position = 0;
  TRY(const Value object, machine.load(position, c.objects));
  TRY_VOID(check_storage_entries(c));
  TRY_VOID(finish(c, machine, object, size));
  return c;
}

// --- legacy: five pickles, then the storages in the order of the fifth

constexpr std::array<std::uint8_t, 10> kMagic{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

class LegacyReader {
 public:
  LegacyReader(const Bytes& file, const std::string& name)
      : file_(file), checkpoint_{name, "legacy"}, machine_(file.view, name, "") {}

  Result<OpenedCheckpoint> run() {
    TRY_VOID(read_header());
    TRY(const Value object, machine_.load(position_, checkpoint_.objects));
    TRY_VOID(finish(checkpoint_, machine_, object, file_.size()));
    TRY_VOID(read_storages());
    return std::move(checkpoint_);
  }

 private:
  Diagnostic bad(ErrorCode code, std::string message, std::size_t at, const char* help = kDownloadAgain) const {
    return bad_input(code, std::move(message), machine_.place(at), help);
  }

  Result<void> read_header() {
    pickle::NoHooks none;
    auto magic = machine_.load(position_, none);
    if (!magic && magic.error().front().code == ErrorCode::pickle_ends) return magic.error();
    if (!magic || !is_magic(*magic)) {
      return bad(ErrorCode::foreign_pickle, "this is a pickle, but not one that torch.save wrote", 0,
                 "load it where it was made and save its weights: torch.save(model.state_dict(), FILE)");
    }
    std::size_t at = position_;
    TRY(const Value version, machine_.load(position_, none));
    if (!version.is(Kind::integer) || version.number != 1001) {
      return bad(ErrorCode::checkpoint_version,
                 fmt::format("the protocol version is {}, not 1001", describe(machine_.heap(), version)), at);
    }
    at = position_;
    TRY(const Value system, machine_.load(position_, none));
    const Value* little = nullptr;
    if (system.is(Kind::dict)) {
      for (const auto& [key, value] : machine_.heap().pairs(system)) {
        if (key.is(Kind::text) && machine_.heap().text(key) == "little_endian") little = &value;
      }
    }
    if (!little || !little->is(Kind::boolean)) {
      return bad(ErrorCode::legacy_header, "the description of the system that saved the file is missing", at);
    }
    if (little->number == 0) return bad(ErrorCode::big_endian, "the numbers are stored big-endian", at, kBigEndianHelp);
    return {};
  }

  bool is_magic(Value v) const {
    return v.is(Kind::big_integer) &&
           machine_.heap().text(v) == std::string_view(reinterpret_cast<const char*>(kMagic.data()), kMagic.size());
  }

  Result<void> read_storages() {
    pickle::NoHooks none;
    const std::size_t at = position_;
    TRY(const Value keys, machine_.load(position_, none));
    if (!keys.is(Kind::list)) {
      return bad(ErrorCode::legacy_header, fmt::format("the list of storages is {}", describe(machine_.heap(), keys)),
                 at);
    }
    for (const Value key : machine_.heap().items(keys)) {
      if (!key.is(Kind::text) && !key.is(Kind::integer)) {
        return bad(ErrorCode::legacy_header,
                   fmt::format("the list of storages contains {}", describe(machine_.heap(), key)), at);
      }
      const std::string text = key.is(Kind::text) ? std::string(machine_.heap().text(key)) : std::to_string(key.number);
      TRY_VOID(read_storage(text, at));
    }
    for (const StorageRecord& storage : checkpoint_.objects.storages()) {
      if (checkpoint_.objects.storages()[storage.root].loaded) continue;
      return bad(ErrorCode::storage_missing,
                 fmt::format("storage '{}' is used but not in the file", printable(storage.key)), at);
    }
    return {};
  }

  /// The number of elements in 8 bytes, and the elements.
  Result<void> read_storage(const std::string& key, std::size_t list_at) {
    StorageRecord* storage = checkpoint_.objects.find(key);
    if (!storage || storage->loaded) {
      return bad(ErrorCode::legacy_header,
                 fmt::format("storage '{}' is listed {}", printable(key), storage ? "twice" : "but not described"),
                 list_at);
    }
    const std::size_t left = file_.size() - position_;
    if (left < 8) {
      return bad(ErrorCode::storage_ends,
                 fmt::format("the file ends {} bytes before storage '{}'", 8 - left, printable(key)), position_);
    }
    std::uint64_t count = 0;
    for (std::size_t i = 8; i-- > 0;) count = count << 8 | static_cast<std::uint64_t>(file_.view[position_ + i]);
    if (count != static_cast<std::uint64_t>(storage->count)) {
      return bad(
          ErrorCode::storage_ends,
          fmt::format("storage '{}' has {} elements, but the pickle says {}", printable(key), count, storage->count),
          position_);
    }
    const auto size = static_cast<std::uint64_t>(storage->size());
    if (size > left - 8) {
      return bad(ErrorCode::storage_ends,
                 fmt::format("the file ends inside storage '{}': it has {} bytes and {} are left", printable(key), size,
                             left - 8),
                 position_);
    }
    storage->loaded = true;
    storage->bytes = file_.part(position_ + 8, static_cast<std::size_t>(size));
    position_ += 8 + static_cast<std::size_t>(size);
    return {};
  }

  const Bytes& file_;
  OpenedCheckpoint checkpoint_;
  Machine machine_;
  std::size_t position_ = 0;
};

}  // namespace

Result<OpenedCheckpoint> open_checkpoint(const Bytes& file, const std::string& name) {
  const FileIdentity identity = identify(file.view);
  if (identity.kind == FileKind::torch_zip) {
    TRY(ZipArchive zip, ZipArchive::open(file, name));
    return open_archive(std::move(zip), file.size());
  }
  if (identity.kind == FileKind::torch_pickle) return LegacyReader(file, name).run();
  return refuse(identity, name, "not a checkpoint of torch.save");
}

Result<OpenedCheckpoint> open_checkpoint_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path inner = folder;
  if (!std::filesystem::exists(inner / "data.pkl", error)) {  // unpackers differ in whether they add a folder
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) inner = entry.path();
  }
  TRY(ZipArchive files, ZipArchive::open_folder(inner));
  std::uint64_t size = 0;
  for (const ZipEntry& entry : files.entries()) size += entry.size;
  return open_archive(std::move(files), size);
}

Result<Bytes> load_storage(OpenedCheckpoint& c, std::size_t index) {
  const StorageRecord record = c.objects.storages()[index];
  StorageRecord& root = c.objects.storages()[record.root];
  if (!root.loaded) {
    TRY(root.bytes, c.zip->read(*c.zip->find(c.root + "data/" + root.key)));
    root.loaded = true;
  }
  return root.bytes.part(static_cast<std::size_t>(record.base), static_cast<std::size_t>(record.size()));
}

}  // namespace anemone::formats
