//===- Describe.cpp - What a module offers ----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Compiler.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/Support/JSON.h"

using namespace sluice;
namespace json = llvm::json;

std::optional<Dtype> sluice::getDtype(mlir::Type type) {
  mlir::Type element = mlir::getElementTypeOrSelf(type);
  if (element.isIndex())
    return Dtype::I64;
  std::string name;
  llvm::raw_string_ostream(name) << element;
  return parseDtype(name);
}

/// Type and shape; only the type, as MLIR writes it, if it cannot be passed.
static json::Object describeType(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  std::optional<Dtype> dtype;
  if (tensor || type.isIntOrIndexOrFloat())
    dtype = getDtype(type);
  if (!dtype) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return json::Object{{"dtype", text}};
  }
  json::Array shape;
  if (tensor)
    for (int64_t size : tensor.getShape())
      shape.push_back(mlir::ShapedType::isDynamic(size) ? -1 : size);
  return json::Object{{"dtype", toString(*dtype)}, {"shape", std::move(shape)}};
}

static json::Array describeValues(mlir::TypeRange types,
                                  mlir::ArrayAttr attributes) {
  json::Array values;
  for (auto [index, type] : llvm::enumerate(types)) {
    json::Object value = describeType(type);
    llvm::StringRef name;
    if (attributes)
      if (auto given = mlir::cast<mlir::DictionaryAttr>(attributes[index])
                           .getAs<mlir::StringAttr>("sluice.name"))
        name = given.getValue();
    value["name"] = name;
    values.push_back(std::move(value));
  }
  return values;
}

std::string sluice::describeModel(mlir::ModuleOp module) {
  json::Array functions, weights;
  for (mlir::Operation &op : *module.getBody()) {
    if (auto function = mlir::dyn_cast<mlir::func::FuncOp>(op)) {
      if (function.isPublic())
        functions.push_back(json::Object{
            {"name", function.getSymName()},
            {"inputs", describeValues(function.getArgumentTypes(),
                                      function.getArgAttrsAttr())},
            {"results", describeValues(function.getResultTypes(),
                                       function.getResAttrsAttr())}});
    } else if (auto weight = mlir::dyn_cast<WeightOp>(op)) {
      json::Object description = describeType(weight.getType());
      description["symbol"] = weight.getSymName();
      description["tensor"] = weight.getTensor();
      weights.push_back(std::move(description));
    }
  }
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(json::Object{
      {"functions", std::move(functions)}, {"weights", std::move(weights)}});
  return text;
}
