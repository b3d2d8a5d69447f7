// Reads FlexibleShapeInformation:
//   ((("DefaultShapes", {{"x", [1, 3, 64, 64]}}), ("RangeDims", {{"x", [[1, 1], [3, 3], [1, 512], [1, 512]]}})))
// or, in the second place, ("EnumeratedShapes", {{"some key", {{"x", [1, 3, 64, 64]}}}, …}).
#include "anemone/ir/flexible_shapes.h"

#include <algorithm>

namespace anemone {
namespace {

Feature* find(Interface& interface, const Constant& name) {
  if (!name.is_string() || name.strings.size() != 1) return nullptr;
  for (Feature& feature : interface.inputs) {
    if (feature.name == name.strings[0]) return &feature;
  }
  return nullptr;
}

bool is_dictionary(const Constant& c) { return c.type.kind == Type::Kind::dictionary; }

// Calls apply(feature, value) for every entry; false when one does not fit.
template <class Apply>
bool each_input(const Constant& entries, Interface& interface, Apply apply) {
  if (!is_dictionary(entries)) return false;
  for (std::size_t i = 0; i + 1 < entries.elements.size(); i += 2) {
    Feature* feature = find(interface, entries.elements[i]);
    if (!feature || !apply(*feature, entries.elements[i + 1])) return false;
  }
  return true;
}

bool is_shape(const Constant& c, const Feature& feature) {
  return c.type.is_tensor() && is_integer(c.type.dtype) && c.type.rank() == 1 &&
         c.count() == static_cast<std::int64_t>(feature.shape.size());
}

bool set_default(Feature& feature, const Constant& shape) {
  if (!is_shape(shape, feature)) return false;
  feature.shape = to_ints(shape);
  return true;
}

bool add_shape(Feature& feature, const Constant& shape) {
  if (!is_shape(shape, feature)) return false;
  feature.ranges.clear();
  Dims dims = to_ints(shape);
  if (std::find(feature.shapes.begin(), feature.shapes.end(), dims) == feature.shapes.end()) {
    feature.shapes.push_back(std::move(dims));
  }
  return true;
}

bool set_ranges(Feature& feature, const Constant& list) {
  if (list.type.kind != Type::Kind::list || list.elements.size() != feature.shape.size()) return false;
  feature.ranges.clear();
  for (const Constant& pair : list.elements) {
    const Dims range = to_ints(pair);
    if (range.size() != 2) return false;
    feature.ranges.push_back({range[0], range[1]});
  }
  return true;
}

bool apply_entry(const Constant& entry, Interface& interface) {
  if (entry.type.kind != Type::Kind::tuple || entry.elements.size() != 2 || !entry.elements[0].is_string()) {
    return false;
  }
  const std::string& key = entry.elements[0].strings.at(0);
  const Constant& value = entry.elements[1];
  if (key == "DefaultShapes") return each_input(value, interface, set_default);
  if (key == "RangeDims") return each_input(value, interface, set_ranges);
  if (key != "EnumeratedShapes" || !is_dictionary(value)) return false;
  for (std::size_t i = 1; i < value.elements.size(); i += 2) {
    if (!each_input(value.elements[i], interface, add_shape)) return false;
  }
  return true;
}

}  // namespace

bool apply_flexible_shapes(const Constant& attribute, Interface& interface) {
  if (attribute.type.kind != Type::Kind::tuple) return false;
  Interface changed = interface;
  for (const Constant& entry : attribute.elements) {
    if (!apply_entry(entry, changed)) return false;
  }
  interface = std::move(changed);
  return true;
}

}  // namespace anemone
