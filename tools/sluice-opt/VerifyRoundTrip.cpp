//===- VerifyRoundTrip.cpp - Prints and parses after passes -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerifyRoundTrip.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBufferRef.h"

using namespace mlir;

/// A pass may run on a function while others run beside it: nothing outside is
/// printed.
static std::string print(Operation *op, OpPrintingFlags flags) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os, flags.useLocalScope());
  return text;
}

/// All of an op, locations too.
static OpPrintingFlags genericForm() {
  return OpPrintingFlags().printGenericOpForm().enableDebugInfo();
}

namespace {
class VerifyRoundTrip : public PassInstrumentation {
public:
  explicit VerifyRoundTrip(std::atomic<bool> &failed) : failed(failed) {}

  void runAfterPass(Pass *pass, Operation *op) override {
    // What only holds other passes has no name.
    if (pass->getArgument().empty())
      return;
    std::string text = print(op, OpPrintingFlags());
    std::string generic = print(op, genericForm());
    // Symbols outside of a function are not there: only the syntax counts.
    ParserConfig config(op->getContext(), /*verifyAfterParse=*/false);
    // Syntax has no place for all locations, and none for a property that has
    // its default: the text is compared.
    check(pass, op, "printed and parsed", OpPrintingFlags(), text,
          [&](Block *block) {
            return parseSourceString(text, block, config);
          });
    check(pass, op, "printed in the generic form and parsed", genericForm(),
          generic, [&](Block *block) {
            return parseSourceString(generic, block, config);
          });
    std::string bytecode;
    llvm::raw_string_ostream os(bytecode);
    if (mlir::failed(writeBytecodeToFile(op, os)))
      return fail(pass, op, "written as bytecode");
    check(pass, op, "written as bytecode and read", genericForm(),
          generic, [&](Block *block) {
            return readBytecodeFile(llvm::MemoryBufferRef(bytecode, "bytecode"),
                                    block, config);
          });
  }

private:
  void fail(Pass *pass, Operation *op, StringRef how) {
    failed = true;
    emitError(op->getLoc(), "the output of the pass '")
        << pass->getArgument() << "' is not the same when " << how;
  }
  void check(Pass *pass, Operation *op, StringRef how, OpPrintingFlags flags,
             const std::string &expected,
             llvm::function_ref<LogicalResult(Block *)> read) {
    Block block;
    if (mlir::failed(read(&block)) || !llvm::hasSingleElement(block) ||
        print(&block.front(), flags) != expected)
      fail(pass, op, how);
  }

  std::atomic<bool> &failed;
};
} // namespace

void sluice::verifyRoundTripOfEachPass(PassManager &pm,
                                       std::atomic<bool> &failed) {
  pm.addInstrumentation(std::make_unique<VerifyRoundTrip>(failed));
}
