#pragma once
// The beginning and the end that the programs of all networks share.
#include "anemone/frontends/models/network.h"

namespace anemone::models {

/// The program with its function "main" and the input `image` [batch,3,height,width], which is returned.
Value* begin_program(Network& network, const NetworkOptions& options);

/// Sets the outputs of the group "all" from the values by name, the interface, and the work of the modules.
void finish_program(Network& network, const std::map<std::string, Value*>& named);

}  // namespace anemone::models
