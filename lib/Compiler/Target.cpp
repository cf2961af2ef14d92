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
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace sluice;

static llvm::Triple getHostTriple() {
  return llvm::Triple(llvm::sys::getProcessTriple());
}

static bool isSupported(const llvm::Triple &triple) {
  return (triple.getArch() == llvm::Triple::x86_64 ||
          triple.getArch() == llvm::Triple::aarch64) &&
         triple.isOSLinux() && triple.isOSBinFormatELF() && !triple.isX32() &&
         triple.getEnvironment() != llvm::Triple::GNUILP32;
}

static llvm::Expected<llvm::Triple> parseTarget(llvm::StringRef target) {
  if (target == "native")
    return getHostTriple();
  llvm::Triple triple(llvm::Triple::normalize(target));
  if (isSupported(triple))
    return triple;
  return llvm::createStringError(
      "expected a target like x86_64-linux-gnu or aarch64-linux-gnu, or "
      "native, but got '" +
      target + "'");
}

/// LLVM's entry for an architecture.
static llvm::Expected<const llvm::Target *>
lookupTarget(const llvm::Triple &triple) {
  // Once: filling the table is not thread-safe.
  [[maybe_unused]] static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    return true;
  }();
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError("LLVM cannot make code for " + triple.str() +
                                   ": " + message);
  return target;
}

llvm::Error sluice::checkTarget(llvm::StringRef target) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple)
    return triple.takeError();
  return lookupTarget(*triple).takeError();
}

static bool isHost(const llvm::Triple &triple) {
  llvm::Triple host = getHostTriple();
  return triple.getArch() == host.getArch() && triple.getOS() == host.getOS() &&
         triple.getEnvironment() == host.getEnvironment();
}

llvm::Error sluice::checkHostTarget(llvm::StringRef target) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple)
    return triple.takeError();
  if (isHost(*triple))
    return llvm::Error::success();
  return llvm::createStringError(
      "expected this machine's target, " + getHostTriple().str() +
      ", but got " + triple->str() +
      ", for which there are no libraries here to link or run with; make an "
      "object for it (--emit=obj) and link it there");
}

std::string sluice::getDefaultCPU(llvm::StringRef target) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple) {
    llvm::consumeError(triple.takeError());
    return "native";
  }
  if (triple->getArch() == getHostTriple().getArch())
    return "native";
  return triple->isX86() ? "x86-64" : "generic";
}

/// The processors that can run 64-bit code of the architecture.
static llvm::Expected<std::vector<std::string>>
listCPUs(const llvm::Triple &triple) {
  llvm::Expected<const llvm::Target *> target = lookupTarget(triple);
  if (!target)
    return target.takeError();
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

/// The name in LLVM's table of a processor that clang also knows by another,
/// e.g. apple-m1.
static llvm::StringRef resolveAlias(llvm::StringRef cpu,
                                    const llvm::Triple &triple) {
  return triple.isAArch64() ? llvm::AArch64::resolveCPUAlias(cpu) : cpu;
}

static llvm::Error checkCPU(llvm::StringRef cpu, const llvm::Triple &triple) {
  if (cpu == "native") {
    llvm::Triple host = getHostTriple();
    if (triple.getArch() == host.getArch())
      return llvm::Error::success();
    return llvm::createStringError(
        "expected the name of a processor for " + triple.getArchName() +
        " but got native, this machine, which is " + host.getArchName() +
        " (--cpu=help with the same --target lists the names)");
  }
  llvm::Expected<std::vector<std::string>> names = listCPUs(triple);
  if (!names)
    return names.takeError();
  if (llvm::is_contained(*names, resolveAlias(cpu, triple)))
    return llvm::Error::success();
  llvm::sort(*names, [&](const std::string &a, const std::string &b) {
    return std::pair(cpu.edit_distance(a), a) <
           std::pair(cpu.edit_distance(b), b);
  });
  names->resize(std::min<size_t>(names->size(), 3));
  return llvm::createStringError(
      "unknown processor '" + cpu + "' for " + triple.getArchName() +
      "; the nearest names are " + llvm::join(*names, ", ") +
      (triple.getArch() == getHostTriple().getArch()
           ? " (--cpu=help lists all, native is this machine)"
           : " (--cpu=help with the same --target lists all)"));
}

llvm::Error sluice::checkCPU(llvm::StringRef cpu, llvm::StringRef target) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple)
    return triple.takeError();
  return ::checkCPU(cpu, *triple);
}

