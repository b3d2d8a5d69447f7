// Checkpoints that mean harm or are damaged: refused with a reason, never a crash, never much memory or time.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/torch/checkpoint_bytes_test.h"
#include "tests/support/data.h"

namespace anemone::formats {
namespace {

using test::bytes_of;
using test::checkpoint_legacy;
using test::checkpoint_zip;
using test::Pickle;

const std::string& sixteen() {
  static const std::string kBytes = "0123456789abcdef";
  return kBytes;
}

/// "CODE: message" of the error, or the number of tensors.
std::string outcome(const std::string& file) {
  const auto got = read_checkpoint(bytes_of(file), "f");
  if (got) return fmt::format("{} tensors", got->tensors.size());
  EXPECT_EQ(got.error().front().blame, Blame::input);
  EXPECT_TRUE(got.error().front().place.starts_with("f")) << got.error().front().place;
  return fmt::format("{}: {}", text_of(got.error().front().code), got.error().front().message);
}

std::string zipped(const Pickle& p) { return outcome(checkpoint_zip(p.done(), {{"0", sixteen()}})); }

Pickle weights() { return Pickle().raw("}").text("w").tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s"); }

Pickle one_tensor(std::int64_t offset, const std::vector<std::int64_t>& shape,
                  const std::vector<std::int64_t>& stride) {
  return Pickle().raw("}").text("w").tensor("FloatStorage", "0", 4, offset, shape, stride).raw("s");
}

TEST(HostileCheckpoint, TensorsStayInsideTheirStorage) {
  EXPECT_EQ(zipped(one_tensor(0, {4}, {1})), "1 tensors");
  EXPECT_EQ(zipped(one_tensor(4, {0}, {1})), "1 tensors");
  EXPECT_EQ(zipped(one_tensor(3, {5, 1}, {0, 9})), "1 tensors");
  EXPECT_EQ(zipped(one_tensor(5, {0}, {1})).substr(0, 5), "E0531");
  EXPECT_EQ(zipped(one_tensor(1, {4}, {1})),
            "E0531: a tensor [4] with strides [1] from element 1 on reaches element 4 of storage '0', which has 4");
  EXPECT_EQ(zipped(one_tensor(0, {2, 2}, {3, 1})).substr(0, 5), "E0531");
  EXPECT_EQ(
      zipped(one_tensor(0, {2, 3}, {INT64_MAX, INT64_MAX})),
      "E0531: a tensor [2, 3] with strides [9223372036854775807, 9223372036854775807] from element 0 on reaches far "
      "past the end of storage '0', which has 4");
  EXPECT_EQ(zipped(one_tensor(INT64_MAX, {2}, {INT64_MAX})).substr(0, 5), "E0531");
  EXPECT_EQ(zipped(one_tensor(0, {INT64_MAX}, {0})).substr(0, 5), "E0530");
  EXPECT_EQ(zipped(one_tensor(0, {1 << 24, 1 << 24, 0}, {0, 0, 0})).substr(0, 9), "1 tensors");
  EXPECT_EQ(zipped(one_tensor(0, {1 << 25, 1 << 25, 0}, {0, 0, 0})).substr(0, 5), "E0530");
  EXPECT_EQ(zipped(one_tensor(0, {2, -1}, {1, 1})), "E0530: the shape of a tensor contains the number -1");
  EXPECT_EQ(zipped(one_tensor(0, {2}, {-1})), "E0530: the stride of a tensor contains the number -1");
  EXPECT_EQ(zipped(one_tensor(0, {2, 2}, {1})), "E0530: a tensor has 2 extents and 1 strides");
  EXPECT_EQ(zipped(one_tensor(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1))),
            "E0530: a tensor has 65 dimensions");
}

TEST(HostileCheckpoint, ExpandedTensorsAreBoundedInAll) {
  EXPECT_EQ(zipped(one_tensor(0, {1 << 20}, {0})), "1 tensors");
  EXPECT_EQ(zipped(one_tensor(0, {1 << 30}, {0})).substr(0, 60),
            "E0537: the tensors would take more than 268435456 bytes, and");
  Pickle many;
  many.raw("}(").text("t").tensor("FloatStorage", "0", 4, 0, {1 << 26}, {0}).raw("q\x07");
  for (int i = 0; i < 4; ++i) many.integer(i).raw("h\x07");
  EXPECT_EQ(zipped(many.raw("u")).substr(0, 5), "E0537");
}

TEST(HostileCheckpoint, StoragesAreDescribedConsistently) {
  const auto pair = [](Pickle second) {
    return Pickle()
        .raw("}(")
        .text("a")
        .tensor("FloatStorage", "0", 4, 0, {1}, {1})
        .text("b")
        .raw(second.done().substr(2));
  };
  const auto put = [&](std::string_view type, std::int64_t count) {
    Pickle p;
    p.tensor(type, "0", count, 0, {1}, {1});
    std::string body = pair(p).done();
    body.erase(body.size() - 2);  // both STOPs
    return outcome(checkpoint_zip(body + "u.", {{"0", sixteen()}}));
  };
  EXPECT_EQ(put("FloatStorage", 4), "2 tensors");
  EXPECT_EQ(put("FloatStorage", 3), "E0533: storage '0' is described twice differently: 4 x float32 and 3 x float32");
  EXPECT_EQ(put("IntStorage", 4), "E0533: storage '0' is described twice differently: 4 x float32 and 4 x int32");
  EXPECT_EQ(put("FloatStorage", -1), "E0525: the size of storage '0' is the number -1");
  EXPECT_EQ(put("FloatStorage", INT64_MAX), "E0525: the size of storage '0' is the number 9223372036854775807");
  EXPECT_EQ(put("QInt8Storage", 4).substr(0, 43), "E0533: storage '0' is described twice diffe");
  EXPECT_EQ(put("Size", 4), "E0525: the class of a storage is the global 'torch.Size'");
}

TEST(HostileCheckpoint, CallsNeedTheArgumentsOfTheirFunction) {
  const auto call = [](std::string_view module, std::string_view name, std::string_view arguments) {
    return zipped(Pickle().raw("}K\x01").global(module, name).raw(arguments).raw("Rs"));
  };
  EXPECT_EQ(call("torch._utils", "_rebuild_tensor_v2", ")"),
            "E0526: 'torch._utils._rebuild_tensor_v2' is called with a tuple of 0");
  EXPECT_EQ(call("torch._utils", "_rebuild_tensor_v2", "(K\x01K\x02K\x03K\x04K\x05K\x06t"),
            "E0526: a tensor is made from the number 1, not from a storage");
  EXPECT_EQ(call("torch._utils", "_rebuild_parameter", "K\x01\x85"),
            "E0526: 'torch._utils._rebuild_parameter' is called with a tuple of 1");
  EXPECT_EQ(call("torch", "Size", "K\x01\x85"), "E0526: 'torch.Size' is called with a tuple of 1");
  EXPECT_EQ(call("torch", "float32", "K\x01\x85"), "E0526: 'torch.float32' is called with a tuple of 1");
  EXPECT_EQ(zipped(Pickle().raw("}K\x01").text("key").raw("Qs")), "E0525: a storage is named by the string 'key'");
  EXPECT_EQ(zipped(Pickle().raw("}K\x01").text("key").raw("\x85Qs")),
            "E0525: a persistent id begins with the string 'key'");
}

TEST(HostileCheckpoint, ObjectsThatContainThemselvesOrUnfoldWithoutEnd) {
  EXPECT_EQ(zipped(Pickle().raw("}q\x01").text("me").raw("h\x01s")), "E0541: a list or dict contains itself");
  Pickle deep;
  deep.raw("}").text("x");
  deep.raw(std::string(100'000, ']')).raw(std::string(99'999, 'a')).raw("s");
  EXPECT_EQ(zipped(deep), "E0541: the nesting is deeper than 100");
  // Ten references to a list of ten references to ...: harmless without tensors, endless with one.
  const auto bomb = [](bool with_tensor) {
    Pickle p;
    p.raw("}(")
        .text("w")
        .tensor("FloatStorage", "0", 4, 0, {4}, {1})
        .raw("q\x64")
        .text("bomb")
        .raw("]q")
        .raw(std::string(1, '\0'));
    p.raw(with_tensor ? "h\x64"
                        "a0"
                      : "0");
    for (char level = 1; level < 40; ++level) {
      p.raw("]q").raw(std::string(1, level)).raw("(");
      for (int i = 0; i < 10; ++i) p.raw("h").raw(std::string(1, static_cast<char>(level - 1)));
      p.raw(level < 39 ? "e0" : "e");
    }
    return p.raw("u");
  };
  EXPECT_EQ(zipped(bomb(false)), "1 tensors");
  EXPECT_EQ(zipped(bomb(true)), "E0541: there are more than 200000 tensors");
  EXPECT_EQ(zipped(Pickle().raw("}").text(std::string(5000, 'k')).tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s")),
            "E0541: the names of nested keys have more than 4096 bytes");
  // One key of a megabyte, used ten thousand times.
  Pickle keys;
  keys.raw("}K\x01](")
      .text(std::string(1 << 20, 'k'))
      .raw(
          "q\x01"
          "0");
  for (int i = 0; i < 10'000; ++i) keys.raw("}h\x01Ns");
  EXPECT_EQ(zipped(keys.raw("es")).substr(0, 60), "E0541: lists and dicts that are used several times unfold to");
}

TEST(HostileCheckpoint, TheRootHoldsTensors) {
  EXPECT_EQ(zipped(Pickle().raw("]")), "E0540: the saved object is a list of 0 without a tensor in it");
  EXPECT_EQ(zipped(Pickle().raw("N")), "E0540: the saved object is None, in which there can be no tensors");
  EXPECT_EQ(zipped(Pickle().global("__main__", "Net").raw(")\x81")),
            "E0540: the saved object is an object of '__main__.Net' as a whole, not its weights");
}

TEST(HostileCheckpoint, ZipRecords) {
  const std::string pickle = weights().done();
  const auto with = [&](std::vector<test::Member> more) {
    return outcome(checkpoint_zip(pickle, {{"0", sixteen()}}, std::move(more)));
  };
  EXPECT_EQ(with({{"archive/version", "3\n"}, {"archive/byteorder", "little"}}), "1 tensors");
  EXPECT_EQ(with({{"archive/.data/version", "6\n"}}), "1 tensors");
  EXPECT_EQ(with({{"archive/version", "11\n"}}), "E0516: container version '11' is not one of 1 to 10");
  EXPECT_EQ(with({{"archive/version", "x"}}), "E0516: container version 'x' is not one of 1 to 10");
  EXPECT_EQ(with({{"archive/byteorder", "big"}}), "E0517: the numbers are stored in byte order 'big'");
  EXPECT_EQ(with({{"archive/constants.pkl", ""}}).substr(0, 43), "E0504: this is a TorchScript archive (it ho");
  EXPECT_EQ(with({{"other/data.pkl", pickle}}), "E0509: there are two objects, in 'archive/' and 'other/data.pkl'");
  EXPECT_EQ(with({{"other/deeper/data.pkl", pickle}}), "1 tensors");
}

TEST(HostileCheckpoint, WhatASmallFileMayTake) {
  // A name of 4 kB for each of 200,000 tensors, from a kilobyte.
  Pickle names;
  names.raw("}").text(std::string(4000, 'k')).raw("](");
  names.tensor("FloatStorage", "0", 4, 0, {1}, {1}).raw("q\x01").raw(std::string(20'000, '2')).raw("es");
  EXPECT_EQ(zipped(names).substr(0, 36), "E0541: the names of 8379 tensors tak");
  // Records are a few characters, and what unfolds to a thousand times its size is a bomb.
  const auto with = [&](test::Member member) {
    return outcome(checkpoint_zip(weights().done(), {{"0", sixteen()}}, {std::move(member)})).substr(0, 5);
  };
  EXPECT_EQ(with({"archive/version", std::string(100, '3')}), "E0516");
  EXPECT_EQ(with({"archive/byteorder", std::string(1 << 20, 'l'), true}), "E0516");
  EXPECT_EQ(with({"archive/extra", std::string(100 << 20, '\0'), true}), "E0518");
}

TEST(HostileCheckpoint, LegacyStructure) {
  const std::string pickle = weights().done();
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, sixteen()}})), "1 tensors");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, sixteen()}}) + "trailing"), "1 tensors");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, sixteen()}}, false)),
            "E0517: the numbers are stored big-endian");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {})), "E0534: storage '0' is used but not in the file");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, sixteen()}, {"0", 4, sixteen()}})),
            "E0536: storage '0' is listed twice");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, sixteen()}, {"1", 0, ""}})),
            "E0536: storage '1' is listed but not described");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 3, sixteen()}})),
            "E0535: storage '0' has 3 elements, but the pickle says 4");
  EXPECT_EQ(outcome(checkpoint_legacy(pickle, {{"0", 4, "short"}})),
            "E0535: the file ends inside storage '0': it has 16 bytes and 5 are left");
  EXPECT_EQ(outcome(Pickle().raw("K\x05").done()), "E0507: this is a pickle, but not one that torch.save wrote");
  EXPECT_EQ(outcome("\x80\x02"
                    "csklearn\nModel\n."),
            "E0507: this is a pickle, but not one that torch.save wrote");
  const auto view = [&](std::int64_t offset, std::int64_t count) {
    Pickle p;
    p.raw("}").text("w").global("torch._utils", "_rebuild_tensor").raw("((").text("storage");
    p.global("torch", "FloatStorage").text("0").text("cpu").integer(4).raw("(").text("v").integer(offset);
    p.integer(count).raw("ttQ").integer(0).tuple({1}).tuple({1}).raw("tRs");
    return outcome(checkpoint_legacy(p.done(), {{"0", 4, sixteen()}}));
  };
  EXPECT_EQ(view(3, 1), "1 tensors");
  EXPECT_EQ(view(4, 0),
            "E0531: a tensor [1] with strides [1] from element 0 on reaches element 0 of storage '0', which "
            "has 0");
  EXPECT_EQ(view(3, 2), "E0525: a view of storage '0' takes 2 elements from 3 on, of 4");
  EXPECT_EQ(view(-1, 2), "E0525: a view of storage '0' takes 2 elements from -1 on, of 4");
  EXPECT_EQ(view(1, INT64_MAX).substr(0, 5), "E0525");
}

