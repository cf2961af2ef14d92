//===- Artifact.h - Native libraries with a C interface ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_ARTIFACT_H
#define SLUICE_COMPILER_ARTIFACT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class ThreadPoolInterface;
} // namespace llvm

namespace sluice {

class CompiledModel;
class PhaseTimes;

/// The C functions by which a compiled model is used, and their names.
///
/// For the prefix P there are P_load, P_cpu, P_free, P_set_threads,
/// P_counters_json, P_reset_counters and P_free_tensor, and P_<name> for each
/// public function.
/// Characters that a C identifier cannot have become '_'.
class ModelInterface {
public:
  /// An input or a result.
  struct Value {
    std::string cName;
    std::string dtype;
    /// -1 is dynamic.
    llvm::SmallVector<int64_t, 4> shape;
  };
  struct Function {
    /// As the model file calls it.
    std::string name;
    std::string cName;
    std::vector<Value> inputs;
    std::vector<Value> results;
  };
  struct Weight {
    std::string symbol;
    std::string tensor;
    std::string dtype;
    llvm::SmallVector<int64_t, 4> shape;
  };

  /// Chooses names for what `manifest` (see sluice-c/Runtime.h) describes.
  /// Fails if `prefix` is not a C identifier or two functions get one name.
  static llvm::Expected<ModelInterface>
  create(llvm::StringRef manifest, llvm::StringRef prefix,
         llvm::StringRef defaultWeights = "");

  const std::string &getPrefix() const { return prefix; }
  /// The weight file that P_load takes if it is given none; may be empty.
  const std::string &getDefaultWeights() const { return defaultWeights; }
  llvm::ArrayRef<Function> getFunctions() const { return functions; }
  llvm::ArrayRef<Weight> getWeights() const { return weights; }
  bool hasCounters() const { return counters; }

private:
  ModelInterface() = default;

  std::string prefix;
  std::string defaultWeights;
  std::vector<Function> functions;
  std::vector<Weight> weights;
  bool counters = false;
};

/// A prefix for the library at `path`: the file's name without folder, "lib"
/// and suffix, made an identifier.
std::string getDefaultPrefix(llvm::StringRef path);

/// The text of a header, valid C11 and C++, that declares and documents the
/// interface. `library` and `header` are the files' names, for the text.
std::string generateHeader(const ModelInterface &interface,
                           llvm::StringRef library, llvm::StringRef header);

/// Checks that the safetensors file at `path` has every weight of the model,
/// with its element type and shape.
llvm::Error checkWeights(const ModelInterface &interface, llvm::StringRef path);

/// The interface of a model that lowerModel has lowered. If `weights` is not
/// empty, the file is checked to have them, and its absolute path becomes the
/// default of P_load, since a library may be loaded from anywhere. The check is
/// the phase "weights" of `phases`, which may be null.
llvm::Expected<ModelInterface> createInterface(mlir::ModuleOp lowered,
                                               llvm::StringRef prefix,
                                               llvm::StringRef weights,
                                               PhaseTimes *phases = nullptr);

/// Where a link finds what it needs.
struct LinkOptions {
  /// The folder of libsluice_rt.a and libsluice_artifact.a.
  std::string runtimeDirectory;
  /// Where code is generated; null: in the thread that calls.
  llvm::ThreadPoolInterface *threadPool = nullptr;
};

/// The folder of the runtime's archives of a program at `executable` that lies
/// in the bin folder of a build or an installation.
std::string getRuntimeDirectory(llvm::StringRef executable);

/// The folder of the runtime's archives: that of the library or program that
/// this code is in, or the lib folder beside it.
std::string findRuntimeDirectory();

/// Links the code of a model, compiled with a ModelInterface, and the runtime
/// into the shared library `path`. The file appears when it is complete. Needs
/// ld.lld, ld or cc, and no development package.
llvm::Error writeSharedLibrary(const CompiledModel &model,
                               const ModelInterface &interface,
                               llvm::StringRef path,
                               const LinkOptions &options);

/// What a model can be written as.
enum class ArtifactKind { SharedLibrary, Object, Assembly, LLVMIR };

/// Writes the code of a model, compiled with a ModelInterface, to `path` ("-":
/// the standard output, for text), and for a library or an object the C header
/// beside it, the same name with the suffix .h. Files appear when they are
/// complete, both or none.
llvm::Error writeArtifact(const CompiledModel &model,
                          const ModelInterface &interface, ArtifactKind kind,
                          llvm::StringRef path, const LinkOptions &options);

} // namespace sluice

#endif // SLUICE_COMPILER_ARTIFACT_H
