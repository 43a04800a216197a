/* Numbers in memory, and pointwise functions in float32; every loop around them vectorises. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
/* A sum in any order. */
#define SUM(name) _Pragma(STRING(omp simd reduction(+ : name)))
#define STRING(text) #text

/* a b + c, fused where the processor does that. Nothing else is, but in products (see _FLAGS): if the
   product inside f(u) were fused with the sum f(u) + f(v), a mirrored input would round otherwise. */
static inline float fused(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMAF)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

/* Ask for memory that is read soon. */
static inline void fetch(const void *start, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)start + at);
}

typedef float float32;
typedef uint16_t bfloat16;

static inline float load_float32(float32 value) { return value; }
static inline float32 store_float32(float value) { return value; }

static inline float load_bfloat16(bfloat16 value) {
  uint32_t bits = (uint32_t)value << 16;
  float wide;
  memcpy(&wide, &bits, 4);
  return wide;
}

/* To the nearest, ties to even; not a number stays one. */
static inline bfloat16 store_bfloat16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return (bfloat16)((value != value ? 0x7fc00000u : rounded) >> 16);
}

/* exp from -87 to 88: x = n log 2 + r, a polynomial in r (Cephes), and n into the exponent's bits. */
static inline float near_exponential(float x) {
  float n = rintf(x * 1.44269504088896341f);
  float r = fused(n, 2.12194440e-4f, fused(n, -0.693359375f, x));
  float p = 1.9875691500e-4f;
  p = fused(p, r, 1.3981999507e-3f);
  p = fused(p, r, 8.3334519073e-3f);
  p = fused(p, r, 4.1665795894e-2f);
  p = fused(p, r, 1.6666665459e-1f);
  p = fused(p, r, 5.0000001201e-1f);
  uint32_t bits = ((uint32_t)(int32_t)n + 127u) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return fused(p, r * r, r + 1.0f) * power;
}

/* exp: below -87.7 the bits are those of 0 and above 88.4 of infinity, so that no large factor brings
   back what is gone. */
static inline float exponential(float x) {
  x = x < -88.0f ? -88.0f : x;
  return near_exponential(x > 89.0f ? 89.0f : x);
}

static inline float logistic(float x) { return 1.0f / (1.0f + exponential(-x)); }

/* The normal distribution function: 1/2 + x P(x^2) / Q(x^2) up to |x| = 5.5, where what is left is
   2e-8. The coefficients are a weighted least-squares fit, wrong by at most 7e-9 before rounding. */
static inline float normal(float x) {
  float y = x > 5.5f ? 5.5f : x;
  y = y < -5.5f ? -5.5f : y;
  float s = y * y;
  float p = 2.2749345518491282e-08f;
  p = fused(p, s, 6.3521242736896966e-06f);
  p = fused(p, s, 0.00016882653289940208f);
  p = fused(p, s, 0.004677265882492065f);
  p = fused(p, s, 0.03385272994637489f);
  p = fused(p, s, 0.398942232131958f);
  float q = 1.1975038205491728e-06f;
  q = fused(q, s, 7.364778139162809e-05f);
  q = fused(q, s, 0.001884449739009142f);
  q = fused(q, s, 0.028645919635891914f);
  q = fused(q, s, 0.25152212381362915f);
  q = fused(q, s, 1.0f);
  float half = y * p / q;
  half = fabsf(x) > 5.5f ? copysignf(0.5f, x) : half;
  return 0.5f + half;
}

static inline float value_none(float x) { return x; }

static inline float value_gelu(float x) { return x * normal(x); }
static inline float slope_gelu(float x) {
  return fused(x * 0.3989422804014327f, exponential(-0.5f * x * x), normal(x));
}

static inline float value_quick_gelu(float x) { return x * logistic(1.702f * x); }
static inline float slope_quick_gelu(float x) {
  float s = logistic(1.702f * x);
  return fused(1.702f * x, s * (1.0f - s), s);
}

/* Not a number stays what it is, with slope 1, and the slope is 0 at the corner: as in torch. */
static inline float value_relu(float x) { return x < 0.0f ? 0.0f : x; }
static inline float slope_relu(float x) { return x <= 0.0f ? 0.0f : 1.0f; }

static inline float value_silu(float x) { return x * logistic(x); }
static inline float slope_silu(float x) {
  float s = logistic(x);
  return fused(x, s * (1.0f - s), s);
}
