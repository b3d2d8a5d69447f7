// Matrix products.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "anemone/frontends/onnx/fused.h"

namespace anemone::onnx {
namespace {

constexpr std::size_t kMostTerms = 64;

void lower_matmul(Call& c) { c.give(c.emit().add("matmul", {{"x", c.in(0)}, {"y", c.in(1)}})); }

}  // namespace

// alpha · A·B + beta · C, both operands possibly transposed.
MilValue* gemm_value(Call& c) {
  Emit& emit = c.emit();
  const double alpha = c.number("alpha", 1), beta = c.number("beta", 1);
  const bool transpose_a = c.flag("transA", false), transpose_b = c.flag("transB", false);
  MilValue* a = c.in(0);
  const bool has_bias = c.has(2) && beta != 0;
  const ConstantPtr weight = c.known(1), bias = has_bias ? c.known(2) : nullptr;
  const std::int64_t rows = weight && c.rank(1) == 2 ? c.dims(1)[0] : 0;
  const bool is_vector =
      bias && count_of(bias->type.dims) == rows && !bias->type.dims.empty() && bias->type.dims.back() == rows;
  // The form of a fully connected layer.
  if (weight && transpose_b && !transpose_a && alpha == 1 && beta == 1 && is_float(a->type.dtype) &&
      (!has_bias || is_vector)) {
    MilValue* vector = is_vector ? emit.reshape(emit.constant(bias), {rows}) : nullptr;
    return emit.add("linear", {{"x", a}, {"weight", c.in(1)}, {"bias", vector}});
  }
  MilValue* y =
      emit.add("matmul", {{"x", a}, {"y", c.in(1)}, {"transpose_x", transpose_a}, {"transpose_y", transpose_b}});
  y = emit.mul(y, alpha);
  return has_bias ? emit.add2(y, emit.mul(c.in(2), beta)) : y;
}

namespace {

void lower_gemm(Call& c) { c.give(gemm_value(c)); }

// An operand of einsum: a value and the letter of each of its dimensions.
struct Term {
  MilValue* value;
  std::string letters;
  std::int64_t extent(char letter) const { return value->type.dims[letters.find(letter)]; }
};

MilValue* permuted(Emit& emit, const Term& term, const std::string& order) {
  Dims perm;
  for (const char letter : order) perm.push_back(static_cast<std::int64_t>(term.letters.find(letter)));
  return emit.transpose(term.value, perm);
}

// A letter that stands twice means the diagonal of the two dimensions.
void take_diagonals(Emit& emit, Term& term) {
  for (std::size_t i = 0; i < term.letters.size(); ++i) {
    const std::size_t j = term.letters.find(term.letters[i], i + 1);
    if (j == std::string::npos) continue;
    std::string rest = term.letters;
    rest.erase(j, 1);
    rest.erase(i, 1);
    Dims perm{static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)};
    for (std::size_t d = 0; d < term.letters.size(); ++d) {
      if (d != i && d != j) perm.push_back(static_cast<std::int64_t>(d));
    }
    MilValue* front = emit.transpose(term.value, perm);
    const std::int64_t n = front->type.dims[0];
    Dims dims(front->type.dims.begin() + 2, front->type.dims.end()), merged = dims, diagonal;
    merged.insert(merged.begin(), n * n);
    dims.insert(dims.begin(), n);
    diagonal.reserve(table_size({n}));
    for (std::int64_t k = 0; k < n; ++k) diagonal.push_back(k * (n + 1));
    term = {emit.pick(emit.reshape(front, merged), 0, diagonal), term.letters.substr(i, 1) + rest};
    i = static_cast<std::size_t>(-1);
  }
}

void sum_over(Emit& emit, Term& term, const std::string& letters) {
  Dims axes;
  std::string rest;
  for (std::size_t d = 0; d < term.letters.size(); ++d) {
    if (letters.find(term.letters[d]) != std::string::npos) {
      axes.push_back(static_cast<std::int64_t>(d));
    } else {
      rest += term.letters[d];
    }
  }
  if (axes.empty()) return;
  term = {emit.add("reduce_sum", {{"x", term.value}, {"axes", axes}, {"keep_dims", false}}), rest};
}

// Two operands become a batched matrix product: letters in both and in what follows are the batch, those in both and
// not after are summed over.
Term contracted(Emit& emit, Term a, Term b, const std::string& needed_after) {
  const auto in = [](const std::string& text, char letter) { return text.find(letter) != std::string::npos; };
  std::string batch, rows, columns, summed, lone_a, lone_b;
  for (const char letter : a.letters) {
    if (in(b.letters, letter)) {
      (in(needed_after, letter) ? batch : summed) += letter;
    } else {
      (in(needed_after, letter) ? rows : lone_a) += letter;
    }
  }
  for (const char letter : b.letters) {
    if (!in(a.letters, letter)) (in(needed_after, letter) ? columns : lone_b) += letter;
  }
  sum_over(emit, a, lone_a);
  sum_over(emit, b, lone_b);
  const auto extents = [](const Term& term, const std::string& letters) {
    std::int64_t n = 1;
    for (const char letter : letters) n *= term.extent(letter);
    return n;
  };
  Dims batch_a, batch_b, result;  // an extent of 1 is stretched to the other's
  for (const char letter : batch) {
    batch_a.push_back(a.extent(letter));
    batch_b.push_back(b.extent(letter));
    result.push_back(std::max(batch_a.back(), batch_b.back()));
  }
  const auto matrix = [&](const Term& term, const std::string& first, const std::string& second, const Dims& lead) {
    Dims dims = batch_a == batch_b && !lead.empty() ? Dims{count_of(lead)} : lead;
    dims.push_back(extents(term, first));
    dims.push_back(extents(term, second));
    return emit.reshape(permuted(emit, term, batch + first + second), dims);
  };
  MilValue* x = matrix(a, rows, summed, batch_a);
  MilValue* y = matrix(b, summed, columns, batch_b);
  for (const char letter : rows) result.push_back(a.extent(letter));
  for (const char letter : columns) result.push_back(b.extent(letter));
  MilValue* product = summed.empty() ? emit.mul(x, y) : emit.add("matmul", {{"x", x}, {"y", y}});
  return {emit.reshape(product, result), batch + rows + columns};
}

struct Equation {
  std::vector<std::string> operands;
  std::string result;
};
// The dots stand for as many dimensions as an operand has left: they get capital letters from the end of the alphabet,
// counted from the right.
Equation parse_equation(Call& c) {
  std::string text = c.text("equation", "");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  Equation e;
  std::string left = text.substr(0, arrow);
  for (std::size_t begin = 0; begin <= left.size();) {
    const std::size_t end = std::min(left.find(',', begin), left.size());
    e.operands.push_back(left.substr(begin, end - begin));
    begin = end + 1;
  }
  if (e.operands.size() != c.inputs()) Call::refuse(fmt::format("'{}' with {} operands", text, c.inputs()));
  std::size_t most = 0;
  const auto expanded = [&](std::string term, std::size_t dots) {
    const std::size_t at = term.find("...");
    if (at == std::string::npos) return term;
    std::string letters;
    for (std::size_t i = dots; i-- > 0;) letters += static_cast<char>('0' + i);
    return term.replace(at, 3, letters);
  };
  for (std::size_t i = 0; i < e.operands.size(); ++i) {
    const std::size_t named = e.operands[i].size() - (e.operands[i].find("...") != std::string::npos ? 3 : 0);
    if (named > c.rank(i)) Call::refuse(fmt::format("'{}' with an operand of rank {}", text, c.rank(i)));
    most = std::max(most, c.rank(i) - named);
    e.operands[i] = expanded(e.operands[i], c.rank(i) - named);
    if (e.operands[i].size() != c.rank(i))
      Call::refuse(fmt::format("'{}' with an operand of rank {}", text, c.rank(i)));
  }
  if (arrow != std::string::npos) {
    e.result = expanded(text.substr(arrow + 2), most);
  } else {  // the letters that stand once, by the alphabet
    std::map<char, int> counts;
    for (const std::string& operand : e.operands) {
      for (const char letter : operand) ++counts[letter];
    }
    for (std::size_t i = most; i-- > 0;) e.result += static_cast<char>('0' + i);
    for (const auto& [letter, count] : counts) {
      if (count == 1 && (letter < '0' || letter > '9')) e.result += letter;
    }
  }
  return e;
}

void lower_einsum(Call& c) {
  Emit& emit = c.emit();
  const Equation equation = parse_equation(c);
  if (c.inputs() > kMostTerms) Call::refuse(fmt::format("a product of {} operands", c.inputs()));
  std::vector<Term> terms;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    terms.push_back({c.in(i), equation.operands[i]});
    take_diagonals(emit, terms.back());
  }
  Term result = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) {
    std::string needed = equation.result;
    for (std::size_t later = i + 1; later < terms.size(); ++later) needed += terms[later].letters;
    result = contracted(emit, result, terms[i], needed);
  }
  std::string lone;
  for (const char letter : result.letters) {
    if (equation.result.find(letter) == std::string::npos) lone += letter;
  }
  sum_over(emit, result, lone);
  for (const char letter : equation.result) {
    if (result.letters.find(letter) == std::string::npos) Call::refuse(fmt::format("no operand has '{}'", letter));
  }
  c.give(permuted(emit, result, equation.result));
}

constexpr Row kRows[] = {
    {"MatMul", 1, lower_matmul},
    {"Gemm", 1, lower_gemm},
    {"Einsum", 12, lower_einsum},
};

}  // namespace

std::span<const Row> product_lowerings() { return kRows; }

}  // namespace anemone::onnx
