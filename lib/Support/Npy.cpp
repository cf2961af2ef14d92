//===- Npy.cpp - Tensors as NumPy's files -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format: "\x93NUMPY", a version of two bytes, the little-endian length of
// the header (2 bytes in version 1, 4 bytes later), the header, which is a
// Python dictionary with 'descr', 'fortran_order' and 'shape', then the data.
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Npy.h"

#include "sluice/Support/AtomicFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

using namespace llvm;
using namespace sluice;

static_assert(endianness::native == endianness::little,
              "elements are copied without swapping bytes");

static constexpr StringLiteral magic("\x93NUMPY");

namespace {

struct Header {
  std::string descr;
  bool fortranOrder = false;
  SmallVector<int64_t> shape;
};

/// Parses the dictionary: strings, True and False, and tuples of integers.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  /// On failure says in `problem` what was expected.
  bool parse(Header &header);
  std::string problem;

private:
  bool fail(const Twine &expected) {
    problem = ("expected " + expected + " but got '" +
               rest.trim().take_front(20) + "' in the header")
                  .str();
    return false;
  }
  /// Skips white space, then `token` if it is there.
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool parseString(std::string &value);
  bool parseBool(bool &value);
  bool parseShape(SmallVector<int64_t> &shape);

  StringRef rest;
};

} // namespace

bool HeaderParser::parseString(std::string &value) {
  StringRef quote = consume("'") ? "'" : consume("\"") ? "\"" : "";
  size_t end = quote.empty() ? StringRef::npos : rest.find(quote[0]);
  if (end == StringRef::npos)
    return fail("a string");
  value = rest.take_front(end).str();
  rest = rest.drop_front(end + 1);
  return true;
}

bool HeaderParser::parseBool(bool &value) {
  value = consume("True");
  return value || consume("False") || fail("True or False");
}

bool HeaderParser::parseShape(SmallVector<int64_t> &shape) {
  if (!consume("("))
    return fail("a shape such as (3, 4)");
  while (!consume(")")) {
    rest = rest.ltrim();
    StringRef digits = rest.take_while(isDigit);
    uint64_t dimension;
    if (digits.getAsInteger(10, dimension) || dimension > uint64_t(INT64_MAX))
      return fail("a dimension of 0 or more and below 2^63");
    rest = rest.drop_front(digits.size());
    shape.push_back(int64_t(dimension));
    consume("L"); // written by Python 2
    if (!consume(",") && !rest.ltrim().starts_with(")"))
      return fail("',' or ')'");
  }
  return true;
}

bool HeaderParser::parse(Header &header) {
  bool seenDescr = false, seenOrder = false, seenShape = false;
  if (!consume("{"))
    return fail("a dictionary");
  while (!consume("}")) {
    std::string key;
    if (!parseString(key))
      return false;
    if (!consume(":"))
      return fail("':'");
    bool *seen = key == "descr"           ? &seenDescr
                 : key == "fortran_order" ? &seenOrder
                 : key == "shape"         ? &seenShape
                                          : nullptr;
    if (!seen || *seen) {
      problem = (seen ? "duplicate key '" : "unexpected key '") + key +
                "' in the header";
      return false;
    }
    *seen = true;
    if (seen == &seenDescr) {
      if (rest.ltrim().starts_with("["))
        return fail("a plain element type, not a structured one,");
      if (!parseString(header.descr))
        return false;
    } else if (!(seen == &seenOrder ? parseBool(header.fortranOrder)
                                    : parseShape(header.shape))) {
      return false;
    }
    if (!consume(",") && !rest.ltrim().starts_with("}"))
      return fail("',' or '}'");
  }
  if (!rest.trim().empty())
    return fail("the end of the header");
  if (seenDescr && seenOrder && seenShape)
    return true;
  problem = std::string("expected the keys 'descr', 'fortran_order' and "
                        "'shape' in the header but '") +
            (!seenDescr   ? "descr"
             : !seenOrder ? "fortran_order"
                          : "shape") +
            "' is missing";
  return false;
}

/// The element type that NumPy spells `descr`. '<u2' and voids are no type of
/// their own: they give bf16.
static std::optional<Dtype> dtypeOf(StringRef descr) {
  if (descr == "?")
    return Dtype::Bool;
  if (descr.size() != 3)
    return std::nullopt;
  StringRef kind = descr.drop_front();
  if (kind == "b1")
    return Dtype::Bool;
  if (kind == "V2")
    return Dtype::BF16;
  // Bytes are what the model says they are.
  if (kind == "i1" || kind == "u1")
    return Dtype::I8;
  if (descr[0] != '<' && descr[0] != '=')
    return std::nullopt;
  if (kind == "f4")
    return Dtype::F32;
  if (kind == "f8")
    return Dtype::F64;
  if (kind == "f2")
    return Dtype::F16;
  if (kind == "i4")
    return Dtype::I32;
  if (kind == "i8")
    return Dtype::I64;
  if (kind == "u2")
    return Dtype::BF16;
  return std::nullopt;
}

static StringRef descrOf(Dtype dtype) {
  switch (dtype) {
  case Dtype::F32:
    return "<f4";
  case Dtype::F64:
    return "<f8";
  case Dtype::F16:
    return "<f2";
  case Dtype::BF16:
    return "<u2";
  case Dtype::I32:
    return "<i4";
  case Dtype::I64:
    return "<i8";
  case Dtype::Bool:
    return "|b1";
  case Dtype::I8:
    return "|i1";
  }
  return "";
}

