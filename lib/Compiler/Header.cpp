//===- Header.cpp - The C header of a compiled model ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Artifact.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;

/// The types of include/sluice-c/Tensor.h, for a header that stands alone.
static constexpr llvm::StringLiteral tensorTypes =
#include "TensorTypes.inc"
    ;

namespace {

class HeaderWriter {
public:
  HeaderWriter(llvm::raw_ostream &os, const ModelInterface &interface,
               llvm::StringRef library, llvm::StringRef header)
      : os(os), interface(interface), prefix(interface.getPrefix()),
        library(inComment(library)), header(inComment(header)) {}

  void write();

private:
  /// Text that cannot end the comment that it stands in.
  static std::string inComment(llvm::StringRef text);
  static std::string typeText(const ModelInterface::Value &value);

  void writeIntroduction();
  void writeExample(const ModelInterface::Function &function);
  void writeLifetime();
  void writeCounters();
  void writeFunction(const ModelInterface::Function &function);

  llvm::raw_ostream &os;
  const ModelInterface &interface;
  const std::string &prefix;
  std::string library;
  std::string header;
};

} // namespace

std::string HeaderWriter::inComment(llvm::StringRef text) {
  std::string result;
  for (char c : text) {
    if (c == '/' && !result.empty() && result.back() == '*')
      result += ' ';
    if (c == '*' && !result.empty() && result.back() == '/')
      result += ' ';
    result += llvm::isPrint(c) ? c : '?';
  }
  return result;
}

static llvm::StringRef getEnumerator(llvm::StringRef dtype) {
  return llvm::StringSwitch<llvm::StringRef>(dtype)
      .Case("f32", "SLUICE_F32")
      .Case("f64", "SLUICE_F64")
      .Case("f16", "SLUICE_F16")
      .Case("bf16", "SLUICE_BF16")
      .Case("i8", "SLUICE_I8")
      .Case("i32", "SLUICE_I32")
      .Case("i64", "SLUICE_I64")
      .Default("SLUICE_BOOL");
}

static llvm::StringRef getCType(llvm::StringRef dtype) {
  return llvm::StringSwitch<llvm::StringRef>(dtype)
      .Case("f32", "float")
      .Case("f64", "double")
      .Cases({"f16", "bf16"}, "uint16_t")
      .Case("i8", "int8_t")
      .Case("i32", "int32_t")
      .Case("i64", "int64_t")
      .Default("uint8_t");
}

std::string HeaderWriter::typeText(const ModelInterface::Value &value) {
  std::string text = getEnumerator(value.dtype).str() + ", ";
  if (value.shape.empty())
    return text + "rank 0";
  text += "[";
  for (auto [index, size] : llvm::enumerate(value.shape)) {
    text += index ? ", " : "";
    text += size < 0 ? "?" : std::to_string(size);
  }
  return text + "]";
}

/// The declaration, on as many lines as it needs.
static void declare(llvm::raw_ostream &os, llvm::StringRef start,
                    llvm::ArrayRef<std::string> parameters) {
  std::string line = start.str() + "(";
  size_t indent = line.size();
  for (auto [index, parameter] : llvm::enumerate(parameters)) {
    bool last = index + 1 == parameters.size();
    std::string piece = parameter + (last ? ");" : ",");
    if (index && line.size() + 1 + piece.size() > 80) {
      os << line << "\n";
      line = std::string(indent, ' ') + piece;
    } else {
      line += (index ? " " : "") + piece;
    }
  }
  os << line << "\n";
}

