//===- Target.cpp - The processor that code is made for ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Target.h"

#include "../Runtime/Artifact/Artifact.h"

#include "sluice/Compiler/Compiler.h"
#include "sluice/Target/CPU/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace sluice;

static llvm::Triple getHostTriple() {
  return llvm::Triple(llvm::sys::getProcessTriple());
}

/// LLVM's entry for the host's architecture.
static llvm::Expected<const llvm::Target *> lookupHostTarget() {
  // Once: filling the table is not thread-safe.
  [[maybe_unused]] static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(getHostTriple(), message);
  if (!target)
    return llvm::createStringError("LLVM cannot make code for this machine: " +
                                   message);
  return target;
}

/// The processors that can run this process's kind of code.
static llvm::Expected<std::vector<std::string>> listCPUs() {
  llvm::Expected<const llvm::Target *> target = lookupHostTarget();
  if (!target)
    return target.takeError();
  llvm::Triple triple = getHostTriple();
  auto getInfo = [&](llvm::StringRef cpu) {
    return std::unique_ptr<llvm::MCSubtargetInfo>(
        (*target)->createMCSubtargetInfo(triple, cpu, ""));
  };
  std::vector<std::string> names;
  std::unique_ptr<llvm::MCSubtargetInfo> table = getInfo("");
  for (const llvm::SubtargetSubTypeKV &cpu :
       table->getAllProcessorDescriptions())
    // 32-bit processors are in the table too, and abort code generation.
    if (!triple.isX86_64() || getInfo(cpu.Key)->checkFeatures("+64bit"))
      names.push_back(cpu.Key);
  return names;
}

llvm::Error sluice::checkCPU(llvm::StringRef cpu) {
  if (cpu == "native")
    return llvm::Error::success();
  llvm::Expected<std::vector<std::string>> names = listCPUs();
  if (!names)
    return names.takeError();
  if (llvm::is_contained(*names, cpu))
    return llvm::Error::success();
  llvm::sort(*names, [&](const std::string &a, const std::string &b) {
    return std::pair(cpu.edit_distance(a), a) <
           std::pair(cpu.edit_distance(b), b);
  });
  names->resize(std::min<size_t>(names->size(), 3));
  return llvm::createStringError(
      "unknown processor '" + cpu + "' for " + getHostTriple().getArchName() +
      "; the nearest names are " + llvm::join(*names, ", ") +
      " (--cpu=help lists all, native is this machine)");
}

void sluice::printCPUs(llvm::raw_ostream &os) {
  os << "native  (this machine: " << llvm::sys::getHostCPUName() << ")\n";
  llvm::Expected<std::vector<std::string>> names = listCPUs();
  if (!names) {
    llvm::consumeError(names.takeError());
    return;
  }
  for (const std::string &name : *names)
    os << name << "\n";
}

static std::string getHostFeatures() {
  llvm::SubtargetFeatures features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.getKey(), feature.getValue());
  // The table has no order of its own.
  std::vector<std::string> sorted = features.getFeatures();
  llvm::sort(sorted, [](llvm::StringRef a, llvm::StringRef b) {
    return a.drop_front() < b.drop_front();
  });
  return llvm::join(sorted, ",");
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
sluice::createTargetMachine(llvm::StringRef cpu, unsigned optLevel) {
  llvm::Expected<const llvm::Target *> target = lookupHostTarget();
  if (!target)
    return target.takeError();
  if (llvm::Error error = checkCPU(cpu))
    return std::move(error);
  std::string name = cpu.str(), features;
  if (cpu == "native") {
    name = llvm::sys::getHostCPUName().str();
    features = getHostFeatures();
  }
  auto level = llvm::CodeGenOpt::getLevel(int(std::min(optLevel, 3u)));
  std::unique_ptr<llvm::TargetMachine> machine((*target)->createTargetMachine(
      getHostTriple(), name, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, *level));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for " +
                                   getHostTriple().str());
  return machine;
}

/// The machine (sluice/Target/CPU/Machine.h) whose schedule fits best.
static std::string getMachineName(const llvm::TargetMachine &target) {
  const llvm::MCSubtargetInfo &info = *target.getMCSubtargetInfo();
  const llvm::Triple &triple = target.getTargetTriple();
  if (triple.isAArch64())
    return "neon";
  if (triple.isX86() && info.checkFeatures("+avx512f,+avx512vl,+avx512bw,+fma"))
    return info.checkFeatures("+avx512vnni") ? "avx512-vnni" : "avx512";
  if (triple.isX86() && info.checkFeatures("+avx2,+fma"))
    return "avx2";
  return "x86-64";
}

