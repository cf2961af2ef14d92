//===- ExternalizeState.cpp - State, weights and the manifest ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "sluice/Analysis/DimensionClasses.h"
#include "sluice/Analysis/Guards.h"
#include "sluice/Dialect/Check/IR/Check.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/JSON.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEEXTERNALIZESTATE
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;
namespace json = llvm::json;

/// state[0 .. 7] report a failure; counters begin behind them.
static constexpr int64_t kFailureWords = 8;
/// calls, tokens, entries, slots, experts touched; then one word an expert.
static constexpr int64_t kCounterWords = 5;
/// Among these, what sluice.limit adds to.
static constexpr int64_t kDroppedWord = 3;
static constexpr int64_t kMaxRank = 8;

/// The name of an element type in the manifest; empty if compiled code has no
/// way to receive it.
static StringRef getTypeName(Type type) {
  if (type.isF16())
    return "f16";
  if (type.isBF16())
    return "bf16";
  if (type.isF32())
    return "f32";
  if (type.isF64())
    return "f64";
  if (type.isInteger(1))
    return "bool";
  if (type.isInteger(8))
    return "i8";
  if (type.isInteger(32))
    return "i32";
  if (type.isInteger(64))
    return "i64";
  return "";
}

static json::Array getShape(RankedTensorType type) {
  json::Array shape;
  for (int64_t size : type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return shape;
}

static json::Object describePanels(PanelsAttr panels) {
  json::Object object{{"width", panels.getWidth()},
                      {"of", stringifyLayout(panels.getLayout())}};
  if (panels.getInterleave() != 1)
    object["by"] = panels.getInterleave();
  if (panels.getBits())
    object["bits"] = panels.getBits();
  if (panels.getDims() != 2)
    object["dims"] = panels.getDims();
  return object;
}

/// The inputs of a product with a weight in panels, without what fills up the
/// last line.
static int64_t countInputs(LinearOp op) {
  int64_t inputs = op.getInput().getType().getDimSize(1);
  return ShapedType::isDynamic(inputs) ? op.getWeight().getType().getDimSize(1)
                                       : inputs;
}

/// Multiply-adds of `op` for one row, if it is a product; an error if that
/// depends on more than the types.
static FailureOr<int64_t> countMultiplyAdds(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op)) {
    auto weight = cast<RankedTensorType>(linear.getWeight().getType());
    if (!weight.hasStaticShape())
      return linear.emitError("cannot count the multiply-adds of a product "
                              "with a weight of dynamic shape ")
             << weight << "; compile without counters";
    // Panels may have room for more columns.
    return linear.getLayout() == Layout::Panels
               ? countInputs(linear) * linear.getType().getDimSize(1)
               : weight.getNumElements();
  }
  if (auto linear = dyn_cast<QuantizedLinearOp>(op))
    return linear.getInput().getType().getDimSize(1) *
           linear.getType().getDimSize(1);
  auto contraction = dyn_cast<linalg::LinalgOp>(op);
  if (contraction && linalg::isaContractionOpInterface(contraction))
    return op->emitError("cannot count the multiply-adds of a linalg "
                         "contraction inside an expert; use sluice.linear or "
                         "compile without counters");
  return 0;
}

/// The elements of an expert's parameter, without what fills up panels.
static int64_t countElements(BlockArgument argument) {
  auto type = cast<RankedTensorType>(argument.getType());
  for (OpOperand &use : argument.getUses()) {
    if (auto linear = dyn_cast<QuantizedLinearOp>(use.getOwner())) {
      // Of a panel's outputs, those that there are.
      int64_t columns = type.getDimSize(0) * type.getDimSize(2);
      return type.getNumElements() / columns * linear.getType().getDimSize(1);
    }
    auto linear = dyn_cast<LinearOp>(use.getOwner());
    if (linear && linear.getLayout() == Layout::Panels &&
        linear.getWeight() == argument)
      return countInputs(linear) * linear.getType().getDimSize(1);
    // Experts in the expert's body.
    if (BlockArgument inner = getParamArgument(use))
      return type.getDimSize(0) * countElements(inner);
  }
  return type.getNumElements();
}

