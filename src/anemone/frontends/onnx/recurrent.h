#pragma once
// Recurrent nodes as ONNX says them, and their steps written out.
#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {

struct Recurrence {
  MilValue* x = nullptr;  ///< [steps, batch, inputs]
  std::int64_t steps = 0, batch = 0, hidden = 0, gates = 0, directions = 1;
  bool batch_first = false;
  std::string direction;
  std::vector<std::string> activations;  ///< of each direction after the other
  std::vector<float> alphas, betas;
  double clip = 0;              ///< 0: none
  MilValue* lengths = nullptr;  ///< int32 [batch], where not all of them are `steps`
  bool is_usual = false;        ///< activations, weights and lengths that MIL's operations take
};

struct Unrolled {
  MilValue* y = nullptr;                ///< [steps, directions, batch, hidden]
  MilValue *h = nullptr, *c = nullptr;  ///< [directions, batch, hidden]
};
Unrolled unroll_lstm(Call& c, const Recurrence& r, MilValue* h0, MilValue* c0, MilValue* peepholes);
Unrolled unroll_gru(Call& c, const Recurrence& r, MilValue* h0, bool reset_after);
Unrolled unroll_rnn(Call& c, const Recurrence& r, MilValue* h0);

}  // namespace anemone::onnx