TEST(HostileCheckpoint, ForeignFilesAreCalledByTheirName) {
  std::string tar(512, '\0');
  tar.replace(0, 7, "tensors").replace(257, 5, "ustar");
  const std::vector<std::pair<std::string, std::string>> files{
      {"", "E0502: this is an empty file"},
      {"version https://git-lfs.github.com/spec/v1\n", "E0503: this is a Git LFS pointer"},
      {tar, "E0505: this is a tar archive"},
      {"hello\n", "E0506: this is a text file ('hello\\x0a')"},
      {"\n<!DOCTYPE html><html>", "E0506: this is a web page"},
      {std::string("\x10\0\0\0\0\0\0\0{\"w\":{}}", 16), "E0508: this is a safetensors file"},
      {"\x89HDF\r\n\x1a\n", "E0508: this is an HDF5 file"},
      {"\x93NUMPY\x01", "E0508: this is a NumPy array"},
      {std::string("\x06\x07\x12\0\x01", 5),
       "E0501: this is a file of no known kind: it begins with the bytes 06 07 12"},
      {"{\"error\": 404}", "E0506: this is a JSON file ('{\"error\": 404}')"},
      {"\x1f\x8b\x08", "E0508: this is a gzip file"},
      {std::string("\x08\x07\x12\0\x01", 5), "E0508: this is a Core ML model file, not a checkpoint of torch.save"},
      {test::zip_bytes({{"w.npy", "x"}}), "E0508: this is a NumPy archive"},
      {test::zip_bytes({{"net.mlpackage/Manifest.json", "x"}}), "E0508: this is a zipped Core ML package"},
      {test::zip_bytes({{"m/archive_format", "pt2"}}), "E0508: this is an exported program of torch.export"},
      {test::zip_bytes({{"holiday.jpg", "x"}}), "E0509: a zip of 1 entries without 'data.pkl'"},
      {"PK\x03\x04", "E0510: the zip is cut off: its 4 bytes hold no directory"},
  };
  std::set<std::string> seen;
  for (const auto& [bytes, reason] : files) {
    const std::string got = outcome(bytes);
    EXPECT_TRUE(got.starts_with(reason)) << got;
    EXPECT_TRUE(seen.insert(got).second) << got;
  }
}

