#pragma once
// Included before Highway by every kernel source: the targets that are not worth their compile time.
//   SSSE3: machines without SSE4 but with it are gone; they use the baseline.
//   SVE: its vectors cannot live in arrays, which the tile kernels need; SVE cores run NEON at the same peak.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
