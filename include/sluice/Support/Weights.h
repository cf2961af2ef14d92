//===- Weights.h - Weight files for C++ -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_WEIGHTS_H
#define SLUICE_SUPPORT_WEIGHTS_H

#include "sluice/Support/HostTensor.h"

namespace sluice {

/// An open safetensors file, or tensors in the caller's memory; see
/// sluice_weights in sluice-c/Runtime.h, which this wraps. Loading from several
/// threads is safe.
class WeightsFile {
public:
  /// One tensor of the file.
  struct Info {
    llvm::StringRef name;
    /// As the file spells it, e.g. "F32" or "F8_E4M3".
    llvm::StringRef dtype;
    llvm::ArrayRef<int64_t> shape;
    llvm::ArrayRef<char> bytes;
  };

  static llvm::Expected<WeightsFile> open(llvm::StringRef path);

  /// Tensors in the caller's memory, which is borrowed: see
  /// sluice_weights_create.
  static llvm::Expected<WeightsFile>
  fromMemory(llvm::ArrayRef<sluice_named_tensor> tensors);

  int64_t size() const { return sluice_weights_count(weights.get()); }
  /// `index` is below size(); the order is the header's.
  Info info(int64_t index) const;
  /// The tensor called `name`; the error names the closest one.
  llvm::Expected<Info> find(llvm::StringRef name) const;

  /// Loads the tensor `pattern`, or stacks those that it names (see
  /// NamePattern.h). Element type and shape must be the file's.
  llvm::Expected<HostTensor> load(llvm::StringRef pattern, Dtype dtype,
                                  llvm::ArrayRef<int64_t> shape) const;
  /// The same, with each element extended to double.
  llvm::Expected<std::vector<double>>
  loadAsDoubles(llvm::StringRef pattern, Dtype dtype,
                llvm::ArrayRef<int64_t> shape) const;

  /// The object of the C interface, which this object keeps.
  const sluice_weights *getHandle() const { return weights.get(); }

private:
  struct Close {
    void operator()(sluice_weights *weights) const {
      sluice_weights_close(weights);
    }
  };
  std::unique_ptr<sluice_weights, Close> weights;
};

} // namespace sluice

#endif // SLUICE_SUPPORT_WEIGHTS_H
