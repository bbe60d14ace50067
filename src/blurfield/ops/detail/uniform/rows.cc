// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Index modulo(Index i, Index n) {
  const Index rest = i % n;
  return rest < 0 ? rest + n : rest;
}

// Where pixel p stands among the samples, in steps.
double reading_centre(Index p, Index step) {
  const auto d = static_cast<double>(step);
  return (static_cast<double>(p) - 0.5 * (d - 1.0)) / d;
}

// Weights of a Gaussian of width sigma at first, first + 1, ... around `centre`, or their
// derivatives by sigma (G2).
SparseRow sampled(double centre, double sigma, double reach, bool derivative) {
  const double half = reach * sigma + 0.5;
  const auto first = static_cast<Index>(std::ceil(centre - half));
  const auto last = static_cast<Index>(std::floor(centre + half));
  SparseRow row{first, {}};
  double sum = 0.0;
  double second = 0.0;
  for (Index i = first; i <= last; ++i) {
    const double u = static_cast<double>(i) - centre;
    const double w = row.weights.emplace_back(std::exp(-0.5 * u * u / (sigma * sigma)));
    sum += w;
    second += w * u * u;
  }
  for (Index i = first; i <= last; ++i) {
    const double u = static_cast<double>(i) - centre;
    double& w = row.weights[at(i - first)];
    w /= sum;
    if (derivative) w *= (u * u - second / sum) / (sigma * sigma * sigma);
  }
  return row;
}

// The same on the n pixels of a frame that the extension repeats.
SparseRow folded(SparseRow row, Index n, Mode mode, double total) {
  if (mode == Mode::wrap && std::ssize(row.weights) <= n) {
    row.first = modulo(row.first, n);
    return row;
  }
  std::vector<double> frame(at(n), 0.0);
  Index first = n;
  Index last = -1;
  double seen = 0.0;
  for (Index k = 0; k < std::ssize(row.weights); ++k) {
    const Index i = extend(row.first + k, n, mode);
    if (i < 0) continue;
    frame[at(i)] += row.weights[at(k)];
    seen += row.weights[at(k)];
    first = std::min(first, i);
    last = std::max(last, i);
  }
  const double beyond = mode == Mode::constant ? total - seen : 0.0;
  if (last < first) return {0, {}, beyond};
  return {first, {frame.begin() + first, frame.begin() + last + 1}, beyond};
}

// Entries of a column, as a row of the transpose: they leave one gap on the circle of `n` rows.
struct Entry {
  Index index;
  double weight;
};
SparseRow gathered(std::vector<Entry> entries, Index n) {
  if (entries.empty()) return {};
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.index < b.index; });
  std::size_t start = 0;
  Index widest = entries.front().index + n - entries.back().index;
  for (std::size_t k = 1; k < entries.size(); ++k) {
    const Index gap = entries[k].index - entries[k - 1].index;
    if (gap > widest) {
      widest = gap;
      start = k;
    }
  }
  SparseRow row{entries[start].index, std::vector<double>(at(n - widest + 1), 0.0)};
  for (const Entry& e : entries) {
    row.weights[at(modulo(e.index - row.first, n))] += e.weight;
  }
  return row;
}

// The columns whose rows all belong to the middle.
struct Span {
  Index begin;
  Index end;
};
Span regular_columns(const SparseRows& a) {
  Span span{0, a.columns()};
  const Index period = a.period();
  const Index repeated = a.middle_end() - a.middle_begin();
  for (Index k = 0; k < period; ++k) {
    const auto row = a.row(a.middle_begin() + k);
    // The same row, one period before the middle, and the first after it.
    span.begin = std::max(span.begin, row.first + std::ssize(row.weights) - a.shift());
    const Index periods = (repeated - k + period - 1) / period;
    span.end = std::min(span.end, row.first + periods * a.shift());
  }
  const auto exclude = [&](Index first, Index last) {
    if (first + last < a.columns()) {
      span.begin = std::max(span.begin, last + 1);
    } else {
      span.end = std::min(span.end, first);
    }
  };
  for (Index i = 0; i < a.rows(); i = i + 1 == a.middle_begin() ? a.middle_end() : i + 1) {
    const auto row = a.row(i);
    const Index last = row.first + std::ssize(row.weights) - 1;
    if (row.weights.empty()) continue;
    exclude(row.first, std::min(last, a.columns() - 1));
    if (last >= a.columns()) exclude(0, last - a.columns());
  }
  return span;
}

}  // namespace

