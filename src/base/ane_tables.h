// Activation functions as the ANE computes them (fact E12): straight lines between 33 samples.
//
// Published (751K/Apple-Neural-Engine-Microarchitecture-Study-M6, notes/numerics.md, sections F3
// and F3b, tables read out of compiled programs and errors measured on an M6):
//   sigmoid  [-8, 8], samples exact, rounded to fp16                       error 3.4e-3
//   tanh     [0, 4] and odd; a jump at +-4                                 error 1.6e-3
//   exp      2^f for f in [0, 1], the integer part goes to the exponent    error 9.1 ulp
//   gelu     [-4, 4], one table for both modes, samples fitted: 0.1436 at 0.25      error 6.2e-3
//   silu     [-8, 8], samples fitted: 0.296 at 0.5                                  error 1.5e-2
// rsqrt (2.1 ulp) and sqrt (1.2 ulp) are nearly exact and are computed exactly; log (6.6e-3) too,
// because its table is not fully known.
//
// Ours, where nothing is published: outside its range a function has the value of its limit (0, 1,
// +-1, x); fitted samples are the mean of the tangents at the middles of the two segments that meet
// (which gives 0.1439, 0.298 and the published errors); x log2(e) is rounded to fp16 before it is
// split, which accounts for most of exp's error. Interpolation itself is exact; the caller rounds.
#pragma once

namespace millwright {

double AneSigmoid(double x);
double AneTanh(double x);
double AneExp(double x);
double AneGelu(double x);
double AneSilu(double x);

}  // namespace millwright
