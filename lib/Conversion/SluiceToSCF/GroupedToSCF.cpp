//===- GroupedToSCF.cpp - Grouped experts to loops --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"

using namespace mlir;
using namespace sluice;

/// Entries are cut into so many tasks at least, if these have at least so many
/// rows: fewer would not be worth reading an expert's weights.
static constexpr int64_t minTasks = 8;
static constexpr int64_t minRowsPerTask = 32;
/// Tasks are sorted by size this finely.
static constexpr int64_t numSizeClasses = 64;

namespace {
/// Lowers one `grouped`: a table of tasks, the tasks in parallel, then the
/// tokens in parallel.
class GroupedLowering {
public:
  GroupedLowering(GroupedOp op,
                  GroupedOp::GenericAdaptor<ArrayRef<ValueRange>> adaptor,
                  ConversionPatternRewriter &rewriter)
      : op(op), rewriter(rewriter), gates(adaptor.getGates()),
        gatesType(cast<GatesType>(op.getGates().getType())),
        offsets(single(adaptor.getOffsets())),
        order(single(adaptor.getOrder())), place(single(adaptor.getPlace())) {
    for (ValueRange input : adaptor.getInputs())
      inputs.push_back(single(input));
    for (ValueRange param : adaptor.getParams())
      params.push_back(single(param));
    if (op.getBase())
      base = single(adaptor.getBase());
  }

  Value lower() {
    LoopBuilder b(rewriter, op.getLoc());
    slotsPerToken = b.index(gatesType.getSlots());
    experts = b.index(gatesType.getExperts());
    tokens = tensor::DimOp::create(b, b.loc, gates.experts, 0);
    entries = b.extract(offsets, experts);
    count(b);
    makeTasks(b);
    Value rows = runTasks(b);
    return combine(b, rows);
  }

private:
  static Value single(ValueRange values) { return values.front(); }

  Value getState() {
    return op->getParentOfType<FunctionOpInterface>().getArgument(0);
  }

  /// Adds to the function's counters, if the op has a place there.
  void count(LoopBuilder &b) {
    auto at = op->getAttrOfType<IntegerAttr>("sluice.counter");
    if (!at)
      return;
    Value state = getState();
    auto bump = [&](LoopBuilder &b, Value index, Value amount) {
      addToCounter(b, state, index, amount);
    };
    // Word 3, what a capacity dropped, is counted where that happens.
    int64_t first = at.getInt();
    bump(b, b.index(first), b.index(1));
    bump(b, b.index(first + 1), tokens);
    bump(b, b.index(first + 2), entries);
    makeFor(b, experts, {}, [&](LoopBuilder &b, Value e, ValueRange) {
      Value rows = b.sub(b.extract(offsets, b.add(e, b.index(1))),
                         b.extract(offsets, e));
      Value touched = arith::IndexCastUIOp::create(
          b, b.loc, b.getIndexType(),
          arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::ne, rows,
                                b.index(0)));
      bump(b, b.index(first + 4), touched);
      bump(b, b.add(e, b.index(first + 5)), rows);
      return SmallVector<Value>{};
    });
  }