void HeaderWriter::writeExample(const ModelInterface::Function &function) {
  os << " *     #include \"" << header << "\"\n"
     << " *     #include <stdio.h>\n *\n"
     << " *     int main(void) {\n"
     << " *       " << prefix << " *model = NULL;\n"
     << " *       sluice_error error;\n"
     << " *       if (" << prefix << "_load("
     << (interface.getWeights().empty() ? "NULL" : "\"weights.safetensors\"")
     << ", &model, &error))\n"
     << " *         return fprintf(stderr, \"%s\\n\", error.message), 1;\n";
  std::string arguments;
  for (const ModelInterface::Value &input : function.inputs) {
    std::string shape, count;
    for (int64_t size : input.shape) {
      // Any number does for a dimension of any size.
      std::string text = std::to_string(size < 0 ? 3 : size);
      shape += (shape.empty() ? "" : ", ") + text;
      count += (count.empty() ? "" : " * ") + text;
    }
    std::string data = input.cName + "_data";
    os << " *       static " << getCType(input.dtype) << " " << data << "["
       << (count.empty() ? "1" : count) << "]; "
       << "// to be filled\n"
       << " *       sluice_tensor " << input.cName << " = {" << data << ", "
       << getEnumerator(input.dtype) << ", " << input.shape.size() << ", {"
       << (shape.empty() ? "0" : shape) << "}, NULL};\n";
    arguments += "&" + input.cName + ", ";
  }
  for (const ModelInterface::Value &result : function.results) {
    os << " *       sluice_tensor " << result.cName
       << " = {NULL, SLUICE_F32, 0, {0}, NULL}; // the call allocates it\n";
    arguments += "&" + result.cName + ", ";
  }
  os << " *       if (" << prefix << "_" << function.cName << "(model, "
     << arguments << "&error))\n"
     << " *         return fprintf(stderr, \"%s\\n\", error.message), 1;\n";
  for (const ModelInterface::Value &result : function.results)
    os << " *       " << prefix << "_free_tensor(&" << result.cName << ");\n";
  os << " *       " << prefix << "_free(model);\n"
     << " *       return 0;\n"
     << " *     }\n *\n"
     << " *     cc main.c " << library << " -Wl,-rpath,'$ORIGIN'\n *\n";
}

void HeaderWriter::writeIntroduction() {
  os << "/* A model compiled by Sluice: the C interface of " << library << ".\n"
     << " * Written by sluicec; changes would be lost.\n *\n";
  if (!interface.getFunctions().empty())
    writeExample(interface.getFunctions().front());
  os << " * Errors. Functions that return an int return 0 for success and 1 "
        "for an error,\n"
        " * and then describe it in `error`, which may be NULL. After an error "
        "nothing\n"
        " * that was passed has been changed. Wrong arguments are errors, "
        "never crashes,\n"
        " * as long as pointers point to what they say.\n *\n"
        " * Tensors are dense and in C order. Types and shapes of inputs are "
        "checked; `?`\n"
        " * below is a dimension of any size, 0 included. f16 and bf16 are "
        "passed as bits\n"
        " * in uint16_t, bool in bytes of 0 or 1.\n *\n"
        " * Results. If the `data` of a result is NULL, the call allocates it, "
        "sets all\n"
        " * fields, and the caller frees it with "
     << prefix
     << "_free_tensor. Otherwise `data`\n"
        " * is the caller's buffer; its type and shape must be exactly the "
        "result's.\n *\n"
        " * Threads. Several threads may call functions of one model at the "
        "same time, and\n"
        " * models are independent. Results are the same bit for bit whatever "
        "the number\n"
        " * of threads. Only "
     << prefix << "_free must not run beside another call.\n */\n\n";
}