// --- damage at random

/// Reads everything there is to read; sizes are bounded by the reader.
void read_all(const Bytes& file) {
  const auto got = read_checkpoint(file, "f");
  if (!got) {
    ASSERT_FALSE(got.error().empty());
    ASSERT_FALSE(got.error().front().message.empty());
    return;
  }
  std::size_t bytes = 0;
  for (const StoredTensor& t : got->tensors) {
    bytes += static_cast<std::size_t>(t.count()) * byte_size(t.dtype);
    if (bytes > 1 << 24) break;
    ASSERT_EQ(copy_elements(t).size(), elements(t).size());
  }
  (void)state_dict(*got);
}

std::string mutated(std::string bytes, std::mt19937& random) {
  for (std::size_t i = 1 + random() % 3; i > 0 && !bytes.empty(); --i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.erase(at, 1 + random() % 8);
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(random()));
        break;
    }
  }
  return bytes;
}

TEST(HostileCheckpoint, EveryTruncationIsRefused) {
  const std::string pickle = weights().done();
  const std::string zip = checkpoint_zip(pickle, {{"0", sixteen()}}, {{"archive/version", "3\n"}});
  const std::string legacy = checkpoint_legacy(pickle, {{"0", 4, sixteen()}});
  for (const std::string& file : {zip, legacy}) {
    EXPECT_EQ(outcome(file), "1 tensors");
    for (std::size_t length = 0; length < file.size(); ++length) {
      ASSERT_EQ(outcome(file.substr(0, length))[0], 'E') << length;
    }
  }
}

