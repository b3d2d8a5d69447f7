// The picture of docs/architecture.md, drawn from the tables that tidy_test checks the source with: it cannot say anything
// else than the source does. With a file as argument it compares.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/tidy_tables.h"

namespace {

using namespace anemone::tidy;

constexpr int kWidth = 1000, kMargin = 16, kGap = 14, kFloorGap = 44, kHead = 30, kLine = 17;

std::string folder_of(const std::string& room) { return room.substr(0, room.find('/')); }

/// A folder of src/anemone with its rooms, and what it may include.
struct Folder {
  std::vector<std::string> rooms;  ///< inner ones; may be empty
  std::set<std::string> below;
  int floor = 0;
  int x = 0, y = 0, width = 0;
  int lines() const { return 1 + static_cast<int>(rooms.size()); }
  int height() const { return kHead + kLine * lines() + 6; }
};
using House = std::map<std::string, Folder>;

House house() {
  House folders;
  for (const auto& [room, others] : kMayInclude) {
    Folder& folder = folders[folder_of(room)];
    if (room != folder_of(room)) folder.rooms.push_back(room);
    for (const std::string& other : others) {
      if (folder_of(other) != folder_of(room)) folder.below.insert(folder_of(other));
    }
  }
  for (std::size_t round = 0; round < folders.size(); ++round) {  // floors: the longest way down
    for (auto& [name, folder] : folders) {
      for (const std::string& other : folder.below) folder.floor = std::max(folder.floor, folders.at(other).floor + 1);
    }
  }
  return folders;
}

/// Arrows that say something: not those that follow from others.
std::set<std::string> arrows_of(const House& folders, const std::string& name) {
  std::set<std::string> arrows = folders.at(name).below;
  std::set<std::string> implied;
  for (const std::string& other : arrows) {
    std::vector<std::string> todo(folders.at(other).below.begin(), folders.at(other).below.end());
    while (!todo.empty()) {
      const std::string next = todo.back();
      todo.pop_back();
      if (implied.insert(next).second)
        todo.insert(todo.end(), folders.at(next).below.begin(), folders.at(next).below.end());
    }
  }
  std::erase_if(arrows, [&](const std::string& other) { return implied.contains(other); });
  return arrows;
}

std::string draw() {
  House folders = house();
  std::map<int, std::vector<std::string>, std::greater<>> floors;
  for (const auto& [name, folder] : folders) floors[folder.floor].push_back(name);
  const auto passed_by = [&](int floor) {  // an arrow from above to below leads past it
    return std::any_of(folders.begin(), folders.end(), [&](const auto& f) {
      const std::set<std::string> arrows = arrows_of(folders, f.first);
      return f.second.floor > floor && std::any_of(arrows.begin(), arrows.end(), [&](const std::string& other) {
               return folders.at(other).floor < floor;
             });
    });
  };
  int y = kMargin;
  for (auto& [floor, names] : floors) {
    const int count = static_cast<int>(names.size());
    const bool aside = count == 1 && passed_by(floor);
    const int width = aside ? 220 : count == 1 ? 440 : (kWidth - 2 * kMargin - (count - 1) * kGap) / count;
    int x = aside ? kWidth - kMargin - width : (kWidth - count * width - (count - 1) * kGap) / 2, tallest = 0;
    for (const std::string& name : names) {
      Folder& folder = folders.at(name);
      folder.x = x, folder.y = y, folder.width = width;
      x += width + kGap;
      tallest = std::max(tallest, folder.height());
    }
    y += tallest + kFloorGap;
  }
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << ' ' << y - kFloorGap + kMargin
      << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  for (const auto& [name, folder] : folders) {
    for (const std::string& other : arrows_of(folders, name)) {
      const Folder& to = folders.at(other);
      out << "<line x1=\"" << folder.x + folder.width / 2 << "\" y1=\"" << folder.y + folder.height() << "\" x2=\""
          << to.x + to.width / 2 << "\" y2=\"" << to.y << "\" stroke=\"#8a97a6\"/>\n";
    }
  }
  for (const auto& row : folders) {
    const std::string& name = row.first;  // clang 14 cannot capture structured bindings
    const Folder& folder = row.second;
    out << "<rect x=\"" << folder.x << "\" y=\"" << folder.y << "\" width=\"" << folder.width << "\" height=\""
        << folder.height() << "\" rx=\"6\" fill=\"#eef4fb\" stroke=\"#2f5d8a\"/>\n";
    const auto text = [&](int line, const std::string& style, const std::string& words) {
      out << "<text x=\"" << folder.x + 10 << "\" y=\"" << folder.y + 20 + line * kLine << "\" " << style << '>'
          << words << "</text>\n";
    };
    text(0, "font-weight=\"bold\" font-size=\"14\" fill=\"#17344f\"", name + "/");
    text(1, "fill=\"#333333\"", kJobs.at(name));
    int line = 2;
    for (const std::string& room : folder.rooms)
      text(line++, "fill=\"#333333\"",
           "<tspan font-weight=\"bold\">" + room.substr(room.find('/') + 1) + "</tspan>  " + kJobs.at(room));
  }
  return out.str() + "</svg>\n";
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [room, others] : kMayInclude) {
    for (const std::string& wanted : {room, folder_of(room)}) {
      if (kJobs.contains(wanted)) continue;
      std::cout << "tests/support/tidy_tables.h: kJobs does not say what '" << wanted << "' is for\n";
      return 1;
    }
  }
  const std::string picture = draw();
  if (argc < 2) {
    std::cout << picture;
    return 0;
  }
  std::ostringstream found;
  found << std::ifstream(argv[1]).rdbuf();
  const bool same = found.str() == picture;
  if (!same) std::cout << argv[1] << " is not what the tables say: write it with 'house_picture > " << argv[1] << "'\n";
  std::cout << (same ? "1 passed, 0 failed, 0 skipped\n" : "0 passed, 1 failed, 0 skipped\n");
  return same ? 0 : 1;
}