void HeaderWriter::writeLifetime() {
  os << "/** A loaded model: its weights and its counters. */\n"
     << "typedef struct " << prefix << " " << prefix << ";\n\n";

  bool hasWeights = !interface.getWeights().empty();
  os << "/** Loads the model. ";
  if (!hasWeights) {
    os << "It has no weights: `weights_path` is not looked at and\n"
          "    may be NULL.\n";
  } else {
    os << "`weights_path` is a safetensors file with the tensors below,\n"
          "    which is mapped and must not change while the model is loaded.";
    if (interface.getDefaultWeights().empty())
      os << "\n";
    else
      os << "\n    NULL stands for\n        "
         << inComment(interface.getDefaultWeights()) << "\n";
  }
  os << "    Fails if the file is invalid or a tensor is missing or of another "
        "type or\n"
        "    shape, or if the processor cannot run the code. Of code for "
        "several\n"
        "    processors, that which "
     << prefix
     << "_cpu names is taken. `*model` is set on\n"
        "    success and goes to "
     << prefix << "_free.\n";
  if (hasWeights)
    os << "\n";
  for (const ModelInterface::Weight &weight : interface.getWeights()) {
    os << "        " << inComment(weight.tensor) << ": " << weight.dtype
       << ", [";
    llvm::interleaveComma(weight.shape, os);
    os << "]\n";
  }
  os << "*/\n";
  declare(
      os, "int " + prefix + "_load",
      {"const char *weights_path", prefix + " **model", "sluice_error *error"});
  os << "\n/** The processor, by the name that it was compiled for, whose code "
     << prefix
     << "_load\n"
        "    chooses: the best that this one can run, or what the environment "
        "variable\n"
        "    SLUICE_CPU names. NULL if there is none. */\n"
     << "const char *" << prefix << "_cpu(void);\n";
  os << "\n/** Frees the model; NULL does nothing. Results stay valid. */\n"
     << "void " << prefix << "_free(" << prefix << " *model);\n\n"
     << "/** Frees a result that a call allocated, and sets its `data` to "
        "NULL. NULL, and\n    a second call, do nothing. */\n"
     << "void " << prefix << "_free_tensor(sluice_tensor *tensor);\n\n"
     << "/** Sets the number of OpenMP threads of each later call; 0: OpenMP's "
        "default\n"
        "    (OMP_NUM_THREADS, else the number of processors). */\n";
  declare(os, "void " + prefix + "_set_threads",
          {prefix + " *model", "int num_threads"});
  os << "\n";
}

void HeaderWriter::writeCounters() {
  os << "/** What the routed ops did since the model was loaded or its "
        "counters "
        "were\n"
        "    reset, as a JSON object: calls, tokens, entries, multiply-adds, "
        "weight bytes,\n"
        "    tokens per expert. The caller frees the text with free(); NULL if "
        "memory is\n    short.";
  os << (interface.hasCounters()
             ? " */\n"
             : " Empty here: the model was compiled without --counters. */\n");
  os << "char *" << prefix << "_counters_json(const " << prefix << " *model);\n"
     << "void " << prefix << "_reset_counters(" << prefix << " *model);\n";
}

void HeaderWriter::writeFunction(const ModelInterface::Function &function) {
  os << "\n/** The model's function @" << inComment(function.name) << ".\n";
  std::vector<std::string> parameters{"const " + prefix + " *model"};
  for (const ModelInterface::Value &input : function.inputs) {
    os << "    `" << input.cName << "` (input): " << typeText(input) << "\n";
    parameters.push_back("const sluice_tensor *" + input.cName);
  }
  for (const ModelInterface::Value &result : function.results) {
    os << "    `" << result.cName << "` (result): " << typeText(result) << "\n";
    parameters.push_back("sluice_tensor *" + result.cName);
  }
  parameters.push_back("sluice_error *error");
  os << "    Fails if a tensor is NULL or of another type or shape, or if an "
        "expectation\n"
        "    in the model does not hold. */\n";
  declare(os, "int " + prefix + "_" + function.cName, parameters);
}

void HeaderWriter::write() {
  std::string guard = llvm::StringRef("SLUICE_MODEL_" + prefix + "_H").upper();
  os << "#ifndef " << guard << "\n#define " << guard << "\n\n";
  writeIntroduction();
  os << "#include <stddef.h>\n\n"
     << tensorTypes.trim() << "\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  writeLifetime();
  writeCounters();
  for (const ModelInterface::Function &function : interface.getFunctions())
    writeFunction(function);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
}

std::string sluice::generateHeader(const ModelInterface &interface,
                                   llvm::StringRef library,
                                   llvm::StringRef header) {
  std::string text;
  llvm::raw_string_ostream os(text);
  HeaderWriter(os, interface, library, header).write();
  return text;
}
