//===- SluiceDialect.cpp - The dialect, its types and attributes --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice;

#include "sluice/Dialect/Sluice/IR/SluiceDialect.cpp.inc"

#include "sluice/Dialect/Sluice/IR/SluiceEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceTypes.cpp.inc"

namespace {
/// Everything but a weight's declaration may be inlined anywhere.
struct SluiceInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *call, Operation *callable,
                       bool wouldBeCloned) const final {
    return true;
  }
  bool isLegalToInline(Region *dest, Region *src, bool wouldBeCloned,
                       IRMapping &mapping) const final {
    return true;
  }
  bool isLegalToInline(Operation *op, Region *dest, bool wouldBeCloned,
                       IRMapping &mapping) const final {
    return !isa<WeightOp>(op);
  }
};
} // namespace

void SluiceDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sluice/Dialect/Sluice/IR/SluiceAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "sluice/Dialect/Sluice/IR/SluiceTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sluice/Dialect/Sluice/IR/SluiceOps.cpp.inc"
      >();
  addInterfaces<SluiceInliner>();
}

//===----------------------------------------------------------------------===//
// GatesType
//===----------------------------------------------------------------------===//

// `<` tokens `x` experts `x` type (`,` (count|`?`) `per` (`token`|`expert`))?
// `>`
Type GatesType::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t, 2> dims;
  Type elementType;
  if (parser.parseLess() || parser.parseDimensionList(dims) ||
      parser.parseType(elementType))
    return {};
  if (dims.size() != 2) {
    parser.emitError(loc, "expected two dimensions, tokens and experts, as in "
                          "!sluice.gates<?x64xf32, 8 per token>, but got ")
        << dims.size();
    return {};
  }
  Bound bound = Bound::None;
  int64_t count = 0;
  if (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalQuestion()))
      count = ShapedType::kDynamic;
    else if (parser.parseInteger(count))
      return {};
    if (parser.parseKeyword("per"))
      return {};
    SMLoc keywordLoc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return {};
    if (keyword != "token" && keyword != "expert") {
      parser.emitError(keywordLoc, "expected 'token' or 'expert' but got '")
          << keyword << "'";
      return {};
    }
    bound = keyword == "token" ? Bound::PerToken : Bound::PerExpert;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<GatesType>(loc, parser.getContext(), dims[0],
                                      dims[1], elementType, bound, count);
}

void GatesType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList({getTokens(), getExperts()});
  printer << "x" << getElementType();
  if (getBound() != Bound::None) {
    printer << ", ";
    if (ShapedType::isDynamic(getCount()))
      printer << "?";
    else
      printer << getCount();
    printer << " per " << stringifyBound(getBound());
  }
  printer << ">";
}

LogicalResult GatesType::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t tokens, int64_t experts,
                                Type elementType, Bound bound, int64_t count) {
  if (!ShapedType::isDynamic(tokens) && tokens < 0) // C1
    return emitError() << "expected the number of tokens to be '?' or at least "
                          "0 but got "
                       << tokens;
  if (ShapedType::isDynamic(experts) || experts < 1) { // C2
    InFlightDiagnostic diag = emitError();
    diag << "expected a static number of experts, at least 1, but got ";
    if (ShapedType::isDynamic(experts))
      return diag << "'?'";
    return diag << experts;
  }
  if (!elementType.isF16() && !elementType.isBF16() && !elementType.isF32() &&
      !elementType.isF64()) // C3
    return emitError() << "expected elements of type f16, bf16, f32 or f64 but "
                          "got "
                       << elementType;
  if (bound == Bound::PerToken &&
      (ShapedType::isDynamic(count) || count < 1 || count > experts)) { // C4
    InFlightDiagnostic diag = emitError();
    diag << "expected between 1 and " << experts
         << " entries per token (there are " << experts << " experts) but got ";
    if (ShapedType::isDynamic(count))
      return diag << "'?'";
    return diag << count;
  }
  if (bound == Bound::PerExpert && !ShapedType::isDynamic(count) &&
      count < 1) // C5
    return emitError() << "expected '?' or at least 1 entry per expert but got "
                       << count;
  constexpr int64_t limit = int64_t(1) << 31;
  if (tokens >= limit || experts >= limit) // C6
    return emitError() << "expected numbers of tokens and experts below "
                       << limit << " but got "
                       << (tokens >= limit ? tokens : experts);
  return success();
}

LogicalResult
PanelsAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   int64_t width, Layout layout, int64_t interleave,
                   int64_t bits, int64_t dims) {
  if (width < 1 || width > 1024)
    return emitError() << "expected panels of 1 to 1024 outputs but got "
                       << width;
  if (layout == Layout::Panels)
    return emitError() << "expected panels of out_in or in_out but got panels";
  if (interleave < 1 || interleave > 64)
    return emitError() << "expected 1 to 64 inputs side by side but got "
                       << interleave;
  if (bits != 0 && bits != 4)
    return emitError() << "expected numbers of 4 bits, or whole elements, but "
                          "got bits "
                       << bits;
  if (dims < 2)
    return emitError() << "expected a matrix of at least 2 dimensions but got "
                       << dims;
  if (layout == Layout::InOut && (dims > 2 || bits))
    return emitError() << "expected out_in where inputs are in several "
                          "dimensions or two in a byte, but got in_out";
  return success();
}

std::string PanelsAttr::findObstacle(RankedTensorType type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (type.getRank() < getDims())
    os << "expected at least " << getDims()
       << " dimensions to put in panels but got '" << type << "'";
  else if (getBits() && !type.getElementType().isInteger(8))
    os << "expected bytes, which hold two numbers each, but got '" << type
       << "'";
  else if (!isa<FloatType>(type.getElementType()) &&
           getMatrix(type).second % (getInterleave() * getNumbersPerElement()))
    os << "expected a multiple of " << getInterleave() * getNumbersPerElement()
       << " inputs, which lie side by side, but got " << getMatrix(type).second
       << " in '" << type << "'";
  return text;
}

std::pair<int64_t, int64_t> PanelsAttr::getMatrix(RankedTensorType type) {
  ArrayRef<int64_t> matrix = type.getShape().take_back(getDims());
  if (getLayout() == Layout::InOut)
    return {matrix[1], matrix[0]};
  int64_t inputs = getNumbersPerElement();
  for (int64_t size : matrix.drop_front())
    inputs *= size;
  return {matrix[0], inputs};
}

RankedTensorType PanelsAttr::getPackedType(RankedTensorType type) {
  auto [outputs, inputs] = getMatrix(type);
  SmallVector<int64_t> shape(type.getShape().drop_back(getDims()));
  shape.push_back(llvm::divideCeil(outputs, getWidth()));
  shape.push_back(
      llvm::divideCeil(inputs, getInterleave() * getNumbersPerElement()));
  shape.push_back(getWidth());
  if (getInterleave() > 1)
    shape.push_back(getInterleave());
  return RankedTensorType::get(shape, type.getElementType());
}
