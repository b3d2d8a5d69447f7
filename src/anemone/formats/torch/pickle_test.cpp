// The pickle machine: what each opcode builds, and what it refuses.
#include "anemone/formats/torch/pickle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>

#include "anemone/formats/torch/checkpoint_bytes_test.h"

namespace anemone::formats::pickle {
namespace {

using test::little;

/// As Python would print it.
std::string shown(const Heap& heap, Value v) {
  const auto join = [&](const std::vector<Value>& items) {
    std::string text;
    for (const Value item : items) text += (text.empty() ? "" : ", ") + shown(heap, item);
    return text;
  };
  switch (v.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return v.number ? "True" : "False";
    case Kind::integer:
      return std::to_string(v.number);
    case Kind::big_integer:
      return fmt::format("big{}", heap.text(v).size());
    case Kind::real:
      return fmt::format("{}", std::bit_cast<double>(v.number));
    case Kind::text:
      return fmt::format("'{}'", heap.text(v));
    case Kind::bytes:
      return fmt::format("b'{}'", heap.text(v));
    case Kind::tuple:
      return fmt::format("({})", join(heap.items(v)));
    case Kind::list:
      return fmt::format("[{}]", join(heap.items(v)));
    case Kind::set:
      return fmt::format("set({})", join(heap.items(v)));
    case Kind::global:
      return fmt::format("<{}>", heap.text(v));
    case Kind::object:
      return "object";
    case Kind::inert: {
      const Inert& inert = heap.inert(v);
      std::string text = fmt::format("{}({})", inert.name, join(inert.arguments));
      if (!inert.items.empty()) text += fmt::format("[{}]", join(inert.items));
      for (const auto& [key, value] : inert.pairs)
        text += fmt::format("{{{}: {}}}", shown(heap, key), shown(heap, value));
      for (const Value state : inert.state) text += " with " + shown(heap, state);
      return text;
    }
    case Kind::dict:
      break;
  }
  std::string text;
  for (const auto& [key, value] : heap.pairs(v)) {
    text += (text.empty() ? "" : ", ") + shown(heap, key) + ": " + shown(heap, value);
  }
  return fmt::format("{{{}}}", text);
}

/// The value of these opcodes, or "CODE at PLACE: message".
std::string load(std::string_view opcodes) {
  NoHooks hooks;
  Machine machine(std::as_bytes(std::span(opcodes)), "f", "p");
  std::size_t position = 0;
  const Result<Value> value = machine.load(position, hooks);
  if (value) return shown(machine.heap(), *value);
  const Diagnostic& d = value.error().front();
  EXPECT_EQ(d.blame, Blame::input);
  EXPECT_FALSE(d.help.empty());
  return fmt::format("{} at {}: {}", text_of(d.code), d.place.substr(3), d.message);
}

std::string opcodes(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

const char kOneLong[] = "\x8a\x01\xff.";

TEST(Pickle, Numbers) {
  EXPECT_EQ(load("K\xff."), "255");
  EXPECT_EQ(load("M\x01\x02."), "513");
  EXPECT_EQ(load("J\xff\xff\xff\xff."), "-1");
  EXPECT_EQ(load(kOneLong), "-1");
  EXPECT_EQ(load(opcodes({"\x8a", little(0, 1), "."})), "0");
  EXPECT_EQ(load(opcodes({"\x8a\x05", little(1ull << 33, 5), "."})), "8589934592");
  EXPECT_EQ(load(opcodes({"\x8a\x08", little(1ull << 63, 8), "."})), "-9223372036854775808");
  EXPECT_EQ(load(opcodes({"\x8a\x09", little(7, 8), "\x01."})), "big9");
  EXPECT_EQ(load(std::string("G\x40\x09\x20\0\0\0\0\0.", 10)), "3.140625");
  EXPECT_EQ(load("\x88."), "True");
  EXPECT_EQ(load("\x89."), "False");
  EXPECT_EQ(load("N."), "None");
}

TEST(Pickle, Strings) {
  EXPECT_EQ(load(opcodes({"X", little(3, 4), "n\xc3\xa4."})), "'n\xc3\xa4'");
  EXPECT_EQ(load("\x8c\x02hi."), "'hi'");
  EXPECT_EQ(load(opcodes({"\x8d", little(2, 8), "hi."})), "'hi'");
  EXPECT_EQ(load("U\x02h\xe4."), "'h\xc3\xa4'");  // Latin-1 of Python 2
  EXPECT_EQ(load(opcodes({"T", little(2, 4), "hi."})), "'hi'");
  EXPECT_EQ(load("C\x02\xff\xfe."), "b'\xff\xfe'");
  EXPECT_EQ(load(opcodes({"B", little(1, 4), "x."})), "b'x'");
  EXPECT_EQ(load("\x8c\x02\xff\xfe."), "E0527 at byte 0 of 'p': a string of 2 bytes is not UTF-8");
}

TEST(Pickle, Containers) {
  EXPECT_EQ(load(")."), "()");
  EXPECT_EQ(load("K\x01\x85."), "(1)");
  EXPECT_EQ(load("K\x01K\x02\x86."), "(1, 2)");
  EXPECT_EQ(load("K\x01K\x02K\x03\x87."), "(1, 2, 3)");
  EXPECT_EQ(load("(K\x01(K\x02tt."), "(1, (2))");
  EXPECT_EQ(load("](K\x01K\x02"
                 "eK\x03"
                 "a."),
            "[1, 2, 3]");
  EXPECT_EQ(load("(K\x01l."), "[1]");
  EXPECT_EQ(load("}K\x01K\x02s(K\x03K\x04u."), "{1: 2, 3: 4}");
  EXPECT_EQ(load("(K\x01K\x02"
                 "d."),
            "{1: 2}");
  EXPECT_EQ(load("\x8f(K\x01K\x02\x90."), "set(1, 2)");
  EXPECT_EQ(load("K\x01K\x02"
                 "0."),
            "1");
  EXPECT_EQ(load("]2\x86."), "([], [])");
}

TEST(Pickle, MemoSharesContainers) {
  // l = []; t = (l, l); l.append(5)
  EXPECT_EQ(load("]q\x05h\x05K\x05"
                 "ah\x05\x86."),
            "([5], [5])");
  EXPECT_EQ(load(opcodes({"K\x07r", little(1, 4), "0j", little(1, 4), "."})), "7");
  EXPECT_EQ(load(opcodes({"K\x07\x94K\x08\x94h\x01h", little(0, 1), "\x87."})), "(8, 8, 7)");
}

TEST(Pickle, PlainClasses) {
  EXPECT_EQ(load("ccollections\nOrderedDict\n)RK\x01K\x02s."), "{1: 2}");
  EXPECT_EQ(load("ccollections\nOrderedDict\n](K\x01K\x02\x86K\x03K\x04\x86"
                 "e\x85R."),
            "{1: 2, 3: 4}");
  EXPECT_EQ(load("ccollections\nCounter\n}K\x01K\x02s\x85R."), "{1: 2}");
  EXPECT_EQ(load("\x8c\x08"
                 "builtins\x8c\x03set\x93](K\x01K\x02"
                 "e\x85R."),
            "set(1, 2)");
  EXPECT_EQ(load("ccollections\nOrderedDict\n)\x81}b."), "{}");
  // A copy, not the same dict.
  EXPECT_EQ(load("}q\x01"
                 "0ccollections\nOrderedDict\nh\x01\x85RK\x01K\x02sh\x01\x86."),
            "({1: 2}, {})");
}

TEST(Pickle, UnknownClassesAreInertInEveryPosition) {
  EXPECT_EQ(load("cnumpy\nfloat64\n."), "<numpy.float64>");
  EXPECT_EQ(load("cnumpy.core.multiarray\nscalar\nK\x01\x85R."), "numpy.core.multiarray.scalar(1)");
  EXPECT_EQ(load(opcodes({"cargparse\nNamespace\n)\x81}X", little(2, 4), "lrK\x05sb."})),
            "argparse.Namespace() with {'lr': 5}");
  EXPECT_EQ(load("ccopyreg\n_reconstructor\nc__main__\nNet\ncbuiltins\nobject\nN\x87R."),
            "__main__.Net(<builtins.object>, None)");
  EXPECT_EQ(load("(i__main__\nOld\n."), "__main__.Old()");
  EXPECT_EQ(load("(c__main__\nOld\nK\x07o."), "__main__.Old(7)");
  EXPECT_EQ(load("cm\nC\n)}K\x01K\x02s\x92."), "m.C({1: 2})");
  EXPECT_EQ(load(opcodes({"cm\nList\n)\x81K\x01", "a(K\x02K\x03", "e."})), "m.List()[1, 2, 3]");
  EXPECT_EQ(load("cm\nDict\n)\x81K\x01K\x02s."), "m.Dict(){1: 2}");
  EXPECT_EQ(load("cm\nmake\n)RK\x01\x85R."), "m.make(1)") << "what an inert function returns is called";
  EXPECT_EQ(load("}cm\nKey\n)\x81K\x01s."), "{m.Key(): 1}");
  EXPECT_EQ(load("(K\x01K\x02\x91."), "set(1, 2)");
  EXPECT_EQ(load(opcodes({"\x8b", little(1, 4), "\xff."})), "-1");
  EXPECT_EQ(load(opcodes({"\x96", little(2, 8), "ab."})), "b'ab'");
  EXPECT_EQ(load("\x8c\x01m\x8c\x0bOuter.Inner\x93."), "<m.Outer.Inner>");
  EXPECT_EQ(load("ccollections\nOrderedDict\n)R}b."), "{}");
}

TEST(Pickle, NamesThatOnlyAttacksNeedAreRefused) {
  for (const char* name : {"os\nsystem", "posix\nsystem", "subprocess\nPopen", "builtins\neval", "__builtin__\ngetattr",
                           "importlib._bootstrap\n_call", "torch.storage\n_load_from_bytes", "torch.hub\nload",
                           "torch\nload", "types\nFunctionType", "io\nopen", "dill._dill\n_create_function"}) {
    EXPECT_EQ(load(opcodes({"c", name, "\n."})).substr(0, 5), "E0522") << name;
  }
  for (const char* name : {"builtins\nset", "builtins\nobject", "types\nSimpleNamespace", "pathlib\nPosixPath",
                           "_codecs\nencode", "functools\npartial", "oslo\nconfig", "datetime\ndatetime"}) {
    EXPECT_EQ(load(opcodes({"c", name, "\n."})).substr(0, 1), "<") << name;
  }
}

TEST(Pickle, RefusesWhatIsNotData) {
  const std::string refused = "which no checkpoint needs and attacks use";
  EXPECT_EQ(load("cos\nsystem\n."), "E0522 at byte 0 of 'p': the pickle asks for 'os.system', " + refused);
  EXPECT_EQ(load("\x8c\x02os\x8c\x06system\x93."),
            "E0522 at byte 12 of 'p': the pickle asks for 'os.system', " + refused);
  EXPECT_EQ(load("\x8c\x0b"
                 "collections\x8c\x10OrderedDict.keys\x93."),
            "E0522 at byte 31 of 'p': the pickle asks for the attribute path 'OrderedDict.keys' of 'collections'");
  EXPECT_EQ(load("cco\x1b[2J\nx\n."), "E0527 at byte 0 of 'p': 'co\\x1b[2J' is not the name of a module or class");
  for (const std::string opcode :
       {"S", "P", "\x82", "\x83", "\x84", "\x97", "\x98", "V", "I", "F", "L", "p", "g", "?", "\xff"}) {
    EXPECT_EQ(load(opcodes({"K\x01", opcode})),
              fmt::format("E0521 at byte 2 of 'p': pickle opcode 0x{:02x} is not one that plain "
                          "data needs",
                          static_cast<unsigned char>(opcode[0])));
  }
  EXPECT_EQ(load("\x80\x06."), "E0521 at byte 0 of 'p': pickle protocol 6 is not supported");
  EXPECT_EQ(load("K\x01Q."), "E0525 at byte 2 of 'p': a reference to a storage stands outside the saved object");
  EXPECT_EQ(load("ccollections\nOrderedDict\n}b."),
            "E0528 at byte 26 of 'p': attributes are set on the global 'collections.OrderedDict'");
  EXPECT_EQ(load("}}b."), "E0528 at byte 2 of 'p': attributes are set on a dict of 0");
  EXPECT_EQ(load("K\x05)R."), "E0523 at byte 3 of 'p': the number 5 is called with a tuple of 0");
  EXPECT_EQ(load("ccollections\nCounter\nK\x05\x85R."),
            "E0526 at byte 24 of 'p': collections.Counter cannot be made from a tuple of 1");
}

TEST(Pickle, RefusesBrokenStreams) {
  EXPECT_EQ(load(""), "E0520 at byte 0 of 'p': the pickle ends early (bytes needed: 1, left: 0)");
  EXPECT_EQ(load("K"), "E0520 at byte 0 of 'p': the pickle ends early (bytes needed: 1, left: 0)");
  EXPECT_EQ(load(opcodes({"N0X", little(0xffffffff, 4), "abc"})),
            "E0520 at byte 2 of 'p': the pickle ends early (bytes needed: 4294967295, left: 3)");
  EXPECT_EQ(load(opcodes({"\x8d", little(~0ull, 8), "abc"})).substr(0, 5), "E0520");
  EXPECT_EQ(load(opcodes({"\x95", little(9, 8), "N."})),
            "E0520 at byte 0 of 'p': the pickle ends early (bytes of its frame: 9, left: 2)");
  EXPECT_EQ(load("ccollections\nOrdered"),
            "E0520 at byte 0 of 'p': the pickle ends early (no end of a name in 7 bytes)");
  EXPECT_EQ(load("."), "E0523 at byte 0 of 'p': the pickle takes a value that is not there");
  EXPECT_EQ(load("K\x01(0."), "E0523 at byte 3 of 'p': the pickle takes a value that is not there");
  EXPECT_EQ(load("](a."), "E0523 at byte 2 of 'p': the pickle takes a value that is not there");
  EXPECT_EQ(load("t."), "E0523 at byte 0 of 'p': the pickle closes a group that was not opened");
  EXPECT_EQ(load("2."), "E0523 at byte 0 of 'p': the pickle looks at a value that is not there");
  EXPECT_EQ(load("K\x01h\x07."), "E0523 at byte 2 of 'p': the pickle refers to memo index 7, which was not set");
  EXPECT_EQ(load(opcodes({"K\x01q\x01h", little(0, 1), "."})).substr(0, 5), "E0523");
  EXPECT_EQ(load(")K\x01"
                 "a."),
            "E0523 at byte 3 of 'p': items are appended to a tuple of 0");
  EXPECT_EQ(load("](K\x01u."), "E0523 at byte 4 of 'p': keys are set in a list of 0");
  EXPECT_EQ(load("}(K\x01u."), "E0523 at byte 4 of 'p': a dict gets 1 keys and values");
  EXPECT_EQ(load("}]K\x01s."), "E0523 at byte 4 of 'p': a list of 0 is used as a key");
  EXPECT_EQ(load("](K\x01\x90."), "E0523 at byte 4 of 'p': members are added to a list of 0");
  EXPECT_EQ(load("K\x01K\x02\x93."),
            "E0523 at byte 4 of 'p': a global is named by the number 1 and the number 2, not by "
            "two strings");
}

TEST(Pickle, MemoryIsBoundedByTheStream) {
  // One opcode with a huge memo index must not make a huge memo.
  EXPECT_EQ(load(opcodes({"Nr", little(0xffffffff, 4), "."})),
            "E0524 at byte 1 of 'p': memo index 4294967295 after 2 opcodes");
  // 100 calls that copy a dict of 200 000: more work than the stream has bytes.
  std::string bomb = "}(";
  for (int i = 0; i < 200'000; ++i) bomb += "NN";
  bomb += "uq\x01";
  for (int i = 0; i < 100; ++i) bomb += "ccollections\nOrderedDict\nh\x01\x85R";
  EXPECT_EQ(load(bomb + ".").substr(0, 6), "E0524 ");
  // Depth costs nothing: no recursion.
  EXPECT_EQ(load(std::string(200'000, '(') + std::string(200'000, 't') + "0N."), "None");
}

TEST(Pickle, SeveralPicklesOfOneStreamKeepTheirValues) {
  const std::string stream = "\x80\x02\x8c\x01xq\x01.\x80\x02\x8c\x01yq\x02.h\x01.";
  NoHooks hooks;
  Machine machine(std::as_bytes(std::span(stream)), "f", "");
  std::size_t position = 0;
  const auto first = machine.load(position, hooks);
  ASSERT_TRUE(first);
  EXPECT_EQ(position, 8u);
  const auto second = machine.load(position, hooks);
  ASSERT_TRUE(second);
  EXPECT_EQ(shown(machine.heap(), *first), "'x'");
  EXPECT_EQ(shown(machine.heap(), *second), "'y'");
  const auto third = machine.load(position, hooks);  // the memo of the first is gone
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().front().place, "f: byte 16");
}

TEST(Pickle, ErrorsNameTheKeyBeforeThem) {
  const std::string stream = test::Pickle().raw("}").text("conv.weight").global("os", "remove").done();
  NoHooks hooks;
  Machine machine(std::as_bytes(std::span(stream)), "f", "p");
  std::size_t position = 0;
  const auto value = machine.load(position, hooks);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().front().notes, std::vector<std::string>{"after the key 'conv.weight'"});
}

}  // namespace
}  // namespace anemone::formats::pickle