void sluice::printCPUs(llvm::raw_ostream &os, llvm::StringRef target) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple) {
    llvm::consumeError(triple.takeError());
    return;
  }
  if (triple->getArch() == getHostTriple().getArch())
    os << "native  (this machine: " << llvm::sys::getHostCPUName() << ")\n";
  llvm::Expected<std::vector<std::string>> names = listCPUs(*triple);
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
sluice::createTargetMachine(llvm::StringRef cpu, llvm::StringRef target,
                            unsigned optLevel) {
  llvm::Expected<llvm::Triple> triple = parseTarget(target);
  if (!triple)
    return triple.takeError();
  llvm::Expected<const llvm::Target *> entry = lookupTarget(*triple);
  if (!entry)
    return entry.takeError();
  if (llvm::Error error = ::checkCPU(cpu, *triple))
    return std::move(error);
  llvm::StringRef name = cpu;
  std::string features;
  if (cpu == "native") {
    name = llvm::sys::getHostCPUName();
    features = getHostFeatures();
  }
  auto level = llvm::CodeGenOpt::getLevel(int(std::min(optLevel, 3u)));
  std::unique_ptr<llvm::TargetMachine> machine((*entry)->createTargetMachine(
      *triple, resolveAlias(name, *triple), features, llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, *level));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for " +
                                   triple->str());
  return machine;
}

static llvm::Error checkRunnable(llvm::ArrayRef<Processor> processors,
                                 size_t &index) {
  std::vector<sluice_artifact_code> codes;
  for (const Processor &processor : processors)
    codes.push_back({processor.cpu.c_str(), processor.features.c_str(),
                     /*manifest=*/nullptr, /*functions=*/nullptr});
  sluice_error error;
  const sluice_artifact_code *found = sluice_choose_code(
      codes.data(), codes.size(), /*wanted=*/nullptr, &error);
  if (!found)
    return llvm::createStringError(llvm::Twine(error.message));
  index = found - codes.data();
  return llvm::Error::success();
}

/// What CheckProcessor.c calls vectors of this size.
static std::string getVectorFeature(unsigned bits) {
  return std::to_string(bits) + "-bit sve";
}

/// How many bits the scalable vectors of a processor have, if it is known and
/// they are larger than NEON's; else 0.
static unsigned getVectorBits(const llvm::TargetMachine &target,
                              llvm::StringRef cpu) {
  if (!target.getTargetTriple().isAArch64() ||
      !target.getMCSubtargetInfo()->checkFeatures("+sve"))
    return 0;
  if (cpu != "native")
    // What LLVM's tables do not say.
    return llvm::StringSwitch<unsigned>(cpu)
        .Cases({"neoverse-v1", "fujitsu-monaka"}, 256)
        .Case("a64fx", 512)
        .Default(0);
  for (unsigned bits : {256, 512}) {
    size_t index;
    llvm::Error error = checkRunnable(
        Processor{"native", "", "", bits, getVectorFeature(bits)}, index);
    if (!error)
      return bits;
    llvm::consumeError(std::move(error));
  }
  return 0;
}

