//===- GatherToSCF.cpp - Rows of a table ------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SluiceToSCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"

using namespace mlir;
using namespace sluice;

namespace {
/// Upstream has no lowering of tensor.gather, and leaves an index out of bounds
/// undefined; here it is reported, and the nearest index stands in.
struct ConvertGather : OpConversionPattern<tensor::GatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    Value source = adaptor.getSource(), indices = adaptor.getIndices();
    auto type = cast<RankedTensorType>(op.getType());
    ArrayRef<int64_t> gathered = op.getGatherDims();
    int64_t batch = op.getIndicesType().getRank() - 1;
    checkIndices(b, op, source, indices, batch);

    SmallVector<OpFoldResult> sizes;
    for (int64_t d = 0; d < type.getRank(); ++d)
      sizes.push_back(d < batch
                          ? tensor::getMixedSize(b, b.loc, indices, d)
                          : OpFoldResult(b.getIndexAttr(type.getDimSize(d))));
    Value empty =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    // Gathered dimensions are there with size 1 or not at all.
    int64_t rank = op.getSourceType().getRank();
    bool reduced = type.getRank() != batch + rank;
    Value result =
        linalg::GenericOp::create(
            b, b.loc, empty.getType(), ValueRange{}, ValueRange{empty},
            ArrayRef<AffineMap>{b.getMultiDimIdentityMap(type.getRank())},
            SmallVector<utils::IteratorType>(type.getRank(),
                                             utils::IteratorType::parallel),
            [&](OpBuilder &builder, Location loc, ValueRange) {
              LoopBuilder b(builder, loc);
              SmallVector<Value> at;
              for (int64_t d = 0; d < batch; ++d)
                at.push_back(linalg::IndexOp::create(b, loc, d));
              SmallVector<Value> place(rank);
              for (auto [g, dim] : llvm::enumerate(gathered))
                place[dim] = getIndex(b, source, indices, at, g, dim).second;
              int64_t next = batch;
              for (int64_t d = 0; d < rank; ++d) {
                if (!place[d])
                  place[d] = linalg::IndexOp::create(b, loc, next++);
                else if (!reduced)
                  ++next;
              }
              b.yield(tensor::ExtractOp::create(b, loc, source, place));
            })
            .getResult(0);
    rewriter.replaceOp(op, castTo(b, b.loc, result, type));
    return success();
  }

private:
  /// Coordinate `g` of the indices at `at`: as given, and within the source.
  static std::pair<Value, Value> getIndex(LoopBuilder &b, Value source,
                                          Value indices, ArrayRef<Value> at,
                                          int64_t g, int64_t dim) {
    SmallVector<Value> place(at);
    place.push_back(b.index(g));
    Value given = tensor::ExtractOp::create(b, b.loc, indices, place);
    if (!given.getType().isIndex())
      given = arith::IndexCastOp::create(b, b.loc, b.getIndexType(), given);
    Value size = tensor::DimOp::create(b, b.loc, source, dim);
    Value last = arith::SubIOp::create(b, b.loc, size, b.index(1));
    Value within = arith::MaxSIOp::create(
        b, b.loc, arith::MinSIOp::create(b, b.loc, given, last), b.index(0));
    return {given, within};
  }

  static void checkIndices(LoopBuilder &b, tensor::GatherOp op, Value source,
                           Value indices, int64_t batch) {
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    if (!code)
      return;
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    SmallVector<Value> lower, upper, step;
    for (int64_t d = 0; d < batch; ++d) {
      lower.push_back(b.index(0));
      upper.push_back(tensor::DimOp::create(b, b.loc, indices, d));
      step.push_back(b.index(1));
    }
    auto check = [&](OpBuilder &builder, Location loc, ValueRange at) {
      LoopBuilder b(builder, loc);
      for (auto [g, dim] : llvm::enumerate(op.getGatherDims())) {
        auto [given, within] =
            getIndex(b, source, indices, llvm::to_vector(at), g, dim);
        Value wrong = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                            given, within);
        auto branch = scf::IfOp::create(b, loc, wrong, /*withElse=*/false);
        OpBuilder then = branch.getThenBodyBuilder();
        LoopBuilder inner(then, loc);
        auto toInt = [&](Value index) -> Value {
          return arith::IndexCastOp::create(inner, loc, inner.getI64Type(),
                                            index);
        };
        auto toF64 = [&](Value index) -> Value {
          return arith::SIToFPOp::create(inner, loc, inner.getF64Type(),
                                         toInt(index));
        };
        Value flat = inner.index(0);
        for (auto [index, size] : llvm::zip_equal(at, upper))
          flat = arith::AddIOp::create(
              inner, loc, arith::MulIOp::create(inner, loc, flat, size), index);
        Value size = tensor::DimOp::create(inner, loc, source, dim);
        recordFailure(inner, state, code.getInt(), toInt(flat), toF64(given),
                      toF64(size));
      }
    };
    if (batch == 0)
      check(b, b.loc, {});
    else
      scf::buildLoopNest(b, b.loc, lower, upper, step, check);
  }
};
} // namespace

void sluice::populateGatherToSCFPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertGather>(converter, patterns.getContext());
}