namespace {
struct ExternalizeState
    : sluice::impl::SluiceExternalizeStateBase<ExternalizeState> {
  using SluiceExternalizeStateBase::SluiceExternalizeStateBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    weightsOf.clear();
    weightNumbers.clear();
    collectUses(module);
    DimensionClasses dimensions(module);
    json::Object manifest{{"sluice_manifest", 1},
                          {"name", module.getName().value_or("model")}};
    json::Array functions;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal()) {
        function.emitError("expected a function with a body: compiled code has "
                           "nothing to link '")
            << function.getName() << "' to";
        return signalPassFailure();
      }
      if (function.isPublic()) {
        FailureOr<json::Object> description = describe(function, dimensions);
        if (failed(description))
          return signalPassFailure();
        functions.push_back(std::move(*description));
      }
    }
    json::Array weights = describeWeights(module);
    json::Array failures = numberFailures(module);
    int64_t stateSize = kFailureWords;
    FailureOr<json::Array> counted = placeCounters(module, stateSize);
    if (failed(counted))
      return signalPassFailure();
    for (auto function : module.getOps<func::FuncOp>())
      addArguments(function);
    for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      weight.erase();

    manifest["weights"] = std::move(weights);
    manifest["functions"] = std::move(functions);
    manifest["failures"] = std::move(failures);
    manifest["counters"] = std::move(*counted);
    manifest["state_size"] = stateSize;
    std::string text;
    llvm::raw_string_ostream(text) << json::Value(std::move(manifest));
    module->setAttr("sluice.manifest", StringAttr::get(&getContext(), text));
  }

