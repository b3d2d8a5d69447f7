#pragma once
// The interface part of a model file as IR features.
#include "anemone/formats/coreml/spec.h"
#include "anemone/ir/interface.h"
#include "anemone/support/result.h"

namespace anemone {

Result<Interface> read_interface(const milspec::Interface& from, std::string_view place);
Metadata read_metadata(const milspec::Metadata& from);

}  // namespace anemone
