/* Scaled dot-product attention, head by head in a scratch that stays in the cache. */

/* Tokens of one head as rows of float32, and back; each row times a factor. See `_heads.py`. */
typedef void Read(const void *x, int64_t sample, int64_t tokens, int64_t parts, int64_t part,
                  int64_t head, float *rows, int64_t stride, float factor);
typedef void Write(void *x, int64_t sample, int64_t tokens, int64_t parts, int64_t part,
                   int64_t head, int64_t first, int64_t last, const float *rows, int64_t stride,
                   const float *factors);

/* Logits of so many bytes are made at once; up to NEAR they are near 0. */
enum { LOGITS = 1 << 16, NEAR = 40 };

/* Sizes of the scratch: `wide` columns hold a head's channels, `tall` rows its tokens, `keys`
   columns its tokens, and `block` rows the queries that are served at once. */
typedef struct {
  int64_t tokens, size, wide, tall, keys, block;
  float scale;
} Sizes;

static Sizes sizes_of(int64_t tokens, int64_t size) {
  int64_t tall = padded(tokens, TALL), keys = padded(tall, LANES);
  int64_t block = LOGITS / (4 * keys) / TALL * TALL;
  block = block < TALL ? TALL : block > tall ? tall : block;
  return (Sizes){tokens, size, padded(size, LANES), tall, keys, block, 1.0f / sqrtf(size)};
}

/* Zeros: what pads a matrix is multiplied as well. */
static float *scratch(int64_t numbers) {
  void *made = NULL;
  if (posix_memalign(&made, 64, numbers * sizeof(float))) return NULL;
  return memset(made, 0, numbers * sizeof(float));
}

/* The largest of a row by vectors, of which clang makes no such loop. */
static float largest(const float *row, int64_t length) {
  vector most = *(const vector *)row;
  for (int64_t c = LANES; c < length; c += LANES) most = larger(*(const vector *)(row + c), most);
  float found = most[0];
  for (int i = 1; i < LANES; i++) found = most[i] > found ? most[i] : found;
  return found;
}

/* At least the square of the longest row: of each lane the largest sum of squares. */
static float reach(const float *rows, int64_t count, int64_t wide) {
  vector most = {0};
  for (int64_t i = 0; i < count; i++, rows += wide) {
    vector squares = {0};
    for (int64_t c = 0; c < wide; c += LANES) {
      vector part = *(const vector *)(rows + c);
      squares += part * part;
    }
    most = larger(squares, most);
  }
  float found = 0.0f;
  for (int i = 0; i < LANES; i++) found += most[i];
  return found;
}

/* A row of logits to weights that still lack the factor which is returned. */
typedef float Weigh(float *row, int64_t tokens, int64_t keys);

/* Where no logit is far from 0 the largest need not be subtracted: a third of the time. */
static float weigh_near(float *row, int64_t tokens, int64_t keys) {
  float sum = 0.0f;
  for (int64_t c = tokens; c < keys; c++) row[c] = -87.0f; /* gone beside exp(-NEAR) */
  SUM(sum) for (int64_t c = 0; c < keys; c++) sum += row[c] = near_exponential(row[c]);
  return 1.0f / sum;
}

static float weigh_any(float *row, int64_t tokens, int64_t keys) {
  for (int64_t c = tokens; c < keys; c++) row[c] = -INFINITY;
  float most = largest(row, keys), sum = 0.0f;
  SUM(sum) for (int64_t c = 0; c < keys; c++) sum += row[c] = exponential(row[c] - most);
  return 1.0f / sum;
}

/* By Cauchy and Schwarz; what is no number, or infinite, is not near. */
static Weigh *weigh_of(const float *q, const float *k, Sizes s) {
  float squares = reach(q, s.tokens, s.wide) * reach(k, s.tokens, s.wide);
  return squares < NEAR * NEAR ? weigh_near : weigh_any;
}

