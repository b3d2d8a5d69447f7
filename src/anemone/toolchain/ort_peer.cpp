// The C interface of ONNX Runtime is a table of functions in a documented order to which functions are only ever added;
// what is used here is in its first version.
#include "anemone/toolchain/ort_peer.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

// Places in the table of version 1, counted from 0.
enum Place : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetSessionGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kSessionGetInputCount = 30,
  kSessionGetOutputCount = 31,
  kSessionGetInputTypeInfo = 33,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensorWithDataAsOrtValue = 49,
  kCastTypeInfoToTensorInfo = 55,
  kGetTensorElementType = 60,
  kCreateCpuMemoryInfo = 69,
  kAllocatorFree = 76,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTypeInfo = 98,
  kReleaseSessionOptions = 100,
};
constexpr int kErrorsOnly = 3, kAllOptimisations = 99, kArenaAllocator = 1, kDefaultMemory = 0;

/// Numbers of the element types.
constexpr std::pair<int, DType> kTypes[] = {
    {1, DType::fp32},  {2, DType::uint8}, {3, DType::int8},    {4, DType::uint16}, {5, DType::int16},
    {6, DType::int32}, {7, DType::int64}, {9, DType::boolean}, {10, DType::fp16},  {11, DType::fp64}};

/// What the library shows of itself: the table of a version, and its own version as text.
struct Base {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

std::vector<std::string> places() {
  std::vector<std::string> out;
  if (const char* chosen = std::getenv("ANEMONE_ONNXRUNTIME")) return {chosen};
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so", "libonnxruntime.dylib"}) out.emplace_back(name);
  const char* environment = std::getenv("VIRTUAL_ENV");
  if (!environment) return out;
  std::error_code error;
  for (const auto& python : fs::directory_iterator(fs::path(environment) / "lib", error)) {
    for (const auto& file : fs::directory_iterator(python.path() / "site-packages/onnxruntime/capi", error)) {
      if (file.path().filename().string().starts_with("libonnxruntime.")) out.push_back(file.path().string());
    }
  }
  return out;
}

}  // namespace

struct OrtPeer::State {
  void* const* table = nullptr;
  std::string version, library;
  void *environment = nullptr, *options = nullptr, *session = nullptr, *memory = nullptr, *allocator = nullptr;
  std::vector<std::string> input_names, output_names;
  std::vector<ConstantPtr> numbers;  ///< the memory of `values`
  std::vector<void*> values;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (void* value : values) release(kReleaseValue, value);
    release(kReleaseSession, session);
    release(kReleaseSessionOptions, options);
    release(kReleaseMemoryInfo, memory);
    release(kReleaseEnv, environment);
  }

  template <class... Parameters>
  using Function = void* (*)(Parameters...);

  /// Every function but the ones that release returns null, or a status that says what went wrong.
  template <class... Parameters>
  Result<void> call(Place place, Parameters... parameters) const {
    void* const status = reinterpret_cast<Function<Parameters...>>(table[place])(parameters...);
    if (!status) return {};
    const std::string message = reinterpret_cast<const char* (*)(void*)>(table[kGetErrorMessage])(status);
    release(kReleaseStatus, status);
    return bad_usage(fmt::format("ONNX Runtime {} does not run the network: {}", version, message), "leave --peer out");
  }
  void release(Place place, void* object) const {
    if (object) reinterpret_cast<void (*)(void*)>(table[place])(object);
  }

  Result<std::vector<std::string>> names(Place count, Place name) const {
    std::size_t number = 0;
    TRY_VOID(call(count, session, &number));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < number; ++i) {
      char* text = nullptr;
      TRY_VOID(call(name, session, i, allocator, &text));
      out.emplace_back(text);
      TRY_VOID(call(kAllocatorFree, allocator, static_cast<void*>(text)));
    }
    return out;
  }
  Result<int> element_type(std::size_t input) const {
    void* info = nullptr;
    TRY_VOID(call(kSessionGetInputTypeInfo, session, input, &info));
    void* tensor = nullptr;
    int type = 0;
    auto found = call(kCastTypeInfoToTensorInfo, info, &tensor);
    if (found && tensor) found = call(kGetTensorElementType, tensor, &type);
    release(kReleaseTypeInfo, info);
    TRY_VOID(std::move(found));
    return type;
  }
};