private:
  /// Finds for each function the weights that it or its callees use, in the
  /// order of their declarations.
  void collectUses(ModuleOp module) {
    SmallVector<WeightOp> declared(module.getOps<WeightOp>());
    llvm::DenseMap<StringAttr, llvm::DenseSet<StringAttr>> used;
    bool changed = true;
    while (changed) {
      changed = false;
      for (auto function : module.getOps<func::FuncOp>()) {
        llvm::DenseSet<StringAttr> names = used[function.getSymNameAttr()];
        size_t before = names.size();
        function.walk([&](Operation *op) {
          if (auto get = dyn_cast<GetWeightOp>(op))
            names.insert(get.getWeightAttr().getAttr());
          if (auto call = dyn_cast<func::CallOp>(op))
            for (StringAttr name : used.lookup(call.getCalleeAttr().getAttr()))
              names.insert(name);
        });
        changed |= names.size() != before;
        used[function.getSymNameAttr()] = std::move(names);
      }
    }
    for (auto function : module.getOps<func::FuncOp>())
      for (WeightOp weight : declared)
        if (used[function.getSymNameAttr()].contains(weight.getSymNameAttr())) {
          weightsOf[function.getSymNameAttr()].push_back(weight);
          weightNumbers.insert({weight, 0});
        }
    int64_t number = 0;
    for (WeightOp weight : declared)
      if (auto it = weightNumbers.find(weight); it != weightNumbers.end())
        it->second = number++;
  }

  json::Array describeWeights(ModuleOp module) {
    json::Array result;
    for (auto weight : module.getOps<WeightOp>()) {
      if (!weightNumbers.contains(weight))
        continue;
      auto type = cast<RankedTensorType>(weight.getType());
      json::Object entry{{"symbol", weight.getSymName()},
                         {"tensor", weight.getTensor()},
                         {"dtype", getTypeName(type.getElementType())},
                         {"shape", getShape(type)}};
      if (PanelsAttr panels = weight.getPanelsAttr())
        entry["panels"] = describePanels(panels);
      result.push_back(std::move(entry));
    }
    return result;
  }

  FailureOr<json::Array> describeTypes(func::FuncOp function, StringRef what,
                                       TypeRange types, ArrayAttr attributes) {
    json::Array result;
    for (auto [index, type] : llvm::enumerate(types)) {
      size_t i = index;
      auto fail = [&]() -> InFlightDiagnostic {
        return function.emitError("expected ")
               << what << " " << i << " of public function '"
               << function.getName() << "' to be ";
      };
      if (isa<GatesType>(type))
        return fail() << "a tensor but got " << type
                      << "; give its entries instead (sluice.entries)";
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || getTypeName(tensor.getElementType()).empty())
        return fail()
               << "a ranked tensor of f16, bf16, f32, f64, i1, i8, i32 or i64 "
                  "but got "
               << type;
      if (tensor.getRank() > kMaxRank)
        return fail() << "a tensor of at most " << kMaxRank
                      << " dimensions but got " << type;
      std::string name;
      if (attributes)
        if (auto attribute = cast<DictionaryAttr>(attributes[i])
                                 .getAs<StringAttr>("sluice.name"))
          name = attribute.str();
      result.push_back(
          json::Object{{"name", name},
                       {"dtype", getTypeName(tensor.getElementType())},
                       {"shape", getShape(tensor)}});
    }
    return result;
  }

  /// The dynamic dimensions of a function's inputs that must have the size of
  /// an earlier one.
  /// A size that ops fix goes into the input's `shape` instead.
  json::Array describeSizes(func::FuncOp function,
                            const DimensionClasses &dimensions,
                            json::Array &inputs) {
    json::Array same;
    SmallVector<std::pair<BlockArgument, int64_t>> seen;
    for (BlockArgument argument : function.getArguments()) {
      auto type = cast<RankedTensorType>(argument.getType());
      for (int64_t d = 0; d < type.getRank(); ++d) {
        if (!type.isDynamicDim(d))
          continue;
        int64_t number = argument.getArgNumber();
        if (std::optional<int64_t> size =
                dimensions.getStaticSize(argument, d)) {
          json::Object *input = inputs[number].getAsObject();
          (*input->getArray("shape"))[d] = *size;
          continue;
        }
        auto earlier = llvm::find_if(seen, [&](auto other) {
          return dimensions.areTied(argument, d, other.first, other.second);
        });
        if (earlier != seen.end())
          same.push_back(
              json::Object{{"input", number},
                           {"dimension", d},
                           {"earlier_input", earlier->first.getArgNumber()},
                           {"earlier_dimension", earlier->second}});
        else
          seen.push_back({argument, d});
      }
    }
    return same;
  }

  FailureOr<json::Object> describe(func::FuncOp function,
                                   const DimensionClasses &dimensions) {
    FailureOr<json::Array> inputs =
        describeTypes(function, "argument", function.getArgumentTypes(),
                      function.getArgAttrsAttr());
    if (failed(inputs))
      return failure();
    FailureOr<json::Array> results =
        describeTypes(function, "result", function.getResultTypes(),
                      function.getResAttrsAttr());
    if (failed(results))
      return failure();
    json::Array numbers;
    for (WeightOp weight : weightsOf[function.getSymNameAttr()])
      numbers.push_back(weightNumbers.lookup(weight));
    json::Array same = describeSizes(function, dimensions, *inputs);
    return json::Object{{"name", function.getName()},
                        {"inputs", std::move(*inputs)},
                        {"same_sizes", std::move(same)},
                        {"results", std::move(*results)},
                        {"weights", std::move(numbers)}};
  }

  /// Gives each op that can fail at run time its code: expectations, bodies
  /// whose rows are not known to be those of their inputs, and ops whose
  /// numbers may be out of range.
  json::Array numberFailures(ModuleOp module) {
    json::Array result;
    Builder builder(module.getContext());
    module.walk([&](Operation *op) {
      auto grouped = dyn_cast<GroupedOp>(op);
      bool handlesRows = grouped && grouped.getRowsPerTask() == 0 &&
                         !grouped.getInputs().empty();
      auto fromEntries = dyn_cast<FromEntriesOp>(op);
      auto fromDense = dyn_cast<FromDenseOp>(op);
      bool isBounded =
          fromDense &&
          cast<GatesType>(fromDense.getGates().getType()).isPerToken();
      StringRef guard = getGuardMessage(op);
      if (!isa<check::ExpectCloseOp, check::ExpectEqualOp>(op) &&
          !handlesRows && !fromEntries && !isBounded &&
          !isa<tensor::GatherOp>(op) && guard.empty())
        return;
      int64_t code = result.size() + 1;
      op->setAttr("sluice.code", builder.getI64IntegerAttr(code));
      json::Object failure{{"code", code},
                           {"kind", op->getName().stripDialect()},
                           {"where", getLocationText(op->getLoc())}};
      if (!guard.empty())
        failure["message"] = guard;
      if (isa<tensor::GatherOp>(op))
        failure["message"] = "index {actual} at position {index} is out of "
                             "bounds, expected 0 or more and less than "
                             "{expected}";
      if (isBounded)
        failure["message"] = "token {index} has more than {actual} entries, "
                             "the bound of the result's type";
      if (fromEntries) {
        int64_t experts =
            cast<GatesType>(fromEntries.getGates().getType()).getExperts();
        failure["message"] = ("slot {index} (of token {expected}) names expert "
                              "{actual}, expected -1 or an expert from 0 to " +
                              Twine(experts - 1))
                                 .str();
        result.push_back(json::Object(failure));
        failure["code"] = code + 1;
        failure["message"] = "slot {index} (of token {expected}) names expert "
                             "{actual}, which an earlier slot of the token "
                             "names already";
      }
      if (grouped)
        failure["message"] = "the expert's body yielded {actual} rows for "
                             "{expected} tokens; it must yield as many as it "
                             "is given";
      if (auto close = dyn_cast<check::ExpectCloseOp>(op))
        failure["tolerance"] = close.getTolerance().convertToDouble();
      result.push_back(std::move(failure));
    });
    return result;
  }

  FailureOr<json::Array> placeCounters(ModuleOp module, int64_t &stateSize) {
    json::Array result;
    if (!counters)
      return result;
    Builder builder(module.getContext());
    WalkResult walk = module.walk<WalkOrder::PreOrder>([&](GroupedOp op) {
      int64_t multiplyAdds = 0, bytes = 0;
      WalkResult inner =
          op.getBody().walk<WalkOrder::PreOrder>([&](Operation *body) {
            // Inner experts count for themselves.
            if (isa<GroupedOp>(body))
              return WalkResult::skip();
            FailureOr<int64_t> count = countMultiplyAdds(body);
            if (failed(count))
              return WalkResult::interrupt();
            multiplyAdds += *count;
            return WalkResult::advance();
          });
      if (inner.wasInterrupted())
        return WalkResult::interrupt();
      int64_t experts = cast<GatesType>(op.getGates().getType()).getExperts();
      for (BlockArgument argument :
           op.getBody().getArguments().drop_front(op.getInputs().size())) {
        auto type = cast<RankedTensorType>(argument.getType());
        bytes += countElements(argument) *
                 llvm::divideCeil(type.getElementTypeBitWidth(), 8);
      }
      op->setAttr("sluice.counter", builder.getI64IntegerAttr(stateSize));
      for (const LimitedExperts &limited : findLimits(op.getGates())) {
        SmallVector<Attribute> words;
        if (auto others =
                limited.limit->getAttrOfType<ArrayAttr>("sluice.counter"))
          llvm::append_range(words, others);
        words.push_back(builder.getDenseI64ArrayAttr(
            {stateSize + kDroppedWord, limited.from, limited.to}));
        limited.limit->setAttr("sluice.counter", builder.getArrayAttr(words));
      }
      result.push_back(json::Object{
          {"function", op->getParentOfType<func::FuncOp>().getName()},
          {"op", getRoutedBodyName(op.getBody())},
          {"where", getLocationText(op.getLoc())},
          {"at", stateSize},
          {"experts", experts},
          {"multiply_adds_per_entry", multiplyAdds},
          {"weight_bytes_per_expert", bytes}});
      stateSize += kCounterWords + experts;
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();
    return result;
  }

  void addArguments(func::FuncOp function) {
    OpBuilder builder(&getContext());
    Location loc = function.getLoc();
    Type stateType =
        MemRefType::get({ShapedType::kDynamic}, builder.getI64Type());
    ArrayRef<WeightOp> weights = weightsOf[function.getSymNameAttr()];
    (void)function.insertArgument(0, stateType, {}, loc);
    llvm::DenseMap<StringAttr, Value> values;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      WeightOp op = weight;
      (void)function.insertArgument(i + 1, op.getValueType(), {}, op.getLoc());
      values[op.getSymNameAttr()] = function.getArgument(i + 1);
    }
    // Callers keep their tensors.
    for (BlockArgument argument : function.getArguments().drop_front())
      if (isa<TensorType>(argument.getType()))
        function.setArgAttr(
            argument.getArgNumber(),
            bufferization::BufferizationDialect::kWritableAttrName,
            builder.getBoolAttr(false));
    if (function.isPublic())
      function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                        builder.getUnitAttr());

    function.walk([&](Operation *op) {
      if (auto get = dyn_cast<GetWeightOp>(op)) {
        get.replaceAllUsesWith(values[get.getWeightAttr().getAttr()]);
        get.erase();
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        SmallVector<Value> operands = {function.getArgument(0)};
        for (WeightOp weight : weightsOf[call.getCalleeAttr().getAttr()])
          operands.push_back(values[weight.getSymNameAttr()]);
        llvm::append_range(operands, call.getOperands());
        call->setOperands(operands);
      }
    });
  }

  llvm::DenseMap<StringAttr, SmallVector<WeightOp>> weightsOf;
  llvm::DenseMap<Operation *, int64_t> weightNumbers;
};
} // namespace
