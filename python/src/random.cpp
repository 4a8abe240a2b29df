// Random streams: Philox4x64-10 as numpy.random.Philox draws it.
#include "common.h"

using namespace ntkswift;

namespace {

template <size_t Count>
using Words = nb::ndarray<const uint64_t, nb::shape<Count>, nb::c_contig, nb::device::cpu>;

// A new array of `count` elements, filled by `draw` without the GIL.
template <typename Element, typename Draw>
Array drawn(int64_t count, Draw draw) {
  if (count < 0) throw nb::value_error("[philox] count must not be negative. Received a negative count.");
  NewArray memory = new_vector(count, NTK_FLOAT64);
  auto *words = static_cast<Element *>(memory.view.data);
  compute([&](ntk_error *error) { return draw(words, error); });
  return memory.array;
}

}  // namespace

void bind_random(nb::module_ &m) {
  m.def(
      "philox_raw",
      [](Words<2> key, Words<4> counter, int64_t count) {
        Array bits = drawn<uint64_t>(count, [&](uint64_t *out, ntk_error *error) {
          return ntk_philox_raw(key.data(), counter.data(), out, count, error);
        });
        return nb::borrow<Array>(bits.attr("view")("uint64"));
      },
      nb::arg("key"), nb::arg("counter"), nb::arg("count"),
      "The next `count` raw words of numpy.random.Philox(counter=counter, key=key), as uint64.");
  m.def(
      "philox_normal",
      [](Words<2> key, Words<4> counter, int64_t count) {
        return drawn<double>(count, [&](double *out, ntk_error *error) {
          return ntk_philox_normal(key.data(), counter.data(), out, count, error);
        });
      },
      nb::arg("key"), nb::arg("counter"), nb::arg("count"), "Standard normal numbers from the Philox stream, as float64.");
}
