/* Products of small float32 matrices that lie in the cache, tile by tile in registers. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A tile has TALL rows of two vectors: as many sums as there are registers for. */
#if defined(__AVX512F__)
enum { LANES = 16, TALL = 8 };
#elif defined(__AVX__)
enum { LANES = 8, TALL = 6 };
#elif defined(__aarch64__)
enum { LANES = 4, TALL = 8 };
#else
enum { LANES = 4, TALL = 6 };
#endif
typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
/* What a comparison of vectors gives: all bits or none. */
typedef int32_t choice __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* Of each lane the larger; the second where one is no number. */
static inline vector larger(vector a, vector b) {
  choice above = a > b;
  return (vector)(((choice)a & above) | ((choice)b & ~above));
}

static inline int64_t padded(int64_t length, int64_t unit) {
  return (length + unit - 1) / unit * unit;
}

/* TALL rows and `wide` vectors of c = a b, or of c + a b. */
static inline __attribute__((always_inline)) void tile(
    const int wide, const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row,
    int64_t terms, float *c, int64_t c_row, int adds) {
  vector sums[TALL][2];
  for (int i = 0; i < TALL; i++)
    for (int j = 0; j < wide; j++)
      sums[i][j] = adds ? *(vector *)(c + i * c_row + j * LANES) : (vector){0};
  for (int64_t k = 0; k < terms; k++, a += a_column, b += b_row) {
    vector right[2];
    for (int j = 0; j < wide; j++) right[j] = *(const vector *)(b + j * LANES);
    for (int i = 0; i < TALL; i++)
      for (int j = 0; j < wide; j++) sums[i][j] += a[i * a_row] * right[j];
  }
  for (int i = 0; i < TALL; i++)
    for (int j = 0; j < wide; j++) *(vector *)(c + i * c_row + j * LANES) = sums[i][j];
}

/* c = a b, or c + a b: a of rows x terms, whose entry (i, k) is a[i a_row + k a_column], b of
   terms x columns. TALL divides the rows that there is memory for, and LANES the columns. */
static void product(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row,
                    int64_t terms, float *c, int64_t c_row, int64_t rows, int64_t columns,
                    int adds) {
  int64_t j = 0;
  for (; j + 2 * LANES <= columns; j += 2 * LANES)
    for (int64_t i = 0; i < rows; i += TALL)
      tile(2, a + i * a_row, a_row, a_column, b + j, b_row, terms, c + i * c_row + j, c_row, adds);
  if (j < columns)
    for (int64_t i = 0; i < rows; i += TALL)
      tile(1, a + i * a_row, a_row, a_column, b + j, b_row, terms, c + i * c_row + j, c_row, adds);
}

/* The transpose of rows x columns numbers, sixteen rows at a time: what is read stays in the cache.
 */
static void transpose(const float *x, int64_t x_row, int64_t rows, int64_t columns, float *to,
                      int64_t to_row) {
  for (int64_t first = 0; first < rows; first += 16) {
    int64_t last = first + 16 < rows ? first + 16 : rows;
    for (int64_t j = 0; j < columns; j++)
      for (int64_t i = first; i < last; i++) to[j * to_row + i] = x[i * x_row + j];
  }
}
