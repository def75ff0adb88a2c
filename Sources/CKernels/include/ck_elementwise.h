// Functions of one or two operands, element by element.
// Results may overwrite an operand exactly (same address), never overlap it in part.
#ifndef MARTLET_CK_ELEMENTWISE_H
#define MARTLET_CK_ELEMENTWISE_H
#include <stddef.h>
#include <stdint.h>

#include "ck_activations.h"

#define CK_CODE(NAME, VALUE, SLOPE, SLOPE_BY_VALUE) CK_##NAME,
enum { CK_IDENTITY = 0, CK_ACTIVATIONS(CK_CODE) };
#undef CK_CODE

typedef struct {
  int32_t kind;  // CK_IDENTITY, …
  float a, b;
} ck_activation;

enum {
  CK_NEGATE = 0, CK_ABSOLUTE, CK_EXPONENTIAL, CK_LOGARITHM, CK_SQUARE_ROOT, CK_RECIPROCAL,
  CK_ERROR_FUNCTION, CK_FLOOR, CK_CEILING,
};

enum {
  CK_ADD = 0, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_POWER, CK_MAXIMUM, CK_MINIMUM,
  // 1 where it holds, else 0; nothing holds of what is not a number.
  CK_EQUAL, CK_LESS, CK_LESS_OR_EQUAL, CK_GREATER, CK_GREATER_OR_EQUAL,
};

void ck_activate(const float *x, float *y, size_t count, ck_activation act);
// c[r][i] = act(c[r][i] + bias[r]); rows are ld apart; bias may be null.
void ck_bias_activate_rows(
    float *c, size_t rows, size_t columns, size_t ld, const float *bias, ck_activation act);
// y[r][i] = act(c[r][i] + bias[r]); rows of c are ld apart, those of y follow each other.
void ck_bias_activate_copy(
    const float *c, size_t ld, size_t rows, size_t columns, const float *bias, ck_activation act,
    float *y);
// c[r][i] = act(c[r][i] + bias[i]); rows are ld apart; bias may be null.
void ck_bias_activate_columns(
    float *c, size_t rows, size_t columns, size_t ld, const float *bias, ck_activation act);
void ck_unary(const float *x, float *y, size_t count, int32_t function);
// y[i] = f(a[i * a_step], b[i * b_step]); steps are 0 or 1.
void ck_binary(
    const float *a, size_t a_step, const float *b, size_t b_step, float *y, size_t count,
    int32_t function);
// y[i] = c[i * c_step] is not 0 ? a[i * a_step] : b[i * b_step]; steps are 0 or 1.
void ck_choose(
    const float *c, size_t c_step, const float *a, size_t a_step, const float *b, size_t b_step,
    float *y, size_t count);
// y[i] = x[i] * scale + shift
void ck_affine(const float *x, float scale, float shift, float *y, size_t count);

#endif
