// Functions, blocks and operations of ML Programs: protobuf -> structs.
#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec::wire {

using protobuf::field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::read;
using protobuf::tagged;

namespace {

Block read_block(Message& message);

Binding read_binding(Message& message) {
  std::optional<Binding> binding;
  read(message,
       tagged(protobuf::bytes_field(1),
              [&](Message& m) {
                binding = {m.get_text(), std::nullopt};
              }),
       message_field(2, [&](Message& m) {
         binding = {{}, read_value(m)};
       }));
  if (!binding) inconsistent("an argument is neither a name nor a literal");
  return *std::move(binding);
}

std::vector<Binding> read_argument(Message& message) {
  std::vector<Binding> bindings;
  read(message, field(1, bindings, read_binding));
  return bindings;
}

Operation read_operation(Message& message) {
  Operation operation;
  read(message, field(1, operation.type), map_field(2, operation.inputs, read_argument),
       field(3, operation.outputs, read_named_type), field(4, operation.blocks, read_block),
       map_field(5, operation.attributes, read_value));
  if (operation.type.empty()) inconsistent("an operation has no type");
  sort_map(operation.inputs);
  sort_map(operation.attributes);
  return operation;
}

Block read_block(Message& message) {
  Block block;
  read(message, field(1, block.inputs, read_named_type), field(2, block.outputs),
       field(3, block.operations, read_operation), map_field(4, block.attributes, read_value));
  sort_map(block.attributes);
  return block;
}

Function read_function(Message& message) {
  Function function;
  read(message, field(1, function.inputs, read_named_type), field(2, function.opset),
       map_field(3, function.block_specializations, read_block), map_field(4, function.attributes, read_value));
  sort_map(function.block_specializations);
  sort_map(function.attributes);
  return function;
}

}  // namespace

Program read_program(Message& message) {
  Program program;
  program.version = 0;
  read(message, field(1, program.version), map_field(2, program.functions, read_function), field(3, program.doc),
       map_field(4, program.attributes, read_value));
  sort_map(program.functions);
  sort_map(program.attributes);
  return program;
}

}  // namespace anemone::formats::milspec::wire
