// All activations but the identity, one entry each: the enumeration, the kernels and the gradients
// are made of this list, so none can lack one.
//
// An entry is the name, the value at v, g times the slope at v, and the same told by the value y
// alone, each an expression of these and of the parameters a and b. See ck_math.h for functions.
#ifndef MARTLET_CK_ACTIVATIONS_H
#define MARTLET_CK_ACTIVATIONS_H

// In place of the last expression where the value does not tell the slope; never asked for.
#define CK_NOT_TOLD __builtin_nanf("")

#define CK_ACTIVATIONS(ENTRY)                                                     \
  ENTRY(RELU, ck_at_least(v, 0.0f), v > 0 ? g : 0, y > 0 ? g : 0)                 \
  /* To [a, b]. */                                                                \
  ENTRY(                                                                          \
      CLIP, ck_at_most(ck_at_least(v, a), b), ((v > a) & (v < b)) ? g : 0,        \
      ((y > a) & (y < b)) ? g : 0)                                                \
  /* a v for v <= 0. */                                                           \
  ENTRY(LEAKY_RELU, v > 0 ? v : a * v, g * (v > 0 ? 1 : a), g * (y > 0 ? 1 : a))  \
  ENTRY(SIGMOID, ck_sigmoid(v), g * ck_sigmoid_slope(v), g * (y * (1 - y)))       \
  ENTRY(TANH, ck_tanh(v), g * ck_tanh_slope(v), g * (1 - y * y))                  \
  ENTRY(SILU, v * ck_sigmoid(v), g * ck_silu_slope(v), CK_NOT_TOLD)               \
  /* The exact form, with erf. */                                                 \
  ENTRY(GELU, ck_gelu(v), g * ck_gelu_slope(v), CK_NOT_TOLD)                      \
  /* a v + b in [0, 1]. */                                                        \
  ENTRY(                                                                          \
      HARD_SIGMOID, ck_at_most(ck_at_least(a * v + b, 0.0f), 1.0f),               \
      g * ck_hard_sigmoid_slope(v, a, b), g * (((y > 0) & (y < 1)) ? a : 0))      \
  ENTRY(                                                                          \
      HARD_SWISH, v * ck_at_most(ck_at_least(v * (1.0f / 6) + 0.5f, 0.0f), 1.0f), \
      g * ck_hard_swish_slope(v), CK_NOT_TOLD)                                    \
  /* a (exp(v) - 1) for v <= 0. */                                                \
  ENTRY(                                                                          \
      ELU, v > 0 ? v : a * (ck_exp(v) - 1), g * (v > 0 ? 1 : a * ck_exp(v)),      \
      g * (y > 0 ? 1 : y + a))                                                    \
  /* b times that. */                                                             \
  ENTRY(                                                                          \
      SELU, b * (v > 0 ? v : a * (ck_exp(v) - 1)),                                \
      g * (b * (v > 0 ? 1 : a * ck_exp(v))), CK_NOT_TOLD)                         \
  /* a (exp(v / a) - 1) for v <= 0. */                                            \
  ENTRY(                                                                          \
      CELU, v > 0 ? v : a * (ck_exp(v / a) - 1),                                  \
      g * (v > 0 ? 1 : ck_exp(v / a)), CK_NOT_TOLD)                               \
  ENTRY(SOFTPLUS, ck_softplus(v), g * ck_sigmoid(v), CK_NOT_TOLD)                 \
  ENTRY(MISH, ck_mish(v), g * ck_mish_slope(v), CK_NOT_TOLD)                      \
  ENTRY(                                                                          \
      SOFTSIGN, v / (1 + fabsf(v)), g / ((1 + fabsf(v)) * (1 + fabsf(v))),        \
      g * ((1 - fabsf(y)) * (1 - fabsf(y))))                                      \
  /* 0 for v <= a. */                                                             \
  ENTRY(THRESHOLDED_RELU, v <= a ? 0 : v, v > a ? g : 0, CK_NOT_TOLD)

#endif
