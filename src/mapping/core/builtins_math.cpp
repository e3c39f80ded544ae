// Mathematical builtins. What is exact stays exact; the rest is computed as doubles, as in jq.
#include <array>
#include <cmath>
#include <limits>

#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

bool are_numbers(M& m, const V* a, int count, const Node& at) {
  for (int i = 0; i < count; ++i) {
    if (a[i].is_number()) continue;
    m.raise(named(a[i]) + " number required", at);
    return false;
  }
  return true;
}

template <double (*kFunction)(double)>
V of_one(M& m, V* a, const Node& at) {
  return are_numbers(m, a, 1, at) ? number_of(kFunction(double_of(a[0]))) : V();
}

template <double (*kFunction)(double, double)>
V of_two(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a + 1, 2, at)) return {};
  return number_of(kFunction(double_of(a[1]), double_of(a[2])));
}

V b_floor(M& m, V* a, const Node& at) {
  return are_numbers(m, a, 1, at) ? rounded_down(a[0]) : V();
}

V b_ceil(M& m, V* a, const Node& at) {
  return are_numbers(m, a, 1, at) ? negated(rounded_down(negated(a[0]))) : V();
}

V b_trunc(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a, 1, at)) return {};
  return compare(a[0], V::integer(0)) < 0 ? b_ceil(m, a, at) : rounded_down(a[0]);
}

// Halves away from zero.
V b_round(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a, 1, at)) return {};
  if (!exact_of(a[0])) return number_of(std::round(double_of(a[0])));
  bool inexact = false;
  const V size = calculate(Arithmetic::Add, absolute(a[0]), V::decimal(5, -1), inexact);
  if (inexact) return number_of(std::round(double_of(a[0])));
  const V whole = rounded_down(size);
  return compare(a[0], V::integer(0)) < 0 ? negated(whole) : whole;
}

V b_fabs(M& m, V* a, const Node& at) {
  return are_numbers(m, a, 1, at) ? absolute(a[0]) : V();
}

double nearby(double x) {
  return std::nearbyint(x);
}
double significand(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  return std::scalbn(x, -std::ilogb(x));
}
double power_of_10(double x) {
  return std::pow(10.0, x);
}
double remainder_of(double x, double y) {
  return std::remainder(x, y);
}
double scaled(double x, double n) {
  return std::scalbn(x, static_cast<int>(std::clamp(n, -100000.0, 100000.0)));
}
double bessel_j0(double x) {
  return ::j0(x);
}
double bessel_j1(double x) {
  return ::j1(x);
}
double bessel_y0(double x) {
  return ::y0(x);
}
double bessel_y1(double x) {
  return ::y1(x);
}
// std::lgamma() also writes a global variable.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

V b_pow(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a + 1, 2, at)) return {};
  // A whole power of an exact number is exact while its digits fit.
  const auto exponent = is_nan(a[2]) ? -1 : whole_part(a[2]);
  const bool is_whole = compare_values_of_numbers(a[2], V::integer(exponent)) == 0;
  if (is_whole && exponent >= 0 && exponent < 128 && exact_of(a[1])) {
    bool inexact = false;
    V result = V::integer(1);
    for (std::int64_t i = 0; i < exponent && !inexact; ++i)
      result = calculate(Arithmetic::Multiply, result, a[1], inexact);
    if (!inexact) return result;
  }
  return number_of(std::pow(double_of(a[1]), double_of(a[2])));
}

V b_fma(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a + 1, 3, at)) return {};
  return number_of(std::fma(double_of(a[1]), double_of(a[2]), double_of(a[3])));
}

V pair_of(V first, V second) {
  V made = V::new_array(2);
  made.append(std::move(first));
  made.append(std::move(second));
  return made;
}

V b_frexp(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a, 1, at)) return {};
  int exponent = 0;
  const double fraction = std::frexp(double_of(a[0]), &exponent);
  return pair_of(number_of(fraction), V::integer(exponent));
}

V b_modf(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a, 1, at)) return {};
  double whole = 0;
  const double fraction = std::modf(double_of(a[0]), &whole);
  return pair_of(number_of(fraction), number_of(whole));
}

V b_lgamma_r(M& m, V* a, const Node& at) {
  if (!are_numbers(m, a, 1, at)) return {};
  int sign = 0;
  const double value = ::lgamma_r(double_of(a[0]), &sign);
  return pair_of(number_of(value), V::integer(sign));
}

constexpr NativeEntry kMathBuiltins[] = {
    {"floor", 0, b_floor},
    {"ceil", 0, b_ceil},
    {"trunc", 0, b_trunc},
    {"round", 0, b_round},
    {"fabs", 0, b_fabs},
    {"sqrt", 0, of_one<std::sqrt>},
    {"cbrt", 0, of_one<std::cbrt>},
    {"rint", 0, of_one<std::rint>},
    {"nearbyint", 0, of_one<nearby>},
    {"sin", 0, of_one<std::sin>},
    {"cos", 0, of_one<std::cos>},
    {"tan", 0, of_one<std::tan>},
    {"asin", 0, of_one<std::asin>},
    {"acos", 0, of_one<std::acos>},
    {"atan", 0, of_one<std::atan>},
    {"sinh", 0, of_one<std::sinh>},
    {"cosh", 0, of_one<std::cosh>},
    {"tanh", 0, of_one<std::tanh>},
    {"asinh", 0, of_one<std::asinh>},
    {"acosh", 0, of_one<std::acosh>},
    {"atanh", 0, of_one<std::atanh>},
    {"exp", 0, of_one<std::exp>},
    {"exp2", 0, of_one<std::exp2>},
    {"exp10", 0, of_one<power_of_10>},
    {"pow10", 0, of_one<power_of_10>},
    {"expm1", 0, of_one<std::expm1>},
    {"log", 0, of_one<std::log>},
    {"log2", 0, of_one<std::log2>},
    {"log10", 0, of_one<std::log10>},
    {"log1p", 0, of_one<std::log1p>},
    {"logb", 0, of_one<std::logb>},
    {"gamma", 0, of_one<log_gamma>},
    {"lgamma", 0, of_one<log_gamma>},
    {"tgamma", 0, of_one<std::tgamma>},
    {"significand", 0, of_one<significand>},
    {"j0", 0, of_one<bessel_j0>},
    {"j1", 0, of_one<bessel_j1>},
    {"y0", 0, of_one<bessel_y0>},
    {"y1", 0, of_one<bessel_y1>},
    {"pow", 2, b_pow},
    {"atan2", 2, of_two<std::atan2>},
    {"fmod", 2, of_two<std::fmod>},
    {"fmin", 2, of_two<std::fmin>},
    {"fmax", 2, of_two<std::fmax>},
    {"fdim", 2, of_two<std::fdim>},
    {"hypot", 2, of_two<std::hypot>},
    {"copysign", 2, of_two<std::copysign>},
    {"nextafter", 2, of_two<std::nextafter>},
    {"nexttoward", 2, of_two<std::nextafter>},
    {"drem", 2, of_two<remainder_of>},
    {"ldexp", 2, of_two<scaled>},
    {"scalb", 2, of_two<scaled>},
    {"scalbln", 2, of_two<scaled>},
    {"fma", 3, b_fma},
    {"frexp", 0, b_frexp},
    {"modf", 0, b_modf},
    {"lgamma_r", 0, b_lgamma_r},
};

}  // namespace

std::span<const NativeEntry> math_builtins() {
  return kMathBuiltins;
}

}  // namespace weft::mapping
