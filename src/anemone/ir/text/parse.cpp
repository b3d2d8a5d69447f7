// Where the MIL text parser is entered.
#include "anemone/ir/text/parse.h"

#include "anemone/ir/text/program_reader.h"

namespace anemone {

Result<std::unique_ptr<Program>> parse(std::shared_ptr<const SourceText> source, const OpTable& ops,
                                       const ParseOptions& options) {
  return ProgramReader(std::move(source), ops, options).run();
}

Result<std::unique_ptr<Program>> parse(std::string text, const OpTable& ops, const ParseOptions& options,
                                       std::string name) {
  return parse(std::make_shared<const SourceText>(SourceText{std::move(name), std::move(text)}), ops, options);
}

}  // namespace anemone
