//===- sluice-call-library.cpp - Calls a compiled model ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads a library that sluicec made, calls one function of it as any C program
// would, on .npy files, and compares what it returns with .npy files:
//
//   sluice-call-library model.so prefix function --weights w.safetensors
//     --input x.npy... --expect y.npy... [--tolerance t] [--callers n]
//
// With `--callers n`, n threads call the function of one model at once, each
// ten times. Exits 1 on an error or a mismatch. That the header fits the
// library is what test/Tools/sluicec shows.
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Compare.h"
#include "sluice/Support/Npy.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <thread>

using namespace sluice;
namespace cl = llvm::cl;

static cl::opt<std::string> library(cl::Positional, cl::Required,
                                    cl::desc("<model.so>"));
static cl::opt<std::string> prefix(cl::Positional, cl::Required,
                                   cl::desc("<prefix>"));
static cl::opt<std::string> function(cl::Positional, cl::Required,
                                     cl::desc("<function>"));
static cl::opt<std::string> weights("weights", cl::desc("safetensors file"));
static cl::list<std::string> inputs("input", cl::desc("npy file"));
static cl::list<std::string> expects("expect", cl::desc("npy file"));
static cl::opt<double> tolerance("tolerance", cl::init(1e-5),
                                 cl::desc("largest relative error"));
static cl::opt<unsigned> callers("callers", cl::init(1),
                                 cl::desc("threads that call at once"));

namespace {
/// The functions of a library, by their C types. What differs between models is
/// the number of tensors, each a pointer.
class Library {
public:
  static llvm::Expected<Library> open() {
    Library result;
    std::string error;
    result.handle =
        llvm::sys::DynamicLibrary::getPermanentLibrary(library.c_str(), &error);
    if (!result.handle.isValid())
      return llvm::createStringError(error);
    return result;
  }

  template <typename Fn> llvm::Expected<Fn *> get(const std::string &name) {
    std::string symbol = prefix + "_" + name;
    if (void *address = handle.getAddressOfSymbol(symbol.c_str()))
      return reinterpret_cast<Fn *>(address);
    return llvm::createStringError("expected a function '" + symbol + "' in '" +
                                   library + "'");
  }

private:
  llvm::sys::DynamicLibrary handle;
};

using Load = int(const char *, void **, sluice_error *);
using Free = void(void *);
using Function = void();
using FreeTensor = void(sluice_tensor *);
} // namespace

static llvm::Error makeError(const sluice_error &error) {
  return llvm::createStringError(error.message);
}

/// Calls a function of `tensors.size()` tensors.
static int call(void (*fn)(), void *model,
                llvm::ArrayRef<sluice_tensor *> tensors, sluice_error *error) {
  using T = sluice_tensor *;
  using Call1 = int (*)(void *, T, sluice_error *);
  using Call2 = int (*)(void *, T, T, sluice_error *);
  using Call3 = int (*)(void *, T, T, T, sluice_error *);
  using Call4 = int (*)(void *, T, T, T, T, sluice_error *);
  using Call5 = int (*)(void *, T, T, T, T, T, sluice_error *);
  using Call6 = int (*)(void *, T, T, T, T, T, T, sluice_error *);
  llvm::ArrayRef<T> t = tensors;
  switch (t.size()) {
  case 1:
    return reinterpret_cast<Call1>(fn)(model, t[0], error);
  case 2:
    return reinterpret_cast<Call2>(fn)(model, t[0], t[1], error);
  case 3:
    return reinterpret_cast<Call3>(fn)(model, t[0], t[1], t[2], error);
  case 4:
    return reinterpret_cast<Call4>(fn)(model, t[0], t[1], t[2], t[3], error);
  case 5:
    return reinterpret_cast<Call5>(fn)(model, t[0], t[1], t[2], t[3], t[4],
                                       error);
  case 6:
    return reinterpret_cast<Call6>(fn)(model, t[0], t[1], t[2], t[3], t[4],
                                       t[5], error);
  default:
    snprintf(error->message, sizeof(error->message),
             "expected 1 to 6 tensors but got %zu", t.size());
    return 1;
  }
}

