//===- DescribeProducts.cpp - How products run, for people ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanProducts.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Target/CPU/Products.h"
#include "llvm/Support/ScopedPrinter.h"

#include <cmath>

using namespace mlir;
using namespace sluice;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

/// "1 to 6 rows stream 4 panels; 7 to 14 are one block, ..."
static std::string describe(ArrayRef<ScheduleRange> ranges) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const ScheduleRange &range : ranges) {
    os << (text.empty() ? "" : "; ") << range.firstRow;
    if (!range.lastRow)
      os << " or more";
    else if (*range.lastRow != range.firstRow)
      os << " to " << *range.lastRow;
    os << (range.lastRow == 1 ? " row" : " rows");
    switch (range.variant) {
    case RowVariant::Stream:
      os << ": a stream";
      break;
    case RowVariant::Block:
      os << ": a block";
      break;
    case RowVariant::Blocked:
      os << ": blocks of " << range.leastRows << " to " << range.tile.rows;
      break;
    }
    os << ", " << range.tile.panels
       << (range.tile.panels == 1 ? " panel at once" : " panels at once");
  }
  return text;
}

void PlannedProduct::remark() const {
  std::string function = getFunctionName(op);
  auto options = remark::RemarkOpts::name("product")
                     .category("sluice-cpu-products")
                     .function(function);
  Location loc = op->getLoc();
  if (!hasKernels()) {
    remark::missed(loc, options)
        << remark::add("the product has no kernels for {0}",
                       machine->name.str())
        << remark::reason("{0}", obstacle);
    return;
  }
  remark::passed(loc, options)
      << remark::add("the product has kernels for {0}: {1}",
                     machine->name.str(), describe(getRanges()));
  if (copied.empty())
    remark::passed(loc, options) << remark::add("rows are read where they are");
  else
    remark::missed(loc, options)
        << remark::add("rows are copied") << remark::reason("{0}", copied);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

namespace {
/// Finds what the manifest says about the weights that products read.
class WeightTable {
public:
  explicit WeightTable(ModuleOp module) {
    auto text = module->getAttrOfType<StringAttr>("sluice.manifest");
    if (!text)
      return;
    llvm::Expected<json::Value> parsed = json::parse(text.getValue());
    if (parsed)
      manifest = std::move(*parsed);
    else
      llvm::consumeError(parsed.takeError());
    module.walk([&](CallOpInterface call) {
      if (auto callee = dyn_cast<SymbolRefAttr>(call.getCallableForCallee()))
        callers[callee.getLeafReference()].push_back(call);
    });
  }

  /// Null if it is none of the model's weights, or not always the same one.
  const json::Object *lookup(Value weight) {
    while (auto view = weight.getDefiningOp<ViewLikeOpInterface>())
      weight = view.getViewSource();
    auto argument = dyn_cast<BlockArgument>(weight);
    auto function =
        argument
            ? dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp())
            : FunctionOpInterface();
    if (!function)
      return nullptr;
    unsigned number = argument.getArgNumber();
    if (function.isPublic())
      return lookup(function.getName(), number);
    auto [place, isNew] = found.try_emplace(weight, nullptr);
    if (!isNew)
      return place->second;
    const json::Object *same = nullptr;
    for (CallOpInterface call : callers.lookup(function.getNameAttr())) {
      if (number >= call.getArgOperands().size())
        return nullptr;
      const json::Object *given = lookup(call.getArgOperands()[number]);
      if (!given || (same && given != same))
        return nullptr;
      same = given;
    }
    return found[weight] = same;
  }

private:
  /// Behind the state come the weights, by their numbers.
  const json::Object *lookup(StringRef function, unsigned argument) {
    const json::Object *root = manifest.getAsObject();
    const json::Array *functions = root ? root->getArray("functions") : nullptr;
    const json::Array *weights = root ? root->getArray("weights") : nullptr;
    if (!functions || !weights || argument == 0)
      return nullptr;
    for (const json::Value &value : *functions) {
      const json::Object *object = value.getAsObject();
      if (!object || object->getString("name") != function)
        continue;
      const json::Array *numbers = object->getArray("weights");
      if (!numbers || argument > numbers->size())
        return nullptr;
      std::optional<int64_t> number = (*numbers)[argument - 1].getAsInteger();
      if (!number || *number < 0 || *number >= int64_t(weights->size()))
        return nullptr;
      return (*weights)[*number].getAsObject();
    }
    return nullptr;
  }

  json::Value manifest = nullptr;
  llvm::DenseMap<StringAttr, SmallVector<CallOpInterface>> callers;
  /// Of functions' arguments. While one is looked up, null: calls could be
  /// recursive.
  llvm::DenseMap<Value, const json::Object *> found;
};
} // namespace

