// The kernels by definition: plain loops over channel-first arrays, written from the formulas and
// not from the programs. T is double or std::complex<double>; comparisons look at the real part, so
// that a derivative can be taken by complex step.
#pragma once

#include <cmath>
#include <complex>

#include "kernels/kernel.h"
#include "kernels/tables.h"

namespace millwright::kernels {

inline double RealPart(double x) { return x; }
inline double RealPart(const std::complex<double>& x) { return x.real(); }

// A constant as the kernel's program holds it.
inline double ProgramConstant(const KernelSpec& spec, double value) {
  if (spec.target.dtype == DType::kFp16) return ToFloat(DoubleToFp16(value));
  return static_cast<double>(static_cast<float>(value));
}

template <class T>
class Formula {
 public:
  using Array = std::vector<T>;

  Formula(const KernelSpec& spec, OperandValues<T>& values)
      : spec_(spec),
        c_(spec.config),
        values_(values),
        seq_(spec.config.seq),
        columns_(spec.columns()) {}

  void SdpaFwd() {
    const Array& x = In("xnorm");
    Array q = Projected("wq", x, c_.q_dim(), c_.dim);
    Array k = Projected("wk", x, c_.kv_dim(), c_.dim);
    if (c_.qk_norm) {
      Out("q_raw") = q;
      Out("k_raw") = k;
      HeadNorm(q, c_.heads, In("q_norm"));
      HeadNorm(k, c_.kv_heads, In("k_norm"));
    }
    Rotate(q, c_.heads);
    Rotate(k, c_.kv_heads);
    Out("q") = q;
    Out("k") = k;
    Out("v") = Projected("wv", x, c_.kv_dim(), c_.dim);
    Out("attn") = Attend();
  }

  // As SdpaFwd, for positions after those of the cache: keys and values come from both, and what a
  // query may see is said by the mask, [seq, cache + seq].
  void SdpaCached() {
    const Array& x = In("xnorm");
    Array q = Projected("wq", x, c_.q_dim(), c_.dim);
    Array k = Projected("wk", x, c_.kv_dim(), c_.dim);
    if (c_.qk_norm) {
      HeadNorm(q, c_.heads, In("q_norm"));
      HeadNorm(k, c_.kv_heads, In("k_norm"));
    }
    Rotate(q, c_.heads, In("cos"), In("sin"));
    Rotate(k, c_.kv_heads, In("cos"), In("sin"));
    Out("k_new") = k;
    Out("v_new") = Projected("wv", x, c_.kv_dim(), c_.dim);
    Array out(q.size(), T(0));
    for (int64_t h = 0; h < c_.heads; ++h) {
      for (int64_t query = 0; query < seq_; ++query) AttendCached(q, h, query, &out);
    }
    Out("attn") = out;
  }

  void WoFwd() { Out("o") = Projected("wo", In("attn"), c_.dim, c_.q_dim()); }

  void FfnFused() {
    const Array h1 = Projected("w1", In("x2norm"), c_.hidden_dim, c_.dim);
    const Array h3 = Projected("w3", In("x2norm"), c_.hidden_dim, c_.dim);
    Array gate(h1.size());
    for (size_t i = 0; i < h1.size(); ++i) gate[i] = h1[i] / (1.0 + std::exp(-h1[i])) * h3[i];
    Array next = Projected("w2", gate, c_.dim, c_.hidden_dim);
    const double alpha = Rounded(spec_.residual_alpha);
    for (size_t i = 0; i < next.size(); ++i) next[i] = In("x2")[i] + alpha * next[i];
    Out("x_next") = next;
    Out("h1") = h1;
    Out("h3") = h3;
    Out("gate") = gate;
  }

  void FfnBwdW2t() { Out("dgate") = ProjectedTransposed("w2", In("dffn"), c_.dim, c_.hidden_dim); }

  void FfnBwdW13t() {
    Out("dx2norm") = Sum(ProjectedTransposed("w1", In("dh1"), c_.hidden_dim, c_.dim),
                         ProjectedTransposed("w3", In("dh3"), c_.hidden_dim, c_.dim));
  }

