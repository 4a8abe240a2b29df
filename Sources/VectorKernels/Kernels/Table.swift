import VectorKernelTypes

/// All kernels of this CPU level. The same sources make one such function for each level.
public func makeKernelTable() -> KernelTable {
  // Pairs fit the registers of AVX2 in the series' short loop; on AVX-512 every loop runs on pairs.
  #if NTK_FMA && !NTK_AVX512
    KernelTable(
      float64: kernels(Float64.self, planes: 1, series: { pairedSeriesStrip(Float64.self, $0) }),
      float32: kernels(Float32.self, planes: 1, series: { pairedSeriesStrip(Float32.self, $0) }),
      tangent: kernels(TangentLanes.self, planes: 2, series: { seriesStrip(TangentLanes.self, $0) }))
  #else
    KernelTable(
      float64: kernels(Float64.self, planes: 1, series: { seriesStrip(Float64.self, $0) }),
      float32: kernels(Float32.self, planes: 1, series: { seriesStrip(Float32.self, $0) }),
      tangent: kernels(TangentLanes.self, planes: 2, series: { seriesStrip(TangentLanes.self, $0) }))
  #endif
}

// Two vectors at a time where there are 32 registers for them.
#if NTK_AVX512
  private typealias Float64 = PairLanes<DoubleLanes>
  private typealias Float32 = PairLanes<FloatLanes>
#else
  private typealias Float64 = DoubleLanes
  private typealias Float32 = FloatLanes
#endif

// Inlined, so that every closure below is compiled for one type of lanes.
@inline(__always)
private func kernels<L: Lanes>(_ type: L.Type, planes: Int, series: @escaping StripFunction) -> ElementKernels {
  ElementKernels(
    lanes: L.lanes, planes: planes,
    duals: angularDuals(type) + sigmoidalDuals(type) + exponentialDuals(type),
    layers: LayerStrips(
      dense: { denseStrip(L.self, $0) }, series: series, scale: { scaleStrip(L.self, $0) },
      shrink: { shrinkStrip(L.self, $0) }, sum: { sumStrip(L.self, $0) }, product: { productStrip(L.self, $0) },
      gapFromProduct: { gapFromProductStrip(L.self, $0) }, covariance: { covarianceStrip(L.self, $0) },
      profile: { profileStrip(L.self, $0) }))
}
