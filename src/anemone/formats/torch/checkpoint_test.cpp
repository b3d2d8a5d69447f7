// Checkpoints that PyTorch wrote, read as PyTorch reads them; and the paths, views and parts of hand-made ones.
#include "anemone/formats/torch/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "anemone/formats/torch/checkpoint_bytes_test.h"
#include "anemone/formats/wire/sha256.h"
#include "tests/support/data.h"

namespace anemone::formats {
namespace {

using test::bytes_of;
using test::checkpoint_legacy;
using test::checkpoint_zip;
using test::Pickle;

nlohmann::json expected() {
  std::ifstream file(test::test_data() / "pickle/expected.json");
  return nlohmann::json::parse(file);
}

std::string paths(const Checkpoint& c) {
  std::string all;
  for (const StoredTensor& t : c.tensors) all += (all.empty() ? "" : " ") + t.path;
  return all;
}

std::string four_floats() {
  const float values[] = {1, 2, 3, 4};
  return {reinterpret_cast<const char*>(values), sizeof values};
}

TEST(GoldenCheckpoint, GoodFilesReadAsPyTorchReadsThem) {
  int files = 0;
  const nlohmann::json all = expected();
  for (const auto& [name, want] : all["good"].items()) {
    SCOPED_TRACE(name);
    const auto got = read_checkpoint(test::test_data() / "pickle" / name);
    ASSERT_TRUE(got) << render(got.error());
    ++files;
    EXPECT_EQ(got->container, want["container"]);
    EXPECT_EQ(got->root, want["root"].is_null() ? "" : want["root"].get<std::string>());
    EXPECT_EQ(got->storages, want["storages"]);
    EXPECT_EQ(nlohmann::json(got->globals), want["globals"]);
    ASSERT_EQ(got->tensors.size(), want["tensors"].size());
    for (std::size_t i = 0; i < got->tensors.size(); ++i) {
      const StoredTensor& t = got->tensors[i];
      const auto& w = want["tensors"][i];
      EXPECT_EQ(t.path, w["path"]);
      EXPECT_EQ(formats::name(t.dtype), w["dtype"]) << t.path;
      EXPECT_EQ(nlohmann::json(t.shape), w["shape"]) << t.path;
      EXPECT_EQ(nlohmann::json(t.stride), w["stride"]) << t.path;
      EXPECT_EQ(t.offset, w["offset"]) << t.path;
      EXPECT_EQ(t.storage_key, w["storage"]) << t.path;
      EXPECT_EQ(sha256_hex(copy_elements(t).view), w["sha256"]) << t.path;
      EXPECT_EQ(sha256_hex(elements(t).view), w["sha256"]) << t.path;
    }
  }
  EXPECT_EQ(files, 13);
}

TEST(GoldenCheckpoint, BadFilesAreRefusedEachForItsOwnReason) {
  // What the message or its place must say.
  const std::map<std::string, std::string> reasons{
      {"bad_01_os_system.pt", "'posix.system'"},
      {"bad_02_os_system_py2.pt", "'os.system'"},
      {"bad_03_os_system_legacy.pth", "'posix.system'"},
      {"bad_04_eval_stack_global.pt", "'builtins.eval'"},
      {"bad_05_inst_opcode.pt", "opcode 0x53"},
      {"bad_06_load_from_bytes.pt", "'torch.storage._load_from_bytes'"},
      {"bad_07_getattr_chain.pt", "'__builtin__.getattr'"},
      {"bad_08_dotted_name.pt", "'OrderedDict.fromkeys'"},
      {"bad_09_build_on_function.pt", "attributes are set on the global"},
      {"bad_10_whole_module.pt", "'torch.nn.modules.container.Sequential'"},
      {"bad_11_truncated_zip.pt", "cut off"},
      {"bad_12_truncated_storage.pth", "ends inside storage '591334688'"},
      {"bad_13_truncated_pickle.pth", "the pickle ends early"},
      {"bad_14_stride_out_of_bounds.pt", "reaches element 5 of storage '0', which has 4"},
      {"bad_15_size_overflow.pt", "too many elements"},
      {"bad_16_negative_offset.pt", "offset of a tensor in its storage is the number -1"},
      {"bad_17_missing_storage.pt", "storage '7' is used but not in the file"},
      {"bad_18_short_storage.pt", "has 15 bytes, but 4 x float32 take 16"},
      {"bad_19_crc.pt", "CRC-32"},
      {"bad_20_reference_bomb.pt", "a list of 10 without a tensor"},
      {"bad_21_duplicate_entry.pt", "two entries of this name"},
      {"bad_22_big_endian.pt", "byte order 'big'"},
      {"bad_23_git_lfs_pointer.pth", "Git LFS pointer"},
      {"bad_24_persistent_module.pth", "pickled module"},
      {"bad_25_empty.pt", "empty"},
  };
  std::set<std::string> seen;
  const nlohmann::json all = expected();
  for (const auto& [name, unused] : all["bad"].items()) {
    SCOPED_TRACE(name);
    const std::filesystem::path path = test::test_data() / "pickle" / name;
    const auto got = read_checkpoint(path);
    ASSERT_FALSE(got);
    ASSERT_EQ(got.error().size(), 1u);
    const Diagnostic& d = got.error().front();
    EXPECT_EQ(d.blame, Blame::input);
    ASSERT_TRUE(reasons.contains(name));
    EXPECT_NE(d.message.find(reasons.at(name)), std::string::npos) << d.message;
    EXPECT_TRUE(d.place.starts_with(path.string())) << d.place;
    EXPECT_FALSE(d.help.empty());
    // Without the file's name in it: reason and position together are unique.
    EXPECT_TRUE(seen.insert(d.message + d.place.substr(path.string().size())).second) << d.message;
  }
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_FALSE(std::filesystem::exists("anemone_pickle_was_executed"));
}

TEST(GoldenCheckpoint, ReadsTheRetinaFaceWeights) {
  const auto path = test::shared_data() / "golden/retinaface/mobilenet0.25_Final.pth";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "SKIPPED: no " << path;
  const auto got = read_checkpoint(path);
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(got->container, "legacy");
  EXPECT_EQ(got->storages, 300u);
  const auto weights = state_dict(*got);
  ASSERT_TRUE(weights) << render(weights.error());
  ASSERT_EQ(weights->tensors.size(), 300u);
  EXPECT_EQ(weights->part, "");
  std::ifstream file(test::test_data() / "retinaface/state_dict.json");
  const auto table = nlohmann::json::parse(file);
  std::size_t found = 0;
  for (const auto& row : table) {
    const StoredTensor* t = row.is_array() ? weights->find(row[0].get<std::string>()) : nullptr;
    if (!t) continue;
    ++found;
    EXPECT_EQ(nlohmann::json(t->shape), row[1]) << t->path;
  }
  EXPECT_EQ(found, 300u);
}

TEST(Checkpoint, StoragesAreViewsOfTheFile) {
  const Pickle pickle = Pickle().raw("}").text("w").tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s");
  for (const std::string& file : {checkpoint_zip(pickle.done(), {{"0", four_floats()}}),
                                  checkpoint_legacy(pickle.done(), {{"0", 4, four_floats()}})}) {
    const Bytes bytes = bytes_of(file);
    const auto got = read_checkpoint(bytes, "f");
    ASSERT_TRUE(got) << render(got.error());
    const Bytes& storage = got->tensors.at(0).storage;
    EXPECT_GE(storage.data(), bytes.data());
    EXPECT_LE(storage.data() + storage.size(), bytes.data() + bytes.size());
    EXPECT_EQ(elements(got->tensors[0]).data(), storage.data());
    EXPECT_EQ(std::memcmp(storage.data(), four_floats().data(), 16), 0);
  }
}

TEST(Checkpoint, PathsAreKeysAsPythonWritesThem) {
  const auto tensor = [](Pickle& p) { p.tensor("FloatStorage", "0", 4, 0, {2}, {1}); };
  Pickle p;
  p.raw("}(");
  p.text("a").raw("]("), tensor(p), p.raw("("), tensor(p), p.raw("K\x07te");  // [t, (t, 7)]
  p.integer(-3), tensor(p);
  p.raw("\x88"), tensor(p);
  p.raw("N"), tensor(p);
  p.raw(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)), tensor(p);
  p.raw("(K\x01").text("x").raw("t"), tensor(p);
  p.text("b").raw("}").text("c").raw("}").text("d"), tensor(p), p.raw("ss");
  p.text("skipped").raw("K\x05");
  p.raw("u");
  const auto got = read_checkpoint(bytes_of(checkpoint_zip(p.done(), {{"0", four_floats()}})), "f");
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(paths(*got), "a/0 a/1/0 -3 True None 1.5 (1, 'x') b/c/d");
}

/// A state of {"_parameters": {"weight": tensor}, "_buffers": {}, "_modules": {…}} for an object on the stack.
void module_state(Pickle& p, const std::function<void(Pickle&)>& modules) {
  p.raw("}(").text("training").raw("\x88").text("_parameters").raw("}").text("weight");
  p.tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s").text("_buffers").raw("}").text("_modules").raw("}");
  modules(p);
  p.raw("ub");
}