  /// Cuts every expert's positions into tasks, taskExpert, taskBegin and
  /// taskRows: large ones first, so that none is left when all other threads are done.
  void makeTasks(LoopBuilder &b) {
    chooseRowsPerTask(b);
    // A stable counting sort by what a task is short of the largest.
    Value classes = b.index(numSizeClasses), zero = b.index(0);
    Value begins =
        makeBuffer(b, {b.getIndexAttr(numSizeClasses)}, b.getIndexType());
    forEach(b, classes,
            [&](LoopBuilder &b, Value c) { store(b, zero, begins, c); });
    forTasks(b, [&](LoopBuilder &b, Value, Value, Value rows) {
      postIncrement(b, begins, sizeClass(b, rows));
    });
    numTasks =
        makeFor(b, classes, zero, [&](LoopBuilder &b, Value c, ValueRange sum) {
          Value size = load(b, begins, c);
          store(b, sum[0], begins, c);
          return SmallVector<Value>{b.add(sum[0], size)};
        })[0];
    SmallVector<OpFoldResult> sizes = {numTasks};
    Value expertOf = makeBuffer(b, sizes, b.getIndexType());
    Value beginOf = makeBuffer(b, sizes, b.getIndexType());
    Value rowsOf = makeBuffer(b, sizes, b.getIndexType());
    forTasks(b, [&](LoopBuilder &b, Value e, Value begin, Value rows) {
      Value at = postIncrement(b, begins, sizeClass(b, rows));
      store(b, e, expertOf, at);
      store(b, begin, beginOf, at);
      store(b, rows, rowsOf, at);
    });
    taskExpert = toTensor(b, expertOf);
    taskBegin = toTensor(b, beginOf);
    taskRows = toTensor(b, rowsOf);
  }

  /// At most what the op says, and less where there are few entries, so that
  /// several threads find work although a single expert has all of them.
  void chooseRowsPerTask(LoopBuilder &b) {
    if (!op.getRowsPerTask()) {
      // Without a limit a task has room for all entries.
      rowsPerTask =
          arith::MaxUIOp::create(b, b.loc, entries, b.index(1)).getResult();
      return;
    }
    Value most = b.index(op.getRowsPerTask());
    Value share =
        arith::CeilDivUIOp::create(b, b.loc, entries, b.index(minTasks));
    Value worthwhile =
        arith::MaxUIOp::create(b, b.loc, share, b.index(minRowsPerTask));
    rowsPerTask = arith::MinUIOp::create(b, b.loc, most, worthwhile);
  }

  /// Visits all tasks: expert, first position and number of rows.
  void
  forTasks(LoopBuilder &b,
           llvm::function_ref<void(LoopBuilder &, Value, Value, Value)> body) {
    forEach(b, experts, [&](LoopBuilder &b, Value e) {
      Value begin = b.extract(offsets, e);
      Value size = b.sub(b.extract(offsets, b.add(e, b.index(1))), begin);
      Value count = arith::CeilDivUIOp::create(b, b.loc, size, rowsPerTask);
      // Tasks of an expert differ by 1 row at most: each reads all weights.
      forEach(b, count, [&](LoopBuilder &b, Value i) {
        auto cut = [&](Value number) -> Value {
          return arith::DivUIOp::create(b, b.loc, b.mul(size, number), count);
        };
        Value first = cut(i);
        Value rows = b.sub(cut(b.add(i, b.index(1))), first);
        body(b, e, b.add(begin, first), rows);
      });
    });
  }

  /// 0 for as many rows as a task may have; growing with what is missing.
  Value sizeClass(LoopBuilder &b, Value rows) {
    Value missing = b.sub(rowsPerTask, rows);
    return arith::DivUIOp::create(
        b, b.loc, b.mul(missing, b.index(numSizeClasses)), rowsPerTask);
  }

