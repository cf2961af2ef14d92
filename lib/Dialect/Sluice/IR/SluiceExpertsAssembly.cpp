//===- SluiceExpertsAssembly.cpp - How experts are written ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
//   sluice.experts by %g : !sluice.gates<...>
//       (%t = %x : tensor<...>, ...)
//       with (%w = %weights : tensor<...>, ...)
//       else %base combine sum weight output -> tensor<...> attributes {...}
//       {...}
//
// `sluice.grouped` has `plan %offsets, %order, %place : ...` behind the gates
// and `rows_per_task n` behind the weight. `with` and `else` may be absent.
//
//   sluice.mixed_experts by %g : !sluice.gates<...>
//       else %base combine sum weight output -> tensor<...> attributes {...}
//     experts 0 to 4 (%t = %x : tensor<...>) with (%w = ...) {...}
//     experts 4 to 5 (%t = %x : tensor<...>) {...}
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;

/// The type that an input or a parameter has inside the body; null if it is
/// not a ranked tensor with a dimension.
static Type getBodyType(Type type, bool isParam) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() < 1)
    return {};
  if (isParam)
    return RankedTensorType::get(tensor.getShape().drop_front(),
                                 tensor.getElementType());
  SmallVector<int64_t> shape(tensor.getShape());
  shape[0] = ShapedType::kDynamic;
  return RankedTensorType::get(shape, tensor.getElementType());
}

namespace {
struct Bindings {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
};
} // namespace

/// `(` (%argument `=` %operand `:` type),* `)`
static ParseResult parseBindings(OpAsmParser &parser, bool isParam,
                                 Bindings &bindings) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Paren, [&]() -> ParseResult {
        OpAsmParser::Argument argument;
        OpAsmParser::UnresolvedOperand operand;
        Type type;
        SMLoc loc;
        if (parser.parseArgument(argument) || parser.parseEqual() ||
            parser.parseOperand(operand) || parser.parseColon() ||
            parser.getCurrentLocation(&loc) || parser.parseType(type))
          return failure();
        argument.type = getBodyType(type, isParam);
        if (!argument.type)
          return parser.emitError(loc,
                                  "expected a ranked tensor with at least one "
                                  "dimension but got ")
                 << type;
        bindings.arguments.push_back(argument);
        bindings.operands.push_back(operand);
        bindings.types.push_back(type);
        return success();
      });
}

template <typename AttrTy, typename EnumTy>
static ParseResult parseKeyword(OpAsmParser &parser, OperationState &state,
                                StringRef keyword, StringRef name,
                                std::optional<EnumTy> (*symbolize)(StringRef),
                                StringRef choices) {
  SMLoc loc;
  StringRef value;
  if (parser.parseKeyword(keyword) || parser.getCurrentLocation(&loc) ||
      parser.parseKeyword(&value))
    return failure();
  std::optional<EnumTy> symbol = symbolize(value);
  if (!symbol)
    return parser.emitError(loc, "expected ")
           << choices << " but got '" << value << "'";
  state.addAttribute(name, AttrTy::get(parser.getContext(), *symbol));
  return success();
}

/// `combine` c `weight` w
static ParseResult parseCombine(OpAsmParser &parser, OperationState &state) {
  return failure(failed(parseKeyword<CombineAttr, Combine>(
                     parser, state, "combine", "combine", symbolizeCombine,
                     "'sum' or 'replace'")) ||
                 failed(parseKeyword<WeightOnAttr, WeightOn>(
                     parser, state, "weight", "weight", symbolizeWeightOn,
                     "'output', 'input' or 'none'")));
}

/// A body whose arguments are the inputs' and then the parameters'.
static ParseResult parseBody(OpAsmParser &parser, OperationState &state,
                             const Bindings &inputs, const Bindings &params) {
  SmallVector<OpAsmParser::Argument> arguments(inputs.arguments);
  arguments.append(params.arguments);
  SMLoc loc = parser.getCurrentLocation();
  Region *body = state.addRegion();
  if (parser.parseRegion(*body, arguments))
    return failure();
  if (body->empty())
    return parser.emitError(loc, "expected a body that is not empty");
  return success();
}

