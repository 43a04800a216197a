/* The typed norm of rows: each slot is centred, and one deviation divides all. */
#include <stdlib.h>

/* A row's slots centred, in float32; returns the reciprocal of its deviation. */
static inline float centred(const T *x, float *row, int64_t dim, int64_t slots,
                            const int64_t *starts, const int64_t *widths, float eps) {
  float squares = 0.0f;
  for (int64_t k = 0; k < slots; k++) {
    const T *from = x + starts[k];
    float *to = row + starts[k], sum = 0.0f, mean;
    SUM(sum) for (int64_t c = 0; c < widths[k]; c++) sum += to[c] = LOAD(from[c]);
    mean = sum / widths[k];
    SUM(squares) for (int64_t c = 0; c < widths[k]; c++) {
      float difference = to[c] - mean;
      to[c] = difference;
      squares += difference * difference;
    }
  }
  return 1.0f / sqrtf(squares / dim + eps);
}

int norm_forward(const T *x, T *y, const float *weight, const float *bias, int64_t rows,
                 int64_t dim, int64_t slots, const int64_t *starts, const int64_t *widths,
                 float eps) {
  float *row = malloc(dim * sizeof(float));
  if (!row) return 1;
  for (int64_t k = 0; k < rows; k++, x += dim, y += dim) {
    float scale = centred(x, row, dim, slots, starts, widths, eps);
    if (weight) INDEPENDENT for (int64_t c = 0; c < dim; c++) row[c] *= weight[c];
    if (bias)
      INDEPENDENT for (int64_t c = 0; c < dim; c++) y[c] = STORE(row[c] * scale + bias[c]);
    else
      INDEPENDENT for (int64_t c = 0; c < dim; c++) y[c] = STORE(row[c] * scale);
  }
  free(row);
  return 0;
}

/* Adds to to_weight and to_bias, where they are wanted. */
int norm_backward(const T *x, const T *g, T *to_x, const float *weight, float *to_weight,
                  float *to_bias, int64_t rows, int64_t dim, int64_t slots, const int64_t *starts,
                  const int64_t *widths, float eps) {
  float *row = malloc(2 * dim * sizeof(float)), *back = row + dim;
  if (!row) return 1;
  for (int64_t k = 0; k < rows; k++, x += dim, g += dim, to_x += dim) {
    float scale = centred(x, row, dim, slots, starts, widths, eps), along = 0.0f;
    INDEPENDENT for (int64_t c = 0; c < dim; c++) {
      row[c] *= scale;
      back[c] = LOAD(g[c]);
    }
    if (to_bias) INDEPENDENT for (int64_t c = 0; c < dim; c++) to_bias[c] += back[c];
    if (to_weight) INDEPENDENT for (int64_t c = 0; c < dim; c++) to_weight[c] += back[c] * row[c];
    if (weight) INDEPENDENT for (int64_t c = 0; c < dim; c++) back[c] *= weight[c];
    SUM(along) for (int64_t c = 0; c < dim; c++) along += back[c] * row[c];
    along /= dim;
    for (int64_t s = 0; s < slots; s++) {
      int64_t first = starts[s], last = starts[s] + widths[s];
      float mean = 0.0f;
      SUM(mean) for (int64_t c = first; c < last; c++) mean += back[c];
      mean /= widths[s];
      INDEPENDENT for (int64_t c = first; c < last; c++)
        to_x[c] = STORE(scale * (back[c] - mean - row[c] * along));
    }
  }
  free(row);
  return 0;
}
