//===- Options.cpp - The command line of sluice-bench -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "sluice/Compiler/Compiler.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <tuple>

using namespace sluice;
using namespace sluice::bench;
namespace cl = llvm::cl;

/// Creating more would exhaust the machine, which OpenMP reports by aborting.
static constexpr int maxThreads = 1024;
/// Of a width, of experts, of tokens: more is a slip of the hand.
static constexpr int64_t maxSize = 1 << 24;
static constexpr double maxSeconds = 3600;

extern "C" int omp_get_max_threads(void);

Options::Options()
    : category("sluice-bench options"),
      width("d", cl::desc("Width of the layer (default: 2048)"),
            cl::value_desc("n"), cl::init(2048), cl::cat(category)),
      inner("f", cl::desc("Width inside an expert (default: 1024)"),
            cl::value_desc("n"), cl::init(1024), cl::cat(category)),
      experts("experts", cl::desc("Number of experts (default: 64)"),
              cl::value_desc("n"), cl::init(64), cl::cat(category)),
      perToken("k", cl::desc("Experts of a token (default: 8)"),
               cl::value_desc("n"), cl::init(8), cl::cat(category)),
      tokens("tokens",
             cl::desc("Numbers of tokens, one row of the table each\n(default: "
                      "1,4,16,64,256,1024)"),
             cl::value_desc("n,..."), cl::init("1,4,16,64,256,1024"),
             cl::cat(category)),
      body("body",
           cl::desc("What an expert computes: swiglu, three matrices\n"
                    "(default), or relu, two"),
           cl::value_desc("name"), cl::init("swiglu"), cl::cat(category)),
      type("type",
           cl::desc("Element type of the experts' weights: f32\n(default), "
                    "bf16, f16; or in groups with a scale\neach: i8, i4 or "
                    "mxfp4"),
           cl::value_desc("type"), cl::init("f32"), cl::cat(category)),
      activations("activations",
                  cl::desc("What the weights are multiplied with: f32\n"
                           "(default); bf16, with --type=bf16 or mxfp4; i8,\n"
                           "with --type=i8, i4 or mxfp4: the model file "
                           "rounds\nactivations before each product"),
                  cl::value_desc("type"), cl::init("f32"), cl::cat(category)),
      group("group",
            cl::desc("Numbers of 8 or 4 bits that share a scale\n(default: "
                     "32)"),
            cl::value_desc("n"), cl::init(32), cl::cat(category)),
      routing("routing",
              cl::desc("Which experts tokens choose: uniform (default),\n"
                       "zipf (expert e at a rate of 1/e), or one (all\ntokens "
                       "the same)"),
              cl::value_desc("name"), cl::init("uniform"), cl::cat(category)),
      model("model",
            cl::desc("Measure a function of this model file instead of\na "
                     "layer by its sizes; dimensions `?` are the tokens.\n"
                     "Weights and inputs are made up, baselines are not\n"
                     "known"),
            cl::value_desc("file.mlir"), cl::cat(category)),
      entry("entry",
            cl::desc("Public function of --model (default: the only one,\nor "
                     "main, or moe)"),
            cl::value_desc("name"), cl::cat(category)),
      baselines("baselines",
                cl::desc("What to compare with, in turn with the compiled\n"
                         "model: hand (a hand-written f32 layer, AVX2 or\n"
                         "AVX-512), openblas (a product for each expert), or\n"
                         "none (default: hand,openblas, those that are to be\n"
                         "had)"),
                cl::value_desc("name,..."), cl::cat(category)),
      threads("threads",
              cl::desc("Number of threads of everything (default:\n"
                       "OMP_NUM_THREADS, else all cores)"),
              cl::value_desc("n"), cl::init(0), cl::cat(category)),
      cpu("cpu",
          cl::desc("Processor to compile for, by LLVM's name (default:\n"
                   "native; help lists the names). Peaks and baselines\nuse "
                   "no more than it has"),
          cl::value_desc("name"), cl::init("native"), cl::cat(category)),
      seconds("seconds",
              cl::desc("How long to measure each number of tokens\n(default: "
                       "3); at least three runs"),
              cl::value_desc("s"), cl::init(3), cl::cat(category)),
      json("json",
           cl::desc("Write the result as a JSON object (docs/Performance.md\n"
                    "has its fields); - is the standard output, and the\n"
                    "table then goes to the standard error"),
           cl::value_desc("file"), cl::cat(category)),
      plot("plot",
           cl::desc("Draw the cells below the machine's roofline, as an\nSVG "
                    "file; needs Python 3 with matplotlib (which one:\n"
                    "SLUICE_PYTHON)"),
           cl::value_desc("out.svg"), cl::cat(category)),
      more("\nEXAMPLE:\n"
           "  sluice-bench --type=bf16 --tokens 1,64,1024 --json out.json\n\n"
           "  measures a layer of 64 experts with bf16 weights for 1, 64 and "
           "1024 tokens, and\n  prints for each how long it takes, how long "
           "this machine needs at least\n  (floor), the share of that, and how "
           "many times as long the baselines take\n  (ratio).\n\n"
           "What is timed is one call of the compiled model: router, "
           "selection, experts, sum.\nBaselines are given the router's choice "
           "and do the rest.\n") {}