// What a compiler uses without being asked, and what lib/Runtime/Artifact knows
// how to look for. Other features need intrinsics.
static constexpr llvm::StringLiteral checkedOnX86[] = {
    "sse4.2",       "popcnt",
    "movbe",        "avx",
    "fma",          "f16c",
    "avx2",         "bmi",
    "bmi2",         "lzcnt",
    "gfni",         "avxvnni",
    "avx512f",      "avx512dq",
    "avx512cd",     "avx512bw",
    "avx512vl",     "avx512vnni",
    "avx512vbmi",   "avx512vbmi2",
    "avx512ifma",   "avx512vpopcntdq",
    "avx512bf16",   "avx512fp16",
    "avx512bitalg", "egpr"};
static constexpr llvm::StringLiteral checkedOnAArch64[] = {
    "crc",  "lse",  "fullfp16", "rdm",  "complxnum",
    "rcpc", "sha3", "dotprod",  "sve",  "fp16fml",
    "sve2", "i8mm", "bf16",     "cssc", "mops"};

static std::string getRequiredFeatures(const llvm::TargetMachine &target) {
  llvm::ArrayRef<llvm::StringLiteral> checked;
  if (target.getTargetTriple().isX86())
    checked = checkedOnX86;
  else if (target.getTargetTriple().isAArch64())
    checked = checkedOnAArch64;
  std::vector<llvm::StringRef> required;
  for (llvm::StringRef feature : checked)
    if (target.getMCSubtargetInfo()->checkFeatures("+" + feature.str()))
      required.push_back(feature);
  return llvm::join(required, ",");
}

/// How well `machine` would do, for a comparison.
static std::pair<size_t, size_t> getRank(const Processor &processor) {
  const CPUMachine *machine = lookupCPUMachine(processor.machine);
  llvm::StringRef features = processor.features;
  return {size_t(machine - getCPUMachines().begin()),
          features.empty() ? 0 : features.count(',') + 1};
}

llvm::Expected<Processor> sluice::lookupProcessor(llvm::StringRef cpu) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> target =
      createTargetMachine(cpu, /*optLevel=*/0);
  if (!target)
    return target.takeError();
  return Processor{cpu.str(), getMachineName(**target),
                   getRequiredFeatures(**target)};
}

llvm::Expected<std::vector<Processor>> sluice::parseCPUs(llvm::StringRef list) {
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  std::vector<Processor> processors;
  for (llvm::StringRef name : names) {
    llvm::Expected<Processor> processor = lookupProcessor(name.trim());
    if (!processor)
      return processor.takeError();
    if (llvm::any_of(processors, [&](const Processor &other) {
          return other.cpu == processor->cpu;
        }))
      return llvm::createStringError("expected each processor once but got '" +
                                     processor->cpu + "' twice in '" + list +
                                     "'");
    auto place = llvm::upper_bound(processors, *processor,
                                   [](const Processor &a, const Processor &b) {
                                     return getRank(a) > getRank(b);
                                   });
    processors.insert(place, std::move(*processor));
  }
  return processors;
}

llvm::Error sluice::checkCPUs(llvm::StringRef list) {
  return parseCPUs(list).takeError();
}

llvm::Expected<size_t>
sluice::findRunnable(llvm::ArrayRef<Processor> processors) {
  std::vector<sluice_artifact_code> codes;
  for (const Processor &processor : processors)
    codes.push_back({processor.cpu.c_str(), processor.features.c_str(),
                     /*manifest=*/nullptr, /*functions=*/nullptr});
  sluice_error error;
  if (const sluice_artifact_code *found = sluice_choose_code(
          codes.data(), codes.size(), /*wanted=*/nullptr, &error))
    return found - codes.data();
  return llvm::createStringError(llvm::Twine(error.message));
}

llvm::Expected<std::string> sluice::chooseCPU(llvm::StringRef list) {
  llvm::Expected<std::vector<Processor>> processors = parseCPUs(list);
  if (!processors)
    return processors.takeError();
  llvm::Expected<size_t> index = findRunnable(*processors);
  if (!index)
    return index.takeError();
  return (*processors)[*index].cpu;
}

void sluice::setTarget(llvm::Module &module,
                       const llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    // Even if it is empty: without, those of the code generator count.
    function.addFnAttr("target-features", machine.getTargetFeatureString());
  }
}