  void WotBwd() { Out("dattn") = ProjectedTransposed("wo", In("do"), c_.dim, c_.q_dim()); }

  void SdpaBwd1() {
    Array dv(Size(c_.kv_dim() * columns_), T(0));
    Array probs(Size(c_.heads * seq_ * columns_), T(0)), dp(probs.size(), T(0));
    for (int64_t h = 0; h < c_.heads; ++h) {
      for (int64_t first = 0; first < columns_; first += seq_) {
        AddProbabilities(h, first, &probs);
        AddProbabilityGradient(h, first, &dp);
        for (int64_t i = 0; i < c_.head_dim; ++i) {
          for (int64_t query = 0; query < seq_; ++query) {
            for (int64_t key = first; key < first + seq_; ++key) {
              dv[At(KvHead(h) * c_.head_dim + i, key)] +=
                  probs[At(h * seq_ + query, key)] *
                  In("dattn")[At(h * c_.head_dim + i, first + query)];
            }
          }
        }
      }
    }
    Out("dv") = dv;
    if (spec_.target.fused_attention_backward) {
      Out("probs") = probs;
      Out("dp") = dp;
      SdpaBwd2();
      values_.erase("probs");
      values_.erase("dp");
      return;
    }
    Out("probs") = probs;
    Out("dp") = dp;
  }

  // With P the probabilities and dP their gradient: dS = P * (dP - sum_k P dP) / sqrt(head_dim),
  // dQ = dS K, dK = dS^T Q; kv heads sum over their query heads.
  void SdpaBwd2() {
    const double scale = Rounded(1.0 / std::sqrt(static_cast<double>(c_.head_dim)));
    Array dq(Size(c_.q_dim() * columns_), T(0)), dk(Size(c_.kv_dim() * columns_), T(0));
    const Array &probs = In("probs"), &dp = In("dp");
    for (int64_t h = 0; h < c_.heads; ++h) {
      for (int64_t column = 0; column < columns_; ++column) {  // of the query
        const int64_t query = column % seq_, first = column - query;
        T dot(0);
        for (int64_t key = first; key < first + seq_; ++key) {
          dot += probs[At(h * seq_ + query, key)] * dp[At(h * seq_ + query, key)];
        }
        for (int64_t key = first; key < first + seq_; ++key) {
          const size_t at = At(h * seq_ + query, key);
          const T ds = probs[at] * (dp[at] - dot) * scale;
          for (int64_t i = 0; i < c_.head_dim; ++i) {
            const size_t q_at = At(h * c_.head_dim + i, column);
            const size_t k_at = At(KvHead(h) * c_.head_dim + i, key);
            dq[q_at] += ds * In("k")[k_at];
            dk[k_at] += ds * In("q")[q_at];
          }
        }
      }
    }
    Out("dq") = dq;
    Out("dk") = dk;
  }

  void QBwd() { Out("dx_q") = ProjectedTransposed("wq", In("dq"), c_.q_dim(), c_.dim); }

  void KvBwd() {
    Out("dx_kv") = Sum(ProjectedTransposed("wk", In("dk"), c_.kv_dim(), c_.dim),
                       ProjectedTransposed("wv", In("dv"), c_.kv_dim(), c_.dim));
  }

 private:
  static size_t Size(int64_t n) { return static_cast<size_t>(n); }
  size_t At(int64_t row, int64_t column) const { return Size(row * columns_ + column); }
  const Array& In(std::string_view name) const { return values_.find(name)->second; }
  Array& Out(const std::string& name) { return values_[name]; }
  int64_t KvHead(int64_t head) const { return head / c_.group(); }

  double Rounded(double value) const { return ProgramConstant(spec_, value); }

  static Array Sum(Array a, const Array& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }

