//===- CheckProcessor.c - Whether a processor can run a model -----*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model that was compiled for a newer processor must say so instead of dying
// of an illegal instruction. LLVM's and GCC's own __builtin_cpu_supports needs
// a library that is not there without development packages.
//
//===----------------------------------------------------------------------===//

#include "Artifact.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum { EAX, EBX, ECX, EDX };

/// The states that the operating system saves and restores (XCR0).
enum {
  NO_STATE = 0,
  AVX_STATE = 0x06,
  AVX512_STATE = 0xE6,
  APX_STATE = 0x80000
};

/// Where CPUID tells of a feature.
typedef struct feature {
  const char *name;
  unsigned leaf, subleaf;
  int word;
  unsigned bit;
  unsigned state;
} feature;

static const feature features[] = {
    {"sse4.2", 1, 0, ECX, 20, NO_STATE},
    {"popcnt", 1, 0, ECX, 23, NO_STATE},
    {"movbe", 1, 0, ECX, 22, NO_STATE},
    {"avx", 1, 0, ECX, 28, AVX_STATE},
    {"fma", 1, 0, ECX, 12, AVX_STATE},
    {"f16c", 1, 0, ECX, 29, AVX_STATE},
    {"avx2", 7, 0, EBX, 5, AVX_STATE},
    {"bmi", 7, 0, EBX, 3, NO_STATE},
    {"bmi2", 7, 0, EBX, 8, NO_STATE},
    {"lzcnt", 0x80000001u, 0, ECX, 5, NO_STATE},
    {"avx512f", 7, 0, EBX, 16, AVX512_STATE},
    {"avx512dq", 7, 0, EBX, 17, AVX512_STATE},
    {"avx512cd", 7, 0, EBX, 28, AVX512_STATE},
    {"avx512bw", 7, 0, EBX, 30, AVX512_STATE},
    {"avx512vl", 7, 0, EBX, 31, AVX512_STATE},
    {"avx512ifma", 7, 0, EBX, 21, AVX512_STATE},
    {"avx512vbmi", 7, 0, ECX, 1, AVX512_STATE},
    {"avx512vbmi2", 7, 0, ECX, 6, AVX512_STATE},
    {"gfni", 7, 0, ECX, 8, NO_STATE},
    {"avx512bitalg", 7, 0, ECX, 12, AVX512_STATE},
    {"avx512vpopcntdq", 7, 0, ECX, 14, AVX512_STATE},
    {"egpr", 7, 1, EDX, 21, APX_STATE},
    {"avx512vnni", 7, 0, ECX, 11, AVX512_STATE},
    {"avx512fp16", 7, 0, EDX, 23, AVX512_STATE},
    {"avx512bf16", 7, 1, EAX, 5, AVX512_STATE},
    {"avxvnni", 7, 1, EAX, 4, AVX_STATE},
};

static unsigned savedStates(void) {
  unsigned words[4];
  const unsigned osxsave = 1u << 27;
  if (!__get_cpuid(1, &words[EAX], &words[EBX], &words[ECX], &words[EDX]) ||
      !(words[ECX] & osxsave))
    return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int isPresent(const feature *f) {
  unsigned words[4];
  return __get_cpuid_count(f->leaf, f->subleaf, &words[EAX], &words[EBX],
                           &words[ECX], &words[EDX]) &&
         (words[f->word] >> f->bit & 1) &&
         (savedStates() & f->state) == f->state;
}

static int hasFeature(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); ++i)
    if (strlen(features[i].name) == length &&
        memcmp(features[i].name, name, length) == 0)
      return isPresent(&features[i]);
  return 1;
}
#else
static int hasFeature(const char *name, size_t length) {
  (void)name, (void)length;
  return 1;
}
#endif

const char *sluice_find_missing_feature(const char *names, size_t *length) {
  while (*names) {
    *length = strcspn(names, ",");
    if (!hasFeature(names, *length))
      return names;
    names += *length;
    names += *names == ',';
  }
  return NULL;
}