  /// The rows of `input` that positions from `begin` on stand for, scaled by
  /// the gates if `weighed`.
  Value gather(LoopBuilder &b, Value input, Value begin, Value rows,
               bool weighed) {
    auto type = cast<RankedTensorType>(input.getType());
    Type element = type.getElementType();
    Type f = getArithmeticType(element);
    if (gatesType.getElementType().isF64())
      f = b.getF64Type();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.loc, input);
    sizes[0] = rows;
    Value empty = tensor::EmptyOp::create(b, b.loc, sizes, element);
    AffineMap row = b.getMultiDimIdentityMap(type.getRank() - 1);
    return makeFor(
        b, rows, empty, [&](LoopBuilder &b, Value i, ValueRange carried) {
          Value slot = b.extract(order, b.add(begin, i));
          Value t = arith::DivUIOp::create(b, b.loc, slot, slotsPerToken);
          Value weight;
          if (weighed)
            weight = getWeight(b, slot, f);
          // A loop of its own for each row is one that vectorises.
          Value copied =
              linalg::GenericOp::create(
                  b, b.loc, TypeRange{getRowType(type)},
                  ValueRange{slice(b, input, t)},
                  ValueRange{slice(b, carried[0], i)},
                  ArrayRef<AffineMap>{row, row},
                  SmallVector<utils::IteratorType>(
                      row.getNumDims(), utils::IteratorType::parallel),
                  [&](OpBuilder &builder, Location loc, ValueRange args) {
                    LoopBuilder b(builder, loc);
                    if (!weight)
                      return b.yield(args[0]);
                    Value value = arith::MulFOp::create(
                        b, loc, b.convert(args[0], f), weight);
                    b.yield(b.convert(value, element));
                  })
                  .getResult(0);
          SmallVector<OpFoldResult> offsets, rowSizes;
          getRows(b, carried[0], i, b.getIndexAttr(1), offsets, rowSizes);
          SmallVector<OpFoldResult> strides(rowSizes.size(), b.getIndexAttr(1));
          return SmallVector<Value>{tensor::InsertSliceOp::create(
              b, b.loc, copied, carried[0], offsets, rowSizes, strides)};
        })[0];
  }

  /// The value of a slot as `type`.
  Value getWeight(LoopBuilder &b, Value slot, Type type) {
    Value t = arith::DivUIOp::create(b, b.loc, slot, slotsPerToken);
    Value j = arith::RemUIOp::create(b, b.loc, slot, slotsPerToken);
    return b.convert(b.extract(gates.values, {t, j}), type);
  }

  /// Runs the body for each task; all rows that were computed, by position.
  Value runTasks(LoopBuilder &b) {
    auto yielded = cast<RankedTensorType>(op.getYielded().getType());
    SmallVector<OpFoldResult> sizes = {entries};
    for (int64_t size : getRowShape(yielded))
      sizes.push_back(b.getIndexAttr(size));
    Value all =
        tensor::EmptyOp::create(b, b.loc, sizes, yielded.getElementType());
    return makeForall(
        b, numTasks, all, [&](LoopBuilder &b, Value task, ValueRange shared) {
          Value expert = b.extract(taskExpert, task);
          Value begin = b.extract(taskBegin, task);
          Value rows = b.extract(taskRows, task);
          SmallVector<Value> arguments;
          for (auto [i, input] : llvm::enumerate(inputs))
            arguments.push_back(
                castTo(b, b.loc,
                       gather(b, input, begin, rows,
                              i == 0 && op.getWeight() == WeightOn::Input),
                       op.getBodyBlock()->getArgument(i).getType()));
          for (Value param : params)
            arguments.push_back(slice(b, param, expert));
          auto yield = cast<YieldOp>(op.getBodyBlock()->getTerminator());
          rewriter.inlineBlockBefore(op.getBodyBlock(), b.getInsertionBlock(),
                                     b.getInsertionPoint(), arguments);
          Value result = rewriter.getRemappedValue(yield.getValue());
          result = inputs.empty() ? repeat(b, result, rows)
                                  : checkRows(b, result, rows);
          rewriter.eraseOp(yield);
          SmallVector<OpFoldResult> offsets, rowSizes;
          getRows(b, shared[0], begin, rows, offsets, rowSizes);
          return SmallVector<ParallelInsert>{
              {result, shared[0], offsets, rowSizes}};
        })[0];
  }

  /// The shape of one row of what the body yields.
  ArrayRef<int64_t> getRowShape(RankedTensorType yielded) {
    return inputs.empty() ? yielded.getShape()
                          : yielded.getShape().drop_front();
  }

  /// A constant body's row, for each of `rows` tokens.
  static Value repeat(LoopBuilder &b, Value row, Value rows) {
    auto type = cast<RankedTensorType>(row.getType());
    int64_t rank = type.getRank() + 1;
    SmallVector<OpFoldResult> sizes = {rows};
    llvm::append_range(sizes, tensor::getMixedSizes(b, b.loc, row));
    Value empty =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    AffineMap all = b.getMultiDimIdentityMap(rank);
    return linalg::GenericOp::create(
               b, b.loc, empty.getType(), ValueRange{row}, ValueRange{empty},
               ArrayRef<AffineMap>{all.dropResult(0), all},
               SmallVector<utils::IteratorType>(rank,
                                                utils::IteratorType::parallel),
               [](OpBuilder &builder, Location loc, ValueRange args) {
                 linalg::YieldOp::create(builder, loc, args[0]);
               })
        .getResult(0);
  }

  /// A body that handles rows itself may yield another number of them than it
  /// was given; that is reported, and zeros stand in for what it yielded.
  Value checkRows(LoopBuilder &b, Value yielded, Value rows) {
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    if (!code)
      return yielded;
    Value actual = tensor::DimOp::create(b, b.loc, yielded, 0);
    Value same =
        arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::eq, actual, rows);
    auto branch = scf::IfOp::create(
        b, b.loc, same,
        [&](OpBuilder &builder, Location loc) {
          scf::YieldOp::create(builder, loc, yielded);
        },
        [&](OpBuilder &builder, Location loc) {
          LoopBuilder inner(builder, loc);
          auto toF64 = [&](Value number) -> Value {
            number = arith::IndexCastOp::create(inner, loc, inner.getI64Type(),
                                                number);
            return arith::SIToFPOp::create(inner, loc, inner.getF64Type(),
                                           number);
          };
          recordFailure(inner, getState(), code.getInt(),
                        arith::ConstantIntOp::create(inner, loc, 0, 64),
                        toF64(actual), toF64(rows));
          auto type = cast<RankedTensorType>(yielded.getType());
          SmallVector<OpFoldResult> sizes;
          for (int64_t size : type.getShape())
            sizes.push_back(inner.getIndexAttr(size));
          sizes[0] = rows;
          Value zeros =
              makeFilled(inner, loc, sizes, type.getElementType(), 0.0);
          scf::YieldOp::create(inner, loc, zeros);
        });
    return branch.getResult(0);
  }

  /// `tensor` at `index` of its first dimension, without that dimension.
  Value slice(LoopBuilder &b, Value tensor, Value index) {
    SmallVector<OpFoldResult> offsets, sizes;
    getRows(b, tensor, index, b.getIndexAttr(1), offsets, sizes);
    SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(
        b, b.loc, getRowType(cast<RankedTensorType>(tensor.getType())), tensor,
        offsets, sizes, strides);
  }

  static RankedTensorType getRowType(RankedTensorType type) {
    return RankedTensorType::get(type.getShape().drop_front(),
                                 type.getElementType());
  }

  /// Adds (or places) each token's rows, in order of their positions.
  Value combine(LoopBuilder &b, Value rows) {
    auto type = cast<RankedTensorType>(op.getType());
    Type f = getArithmeticType(type.getElementType());
    SmallVector<OpFoldResult> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    if (type.isDynamicDim(0))
      sizes[0] = tokens;
    Value result0 =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    return makeForall(
        b, tokens, result0, [&](LoopBuilder &b, Value t, ValueRange shared) {
          SmallVector<OpFoldResult> rowSizes(ArrayRef(sizes).drop_front());
          Value start = makeStart(b, t, rowSizes, f);
          Value sum = makeFor(
              b, slotsPerToken, start,
              [&](LoopBuilder &b, Value j, ValueRange carried) {
                Value position = b.extract(place, {t, j});
                Value present = arith::CmpIOp::create(
                    b, b.loc, arith::CmpIPredicate::sge, position, b.index(0));
                auto branch = scf::IfOp::create(
                    b, b.loc, present,
                    [&](OpBuilder &builder, Location loc) {
                      LoopBuilder inner(builder, loc);
                      scf::YieldOp::create(
                          inner, loc,
                          addRow(inner, rows, position, carried[0], f));
                    },
                    [&](OpBuilder &builder, Location loc) {
                      scf::YieldOp::create(builder, loc, carried[0]);
                    });
                return SmallVector<Value>{branch.getResult(0)};
              })[0];
          Value rounded = round(b, sum, type.getElementType());
          SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
          SmallVector<OpFoldResult> insertSizes(sizes);
          offsets[0] = t;
          insertSizes[0] = b.getIndexAttr(1);
          return SmallVector<ParallelInsert>{
              {rounded, shared[0], offsets, insertSizes}};
        })[0];
  }

  /// What token `t` has if no expert adds to it.
  Value makeStart(LoopBuilder &b, Value t, ArrayRef<OpFoldResult> sizes,
                  Type f) {
    if (!base)
      return makeFilled(b, b.loc, sizes, f, 0.0);
    return mapRow(
        b, {slice(b, base, t)}, sizes.size(), f,
        [&](LoopBuilder &b, ValueRange args) { return b.convert(args[0], f); });
  }

  Value addRow(LoopBuilder &b, Value rows, Value position, Value sum, Type f) {
    Value weight;
    if (op.getWeight() == WeightOn::Output)
      weight = getWeight(b, b.extract(order, position), f);
    Value row = slice(b, rows, position);
    int64_t rank = cast<RankedTensorType>(sum.getType()).getRank();
    return mapRow(b, {row, sum}, rank, f, [&](LoopBuilder &b, ValueRange args) {
      Value value = b.convert(args[0], f);
      if (weight)
        value = arith::MulFOp::create(b, b.loc, value, weight);
      if (op.getCombine() == Combine::Sum)
        value = arith::AddFOp::create(b, b.loc, args[1], value);
      return value;
    });
  }

  Value round(LoopBuilder &b, Value row, Type element) {
    auto type = cast<RankedTensorType>(row.getType());
    if (type.getElementType() == element)
      return row;
    return mapRow(b, {row}, type.getRank(), element,
                  [&](LoopBuilder &b, ValueRange args) {
                    return b.convert(args[0], element);
                  });
  }

  Value mapRow(LoopBuilder &b, ArrayRef<Value> inputs, int64_t rank,
               Type element,
               llvm::function_ref<Value(LoopBuilder &, ValueRange)> body) {
    AffineMap map = b.getMultiDimIdentityMap(rank);
    Value empty = makeEmptyLike(b, b.loc, inputs.back(), element);
    // The running sum is updated in place.
    bool inPlace = inputs.size() == 2;
    SmallVector<Value> ins(inPlace ? inputs.drop_back() : inputs);
    Value out = inPlace ? inputs.back() : empty;
    SmallVector<AffineMap> maps(ins.size() + 1, map);
    return linalg::GenericOp::create(
               b, b.loc, out.getType(), ins, ValueRange{out}, maps,
               SmallVector<utils::IteratorType>(rank,
                                                utils::IteratorType::parallel),
               [&](OpBuilder &builder, Location loc, ValueRange args) {
                 LoopBuilder lb(builder, loc);
                 lb.yield(body(lb, args));
               })
        .getResult(0);
  }

  GroupedOp op;
  ConversionPatternRewriter &rewriter;
  GatesValue gates;
  GatesType gatesType;
  Value offsets, order, place, base;
  SmallVector<Value> inputs, params;
  Value slotsPerToken, experts, tokens, entries;
  Value rowsPerTask, numTasks, taskExpert, taskBegin, taskRows;
};

struct ConvertGrouped : OpConversionPattern<GroupedOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GroupedOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value result = GroupedLowering(op, adaptor, rewriter).lower();
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void sluice::populateGroupedToSCFPatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns) {
  patterns.add<ConvertGrouped>(converter, patterns.getContext());
}