static llvm::Error checkSize(llvm::StringRef name, int64_t value,
                             int64_t limit = maxSize) {
  if (value >= 1 && value <= limit)
    return llvm::Error::success();
  return llvm::createStringError("expected --" + name + " from 1 to " +
                                 llvm::Twine(limit) + " but got " +
                                 llvm::Twine(value));
}

template <typename T>
static llvm::Error choose(llvm::StringRef name, llvm::StringRef value,
                          std::optional<T> meaning, llvm::StringRef values,
                          T &result) {
  if (!meaning)
    return llvm::createStringError("expected " + values + " for --" + name +
                                   " but got '" + value + "'");
  result = *meaning;
  return llvm::Error::success();
}

static llvm::Error checkTypes(const Options &options, LayerShape &shape) {
  llvm::StringRef type = options.type;
  using Type = std::pair<Dtype, Numbers>;
  Type chosen;
  if (llvm::Error error =
          choose("type", type,
                 llvm::StringSwitch<std::optional<Type>>(type)
                     .Case("f32", Type(Dtype::F32, Numbers::Plain))
                     .Case("bf16", Type(Dtype::BF16, Numbers::Plain))
                     .Case("f16", Type(Dtype::F16, Numbers::Plain))
                     .Case("i8", Type(Dtype::I8, Numbers::I8))
                     .Case("i4", Type(Dtype::I8, Numbers::I4))
                     .Case("mxfp4", Type(Dtype::I8, Numbers::MXFP4))
                     .Default(std::nullopt),
                 "f32, bf16, f16, i8, i4 or mxfp4", chosen))
    return error;
  std::tie(shape.weights, shape.numbers) = chosen;
  if (llvm::Error error = choose(
          "activations", options.activations,
          llvm::StringSwitch<std::optional<Rounding>>(options.activations)
              .Case("f32", Rounding::None)
              .Case("bf16", Rounding::BF16)
              .Case("i8", Rounding::I8)
              .Default(std::nullopt),
          "f32, bf16 or i8", shape.rounding))
    return error;
  bool isQuantised = shape.numbers != Numbers::Plain;
  if (shape.rounding == Rounding::BF16 && shape.weights != Dtype::BF16 &&
      shape.numbers != Numbers::MXFP4)
    return llvm::createStringError(
        "--activations=bf16 goes with --type=bf16 or mxfp4 but the type is " +
        type);
  if (shape.rounding == Rounding::I8 && !isQuantised)
    return llvm::createStringError(
        "--activations=i8 goes with --type=i8, i4 or mxfp4 but the type is " +
        type);
  if (options.group.getNumOccurrences() && !isQuantised)
    return llvm::createStringError(
        "--group goes with --type=i8, i4 or mxfp4 but the type is " + type);
  shape.group = options.group;
  return checkSize("group", options.group);
}

static llvm::Error checkShape(const Options &options, Choices &choices) {
  for (auto [name, value] :
       {std::pair("d", &options.width), std::pair("f", &options.inner),
        std::pair("experts", &options.experts)})
    if (llvm::Error error = checkSize(name, *value))
      return error;
  LayerShape &shape = choices.shape;
  shape.width = options.width;
  shape.inner = options.inner;
  shape.experts = options.experts;
  shape.perToken = options.perToken;
  if (shape.perToken < 1 || shape.perToken > shape.experts)
    return llvm::createStringError("expected --k from 1 to --experts, " +
                                   llvm::Twine(shape.experts) + ", but got " +
                                   llvm::Twine(shape.perToken));
  if (llvm::Error error =
          choose("body", options.body,
                 llvm::StringSwitch<std::optional<bool>>(options.body)
                     .Case("swiglu", true)
                     .Case("relu", false)
                     .Default(std::nullopt),
                 "swiglu or relu", shape.gated))
    return error;
  if (llvm::Error error =
          choose("routing", options.routing,
                 llvm::StringSwitch<std::optional<Routing>>(options.routing)
                     .Case("uniform", Routing::Uniform)
                     .Case("zipf", Routing::Zipf)
                     .Case("one", Routing::One)
                     .Default(std::nullopt),
                 "uniform, zipf or one", choices.routing))
    return error;
  if (choices.routing != Routing::Uniform && !canSteer(shape))
    return llvm::createStringError(
        "expected --d of at least --experts for --routing=" + options.routing +
        " but got " + llvm::Twine(shape.width) + " and " +
        llvm::Twine(shape.experts));
  return checkTypes(options, shape);
}