TEST(Checkpoint, TensorsWithinUnknownObjectsAreListed) {
  const auto tensor = [](Pickle& p) { p.tensor("FloatStorage", "0", 4, 0, {2}, {1}); };
  Pickle p;
  p.raw("}(").text("best").global("numpy", "float64").raw("K\x01\x85R");
  p.text("args").global("argparse", "Namespace").raw(")\x81}").text("anchor"), tensor(p), p.raw("sb");
  p.text("model").global("__main__", "Net").raw(")\x81");
  module_state(p, [&](Pickle& q) {
    q.text("body").global("m", "Block").raw(")\x81");
    module_state(q, [](Pickle&) {});
    q.raw("s");
  });
  p.text("self").global("m", "Loop").raw(")\x81q\x05}").text("me").raw("h\x05sb");
  p.text("pair").global("m", "Pair").raw("("), tensor(p), p.raw("K\x01tR");
  const auto got = read_checkpoint(bytes_of(checkpoint_zip(p.raw("u").done(), {{"0", four_floats()}})), "f");
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(paths(*got), "args/anchor model/weight model/body.weight pair/0");
}

TEST(Checkpoint, RootsAreDictsListsTuplesAndTensors) {
  const auto tensor = [](Pickle& p) { p.tensor("FloatStorage", "0", 4, 0, {2}, {1}); };
  Pickle tuple, alone;
  tuple.raw("(}").text("w"), tensor(tuple), tuple.raw("sK\x07t");
  tensor(alone);
  const auto read = [](const Pickle& p) {
    const auto got = read_checkpoint(bytes_of(checkpoint_zip(p.done(), {{"0", four_floats()}})), "f");
    return got ? paths(*got) : render(got.error());
  };
  EXPECT_EQ(read(tuple), "0/w");
  EXPECT_EQ(read(alone), "tensor");
}