TEST(HostileCheckpoint, DamagedPicklesInSoundContainersNeverCrash) {
  Pickle p;
  p.raw("}(").text("net").global("collections", "OrderedDict").raw(")R(");
  p.text("module.a").tensor("FloatStorage", "0", 4, 0, {2, 2}, {2, 1});
  p.text("module.b").tensor("HalfStorage", "1", 8, 1, {2, 3}, {1, 2});
  p.raw("u}")
      .text("_metadata")
      .raw("}sb")
      .text("list")
      .raw("](")
      .tensor("LongStorage", "2", 2, 0, {}, {})
      .raw(
          "N\x88K\x05"
          "e");
  p.text("v3").global("torch._utils", "_rebuild_tensor_v3").raw("(").storage("UntypedStorage", "3", 16).integer(0);
  p.tuple({4})
      .tuple({1})
      .raw("\x89")
      .global("collections", "OrderedDict")
      .raw(")R")
      .global("torch", "uint16")
      .raw("tRu");
  const std::string pickle = p.done();
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::string damaged = round < 2 ? pickle : mutated(pickle, random);
    const std::string file =
        round % 2 == 0
            ? checkpoint_zip(damaged, {{"0", sixteen()}, {"1", sixteen()}, {"2", sixteen()}, {"3", sixteen()}})
            : checkpoint_legacy(damaged,
                                {{"0", 4, sixteen()}, {"1", 8, sixteen()}, {"2", 2, sixteen()}, {"3", 16, sixteen()}});
    if (round < 2) {
      ASSERT_EQ(outcome(file), "4 tensors");
    }
    ASSERT_NO_FATAL_FAILURE(read_all(bytes_of(file)));
    refused += !read_checkpoint(bytes_of(file), "f");
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 5990);  // nearly every byte means something, but not every one
}

TEST(HostileCheckpoint, DamagedGoldenFilesNeverCrash) {
  const auto folder = test::test_data() / "pickle";
  std::mt19937 random(12);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".json" || extension == ".py") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    for (int round = 0; round < 150; ++round) {
      SCOPED_TRACE(fmt::format("{} round {}", entry.path().filename().string(), round));
      ASSERT_NO_FATAL_FAILURE(read_all(bytes_of(mutated(file, random))));
    }
  }
}

}  // namespace
}  // namespace anemone::formats