static llvm::Error checkTokens(const Options &options, Choices &choices) {
  for (llvm::StringRef text : llvm::split(options.tokens, ',')) {
    int64_t number = 0;
    if (text.trim().getAsInteger(10, number))
      return llvm::createStringError(
          "expected numbers separated by commas for --tokens but got '" +
          options.tokens + "'");
    if (llvm::Error error = checkSize("tokens", number))
      return error;
    // Slots are counted in 32 bits.
    if (number > INT32_MAX / choices.shape.perToken)
      return llvm::createStringError(
          "expected --tokens times --k below 2^31 but got " +
          llvm::Twine(number) + " and " + llvm::Twine(choices.shape.perToken));
    choices.tokens.push_back(number);
  }
  return llvm::Error::success();
}

static llvm::Error checkBaselines(const Options &options, Choices &choices) {
  bool given = options.baselines.getNumOccurrences() != 0;
  choices.defaultBaselines = !given;
  if (!given) {
    if (options.model.empty())
      choices.baselines = {"hand", "openblas"};
    return llvm::Error::success();
  }
  if (options.baselines == "none")
    return llvm::Error::success();
  for (llvm::StringRef name : llvm::split(options.baselines, ',')) {
    name = name.trim();
    if (name != "hand" && name != "openblas")
      return llvm::createStringError("expected hand, openblas, both separated "
                                     "by a comma, or none for --baselines but "
                                     "got '" +
                                     name + "'");
    if (llvm::is_contained(choices.baselines, name))
      return llvm::createStringError(
          "expected each baseline once for --baselines but got '" + name +
          "' twice");
    choices.baselines.push_back(name.str());
  }
  if (!options.model.empty())
    return llvm::createStringError(
        "--baselines compares a layer given by its sizes; the baselines do not "
        "know what '" +
        options.model + "' computes");
  return llvm::Error::success();
}

/// Options that --model makes meaningless.
static llvm::Error checkModel(const Options &options) {
  if (options.model.empty()) {
    if (options.entry.getNumOccurrences())
      return llvm::createStringError(
          "--entry names a function of --model, which was not given");
    return llvm::Error::success();
  }
  const cl::Option *meaningless[] = {
      &options.width,       &options.inner,   &options.experts,
      &options.perToken,    &options.body,    &options.type,
      &options.activations, &options.routing, &options.group};
  for (const cl::Option *option : meaningless)
    if (option->getNumOccurrences())
      return llvm::createStringError(
          "expected a model file or the sizes of a layer but got --model and "
          "--" +
          option->ArgStr);
  return llvm::Error::success();
}

llvm::Expected<Choices> sluice::bench::check(const Options &options) {
  Choices choices;
  if (llvm::Error error = checkModel(options))
    return std::move(error);
  if (llvm::Error error = checkShape(options, choices))
    return std::move(error);
  if (llvm::Error error = checkTokens(options, choices))
    return std::move(error);
  if (llvm::Error error = checkBaselines(options, choices))
    return std::move(error);
  if (options.threads.getNumOccurrences())
    if (llvm::Error error = checkSize("threads", options.threads, maxThreads))
      return std::move(error);
  choices.threads = options.threads.getNumOccurrences() ? options.threads
                                                        : omp_get_max_threads();
  if (!(options.seconds > 0 && options.seconds <= maxSeconds))
    return llvm::createStringError(
        "expected --seconds above 0 and up to " + llvm::Twine(int(maxSeconds)) +
        " but got " + llvm::formatv("{0}", options.seconds.getValue()).str());
  if (options.json.getNumOccurrences() && options.json.empty())
    return llvm::createStringError("expected a file for --json but got none");
  if (options.plot.getNumOccurrences() && options.plot.empty())
    return llvm::createStringError("expected a file for --plot but got none");
  if (!options.json.empty() && options.json == options.plot)
    return llvm::createStringError(
        "expected different files for --json and --plot but got '" +
        options.json + "' twice");
  if (llvm::Error error = checkCPU(options.cpu))
    return std::move(error);
  return choices;
}
