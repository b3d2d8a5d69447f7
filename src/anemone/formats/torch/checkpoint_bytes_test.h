#pragma once
// Assembles pickles and checkpoints by hand, so that tests can be wrong on purpose.
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/wire/zip_bytes_test.h"

namespace anemone::test {

/// Opcodes of a pickle, in order.
class Pickle {
 public:
  Pickle() : bytes_("\x80\x02") {}
  Pickle& raw(std::string_view opcodes) { return bytes_ += opcodes, *this; }
  Pickle& text(std::string_view t) { return raw("X").raw(little(t.size(), 4)).raw(t); }
  Pickle& integer(std::int64_t v) { return raw("\x8a\x08").raw(little(static_cast<std::uint64_t>(v), 8)); }
  Pickle& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  Pickle& tuple(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const std::int64_t v : values) integer(v);
    return raw("t");
  }
  Pickle& storage(std::string_view type, std::string_view key, std::int64_t count) {
    const bool untyped = type == "UntypedStorage";
    raw("(").text("storage").global(untyped ? "torch.storage" : "torch", type).text(key).text("cpu");
    return integer(count).raw("tQ");
  }
  Pickle& tensor(std::string_view type, std::string_view key, std::int64_t count, std::int64_t offset,
                 const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& stride) {
    global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(type, key, count).integer(offset).tuple(shape);
    return tuple(stride).raw("\x89").global("collections", "OrderedDict").raw(")RtR");
  }
  std::string done() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

/// A zip checkpoint of this pickle and these storages.
inline std::string checkpoint_zip(const std::string& pickle,
                                  const std::vector<std::pair<std::string, std::string>>& storages,
                                  std::vector<Member> more = {}) {
  std::vector<Member> members{{"archive/data.pkl", pickle}};
  for (const auto& [key, data] : storages) members.push_back({std::string("archive/data/").append(key), data});
  members.insert(members.end(), more.begin(), more.end());
  return zip_bytes(members);
}

/// A legacy checkpoint: header pickles, the object, the storage keys, the storages {key, elements, bytes}.
struct LegacyStorage {
  std::string key;
  std::int64_t count;
  std::string data;
};
inline std::string checkpoint_legacy(const std::string& pickle, const std::vector<LegacyStorage>& storages,
                                     bool little_endian = true) {
  std::string out = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  out += std::string("\x80\x02M\xe9\x03.", 6);
  out += Pickle().raw("}").text("little_endian").raw(little_endian ? "\x88s" : "\x89s").done();
  out += pickle;
  Pickle keys;
  keys.raw("](");
  for (const LegacyStorage& s : storages) keys.text(s.key);
  out += keys.raw("e").done();
  for (const LegacyStorage& s : storages) out += little(static_cast<std::uint64_t>(s.count), 8) + s.data;
  return out;
}

}  // namespace anemone::test