  // With the adapter, where there is one: W x + scale * B (A x), and the transpose of that map.
  Array Projected(const std::string& weight, const Array& x, int64_t out, int64_t in) const {
    Array y = Project(In(weight), x, out, in);
    if (!values_.contains(weight + "_a")) return y;
    const int64_t rank = spec_.lora.rank;
    const Array up = Project(In(weight + "_b"), Project(In(weight + "_a"), x, rank, in), out, rank);
    return Sum(y, Times(Rounded(spec_.lora.scale()), up));
  }

  Array ProjectedTransposed(const std::string& weight, const Array& x, int64_t out,
                            int64_t in) const {
    Array y = ProjectTransposed(In(weight), x, out, in);
    if (!values_.contains(weight + "_a")) return y;
    const int64_t rank = spec_.lora.rank;
    const Array down = ProjectTransposed(In(weight + "_b"), x, out, rank);
    const Array back = ProjectTransposed(In(weight + "_a"), down, rank, in);
    return Sum(y, Times(Rounded(spec_.lora.scale()), back));
  }

  static Array Times(double factor, Array a) {
    for (T& value : a) value *= factor;
    return a;
  }

  // y[o,s] = sum_i w[o,i] x[i,s]
  Array Project(const Array& w, const Array& x, int64_t out, int64_t in) const {
    Array y(Size(out * columns_), T(0));
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t s = 0; s < columns_; ++s) y[At(o, s)] += w[Size(o * in + i)] * x[At(i, s)];
      }
    }
    return y;
  }

  // y[i,s] = sum_o w[o,i] x[o,s]
  Array ProjectTransposed(const Array& w, const Array& x, int64_t out, int64_t in) const {
    Array y(Size(in * columns_), T(0));
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t s = 0; s < columns_; ++s) y[At(i, s)] += w[Size(o * in + i)] * x[At(o, s)];
      }
    }
    return y;
  }

  void HeadNorm(Array& x, int64_t heads, const Array& weight) const {
    const double eps = Rounded(c_.rms_norm_eps);
    const double root = Rounded(1.0 / std::sqrt(static_cast<double>(c_.head_dim)));
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t s = 0; s < columns_; ++s) {
        T mean(0);
        for (int64_t i = 0; i < c_.head_dim; ++i) {
          const T small = x[At(h * c_.head_dim + i, s)] * root;
          mean += small * small;
        }
        const T inverse = 1.0 / std::sqrt(mean + eps);
        for (int64_t i = 0; i < c_.head_dim; ++i) {
          x[At(h * c_.head_dim + i, s)] *= inverse * weight[Size(i)];
        }
      }
    }
  }

  void Rotate(Array& x, int64_t heads) const {
    const RotaryTables tables = MakeRotaryTables(c_, seq_, 0, spec_.batch);
    Array cos, sin;
    for (const double value : tables.cos) cos.push_back(Rounded(value));
    for (const double value : tables.sin) sin.push_back(Rounded(value));
    Rotate(x, heads, cos, sin);
  }

  void Rotate(Array& x, int64_t heads, const Array& cosines, const Array& sines) const {
    const int64_t half = c_.head_dim / 2;
    const bool half_split = c_.rotary == model::RotaryLayout::kHalfSplit;
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t i = 0; i < half; ++i) {
        const int64_t first = h * c_.head_dim + (half_split ? i : 2 * i);
        const int64_t second = first + (half_split ? half : 1);
        for (int64_t s = 0; s < columns_; ++s) {
          const T cos = cosines[At(i, s)], sin = sines[At(i, s)];
          const T a = x[At(first, s)], b = x[At(second, s)];
          x[At(first, s)] = a * cos - b * sin;
          x[At(second, s)] = b * cos + a * sin;
        }
      }
    }
  }

  // Element i of what the cache, then the new positions, hold for a kv head at `position`.
  T Kept(const char* cache, const char* now, int64_t kv, int64_t position, int64_t i) const {
    if (position >= spec_.cache) {
      return In(now)[At(kv * c_.head_dim + i, position - spec_.cache)];
    }
    return In(cache)[Size((kv * spec_.cache + position) * c_.head_dim + i)];
  }

  // softmax(scale q k^T + mask) v for one head and query, into its column of `out`.
  void AttendCached(const Array& q, int64_t head, int64_t query, Array* out) const {
    const double scale = Rounded(1.0 / std::sqrt(static_cast<double>(c_.head_dim)));
    const int64_t positions = spec_.cache + seq_, kv = KvHead(head);
    Array p(Size(positions));
    double highest = -INFINITY;
    for (int64_t key = 0; key < positions; ++key) {
      T score = In("mask")[Size(query * positions + key)];
      for (int64_t i = 0; i < c_.head_dim; ++i) {
        score +=
            q[At(head * c_.head_dim + i, query)] * scale * Kept("k_cache", "k_new", kv, key, i);
      }
      p[Size(key)] = score;
      highest = std::max(highest, RealPart(score));
    }
    T sum(0);
    for (T& value : p) sum += value = std::exp(value - highest);
    for (int64_t key = 0; key < positions; ++key) {
      for (int64_t i = 0; i < c_.head_dim; ++i) {
        (*out)[At(head * c_.head_dim + i, query)] +=
            p[Size(key)] / sum * Kept("v_cache", "v_new", kv, key, i);
      }
    }
  }

  // softmax over keys <= query of the sequence that begins at column `first`, zero beyond, to the
  // sequence's columns of [heads * seq, batch * seq]; `p` must be zero there.
  void AddProbabilities(int64_t head, int64_t first, Array* p) const {
    const double scale = Rounded(1.0 / std::sqrt(static_cast<double>(c_.head_dim)));
    for (int64_t query = 0; query < seq_; ++query) {
      const auto at = [&](int64_t key) { return At(head * seq_ + query, first + key); };
      double highest = -INFINITY;
      for (int64_t key = 0; key <= query; ++key) {
        T score(0);
        for (int64_t i = 0; i < c_.head_dim; ++i) {
          score += In("q")[At(head * c_.head_dim + i, first + query)] * scale *
                   In("k")[At(KvHead(head) * c_.head_dim + i, first + key)];
        }
        (*p)[at(key)] = score;
        highest = std::max(highest, RealPart(score));
      }
      T sum(0);
      for (int64_t key = 0; key <= query; ++key) {
        sum += (*p)[at(key)] = std::exp((*p)[at(key)] - highest);
      }
      for (int64_t key = 0; key <= query; ++key) (*p)[at(key)] /= sum;
    }
  }

  // dP[query, key] = sum_i dattn[i, query] v[i, key] of one sequence, for all keys: masked ones are
  // multiplied by zero probabilities later. Laid out as AddProbabilities does.
  void AddProbabilityGradient(int64_t head, int64_t first, Array* d) const {
    for (int64_t i = 0; i < c_.head_dim; ++i) {
      for (int64_t query = 0; query < seq_; ++query) {
        for (int64_t key = first; key < first + seq_; ++key) {
          (*d)[At(head * seq_ + query, key)] +=
              In("dattn")[At(head * c_.head_dim + i, first + query)] *
              In("v")[At(KvHead(head) * c_.head_dim + i, key)];
        }
      }
    }
  }

  Array Attend() const {
    Array out(Size(c_.q_dim() * columns_), T(0)), p(Size(c_.heads * seq_ * columns_), T(0));
    for (int64_t h = 0; h < c_.heads; ++h) {
      for (int64_t first = 0; first < columns_; first += seq_) {
        AddProbabilities(h, first, &p);
        for (int64_t i = 0; i < c_.head_dim; ++i) {
          for (int64_t query = 0; query < seq_; ++query) {
            for (int64_t key = first; key <= first + query; ++key) {
              out[At(h * c_.head_dim + i, first + query)] +=
                  p[At(h * seq_ + query, key)] * In("v")[At(KvHead(h) * c_.head_dim + i, key)];
            }
          }
        }
      }
    }
    return out;
  }

  const KernelSpec& spec_;
  const model::ModelConfig& c_;
  OperandValues<T>& values_;
  int64_t seq_, columns_;
};

}  // namespace millwright::kernels