static ParseResult parseExperts(OpAsmParser &parser, OperationState &state,
                                bool isGrouped) {
  OpAsmParser::UnresolvedOperand gates;
  Type gatesType;
  SmallVector<OpAsmParser::UnresolvedOperand> plan;
  SmallVector<Type> planTypes;
  if (parser.parseKeyword("by") || parser.parseOperand(gates) ||
      parser.parseColonType(gatesType))
    return failure();
  if (isGrouped &&
      (parser.parseKeyword("plan") || parser.parseOperandList(plan, 3) ||
       parser.parseColonTypeList(planTypes)))
    return failure();

  Bindings inputs, params;
  if (parseBindings(parser, /*isParam=*/false, inputs))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("with")) &&
      parseBindings(parser, /*isParam=*/true, params))
    return failure();
  std::optional<OpAsmParser::UnresolvedOperand> base;
  if (succeeded(parser.parseOptionalKeyword("else")) &&
      parser.parseOperand(base.emplace()))
    return failure();

  if (parseCombine(parser, state))
    return failure();
  if (isGrouped) {
    IntegerAttr rows;
    if (parser.parseKeyword("rows_per_task") ||
        parser.parseAttribute(rows, parser.getBuilder().getI64Type(),
                              "rows_per_task", state.attributes))
      return failure();
  }
  Type result;
  if (parser.parseArrow() || parser.parseType(result) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  state.addTypes(result);

  if (parseBody(parser, state, inputs, params))
    return failure();

  SmallVector<int32_t> segments = {1};
  if (isGrouped)
    segments.append({1, 1, 1});
  segments.append({static_cast<int32_t>(inputs.operands.size()),
                   static_cast<int32_t>(params.operands.size()),
                   static_cast<int32_t>(base.has_value())});
  state.addAttribute("operandSegmentSizes",
                     parser.getBuilder().getDenseI32ArrayAttr(segments));
  SMLoc nameLoc = parser.getNameLoc();
  if (parser.resolveOperand(gates, gatesType, state.operands) ||
      parser.resolveOperands(plan, planTypes, nameLoc, state.operands) ||
      parser.resolveOperands(inputs.operands, inputs.types, nameLoc,
                             state.operands) ||
      parser.resolveOperands(params.operands, params.types, nameLoc,
                             state.operands) ||
      (base && parser.resolveOperand(*base, result, state.operands)))
    return failure();
  return success();
}

static void printBindings(OpAsmPrinter &p, ValueRange arguments,
                          ValueRange operands) {
  p << "(";
  llvm::interleaveComma(llvm::zip_equal(arguments, operands), p, [&](auto it) {
    auto [argument, operand] = it;
    p << argument << " = " << operand << " : " << operand.getType();
  });
  p << ")";
}

template <typename OpTy>
static void printExperts(OpAsmPrinter &p, OpTy op, ValueRange plan) {
  Region &body = op.getBody();
  unsigned numInputs = op.getInputs().size();
  p << " by " << op.getGates() << " : " << op.getGates().getType();
  if (!plan.empty())
    p << " plan " << plan << " : " << plan.getTypes();
  p.increaseIndent();
  p.printNewline();
  p << "  ";
  printBindings(p, body.getArguments().take_front(numInputs), op.getInputs());
  if (!op.getParams().empty()) {
    p.printNewline();
    p << "  with ";
    printBindings(p, body.getArguments().drop_front(numInputs), op.getParams());
  }
  p.printNewline();
  p << "  ";
  if (op.getBase())
    p << "else " << op.getBase() << " ";
  p.decreaseIndent();
  p << "combine " << stringifyCombine(op.getCombine()) << " weight "
    << stringifyWeightOn(op.getWeight());
}