TEST(Checkpoint, ParametersWithStateSparseAndQuantisedTensors) {
  const auto indices = [](Pickle& p) { p.tensor("LongStorage", "1", 2, 0, {1, 2}, {2, 1}); };
  Pickle p;
  p.raw("}(").text("p").global("torch._utils", "_rebuild_parameter_with_state").raw("(");
  p.tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("\x88").global("collections", "OrderedDict").raw(")R}tR");
  p.text("sub").global("torch._tensor", "_rebuild_from_type_v2").raw("(").global("torch._utils", "_rebuild_tensor_v2");
  p.global("my", "Tensor").raw("(").storage("FloatStorage", "0", 4).integer(0).tuple({2}).tuple({1}).raw("\x89");
  p.global("collections", "OrderedDict").raw(")Rt}tR");
  p.text("sparse").global("torch._utils", "_rebuild_sparse_tensor").raw("(").global("torch", "sparse_coo").raw("(");
  indices(p), p.tensor("FloatStorage", "0", 4, 0, {2}, {1}).global("torch", "Size").raw("(K\x09t\x85RttR");
  p.text("q").global("torch._utils", "_rebuild_qtensor").raw("(").storage("QInt8Storage", "2", 4).integer(0);
  p.tuple({4}).tuple({1}).raw("(").global("torch", "per_tensor_affine");
  p.raw(std::string("G\x3f\xe0\0\0\0\0\0\0", 9)).raw("K\x03t\x89").global("collections", "OrderedDict").raw(")RtR");
  p.text("odd").global("torch._utils", "_rebuild_qtensor").raw("(").storage("QUInt4x2Storage", "3", 4).raw("K\x01tR");
  p.raw("u");
  const auto got = read_checkpoint(
      bytes_of(checkpoint_zip(p.done(), {{"0", four_floats()}, {"1", std::string(16, '\0')}, {"2", "abcd"}})), "f");
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(paths(*got), "p sub sparse/indices sparse/values q");
  EXPECT_TRUE(got->tensors[0].parameter);
  EXPECT_EQ(got->tensors[2].kind, "indices of a sparse_coo tensor [9]");
  EXPECT_EQ(got->tensors[4].kind, "quantised per_tensor_affine, scale 0.5, zero point 3");
  EXPECT_EQ(got->tensors[4].dtype, ScalarType::int8);
}