/// Chooses the element type, or explains why there is none.
static Expected<Dtype> chooseDtype(StringRef descr,
                                   std::optional<Dtype> expected) {
  std::optional<Dtype> found = dtypeOf(descr);
  if (!found && descr.size() == 3 && descr[0] == '>')
    return createStringError("expected little-endian data but got '" + descr +
                             "'; convert it with x.astype('<" +
                             descr.drop_front() + "')");
  if (!found)
    return createStringError(
        "expected an element type f32, f64, f16, i8, i32, i64, bool, or bf16 "
        "as '<u2', but got '" +
        descr + "'");
  if (expected && *found != *expected)
    return createStringError("expected elements of " + toString(*expected) +
                             " ('" + descrOf(*expected) + "') but got '" +
                             descr + "'");
  if (!expected && *found == Dtype::BF16)
    return createStringError("'" + descr +
                             "' is read as bf16 where that is expected, but "
                             "here no element type is known");
  return *found;
}

/// Reads the header; `data` is what follows it.
static Expected<Header> readHeader(StringRef contents, StringRef &data) {
  if (contents.size() < 10 || !contents.consume_front(magic))
    return createStringError("it is no .npy file: expected it to begin with "
                             "'\\x93NUMPY' and a version");
  int major = uint8_t(contents[0]), minor = uint8_t(contents[1]);
  if (major < 1 || major > 3 || minor != 0)
    return createStringError("expected version 1.0, 2.0 or 3.0 but got " +
                             Twine(major) + "." + Twine(minor));
  contents = contents.drop_front(2);
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (contents.size() < lengthBytes)
    return createStringError("the file ends within the header's length");
  size_t length = major == 1 ? support::endian::read16le(contents.data())
                             : support::endian::read32le(contents.data());
  contents = contents.drop_front(lengthBytes);
  if (contents.size() < length)
    return createStringError("expected a header of " + Twine(length) +
                             " bytes but the file has only " +
                             Twine(contents.size()) + " more");
  Header header;
  HeaderParser parser(contents.take_front(length));
  if (!parser.parse(header))
    return createStringError(parser.problem);
  data = contents.drop_front(length);
  return header;
}

static Expected<HostTensor> readContents(StringRef contents,
                                         std::optional<Dtype> expected) {
  StringRef data;
  Expected<Header> header = readHeader(contents, data);
  if (!header)
    return header.takeError();
  Expected<Dtype> dtype = chooseDtype(header->descr, expected);
  if (!dtype)
    return dtype.takeError();
  // With one dimension, besides those of 1, both orders are the same.
  if (header->fortranOrder &&
      count_if(header->shape, [](int64_t d) { return d != 1; }) > 1)
    return createStringError("expected C order but got Fortran order; save "
                             "numpy.ascontiguousarray(x) instead");
  // The size is compared before memory is taken for it.
  Expected<int64_t> count = numElements(header->shape);
  if (!count)
    return count.takeError();
  uint64_t elementBytes = sizeOf(*dtype);
  if (data.size() % elementBytes != 0 ||
      data.size() / elementBytes != uint64_t(*count))
    return createStringError("expected " + Twine(*count) + " elements of " +
                             Twine(elementBytes) + " bytes for " +
                             typeText(*dtype, header->shape) + " but got " +
                             Twine(data.size()) + " bytes of data");
  Expected<HostTensor> tensor = HostTensor::create(*dtype, header->shape);
  if (!tensor)
    return tensor.takeError();
  if (!data.empty())
    std::memcpy(tensor->data(), data.data(), data.size());
  if (*dtype == Dtype::Bool)
    for (auto [i, byte] : enumerate(tensor->as<uint8_t>()))
      if (byte > 1)
        return createStringError("expected booleans of 0 or 1 but element " +
                                 Twine(i) + " is " + Twine(int(byte)));
  return tensor;
}

Expected<HostTensor> sluice::readNpy(StringRef path,
                                     std::optional<Dtype> expected) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false,
                                   /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("cannot read '" + path +
                             "': " + buffer.getError().message());
  Expected<HostTensor> tensor = readContents((*buffer)->getBuffer(), expected);
  if (!tensor) {
    std::string problem = toString(tensor.takeError());
    // Quoted from the file: anything, but a message stays one line.
    for (char &c : problem)
      c = isPrint(c) ? c : '?';
    return createStringError("'" + path + "': " + problem);
  }
  return tensor;
}

Error sluice::writeNpy(StringRef path, const HostTensor &tensor) {
  std::string dictionary;
  raw_string_ostream text(dictionary);
  text << "{'descr': '" << descrOf(tensor.dtype())
       << "', 'fortran_order': False, 'shape': (";
  interleaveComma(tensor.shape(), text);
  // Python's tuple of one element needs its comma.
  text << (tensor.rank() == 1 ? ",), }" : "), }");

  // NumPy pads with spaces so that the data begins at a multiple of 64.
  auto paddedLength = [&](size_t prefix) {
    return alignTo(prefix + dictionary.size() + 1, 64) - prefix;
  };
  size_t length = paddedLength(10);
  bool version1 = length <= UINT16_MAX;
  if (!version1)
    length = paddedLength(12);
  dictionary.resize(length - 1, ' ');
  dictionary += '\n';

  return writeFileAtomically(path, [&](raw_ostream &os) {
    os << magic << char(version1 ? 1 : 2) << '\0';
    char lengthBytes[4];
    support::endian::write32le(lengthBytes, uint32_t(length));
    os.write(lengthBytes, version1 ? 2 : 4);
    os << dictionary;
    if (tensor.numBytes() != 0)
      os.write(static_cast<const char *>(tensor.data()), tensor.numBytes());
    return Error::success();
  });
}
