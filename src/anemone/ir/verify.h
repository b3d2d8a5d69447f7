#pragma once
// Checks what every reader and every pass must leave behind: a well-formed graph whose types follow from its operands.
#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone {

struct VerifyOptions {
  enum class Types : std::uint8_t {
    off,
    declared,  ///< the written type is compatible with the inferred one (either may know less)
    exact,     ///< equal to the inferred one
  };
  Types types = Types::declared;
  DTypeGroups groups = DTypeGroups::checked;  ///< ignored: for packages by others, which mix dtypes
  bool limits = false;    ///< also what Core ML refuses: more than five dimensions, bools at the interface … (E0224)
  bool interface = true;  ///< features match the inputs and outputs of their function
  Blame blame = Blame::bug;  ///< whose fault an error is: ours after a pass, the input's after reading a file
  std::size_t max_errors = 10;
  std::string name = "program.mil";  ///< what errors call the text that they point into: the file that was read
};

/// Structure: values are defined before they are used, names are unique in a function, use lists agree with operands,
/// block outputs exist, required operands are bound. Then types, then the interface. Errors (E0220 structure, E0221
/// names, E0222 types and payloads, E0223 interface, and those of type rules) point into the printed text of the program.
/// A program that passes is safe to execute, fold and write: extents count, and constants hold as many bytes as they say.
Result<void> verify(const Program& program, const VerifyOptions& options = {});

}  // namespace anemone