/// What the file has, without what fills up the last panel; nothing if unknown.
static std::optional<int64_t> countOutputs(const json::Object &weight) {
  const json::Array *shape = weight.getArray("shape");
  const json::Object *panels = weight.getObject("panels");
  if (!shape || !panels)
    return std::nullopt;
  int64_t dims = panels->getInteger("dims").value_or(2);
  if (dims < 1 || dims > int64_t(shape->size()))
    return std::nullopt;
  bool isLast = panels->getString("of") == "in_out";
  return (*shape)[shape->size() - (isLast ? 1 : dims)].getAsInteger();
}

static json::Value orNull(std::optional<int64_t> value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

static json::Object describe(const ScheduleRange &range, int64_t width) {
  const TileCost &tile = range.tile;
  return json::Object{
      {"rows", json::Array{range.firstRow, orNull(range.lastRow)}},
      {"variant", toString(range.variant)},
      {"rows_per_block", json::Array{range.leastRows, tile.rows}},
      {"panels", tile.panels},
      {"rows_copied", range.copiesRows},
      {"slice_inputs", orNull(range.depth)},
      {"prefetch_bytes", range.prefetchBytes},
      {"registers", tile.registers},
      {"step",
       json::Object{{"inputs", tile.inputs},
                    {"weight_bytes", tile.bytes},
                    {"loads", tile.loads},
                    {"vector_instructions", tile.products + tile.conversions},
                    {"cycles", tile.getCycles()},
                    {"multiply_adds_per_cycle",
                     std::llround(tile.getMultiplyAddsPerCycle(width))}}}};
}

static json::Object describe(PlannedProduct &product, const CPUMachine &machine,
                             WeightTable &weights) {
  linalg::GenericOp op = product.op;
  auto weight = cast<ShapedType>(product.weight.getType());
  auto input = cast<ShapedType>(op.getDpsInputs()[0].getType());
  const json::Object *known = weights.lookup(product.weight);
  std::optional<int64_t> outputs, inputs;
  if (known)
    outputs = countOutputs(*known);
  if (!outputs && !weight.isDynamicDim(0) && !weight.isDynamicDim(2))
    outputs = weight.getDimSize(0) * weight.getDimSize(2);
  // Of a weight in lines of n inputs, the input's number is static.
  if (!input.isDynamicDim(1))
    inputs = input.getDimSize(1);
  else if (!weight.isDynamicDim(1))
    inputs = weight.getDimSize(1);

  json::Object object{{"machine", machine.name},
                      {"function", getFunctionName(op)},
                      {"location", getLocationText(op.getLoc())},
                      {"weight", nullptr},
                      {"weight_type", llvm::to_string(product.numbers)},
                      {"input_type", llvm::to_string(input.getElementType())},
                      {"outputs", orNull(outputs)},
                      {"inputs", orNull(inputs)},
                      {"arithmetic", nullptr},
                      {"copied_because", nullptr},
                      {"no_kernels_because", nullptr}};
  if (known)
    if (std::optional<StringRef> symbol = known->getString("symbol"))
      object["weight"] = symbol->str();
  json::Array schedule;
  if (product.hasKernels()) {
    bool isInteger = product.tile && product.tile->isInteger();
    bool areDots = product.operands && product.operands->areDots();
    object["arithmetic"] = isInteger ? "int8" : areDots ? "bf16_dot" : "f32";
    for (const ScheduleRange &range : product.getRanges())
      schedule.push_back(describe(range, product.getWidth()));
    if (!product.copied.empty())
      object["copied_because"] = product.copied;
  } else {
    object["no_kernels_because"] = product.obstacle;
  }
  object["schedule"] = std::move(schedule);
  return object;
}

json::Array sluice::describeProducts(ModuleOp module,
                                     const CPUMachine &machine) {
  WeightTable weights(module);
  json::Array products;
  for (PlannedProduct &product : planProducts(module, machine))
    products.push_back(describe(product, machine, weights));
  return products;
}
