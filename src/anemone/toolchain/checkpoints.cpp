// Listing and making checkpoints.
#include "anemone/toolchain/checkpoints.h"

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/torch/checkpoint_writer.h"
#include "anemone/formats/wire/sha256.h"
#include "anemone/frontends/models/synth.h"

namespace anemone::toolchain {

Result<CheckpointListing> list_checkpoint(const std::filesystem::path& path, const std::string& part) {
  TRY(formats::Checkpoint checkpoint, formats::read_checkpoint(path));
  CheckpointListing listing{path.string(),
                            checkpoint.container,
                            checkpoint.root,
                            checkpoint.storages,
                            checkpoint.globals,
                            part,
                            checkpoint.tensors.size(),
                            {}};
  for (const formats::StoredTensor& t : checkpoint.tensors) {
    if (t.path.find(part) == std::string::npos) continue;
    listing.tensors.push_back({t.path, std::string(name(t.dtype)), t.storage_key, formats::sha256_hex(elements(t).view),
                               t.shape, t.stride, t.offset, t.parameter, t.kind});
  }
  if (listing.tensors.empty() && !part.empty())
    return bad_usage("no tensor of " + path.string() + " has '" + part + "' in its path",
                     "'anemone print " + path.string() + "' lists them all");
  return listing;
}

Result<SynthResult> synth_star_checkpoint(const std::filesystem::path& output, const SynthRequest& request) {
  models::SynthOptions options;
  options.points = request.points;
  options.weights = request.random ? models::SynthWeights::random : models::SynthWeights::hash;
  options.seed = request.seed;
  options.heads = request.heads;
  TRY(std::vector<models::SynthTensor> tensors, models::synth_star(options));
  SynthResult result;
  std::vector<formats::CheckpointEntry> entries;
  for (const models::SynthTensor& tensor : tensors) {
    formats::CheckpointEntry entry;
    entry.name = tensor.key;
    entry.dtype = tensor.dtype;
    entry.shape = tensor.shape;
    entry.produce = [make = tensor.make](const formats::CheckpointEntry::Sink& sink) { return sink(make().view); };
    entries.push_back(std::move(entry));
    if (request.heads && std::filesystem::exists(*request.heads / (tensor.key + ".npy")))
      result.replaced.push_back(tensor.key);
  }
  TRY_VOID(formats::write_checkpoint(output, entries));
  result.output = output.string();
  result.weights = request.random ? "random" : "hash";
  result.points = request.points;
  result.tensors = tensors.size();
  models::StarShape shape;
  shape.points = request.points;
  shape.edges = *models::star_edges(request.points);  // synth_star has refused other numbers
  result.parameters = models::parameter_count(models::star_keys(shape));
  std::error_code ignored;
  result.bytes = std::filesystem::file_size(output, ignored);
  return result;
}

}  // namespace anemone::toolchain
