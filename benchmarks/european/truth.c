/* Black prices and implied vols in 128-bit floats (libquadmath): the truth that european_vol.py measures by.
 *
 * Shares nothing with the library. With x = -|ln F/K|, h = x/s, t = s/2 and Mills' ratio of the lower tail
 * R(z) = N(z)/n(z) = sqrt(pi/2) erfcx(-z/sqrt 2), the out-of-the-money price over sqrt(FK) is
 *
 *     b = n(h) exp(-t^2/2) W,  W = R(h+t) - R(h-t),  ln b = ln W - (h^2 + t^2)/2 - ln(2 pi)/2,
 *     d(ln b)/ds = 1/W,  d^2(ln b)/ds^2 : d(ln b)/ds = h^2/s - s/4 - 1/W.
 *
 * W loses log10(R/W) of the 34 digits: nine at h = -37 and s = 1e-4. ln b is solved by Halley's iteration in a
 * bracket, in long doubles to 1e-9 of s, then in 128 bits until a step is below 1e-13 of s; the next step
 * would be of the order of its cube.
 */
#include <math.h>
#include <quadmath.h>
#include <stdint.h>

enum { VALID = 0, NO_VOL = 1, UNDECIDED = 2, NOT_FOUND = 3 };

static const long double ROOT_HALF_L = 0.707106781186547524400844362104849039L;
static const long double ROOT_HALF_PI_L = 1.25331413731550025120788264240552263L;
static const long double HALF_LOG_2PI_L = 0.918938533204672741780329736405617640L;

static long double width_l(long double h, long double t)
{
    long double above = -(h + t) * ROOT_HALF_L, below = -(h - t) * ROOT_HALF_L;
    return ROOT_HALF_PI_L * (expl(above * above) * erfcl(above) - expl(below * below) * erfcl(below));
}

static __float128 width_q(__float128 h, __float128 t)
{
    const __float128 root_half = sqrtq(0.5Q);
    __float128 above = -(h + t) * root_half, below = -(h - t) * root_half;
    return sqrtq(M_PI_2q) * (expq(above * above) * erfcq(above) - expq(below * below) * erfcq(below));
}

/* -|ln F/K|, to the last digits also where F and K are close. */
static __float128 log_moneyness(double forward, double strike)
{
    __float128 f = forward, k = strike, ratio = f / k;
    if (ratio > 0.5Q && ratio < 2.0Q)
        return -fabsq(log1pq((f - k) / k));
    return -fabsq(logq(ratio));
}

static long double start(long double x, long double target, long double top)
{
    /* At s = sqrt(2|x|) the price has its inflection in s: its tangent above, ln b ~ -x^2/(2 s^2) below. */
    long double bend = sqrtl(-2 * x), at_bend = 0, s;
    if (bend > 0)
        at_bend = logl(width_l(x / bend, bend / 2)) + x / 2 - HALF_LOG_2PI_L;
    if (bend == 0 || target > at_bend)
        s = bend + ((bend > 0 ? expl(target) - expl(at_bend) : expl(target)) * expl(HALF_LOG_2PI_L - x / 2));
    else
        s = 1 / sqrtl(1 / (bend * bend) + 2 * (at_bend - target) / (x * x));
    return s > 0 && s < top ? s : top / 2;
}