OrtPeer::OrtPeer(std::unique_ptr<State> state) : state_(std::move(state)) {}
OrtPeer::OrtPeer(OrtPeer&&) noexcept = default;
OrtPeer& OrtPeer::operator=(OrtPeer&&) noexcept = default;
OrtPeer::~OrtPeer() = default;
const std::string& OrtPeer::version() const { return state_->version; }
const std::string& OrtPeer::library() const { return state_->library; }
const std::vector<std::string>& OrtPeer::inputs() const { return state_->input_names; }

Result<OrtPeer> OrtPeer::open() {
  const std::string help = "install it, or name its library in ANEMONE_ONNXRUNTIME";
  std::string reason;
  for (const std::string& place : places()) {
    // Never closed: it has threads and handlers of its own until the process ends.
    void* const library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char* why = ::dlerror();
      if (reason.empty() && why) reason = why;
      continue;
    }
    void* const entry = ::dlsym(library, "OrtGetApiBase");
    const Base* base = entry ? reinterpret_cast<const Base* (*)()>(entry)() : nullptr;
    auto state = std::make_unique<State>();
    state->table = base ? base->table(1) : nullptr;
    if (!state->table)
      return bad_environment(ErrorCode::system_call, "this is no library of ONNX Runtime", place, help);
    state->version = base->version();
    state->library = place;
    TRY_VOID(state->call(kCreateEnv, kErrorsOnly, "anemone", &state->environment));
    TRY_VOID(state->call(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &state->memory));
    TRY_VOID(state->call(kGetAllocatorWithDefaultOptions, &state->allocator));
    return OrtPeer(std::move(state));
  }
  return bad_environment(ErrorCode::system_call, fmt::format("ONNX Runtime cannot be opened: {}", reason), {}, help);
}

Result<void> OrtPeer::load(const fs::path& onnx, int threads) {
  State& s = *state_;
  TRY_VOID(s.call(kCreateSessionOptions, &s.options));
  TRY_VOID(s.call(kSetIntraOpNumThreads, s.options, threads));
  TRY_VOID(s.call(kSetInterOpNumThreads, s.options, 1));
  TRY_VOID(s.call(kSetSessionGraphOptimizationLevel, s.options, kAllOptimisations));
  TRY_VOID(s.call(kCreateSession, s.environment, onnx.c_str(), s.options, &s.session));
  TRY(s.input_names, s.names(kSessionGetInputCount, kSessionGetInputName));
  TRY(s.output_names, s.names(kSessionGetOutputCount, kSessionGetOutputName));
  return {};
}

Result<void> OrtPeer::give(const std::vector<Array>& arrays) {
  State& s = *state_;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    TRY(const int type, s.element_type(i));
    const auto* known =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.first == type; });
    if (known == std::end(kTypes))
      return bad_usage(fmt::format("the input '{}' takes no numbers", s.input_names[i]), "leave --peer out");
    const Array& array = arrays[i];
    s.numbers.push_back(make_constant(known->second, array.dims, std::span<const double>(array.data)));
    const Constant& held = *s.numbers.back();
    void*& value = s.values.emplace_back();
    TRY_VOID(s.call(kCreateTensorWithDataAsOrtValue, s.memory,
                    const_cast<void*>(static_cast<const void*>(held.data.data())), held.data.size(), array.dims.data(),
                    array.dims.size(), type, &value));
  }
  return {};
}

Result<void> OrtPeer::run() {
  State& s = *state_;
  std::vector<const char*> in, out;
  for (const std::string& name : s.input_names) in.push_back(name.c_str());
  for (const std::string& name : s.output_names) out.push_back(name.c_str());
  std::vector<void*> results(out.size());
  auto ran = s.call(kRun, s.session, static_cast<void*>(nullptr), in.data(), s.values.data(), s.values.size(),
                    out.data(), out.size(), results.data());
  for (void* result : results) s.release(kReleaseValue, result);
  return ran;
}

}  // namespace anemone::toolchain