TEST(Checkpoint, AnUnpackedZipIsReadFromItsFolder) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "anemone_unpacked_test";
  fs::remove_all(folder);
  fs::create_directories(folder / "archive/data");
  const Pickle pickle = Pickle().raw("}").text("w").tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s");
  std::ofstream(folder / "archive/data.pkl", std::ios::binary) << pickle.done();
  std::ofstream(folder / "archive/data/0", std::ios::binary) << four_floats();
  for (const fs::path& path : {folder, folder / "archive", folder / "archive/"}) {
    const auto got = read_checkpoint(path);
    ASSERT_TRUE(got) << path << render(got.error());
    EXPECT_EQ(paths(*got), "w");
    EXPECT_EQ(std::memcmp(got->tensors[0].storage.data(), four_floats().data(), 16), 0);
  }
  fs::remove(folder / "archive/data/0");
  EXPECT_EQ(read_checkpoint(folder).error().front().code, "E0534");
  fs::remove_all(folder);
}

TEST(Checkpoint, AKeyThatIsSetAgainKeepsItsPlaceAndGetsTheLastValue) {
  Pickle p;
  p.raw("}(").text("a").tensor("FloatStorage", "0", 4, 0, {1}, {1});
  p.text("b").tensor("FloatStorage", "0", 4, 0, {2}, {1});
  p.text("a").tensor("FloatStorage", "0", 4, 0, {3}, {1}).raw("u");
  const auto got = read_checkpoint(bytes_of(checkpoint_zip(p.done(), {{"0", four_floats()}})), "f");
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(paths(*got), "a b");
  EXPECT_EQ(got->tensors[0].shape, std::vector<std::int64_t>{3});
}

TEST(Checkpoint, SharedDictsAppearUnderEachOfTheirPaths) {
  Pickle p;
  p.raw("}(").text("net").raw("}q\x01").text("w").tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s");
  p.text("copy").raw("h\x01").raw("u");
  const auto got = read_checkpoint(bytes_of(checkpoint_zip(p.done(), {{"0", four_floats()}})), "f");
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(paths(*got), "net/w copy/w");
}

TEST(GoldenCheckpoint, ParametersAreMarked) {
  const auto got = read_checkpoint(test::test_data() / "pickle/07_zip_parameters_nested.pt");
  ASSERT_TRUE(got);
  for (const StoredTensor& t : got->tensors) EXPECT_EQ(t.parameter, t.path.starts_with("params/")) << t.path;
}

TEST(GoldenCheckpoint, StateDictsAreFoundAndOnlyTheirStoragesRead) {
  const auto star = read_state_dict(test::test_data() / "pickle/04_zip_star_train_state.pkl");
  ASSERT_TRUE(star) << render(star.error());
  EXPECT_EQ(star->part, "net");
  EXPECT_EQ(star->note, "weights: 'net' (7 tensors); left aside: 'optimizer' (12), 'net_ema' (7)");
  EXPECT_EQ(star->tensors.size(), 7u);
  EXPECT_EQ(star->tensors[0].path, "0.weight");
  const auto parallel = read_state_dict(test::test_data() / "pickle/03_legacy_dataparallel_train.tar");
  ASSERT_TRUE(parallel) << render(parallel.error());
  EXPECT_EQ(parallel->part, "state_dict");
  ASSERT_NE(parallel->find("1.num_batches_tracked"), nullptr);
  EXPECT_EQ(parallel->find("1.num_batches_tracked")->dtype, ScalarType::int64);
  EXPECT_EQ(parallel->find("module.1.bias"), nullptr);

  // The optimizer's storage is damaged: the weights can still be had, the whole cannot.
  Pickle p;
  p.raw("}(").text("net").raw("}").text("w").tensor("FloatStorage", "0", 4, 0, {4}, {1}).raw("s");
  p.text("optimizer").raw("}").text("m").tensor("FloatStorage", "1", 4, 0, {4}, {1}).raw("su");
  std::string file = checkpoint_zip(p.done(), {{"0", four_floats()}, {"1", "damaged.damaged."}});
  file[file.find("damaged")] = 'D';
  EXPECT_TRUE(read_state_dict(bytes_of(file), "f"));
  EXPECT_FALSE(read_checkpoint(bytes_of(file), "f"));
}

}  // namespace
}  // namespace anemone::formats