SparseRows::Row SparseRows::row(Index i) const {
  if (i < middle_begin()) {
    const SparseRow& r = head_[at(i)];
    return {r.first, r.weights, r.beyond};
  }
  if (i >= middle_end()) {
    const SparseRow& r = tail_[at(i - middle_end())];
    return {r.first, r.weights, r.beyond};
  }
  const Index k = i - middle_begin();
  const SparseRow& r = middle_[at(k % period())];
  return {r.first + k / period() * shift_, r.weights, r.beyond};
}

void SparseRows::scale(double factor) {
  total_ *= factor;
  for (auto* part : {&head_, &middle_, &tail_}) {
    for (SparseRow& row : *part) {
      row.beyond *= factor;
      for (double& w : row.weights) w *= factor;
    }
  }
}

Samples samples_around(Index n, Index step, double reach) {
  Index first = 0;
  Index last = 0;
  for (Index p = 0; p < std::min(n, step); ++p) {
    const double centre = reading_centre(p, step);
    first = std::min(first, static_cast<Index>(std::ceil(centre - reach)));
    const Index repeats = (n - 1 - p) / step;
    last = std::max(last, static_cast<Index>(std::floor(centre + reach)) + repeats);
  }
  return {step, first, last - first + 1};
}

SparseRows gaussian_rows(Index n, Mode mode, const Samples& samples, double sigma, double reach,
                         bool derivative) {
  const Index step = samples.step;
  const double phase = 0.5 * static_cast<double>(step - 1);
  const double total = derivative ? 0.0 : 1.0;
  const SparseRow around = sampled(phase, sigma, reach, derivative);
  const Index count = std::ssize(around.weights);
  std::vector<SparseRow> head;
  std::vector<SparseRow> middle;
  std::vector<SparseRow> tail;
  Index repeated = 0;
  for (Index m = samples.first; m < samples.first + samples.count; ++m) {
    SparseRow row{around.first + m * step, {}};
    if (row.first >= 0 && row.first + count <= n) {
      if (repeated++ == 0) middle.push_back({row.first, around.weights});
      continue;
    }
    row.weights = around.weights;
    (repeated == 0 ? head : tail).push_back(folded(std::move(row), n, mode, total));
  }
  return {n, total, step, std::move(head), std::move(middle), repeated, std::move(tail)};
}

SparseRows reading_rows(Index n, const Samples& samples, double tau, double reach,
                        bool derivative) {
  std::vector<SparseRow> middle;
  for (Index p = 0; p < std::min(n, samples.step); ++p) {
    middle.push_back(sampled(reading_centre(p, samples.step), tau, reach, derivative));
    middle.back().first -= samples.first;
  }
  return {samples.count, derivative ? 0.0 : 1.0, 1, {}, std::move(middle), n, {}};
}

SparseRows transposed(const SparseRows& a) {
  Span span = a.period() == 0 ? Span{0, 0} : regular_columns(a);
  if (span.end - span.begin < 2 * a.shift()) span = {a.columns(), a.columns()};
  const Index explicit_end = std::min(a.columns(), span.begin + a.shift());
  std::vector<std::vector<Entry>> head(at(explicit_end));
  std::vector<std::vector<Entry>> tail(at(a.columns() - span.end));
  const auto take = [&](Index i) {
    const auto row = a.row(i);
    for (Index k = 0; k < std::ssize(row.weights); ++k) {
      const Index j = row.first + k < a.columns() ? row.first + k : row.first + k - a.columns();
      if (row.weights[at(k)] == 0) continue;
      if (j < explicit_end) head[at(j)].push_back({i, row.weights[at(k)]});
      if (j >= span.end) tail[at(j - span.end)].push_back({i, row.weights[at(k)]});
    }
  };
  for (Index i = 0; i < a.middle_begin(); ++i) take(i);
  Index i = a.middle_begin();
  while (i < a.middle_end() && a.row(i).first < explicit_end) take(i++);
  if (i < a.middle_end()) {
    Index j = a.middle_end();
    while (j > i && a.row(j - 1).first + std::ssize(a.row(j - 1).weights) > span.end) take(--j);
  }
  for (i = a.middle_end(); i < a.rows(); ++i) take(i);

  const auto rows = [&](const auto& lists, Index begin, Index end) {
    std::vector<SparseRow> all;
    for (Index k = begin; k < end; ++k) all.push_back(gathered(lists[at(k)], a.rows()));
    return all;
  };
  const Index head_rows = std::min(span.begin, explicit_end);
  return {a.rows(),
          a.total(),
          a.period(),
          rows(head, 0, head_rows),
          rows(head, head_rows, explicit_end),
          span.end - span.begin,
          rows(tail, 0, a.columns() - span.end)};
}

}  // namespace blurfield::detail
