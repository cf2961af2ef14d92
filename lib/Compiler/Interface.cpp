//===- Interface.cpp - Names for a model's C functions ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EntryPoints.h"

#include "sluice/Compiler/Artifact.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace sluice;

/// Words that are no identifiers in C or in C++.
static bool isKeyword(llvm::StringRef word) {
  static constexpr llvm::StringLiteral keywords =
      " alignas alignof and and_eq asm auto bitand bitor bool break case catch "
      "char char8_t char16_t char32_t class co_await co_return co_yield compl "
      "concept const const_cast consteval constexpr constinit continue "
      "decltype default delete do double dynamic_cast else enum explicit "
      "export extern false float for friend goto if inline int long main "
      "mutable namespace new noexcept not not_eq nullptr operator or or_eq "
      "private protected public register reinterpret_cast requires restrict "
      "return short signed sizeof static static_assert static_cast struct "
      "switch template this thread_local throw true try typedef typeid "
      "typename typeof union unsigned using virtual void volatile wchar_t "
      "while xor xor_eq linux unix ";
  return keywords.contains((" " + word + " ").str());
}

/// `text` with '_' for what may not stand in an identifier.
static std::string replaceInvalid(llvm::StringRef text) {
  std::string result = text.str();
  for (char &c : result)
    if (!llvm::isAlnum(c) && c != '_')
      c = '_';
  return result;
}

static bool isIdentifier(llvm::StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) &&
         replaceInvalid(text) == text && !isKeyword(text);
}

std::string sluice::getDefaultPrefix(llvm::StringRef path) {
  llvm::StringRef stem = llvm::sys::path::stem(path);
  if (stem.size() > 3)
    stem.consume_front("lib");
  // "model-7b.v2.so" has two suffixes; the first one may well mean something.
  std::string prefix = replaceInvalid(stem);
  if (prefix.empty() || prefix.find_first_not_of('_') == std::string::npos)
    return "model";
  if (llvm::isDigit(prefix.front()) || prefix.front() == '_')
    prefix = "model" + ("_" + llvm::StringRef(prefix).ltrim('_')).str();
  return isKeyword(prefix) ? prefix + "_" : prefix;
}

namespace {

/// Reads the manifest. What it lacks is an error of the pipeline, but one that
/// is said, not one that crashes.
class Reader {
public:
  llvm::Expected<const llvm::json::Array *>
  getArray(const llvm::json::Object &object, llvm::StringRef key) const {
    if (const llvm::json::Array *array = object.getArray(key))
      return array;
    return missing(key);
  }
  llvm::Expected<std::string> getString(const llvm::json::Object &object,
                                        llvm::StringRef key) const {
    if (std::optional<llvm::StringRef> text = object.getString(key))
      return text->str();
    return missing(key);
  }
  template <typename Spec>
  llvm::Error readType(const llvm::json::Object &object, Spec &spec) const {
    llvm::Expected<std::string> dtype = getString(object, "dtype");
    if (!dtype)
      return dtype.takeError();
    spec.dtype = *dtype;
    llvm::Expected<const llvm::json::Array *> shape = getArray(object, "shape");
    if (!shape)
      return shape.takeError();
    for (const llvm::json::Value &size : **shape)
      spec.shape.push_back(size.getAsInteger().value_or(-1));
    return llvm::Error::success();
  }
  llvm::Error missing(llvm::StringRef key) const {
    return llvm::createStringError("the model's manifest has no valid \"" +
                                   key + "\"");
  }
};

/// Makes names different from each other.
class Names {
public:
  explicit Names(std::initializer_list<llvm::StringRef> taken) {
    for (llvm::StringRef name : taken)
      used.insert(name);
  }
  std::string choose(llvm::StringRef wanted, llvm::StringRef fallback) {
    std::string base = replaceInvalid(wanted);
    if (base.empty() || llvm::isDigit(base.front()))
      base = (fallback + base).str();
    if (isKeyword(base))
      base += "_";
    std::string name = base;
    for (unsigned i = 1; !used.insert(name).second; ++i)
      name = base + "_" + std::to_string(i);
    return name;
  }

private:
  llvm::StringSet<> used;
};

} // namespace

static llvm::Error readValues(const Reader &reader,
                              const llvm::json::Object &object,
                              llvm::StringRef key, llvm::StringRef fallback,
                              Names &names,
                              std::vector<ModelInterface::Value> &values) {
  llvm::Expected<const llvm::json::Array *> array =
      reader.getArray(object, key);
  if (!array)
    return array.takeError();
  for (const llvm::json::Value &entry : **array) {
    const llvm::json::Object *value = entry.getAsObject();
    if (!value)
      return reader.missing(key);
    ModelInterface::Value &spec = values.emplace_back();
    std::string name = value->getString("name").value_or("").str();
    if (name.empty())
      name = (fallback + ((*array)->size() == 1
                              ? std::string()
                              : std::to_string(values.size() - 1)))
                 .str();
    spec.cName = names.choose(name, fallback);
    if (llvm::Error error = reader.readType(*value, spec))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<ModelInterface>
ModelInterface::create(llvm::StringRef manifest, llvm::StringRef prefix,
                       llvm::StringRef defaultWeights) {
  if (!isIdentifier(prefix))
    return llvm::createStringError(
        "expected a C identifier as prefix but got '" + prefix +
        "'; choose one by --prefix");
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(manifest);
  if (!json)
    return json.takeError();
  Reader reader;
  const llvm::json::Object *root = json->getAsObject();
  if (!root)
    return reader.missing("functions");

  ModelInterface result;
  result.prefix = prefix.str();
  result.defaultWeights = defaultWeights.str();
  if (const llvm::json::Array *counters = root->getArray("counters"))
    result.counters = !counters->empty();
  if (const llvm::json::Array *weights = root->getArray("weights"))
    for (const llvm::json::Value &entry : *weights) {
      const llvm::json::Object *weight = entry.getAsObject();
      if (!weight)
        return reader.missing("weights");
      Weight &spec = result.weights.emplace_back();
      spec.symbol = weight->getString("symbol").value_or("").str();
      spec.tensor = weight->getString("tensor").value_or("").str();
      if (llvm::Error error = reader.readType(*weight, spec))
        return std::move(error);
    }

  llvm::Expected<const llvm::json::Array *> functions =
      reader.getArray(*root, "functions");
  if (!functions)
    return functions.takeError();
  // Who has which C name already.
  llvm::StringMap<std::string> owners;
  for (llvm::StringRef name : getCommonNames())
    owners[name] = "the interface's own " + result.prefix + "_" + name.str();
  for (const llvm::json::Value &entry : **functions) {
    const llvm::json::Object *object = entry.getAsObject();
    if (!object)
      return reader.missing("functions");
    Function &function = result.functions.emplace_back();
    llvm::Expected<std::string> name = reader.getString(*object, "name");
    if (!name)
      return name.takeError();
    function.name = *name;
    function.cName = replaceInvalid(*name);
    auto [owner, inserted] =
        owners.try_emplace(function.cName, "function '" + *name + "'");
    if (!inserted)
      return llvm::createStringError(
          "function '" + *name + "' would be called " + result.prefix + "_" +
          function.cName + " in C, as is " + owner->second + "; rename it");
    Names names({"model", "error", result.prefix});
    if (llvm::Error error = readValues(reader, *object, "inputs", "input",
                                       names, function.inputs))
      return std::move(error);
    if (llvm::Error error = readValues(reader, *object, "results", "result",
                                       names, function.results))
      return std::move(error);
  }
  return result;
}
