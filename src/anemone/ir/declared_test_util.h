#pragma once
// For tests: nodes as a file declares them, right or wrong.
#include <string>
#include <utility>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"

namespace anemone::test {

/// A node at the end of the block whose output types are declared, not inferred.
inline Node& insert_declared(Block& block, std::string type, std::vector<Operand> operands,
                             std::vector<std::pair<std::string, Type>> outputs) {
  const OpDef* def = block.function().program->ops->find(type);
  Node& node = block.insert(block.nodes.end(), std::move(type), def);
  for (Operand& operand : operands) node.set(operand.param, std::move(operand.values));
  for (auto& [name, declared] : outputs) node.add_output(std::move(name), std::move(declared));
  return node;
}

}  // namespace anemone::test
