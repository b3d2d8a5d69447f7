// Properties of the whole table.
#include "anemone/ops/ops.h"

#include <gtest/gtest.h>

#include <set>

#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Table, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const OpDef* op : table().all()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name;
    EXPECT_EQ(table().find(op->name), op);
  }
  EXPECT_GE(names.size(), 120u);
  EXPECT_EQ(table().find("conf"), nullptr);
}

TEST(Table, EveryRowSaysWhatItDoes) {
  for (const OpDef* op : table().all()) {
    EXPECT_FALSE(op->summary.empty()) << op->name;
    EXPECT_FALSE(op->forms.empty()) << op->name;
  }
}

TEST(Table, FormsAreOrderedAndComplete) {
  for (const OpDef* op : table().all()) {
    for (std::size_t i = 0; i < op->forms.size(); ++i) {
      EXPECT_NE(op->forms[i].infer, nullptr) << op->name;
      EXPECT_GE(op->forms[i].since, Target::ios15) << op->name;
      EXPECT_TRUE(i == 0 || op->forms[i - 1].since < op->forms[i].since) << op->name;
    }
  }
}

TEST(Table, ParametersHaveTypesAndDefaultsOnlyWhenOptional) {
  for (const OpDef* op : table().all()) {
    for (const Form& form : op->forms) {
      std::set<std::string_view> names;
      for (const Param& param : form.params) {
        EXPECT_NE(param.types, 0u) << op->name << "." << param.name;
        EXPECT_TRUE(names.insert(param.name).second) << op->name << "." << param.name;
        EXPECT_TRUE(!param.required || param.fallback.empty()) << op->name << "." << param.name;
      }
    }
  }
}

// Newer opsets accept what older ones did, but for what the reference says is replaced.
TEST(Table, ParametersStayUnlessReplaced) {
  const std::set<std::string_view> kReplaced{"constexpr_lut_to_dense", "constexpr_sparse_to_dense", "crop_resize",
                                             "non_maximum_suppression"};
  for (const OpDef* op : table().all()) {
    if (kReplaced.contains(op->name)) continue;
    for (std::size_t i = 1; i < op->forms.size(); ++i) {
      for (const Param& old : op->forms[i - 1].params) {
        bool found = false;
        for (const Param& param : op->forms[i].params) {
          if (param.name != old.name) continue;
          found = true;
          EXPECT_EQ(param.types & old.types, old.types) << op->name << "." << old.name;
          EXPECT_EQ(param.required, old.required) << op->name << "." << old.name;
        }
        EXPECT_TRUE(found) << op->name << "." << old.name;
      }
    }
  }
}

TEST(Table, SetsHoldWhatTheirNameSays) {
  const auto in = [](OpSet set) {
    std::set<std::string_view> names;
    for (const OpDef* op : table().all()) {
      if (op->is(set)) names.insert(op->name);
    }
    return names;
  };
  using Names = std::set<std::string_view>;
  EXPECT_EQ(in(kPool), (Names{"max_pool", "avg_pool", "l2_pool"}));
  EXPECT_EQ(in(kConvolution), (Names{"conv", "conv_transpose"}));
  EXPECT_EQ(in(kRecurrent), (Names{"lstm", "gru", "rnn"}));
  EXPECT_EQ(in(kProduct),
            (Names{"conv", "conv_transpose", "linear", "matmul", "einsum", "scaled_dot_product_attention"}));
  for (const OpDef* op : table().all()) {
    EXPECT_EQ(op->is(kProduct | kRecurrent), op->macs != nullptr) << op->name;
    EXPECT_EQ(op->is(kConstexpr), op->name.starts_with("constexpr_")) << op->name;
    EXPECT_EQ(op->is(kReduction), op->name.starts_with("reduce_")) << op->name;
    EXPECT_EQ(op->is(kRandom), op->name.starts_with("random_")) << op->name;
  }
}

TEST(Forms, OperationsOfLaterOpsetsAreRefused) {
  Case c(Target::ios16);
  expect_refused(
      c.infer("resize", {{"x", c.typed({1, 2})}, {"shape", {2, 2}}, {"resized_dims", c.number(2, DType::uint32)}}),
      "does not exist in opset CoreML6");
}

TEST(Forms, ParametersMustBeKnown) {
  Case c;
  expect_refused(c.infer("leaky_relu", {{"x", c.typed({2})}, {"alpa", c.number(0.1)}, {"alpha", c.number(0.1)}}),
                 "did you mean 'alpha'");
}

// Infers every form of every operation with all operands of one type, constants made by `constant_of`.
template <class Make>
void infer_everything(const std::vector<Type>& types, Make&& constant_of) {
  for (const OpDef* op : table().all()) {
    for (const Form& form : op->forms) {
      for (const Type& wanted : types) {
        Program program(table());
        Function& function = program.add_function("main", form.since);
        Node& node = function.body.insert(function.body.nodes.end(), std::string(op->name), op);
        for (const Param& param : form.params) {
          Type type = wanted;
          while (!(param.types & dtype_bit(type.dtype))) {
            type.dtype = static_cast<DType>((static_cast<int>(type.dtype) + 1) % kDTypeCount);
          }
          node.set(param.name, param.constant ? function.body.add_constant("c", constant_of(type))
                                              : function.body.add_input("x", type));
        }
        const auto inferred = infer_types(node, form.since);
        EXPECT_TRUE(inferred || !inferred.error().empty());
      }
    }
  }
}

const std::vector<Type> kTypes{Type::unranked(DType::fp32),
                               Type::tensor(DType::fp32, {kUnknown, kUnknown, kUnknown, kUnknown}),
                               Type::tensor(DType::fp32, {1, 4, kUnknown, 8}),
                               Type::tensor(DType::fp32, {kUnknown}),
                               Type::tensor(DType::fp32, {2}),
                               Type::tensor(DType::fp32, {2, 2, 2, 2}),
                               Type::tensor(DType::fp32, {})};

// Rules answer or refuse, and never read what is not there.
TEST(Types, UnknownExtentsAndRanksDoNotDisturbRules) {
  for (const std::int64_t count : {1, 2, 4}) {
    for (const double value : {-1.0, 0.0, 1.0, 2.0, 2147483647.0}) {
      infer_everything(kTypes, [&](const Type& type) {
        const std::vector<double> values(static_cast<std::size_t>(count), value);
        return type.dtype == DType::string ? make_text("custom") : make_constant(type.dtype, {count}, values);
      });
    }
  }
}

TEST(Types, MissingPayloadsDoNotDisturbRules) {
  for (const Dims& dims : {Dims{}, Dims{1}, Dims{2}, Dims{4}, Dims{2, 2}}) {
    infer_everything(kTypes, [&](const Type& type) {
      auto constant = std::make_shared<Constant>();
      constant->type = Type::tensor(type.dtype, dims);
      constant->missing = "weight.bin";
      return constant;
    });
  }
}

}  // namespace
}  // namespace anemone::ops