/// One call and what it returned.
static llvm::Expected<std::vector<HostTensor>>
callOnce(void (*fn)(), void *model, llvm::ArrayRef<HostTensor> arguments,
         FreeTensor *freeTensor) {
  std::vector<sluice_tensor> tensors;
  for (const HostTensor &argument : arguments) {
    llvm::Expected<sluice_tensor> tensor = argument.toC();
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(*tensor);
  }
  tensors.resize(arguments.size() + expects.size());
  std::vector<sluice_tensor *> pointers;
  for (sluice_tensor &tensor : tensors)
    pointers.push_back(&tensor);
  sluice_error error;
  if (call(fn, model, pointers, &error))
    return makeError(error);
  std::vector<HostTensor> results;
  for (sluice_tensor *tensor :
       llvm::ArrayRef<sluice_tensor *>(pointers).drop_front(arguments.size())) {
    llvm::Expected<HostTensor> result = HostTensor::fromC(*tensor);
    freeTensor(tensor);
    if (!result)
      return result.takeError();
    results.push_back(std::move(*result));
  }
  return results;
}

/// Calls `times` times and compares each time; the last comparisons.
static llvm::Expected<std::string>
callAndCompare(void (*fn)(), void *model, llvm::ArrayRef<HostTensor> arguments,
               llvm::ArrayRef<HostTensor> expected, FreeTensor *freeTensor,
               unsigned times) {
  std::string text;
  for (unsigned i = 0; i < times; ++i) {
    text.clear();
    auto results = callOnce(fn, model, arguments, freeTensor);
    if (!results)
      return results.takeError();
    for (auto [actual, wanted] : llvm::zip_equal(*results, expected)) {
      auto comparison = compareTensors(actual, wanted, tolerance);
      if (!comparison)
        return comparison.takeError();
      if (!comparison->matches())
        return llvm::createStringError(comparison->describe());
      text += comparison->describe() + "\n";
    }
  }
  return text;
}

static llvm::Error run() {
  llvm::Expected<Library> opened = Library::open();
  if (!opened)
    return opened.takeError();
  llvm::Expected<Load *> load = opened->get<Load>("load");
  if (!load)
    return load.takeError();
  llvm::Expected<Free *> free = opened->get<Free>("free");
  if (!free)
    return free.takeError();
  llvm::Expected<FreeTensor *> freeTensor =
      opened->get<FreeTensor>("free_tensor");
  if (!freeTensor)
    return freeTensor.takeError();
  llvm::Expected<Function *> fn = opened->get<Function>(function);
  if (!fn)
    return fn.takeError();

  std::vector<HostTensor> arguments, expected;
  for (auto [paths, tensors] :
       {std::pair(&inputs, &arguments), std::pair(&expects, &expected)})
    for (const std::string &path : *paths) {
      llvm::Expected<HostTensor> tensor = readNpy(path);
      if (!tensor)
        return tensor.takeError();
      tensors->push_back(std::move(*tensor));
    }

  void *model = nullptr;
  sluice_error error;
  if ((*load)(weights.empty() ? nullptr : weights.c_str(), &model, &error))
    return makeError(error);

  std::vector<std::string> texts(callers), failures(callers);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < callers; ++i)
    threads.emplace_back([&, i] {
      auto text = callAndCompare(*fn, model, arguments, expected, *freeTensor,
                                 callers > 1 ? 10 : 1);
      if (text)
        texts[i] = *text;
      else
        failures[i] = llvm::toString(text.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  (*free)(model);
  for (const std::string &failure : failures)
    if (!failure.empty())
      return llvm::createStringError(failure);
  llvm::outs() << texts.front();
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Calls a compiled model\n");
  if (llvm::Error error = run()) {
    llvm::errs() << "sluice-call-library: error: "
                 << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