template <typename OpTy> static void printTail(OpAsmPrinter &p, OpTy op) {
  p << " -> " << op.getType();
  p.printOptionalAttrDictWithKeyword(
      op->getAttrs(),
      {"operandSegmentSizes", "combine", "weight", "rows_per_task"});
  p << " ";
  p.printRegion(op.getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult ExpertsOp::parse(OpAsmParser &parser, OperationState &state) {
  return parseExperts(parser, state, /*isGrouped=*/false);
}

void ExpertsOp::print(OpAsmPrinter &p) {
  printExperts(p, *this, {});
  printTail(p, *this);
}

ParseResult GroupedOp::parse(OpAsmParser &parser, OperationState &state) {
  return parseExperts(parser, state, /*isGrouped=*/true);
}

void GroupedOp::print(OpAsmPrinter &p) {
  printExperts(p, *this, ValueRange{getOffsets(), getOrder(), getPlace()});
  p << " rows_per_task " << getRowsPerTask();
  printTail(p, *this);
}

void ExpertsOp::build(OpBuilder &builder, OperationState &state, Type result,
                      Value gates, ValueRange inputs, ValueRange params,
                      Value base, Combine combine, WeightOn weight) {
  Region *body = state.addRegion();
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(body);
  for (Value input : inputs)
    block->addArgument(getBodyType(input.getType(), /*isParam=*/false),
                       input.getLoc());
  for (Value param : params)
    block->addArgument(getBodyType(param.getType(), /*isParam=*/true),
                       param.getLoc());
  state.addTypes(result);
  state.addOperands(gates);
  state.addOperands(inputs);
  state.addOperands(params);
  if (base)
    state.addOperands(base);
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr(
                         {1, static_cast<int32_t>(inputs.size()),
                          static_cast<int32_t>(params.size()), base ? 1 : 0}));
  state.addAttribute("combine",
                     CombineAttr::get(builder.getContext(), combine));
  state.addAttribute("weight", WeightOnAttr::get(builder.getContext(), weight));
}

//===----------------------------------------------------------------------===//
// mixed_experts
//===----------------------------------------------------------------------===//

SmallVector<MixedExpertsOp::Case> MixedExpertsOp::getCases() {
  SmallVector<Case> cases;
  ValueRange inputs = getInputs(), params = getParams();
  for (auto [from, to, numInputs, numParams, body] :
       llvm::zip_equal(getFrom(), getTo(), getInputCounts(), getParamCounts(),
                       getBodies())) {
    cases.push_back({from, to, inputs.take_front(numInputs),
                     params.take_front(numParams), &body});
    inputs = inputs.drop_front(numInputs);
    params = params.drop_front(numParams);
  }
  return cases;
}

ParseResult MixedExpertsOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand gates;
  Type gatesType, result;
  std::optional<OpAsmParser::UnresolvedOperand> base;
  if (parser.parseKeyword("by") || parser.parseOperand(gates) ||
      parser.parseColonType(gatesType))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("else")) &&
      parser.parseOperand(base.emplace()))
    return failure();
  if (parseCombine(parser, state) || parser.parseArrow() ||
      parser.parseType(result) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  state.addTypes(result);

  Bindings allInputs, allParams;
  SmallVector<int64_t> from, to;
  SmallVector<int32_t> inputCounts, paramCounts;
  auto append = [](Bindings &all, const Bindings &some) {
    all.operands.append(some.operands);
    all.types.append(some.types);
  };
  while (succeeded(parser.parseOptionalKeyword("experts"))) {
    Bindings inputs, params;
    if (parser.parseInteger(from.emplace_back()) || parser.parseKeyword("to") ||
        parser.parseInteger(to.emplace_back()) ||
        parseBindings(parser, /*isParam=*/false, inputs))
      return failure();
    if (succeeded(parser.parseOptionalKeyword("with")) &&
        parseBindings(parser, /*isParam=*/true, params))
      return failure();
    if (parseBody(parser, state, inputs, params))
      return failure();
    inputCounts.push_back(inputs.operands.size());
    paramCounts.push_back(params.operands.size());
    append(allInputs, inputs);
    append(allParams, params);
  }

  Builder &builder = parser.getBuilder();
  state.addAttribute("from", builder.getDenseI64ArrayAttr(from));
  state.addAttribute("to", builder.getDenseI64ArrayAttr(to));
  state.addAttribute("input_counts", builder.getDenseI32ArrayAttr(inputCounts));
  state.addAttribute("param_counts", builder.getDenseI32ArrayAttr(paramCounts));
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr(
                         {1, static_cast<int32_t>(allInputs.operands.size()),
                          static_cast<int32_t>(allParams.operands.size()),
                          static_cast<int32_t>(base.has_value())}));
  SMLoc loc = parser.getNameLoc();
  return failure(
      parser.resolveOperand(gates, gatesType, state.operands) ||
      parser.resolveOperands(allInputs.operands, allInputs.types, loc,
                             state.operands) ||
      parser.resolveOperands(allParams.operands, allParams.types, loc,
                             state.operands) ||
      (base && parser.resolveOperand(*base, result, state.operands)));
}

void MixedExpertsOp::print(OpAsmPrinter &p) {
  p << " by " << getGates() << " : " << getGates().getType();
  p.increaseIndent();
  p.printNewline();
  p << "  ";
  if (getBase())
    p << "else " << getBase() << " ";
  p << "combine " << stringifyCombine(getCombine()) << " weight "
    << stringifyWeightOn(getWeight()) << " -> " << getType();
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {"operandSegmentSizes", "combine", "weight", "from",
                            "to", "input_counts", "param_counts"});
  for (const Case &part : getCases()) {
    p.printNewline();
    p << "experts " << part.from << " to " << part.to << " ";
    auto arguments = part.body->getArguments();
    printBindings(p, arguments.take_front(part.inputs.size()), part.inputs);
    if (!part.params.empty()) {
      p.printNewline();
      p << "    with ";
      printBindings(p, arguments.drop_front(part.inputs.size()), part.params);
    }
    p << " ";
    p.printRegion(*part.body, /*printEntryBlockArgs=*/false);
  }
  p.decreaseIndent();
}
