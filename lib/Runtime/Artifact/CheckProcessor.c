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

#include <stdio.h>
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

/// What the processor calls itself, without blanks around it.
static void describeProcessor(char text[64]) {
  unsigned words[12];
  for (unsigned i = 0; i < 3; ++i)
    if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1],
                     &words[4 * i + 2], &words[4 * i + 3])) {
      strcpy(text, "this processor");
      return;
    }
  char brand[sizeof(words) + 1];
  memcpy(brand, words, sizeof(words));
  brand[sizeof(words)] = 0;
  const char *begin = brand + strspn(brand, " ");
  size_t length = strlen(begin);
  while (length && begin[length - 1] == ' ')
    --length;
  memcpy(text, begin, length);
  text[length] = 0;
  if (!length)
    strcpy(text, "this processor");
}
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>

/// Instead of a word of bits: a size, in bits, that SVE's vectors must have.
enum { SVE_BITS = 0 };

/// Where Linux tells of a feature: AT_HWCAP or AT_HWCAP2. Numbers, since what
/// headers know depends on their age.
typedef struct feature {
  const char *name;
  unsigned long kind;
  unsigned bit;
} feature;

static const feature features[] = {
    {"crc", AT_HWCAP, 7},           {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},     {"rdm", AT_HWCAP, 12},
    {"complxnum", AT_HWCAP, 14},    {"rcpc", AT_HWCAP, 15},
    {"sha3", AT_HWCAP, 17},         {"dotprod", AT_HWCAP, 20},
    {"sve", AT_HWCAP, 22},          {"fp16fml", AT_HWCAP, 23},
    {"sve2", AT_HWCAP2, 1},         {"i8mm", AT_HWCAP2, 13},
    {"bf16", AT_HWCAP2, 14},        {"cssc", AT_HWCAP2, 34},
    {"mops", AT_HWCAP2, 43},        {"sve2p1", AT_HWCAP2, 36},
    {"256-bit sve", SVE_BITS, 256}, {"512-bit sve", SVE_BITS, 512},
};

static unsigned getSVEBits(void) {
  const int getLength = 51, bytes = 0xffff;
  const int length = prctl(getLength, 0, 0, 0, 0);
  return length < 0 ? 0 : 8u * (unsigned)(length & bytes);
}

static int isPresent(const feature *f) {
  if (f->kind == SVE_BITS)
    return getSVEBits() == f->bit;
  return getauxval(f->kind) >> f->bit & 1;
}

static void describeProcessor(char text[64]) { strcpy(text, "this processor"); }
#else
typedef struct feature {
  const char *name;
} feature;

static const feature features[] = {{""}};

static int isPresent(const feature *f) {
  (void)f;
  return 1;
}

static void describeProcessor(char text[64]) { strcpy(text, "this processor"); }
#endif

/// A feature that is not in the table is no instruction that code would have.
static int hasFeature(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); ++i)
    if (strlen(features[i].name) == length &&
        memcmp(features[i].name, name, length) == 0)
      return isPresent(&features[i]);
  return 1;
}

/// Appends to the message as far as there is room.
static void append(sluice_error *error, const char *text, size_t length) {
  if (!error)
    return;
  const size_t used = strlen(error->message);
  const size_t room = sizeof(error->message) - 1 - used;
  if (length > room)
    length = room;
  memcpy(error->message + used, text, length);
  error->message[used + length] = 0;
}

static void appendText(sluice_error *error, const char *text) {
  append(error, text, strlen(text));
}

/// Whether all of `names` are there; what is missing is appended to `error`.
static int hasFeatures(const char *names, sluice_error *error) {
  enum { MOST_LISTED = 4 };
  int numMissing = 0;
  while (*names) {
    const size_t length = strcspn(names, ",");
    if (!hasFeature(names, length)) {
      if (numMissing < MOST_LISTED) {
        appendText(error, numMissing ? ", " : "");
        append(error, names, length);
      }
      ++numMissing;
    }
    names += length;
    names += *names == ',';
  }
  if (numMissing > MOST_LISTED) {
    char more[32];
    snprintf(more, sizeof(more), " and %d more", numMissing - MOST_LISTED);
    appendText(error, more);
  }
  return numMissing == 0;
}

/// Says which processors there is code for and what this one lacks for each of
/// them, or only for that called `wanted`.
static void explain(const sluice_artifact_code *codes, size_t num_codes,
                    const char *wanted, sluice_error *error) {
  char processor[64];
  describeProcessor(processor);
  appendText(error, "expected a processor for which the model was compiled "
                    "but got ");
  appendText(error, processor);
  const char *separator = ", which lacks ";
  for (size_t i = 0; i < num_codes; ++i) {
    if (wanted && strcmp(wanted, codes[i].cpu) != 0)
      continue;
    appendText(error, separator);
    hasFeatures(codes[i].features, error);
    appendText(error, " for ");
    appendText(error, codes[i].cpu);
    separator = "; ";
  }
  appendText(error, "; compile it with another --cpu");
}

const sluice_artifact_code *
sluice_choose_code(const sluice_artifact_code *codes, size_t num_codes,
                   const char *wanted, sluice_error *error) {
  if (wanted && !*wanted)
    wanted = NULL;
  int isKnown = 0;
  for (size_t i = 0; i < num_codes; ++i) {
    if (wanted && strcmp(wanted, codes[i].cpu) != 0)
      continue;
    isKnown = 1;
    if (hasFeatures(codes[i].features, NULL))
      return &codes[i];
  }
  if (!error)
    return NULL;
  error->message[0] = 0;
  if (isKnown) {
    explain(codes, num_codes, wanted, error);
    return NULL;
  }
  appendText(error, "SLUICE_CPU: expected ");
  for (size_t i = 0; i < num_codes; ++i) {
    appendText(error, i ? " or " : "");
    appendText(error, codes[i].cpu);
  }
  appendText(error, ", for which the model was compiled");
  appendText(error, ", but got '");
  appendText(error, wanted ? wanted : "");
  appendText(error, "'");
  return NULL;
}
