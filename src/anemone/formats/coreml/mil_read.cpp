// Functions, blocks and operations of ML Programs: protobuf -> structs.
#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::milspec::wire {

using protobuf::bytes_field;
using protobuf::Message;
using protobuf::varint_field;

namespace {

Block read_block(Message& message);

void read_attribute(Message& message, Map<Value>& attributes) { read_entry(message, attributes, read_value); }

std::vector<Binding> read_argument(Message& message) {
  std::vector<Binding> bindings;
  while (message.next()) {
    if (message.field() != bytes_field(1)) {
      message.skip();
      continue;
    }
    message.get_message([&](Message& m) {
      Binding binding;
      bool present = false;
      while (m.next()) {
        switch (m.field()) {
          case bytes_field(1):
            binding = {m.get_text(), std::nullopt};
            present = true;
            break;
          case bytes_field(2):
            binding = {{}, m.get_message(read_value)};
            present = true;
            break;
          default:
            m.skip();
        }
      }
      if (!present) inconsistent("an argument is neither a name nor a literal");
      bindings.push_back(std::move(binding));
    });
  }
  return bindings;
}

Operation read_operation(Message& message) {
  Operation operation;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        operation.type = message.get_text();
        break;
      case bytes_field(2):
        read_entry(message, operation.inputs, read_argument);
        break;
      case bytes_field(3):
        operation.outputs.push_back(message.get_message(read_named_type));
        break;
      case bytes_field(4):
        operation.blocks.push_back(message.get_message(read_block));
        break;
      case bytes_field(5):
        read_attribute(message, operation.attributes);
        break;
      default:
        message.skip();
    }
  }
  if (operation.type.empty()) inconsistent("an operation has no type");
  sort_map(operation.inputs);
  sort_map(operation.attributes);
  return operation;
}

Block read_block(Message& message) {
  Block block;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        block.inputs.push_back(message.get_message(read_named_type));
        break;
      case bytes_field(2):
        block.outputs.push_back(message.get_text());
        break;
      case bytes_field(3):
        block.operations.push_back(message.get_message(read_operation));
        break;
      case bytes_field(4):
        read_attribute(message, block.attributes);
        break;
      default:
        message.skip();
    }
  }
  sort_map(block.attributes);
  return block;
}

Function read_function(Message& message) {
  Function function;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        function.inputs.push_back(message.get_message(read_named_type));
        break;
      case bytes_field(2):
        function.opset = message.get_text();
        break;
      case bytes_field(3):
        read_entry(message, function.block_specializations, read_block);
        break;
      case bytes_field(4):
        read_attribute(message, function.attributes);
        break;
      default:
        message.skip();
    }
  }
  sort_map(function.block_specializations);
  sort_map(function.attributes);
  return function;
}

}  // namespace

Program read_program(Message& message) {
  Program program;
  program.version = 0;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        program.version = message.get_int64();
        break;
      case bytes_field(2):
        read_entry(message, program.functions, read_function);
        break;
      case bytes_field(3):
        program.doc = message.get_text();
        break;
      case bytes_field(4):
        read_attribute(message, program.attributes);
        break;
      default:
        message.skip();
    }
  }
  sort_map(program.functions);
  sort_map(program.attributes);
  return program;
}

}  // namespace anemone::milspec::wire