/* s with ln b(x, s) = target, or 0 where the iteration did not settle. */
static __float128 solve(__float128 x, __float128 target)
{
    long double xl = x, goal = target, low = 0, top = 18 + sqrtl(324 - 2 * xl), high = top;
    long double s = start(xl, goal, top);
    int round, settled = 0;
    for (round = 0; round < 300 && !settled; round++) {
        long double h = xl / s, t = s / 2, w = width_l(h, t), newton, halley, next;
        long double gap = logl(w) - (h * h + t * t) / 2 - HALF_LOG_2PI_L - goal;
        if (!(w > 0))
            gap = -1; /* so far out that W has no digit left: the root is above */
        if (gap > 0)
            high = s;
        else
            low = s;
        newton = -gap * w;
        halley = 1 + newton * (h * h / s - s / 4 - 1 / w) / 2;
        next = s + newton / (halley > 0.2L ? halley : 0.2L);
        if (!(next > low && next < high) && !(fabsl(next - s) <= 1e-9L * s))
            next = (low + high) / 2;
        settled = fabsl(next - s) <= 1e-9L * s;
        s = next;
    }
    if (!settled)
        return 0;
    __float128 root = s;
    const __float128 half_log_2pi = logq(2 * M_PIq) / 2;
    for (round = 0; round < 8; round++) {
        __float128 h = x / root, t = root / 2, w = width_q(h, t);
        __float128 newton = -(logq(w) - (h * h + t * t) / 2 - half_log_2pi - target) * w;
        __float128 step = newton / (1 + newton * (h * h / root - root / 4 - 1 / w) / 2);
        root += step;
        if (fabsq(step) <= 1e-13Q * root)
            return root;
    }
    return 0;
}

/* Undiscounted prices, rounded once to the nearest double. */
void prices(int64_t n, const double *vol, const double *forward, const double *strike, const double *time,
            const uint8_t *is_call, double *price)
{
    const __float128 half_log_2pi = logq(2 * M_PIq) / 2;
    for (int64_t i = 0; i < n; i++) {
        __float128 f = forward[i], k = strike[i], intrinsic = is_call[i] ? f - k : k - f;
        __float128 s = (__float128)vol[i] * sqrtq(time[i]), x = log_moneyness(forward[i], strike[i]);
        __float128 h = x / s, t = s / 2;
        __float128 value = sqrtq(f * k) * expq(logq(width_q(h, t)) - (h * h + t * t) / 2 - half_log_2pi);
        price[i] = (double)(value + (intrinsic > 0 ? intrinsic : 0));
    }
}

/* The vol of exactly these doubles as high + low, and half a last digit of the price over (vega vol).
 *
 * A row has a vol where all is finite, time, forward and strike are positive, and the price lies strictly
 * between the intrinsic value and the maximum. UNDECIDED: in the money with a time value of at most 2^-52 of
 * the price.
 */
void vols(int64_t n, const double *price, const double *forward, const double *strike, const double *time,
          const uint8_t *is_call, double *high, double *low, double *rounding, uint8_t *class)
{
    for (int64_t i = 0; i < n; i++) {
        double p = price[i], most = is_call[i] ? forward[i] : strike[i];
        high[i] = low[i] = rounding[i] = NAN;
        class[i] = NO_VOL;
        if (!(isfinite(p) && isfinite(forward[i]) && isfinite(strike[i]) && isfinite(time[i])))
            continue;
        if (!(time[i] > 0 && forward[i] > 0 && strike[i] > 0 && p > 0 && p < most))
            continue;
        __float128 f = forward[i], k = strike[i], intrinsic = is_call[i] ? f - k : k - f;
        __float128 value = intrinsic > 0 ? p - intrinsic : (__float128)p;
        if (!(value > 0))
            continue;
        if (intrinsic > 0 && value <= (__float128)0x1p-52 * p) {
            class[i] = UNDECIDED;
            continue;
        }
        __float128 x = log_moneyness(forward[i], strike[i]), root_fk = sqrtq(f * k);
        __float128 s = solve(x, logq(value / root_fk));
        if (!(s > 0)) {
            class[i] = NOT_FOUND;
            continue;
        }
        __float128 vol = s / sqrtq(time[i]);
        long double h = x / s, t = s / 2;
        long double vega_vol = (long double)(root_fk * s) * expl(-(h * h + t * t) / 2 - HALF_LOG_2PI_L);
        high[i] = (double)vol;
        low[i] = (double)(vol - high[i]);
        rounding[i] = (double)(((long double)nextafter(p, INFINITY) - p) / 2 / vega_vol);
        class[i] = VALID;
    }
}