/* Heads first to last of all samples: attention of x, which holds query, key and value, into y. */
int attention_forward(const void *x, void *y, Read read, Write write, int64_t tokens, int64_t heads,
                      int64_t size, int64_t first, int64_t last) {
  Sizes s = sizes_of(tokens, size);
  int64_t head = s.tall * s.wide;
  float *q = scratch(3 * head + s.wide * s.keys + s.block * (s.keys + s.wide + 1));
  if (!q) return 1;
  float *k = q + head, *v = k + head, *turned = v + head, *weights = turned + s.wide * s.keys,
        *out = weights + s.block * s.keys, *factors = out + s.block * s.wide;
  for (int64_t task = first; task < last; task++) {
    int64_t sample = task / heads, h = task % heads;
    read(x, sample, tokens, 3, 0, h, q, s.wide, s.scale);
    read(x, sample, tokens, 3, 1, h, k, s.wide, 1.0f);
    read(x, sample, tokens, 3, 2, h, v, s.wide, 1.0f);
    transpose(k, s.wide, tokens, size, turned, s.keys);
    Weigh *weigh = weigh_of(q, k, s);
    for (int64_t i = 0; i < tokens; i += s.block) {
      int64_t rows = s.tall - i < s.block ? s.tall - i : s.block;
      int64_t after = i + rows < tokens ? i + rows : tokens;
      product(q + i * s.wide, s.wide, 1, turned, s.keys, size, weights, s.keys, rows, s.keys, 0);
      for (int64_t r = 0; r < rows; r++) factors[r] = weigh(weights + r * s.keys, tokens, s.keys);
      product(weights, s.keys, 1, v, s.wide, tokens, out, s.wide, rows, s.wide, 0);
      write(y, sample, tokens, 1, 0, h, i, after, out, s.wide, factors);
    }
  }
  free(q);
  return 0;
}

/* A row of weights without their factor, and what comes back to them, to the weights and what goes
   back to the logits: w (g - sum of w g). */
static void weigh_back(float *weights, float *g, int64_t keys, float factor) {
  float along = 0.0f;
  SUM(along) for (int64_t c = 0; c < keys; c++) {
    weights[c] *= factor;
    along += weights[c] * g[c];
  }
  INDEPENDENT for (int64_t c = 0; c < keys; c++) g[c] = weights[c] * (g[c] - along);
}

/* What goes back from y to x, into to_x; weights are made again. */
int attention_backward(const void *x, const void *g, void *to_x, Read read, Write write,
                       int64_t tokens, int64_t heads, int64_t size, int64_t first, int64_t last) {
  Sizes s = sizes_of(tokens, size);
  int64_t head = s.tall * s.wide, turned = s.wide * s.keys;
  float *q = scratch(6 * head + 2 * turned + s.block * (2 * s.keys + s.wide + 1));
  if (!q) return 1;
  float *k = q + head, *v = k + head, *back = v + head, *to_k = back + head, *to_v = to_k + head,
        *turned_k = to_v + head, *turned_v = turned_k + turned, *weights = turned_v + turned,
        *logits = weights + s.block * s.keys, *to_q = logits + s.block * s.keys,
        *factors = to_q + s.block * s.wide;
  for (int64_t r = 0; r < s.block; r++) factors[r] = s.scale;
  for (int64_t task = first; task < last; task++) {
    int64_t sample = task / heads, h = task % heads;
    read(x, sample, tokens, 3, 0, h, q, s.wide, s.scale);
    read(x, sample, tokens, 3, 1, h, k, s.wide, 1.0f);
    read(x, sample, tokens, 3, 2, h, v, s.wide, 1.0f);
    read(g, sample, tokens, 1, 0, h, back, s.wide, 1.0f);
    transpose(k, s.wide, tokens, size, turned_k, s.keys);
    Weigh *weigh = weigh_of(q, k, s);
    transpose(v, s.wide, tokens, size, turned_v, s.keys);
    for (int64_t i = 0; i < tokens; i += s.block) {
      int64_t rows = s.tall - i < s.block ? s.tall - i : s.block;
      int64_t after = i + rows < tokens ? i + rows : tokens;
      const float *some_q = q + i * s.wide, *some_back = back + i * s.wide;
      product(some_q, s.wide, 1, turned_k, s.keys, size, weights, s.keys, rows, s.keys, 0);
      product(some_back, s.wide, 1, turned_v, s.keys, size, logits, s.keys, rows, s.keys, 0);
      for (int64_t r = 0; r < rows; r++) {
        float *row = weights + r * s.keys;
        weigh_back(row, logits + r * s.keys, s.keys, weigh(row, tokens, s.keys));
      }
      product(logits, s.keys, 1, k, s.wide, tokens, to_q, s.wide, rows, s.wide, 0);
      write(to_x, sample, tokens, 3, 0, h, i, after, to_q, s.wide, factors);
      /* The query has its scale. */
      product(logits, 1, s.keys, some_q, s.wide, after - i, to_k, s.wide, s.tall, s.wide, i > 0);
      product(weights, 1, s.keys, some_back, s.wide, after - i, to_v, s.wide, s.tall, s.wide,
              i > 0);
    }
    write(to_x, sample, tokens, 3, 1, h, 0, tokens, to_k, s.wide, NULL);
    write(to_x, sample, tokens, 3, 2, h, 0, tokens, to_v, s.wide, NULL);
  }
  free(q);
  return 0;
}
