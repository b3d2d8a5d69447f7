#pragma once
// Assembles bytes and zips by hand, so that tests can be wrong on purpose.
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "anemone/support/bytes.h"

namespace anemone::test {

inline std::string little(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return bytes;
}

inline Bytes bytes_of(std::string_view text) { return Bytes::copy_of(std::span<const char>(text)); }

struct Member {
  std::string name, data;
  bool deflate = false;
  // Lies, where they are set:
  std::int64_t crc = -1, size = -1, compressed_size = -1;
  int method = -1, flags = 0;
  bool zip64 = false;
};

inline std::string deflated(std::string_view data) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string zip_bytes(const std::vector<Member>& members) {
  std::string out, directory;
  for (const Member& m : members) {
    const std::string body = m.deflate ? deflated(m.data) : m.data;
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(m.data.data()), m.data.size());
    const auto or_lie = [](std::int64_t lie, std::uint64_t truth) {
      return lie >= 0 ? static_cast<std::uint64_t>(lie) : truth;
    };
    const std::uint64_t size = or_lie(m.size, m.data.size()), packed = or_lie(m.compressed_size, body.size());
    const std::string extra =
        m.zip64 ? little(1, 2) + little(24, 2) + little(size, 8) + little(packed, 8) + little(out.size(), 8) : "";
    const std::string head = little(45, 2) + little(static_cast<std::uint64_t>(m.flags), 2) +
                             little(or_lie(m.method, m.deflate ? 8 : 0), 2) + little(0x21 << 16, 4) +
                             little(or_lie(m.crc, crc), 4) + little(m.zip64 ? 0xffffffff : packed, 4) +
                             little(m.zip64 ? 0xffffffff : size, 4) + little(m.name.size(), 2);
    directory += little(0x02014b50, 4) + little(45, 2) + head + little(extra.size(), 2) + little(0, 2 + 2 + 2 + 4) +
                 little(m.zip64 ? 0xffffffff : out.size(), 4) + m.name + extra;
    out += little(0x04034b50, 4) + head + little(m.zip64 ? 20 : 0, 2) + m.name;
    if (m.zip64) out += little(1, 2) + little(16, 2) + little(size, 8) + little(packed, 8);
    out += body;
  }
  const std::uint64_t at = out.size(), count = members.size();
  return out + directory + little(0x06054b50, 4) + little(0, 4) + little(count, 2) + little(count, 2) +
         little(directory.size(), 4) + little(at, 4) + little(0, 2);
}

}  // namespace anemone::test
