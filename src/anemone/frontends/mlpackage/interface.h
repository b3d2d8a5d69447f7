#pragma once
// The interface part of a model file as IR features.
#include "anemone/formats/coreml/spec.h"
#include "anemone/ir/interface.h"
#include "anemone/support/result.h"

namespace anemone::mlpackage {

Result<Interface> read_interface(const formats::milspec::Interface& from, std::string_view place);
Metadata read_metadata(const formats::milspec::Metadata& from);

}  // namespace anemone::mlpackage
