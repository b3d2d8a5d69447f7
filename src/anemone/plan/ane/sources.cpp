// The sources behind the table of operation types and the rules.
#include <array>

#include "anemone/plan/ane/support_table.h"

namespace anemone::plan::ane {
namespace {

constexpr std::array kSources{
    Source{"A1", "apple/coreai-models: neural_engine_rules.md, Apple's own authoring rules"},
    Source{"A6", "apple/coremltools: guides on quantization, palettization and pruning"},
    Source{"A8", "apple/coremltools issue 1780, an Apple engineer: RNN and LSTM are not supported"},
    Source{"CoreML-LLM", "john-rocky/CoreML-LLM: docs"},
    Source{"G1", "sbryngelson/ane-guide: operation by device matrix (M1, M2 Pro, M5, a direct path)"},
    Source{"H1", "hollance/neural-engine: unsupported layers"},
    Source{"I1", "jafreck/ironmill: ane-op-support-matrix.md (M3 Pro)"},
    Source{"O1", "mechramc/Orion: ane_constraints.md (private interface, M4 Max)"},
    Source{"R1", "roboflow/rf-detr pull request 1495 (M3 Pro)"},
    Source{
        "S1",
        "751K/Apple-Neural-Engine-Microarchitecture-Study-M6: compute plans of single operations and small networks (M4)"},
    Source{"S3", "the same study: estimator tables by target"},
    Source{"X1", "the 659 operations of a converted STAR, counted here, against its Xcode report (657 of 659)"},
};

}  // namespace

std::span<const Source> sources() { return kSources; }

}  // namespace anemone::plan::ane
