// The verbs `ops` and `passes`: the tables.
#include "anemone/report/tables.h"
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

int run_ops(Call& call) {
  bool markdown = false;
  call.options.flag("--markdown", markdown, "as docs/reference/ops.md");
  if (const auto over = call.parse()) return *over;
  const auto rows = op_rows();
  call.print(call.json ? report::ops_json(rows) : markdown ? report::ops_markdown(rows) : report::ops_text(rows));
  return 0;
}

int run_passes(Call& call) {
  bool markdown = false;
  call.options.flag("--markdown", markdown, "as docs/reference/passes.md");
  if (const auto over = call.parse()) return *over;
  const auto rows = pass_rows();
  const auto pipelines = pipeline_rows();
  call.print(call.json  ? report::passes_json(rows, pipelines)
             : markdown ? report::passes_markdown(rows, pipelines)
                        : report::passes_text(rows, pipelines));
  return 0;
}

}  // namespace

const Verb kOpsVerb{.name = "ops",
                    .arguments = "",
                    .summary = "the operations that anemone understands, with their forms",
                    .examples = "anemone ops\nanemone ops --json",
                    .run = run_ops};
const Verb kPassesVerb{.name = "passes",
                       .arguments = "",
                       .summary = "the passes and the pipelines made of them",
                       .examples = "anemone passes",
                       .run = run_passes};

}  // namespace anemone::cli
