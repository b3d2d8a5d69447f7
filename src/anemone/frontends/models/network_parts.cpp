// A network's program from its first line to its interface.
#include "anemone/frontends/models/network_parts.h"

#include "anemone/ir/derive_interface.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"

namespace anemone::models {

Value* begin_program(Network& network, const NetworkOptions& options) {
  network.batch = options.batch;
  network.program = std::make_unique<Program>(ops::table());
  network.program->specification = specification_version(options.target);
  Function& function = network.program->add_function("main", options.target);
  return function.body.add_input("image", Type::tensor(DType::fp32, {network.batch, 3, network.height, network.width}));
}

void finish_program(Network& network, const std::map<std::string, Value*>& named) {
  Function& function = network.program->main();
  std::vector<Value*> outputs;
  for (const std::string& name : network.output_groups.at("all")) outputs.push_back(named.at(name));
  function.body.set_outputs(std::move(outputs));
  function.interface = derive_interface(function);
  network.modules.add_work(*network.program);
}

}  // namespace anemone::models