/// The machine (sluice/Target/CPU/Machine.h) whose schedule fits best.
static llvm::StringRef getMachineName(const llvm::TargetMachine &target,
                                      unsigned vectorBits) {
  const llvm::MCSubtargetInfo &info = *target.getMCSubtargetInfo();
  if (target.getTargetTriple().isAArch64()) {
    if (vectorBits)
      return vectorBits == 256 ? "sve256" : "sve512";
    if (!info.checkFeatures("+dotprod"))
      return "neon";
    return info.checkFeatures("+bf16") ? "neon-bf16" : "neon-dot";
  }
  if (info.checkFeatures("+avx512f,+avx512vl,+avx512bw,+fma")) {
    if (!info.checkFeatures("+avx512vnni"))
      return "avx512";
    return info.checkFeatures("+avx512bf16") ? "avx512-bf16" : "avx512-vnni";
  }
  if (info.checkFeatures("+avx2,+fma"))
    return info.checkFeatures("+avxvnni") ? "avx2-vnni" : "avx2";
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
    "crc",  "lse",     "fullfp16", "rdm",     "complxnum", "rcpc",
    "sha3", "dotprod", "sve",      "fp16fml", "sve2",      "i8mm",
    "bf16", "cssc",    "mops",     "sve2p1"};

static std::string getRequiredFeatures(const llvm::TargetMachine &target,
                                       unsigned vectorBits) {
  llvm::ArrayRef<llvm::StringLiteral> checked;
  if (target.getTargetTriple().isX86())
    checked = checkedOnX86;
  else if (target.getTargetTriple().isAArch64())
    checked = checkedOnAArch64;
  std::vector<std::string> required;
  for (llvm::StringRef feature : checked)
    if (target.getMCSubtargetInfo()->checkFeatures("+" + feature.str()))
      required.push_back(feature.str());
  if (vectorBits)
    required.push_back(getVectorFeature(vectorBits));
  return llvm::join(required, ",");
}

/// How well `machine` would do, for a comparison.
static std::pair<size_t, size_t> getRank(const Processor &processor) {
  const CPUMachine *machine = lookupCPUMachine(processor.machine);
  llvm::StringRef features = processor.features;
  return {size_t(machine - getCPUMachines().begin()),
          features.empty() ? 0 : features.count(',') + 1};
}

llvm::Expected<Processor> sluice::lookupProcessor(llvm::StringRef cpu,
                                                  llvm::StringRef target) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(cpu, target, /*optLevel=*/0);
  if (!machine)
    return machine.takeError();
  unsigned vectorBits = getVectorBits(**machine, cpu);
  return Processor{cpu.str(), (*machine)->getTargetTriple().str(),
                   getMachineName(**machine, vectorBits).str(), vectorBits,
                   getRequiredFeatures(**machine, vectorBits)};
}

llvm::Expected<std::vector<Processor>>
sluice::parseCPUs(llvm::StringRef list, llvm::StringRef target) {
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  std::vector<Processor> processors;
  for (llvm::StringRef name : names) {
    llvm::Expected<Processor> processor = lookupProcessor(name.trim(), target);
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

llvm::Error sluice::checkCPUs(llvm::StringRef list, llvm::StringRef target) {
  return parseCPUs(list, target).takeError();
}

llvm::Expected<size_t>
sluice::findRunnable(llvm::ArrayRef<Processor> processors) {
  // One target for all.
  if (llvm::Error error = checkHostTarget(processors.front().target))
    return std::move(error);
  size_t index;
  if (llvm::Error error = checkRunnable(processors, index))
    return std::move(error);
  return index;
}

llvm::Expected<std::string> sluice::chooseCPU(llvm::StringRef list,
                                              llvm::StringRef target) {
  llvm::Expected<std::vector<Processor>> processors = parseCPUs(list, target);
  if (!processors)
    return processors.takeError();
  llvm::Expected<size_t> index = findRunnable(*processors);
  if (!index)
    return index.takeError();
  return (*processors)[*index].cpu;
}

void sluice::setTarget(llvm::Module &module, const llvm::TargetMachine &machine,
                       const Processor &processor) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    // Even if it is empty: without, those of the code generator count.
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    // Only where vectors of this size were written: what LLVM's vectoriser
    // makes runs with any, and of masked vectors of a fixed size, e.g. of bf16,
    // LLVM 22 cannot make code.
    unsigned granules = processor.vectorBits / 128;
    if (granules && function.hasFnAttribute("min-legal-vector-width"))
      function.addFnAttr(llvm::Attribute::getWithVScaleRangeArgs(
          module.getContext(), granules, granules));
  }
}
