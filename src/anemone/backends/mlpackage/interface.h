#pragma once
// IR features as the interface part of a model file.
#include "anemone/formats/coreml/spec.h"
#include "anemone/ir/interface.h"

namespace anemone::mlpackage {

formats::milspec::Interface write_interface(const Interface& from);
formats::milspec::Metadata write_metadata(const Metadata& from);

}  // namespace anemone::mlpackage
