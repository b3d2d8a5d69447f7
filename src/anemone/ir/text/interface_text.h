#pragma once
// What MIL text itself cannot say, as `//!` lines: the interface of a function, and the program's metadata.
//
//   //! specification 8                                            of the program, before its brace
//   //! default main
//   //! author "…"             also description, version, license, doc; user "key" "value"
//   //! input image: image bgr 256x256 sizes 224x224 256x256 "the face"       of the function that follows
//   //! input x: array fp32 [1, 3, 8, 8] ranges 1..1 3..3 1..64 1.. optional default fp32 0.5
//   //! output probs: dictionary keys string
//   //! output ids: sequence keys int64 length 0..5
//   //! state cache: state fp16 [1, 8]
//   //! predicted_feature "label"    also predicted_probabilities
//   //! empty                        an interface without features, where the function has inputs or outputs
//
// A feature is its kind and then words in any order: a dtype, a colour, [shape], WIDTHxHEIGHT, "description", optional,
// shapes […] […], ranges a..b …, sizes WxH …, widths a..b, heights a..b, default DTYPE number, keys string|int64,
// length a..b. Names that are no identifiers are quoted.
#include <string>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone {

/// The lines without indentation, one per entry; nothing where the defaults say it.
std::vector<std::string> program_lines(const Program& program);
std::vector<std::string> interface_lines(const Function& function);

/// Reads one line (the text after "//!"). The diagnostic's span is relative to `line`.
Result<void> read_program_line(std::string_view line, Program& program);
Result<void> read_interface_line(std::string_view line, Interface& interface);

}  // namespace anemone
